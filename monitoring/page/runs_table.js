// The table of runs: its columns, sorting, and the choice of runs.

const kMostSettings = 6;  // columns of their own; further settings share one
const kMostChosen = 32;   // as many looks as there are
const kStates = {
  running: ['● running', 'good'], finished: ['✓ finished', 'good'], stopped: ['■ stopped, saved', 'warn'], diverged: ['✕ diverged', 'bad'],
  failed: ['✕ failed', 'bad'], restarting: ['↻ restarting', 'warn'], silent: ['▲ silent', 'warn'], unknown: ['? no status', ''],
};
const sayState = (name) => Object.hasOwn(kStates, name) ? kStates[name] : [sayName(name), ''];
// A rate that a script computed as 3 * 1e-4 is 0.00030000000000000003.
const sayNumber = (value) => Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(12)));
const saySetting = (value) => value === undefined ? '' : typeof value === 'object' ? JSON.stringify(value) : isNumber(value) ? sayNumber(value) : String(value);
const sayMeasure = (name) => sayName(name.replace(/^quality_/, ''));

const state = {all: null, chosen: new Map(), touched: false, images: Infinity, sort: 'updated', falling: true, rows: new Map()};

const own = (object, name) => object && Object.hasOwn(object, name) ? object[name] : undefined;
const bestOf = (run, measure) => (own(run.best, measure) || [])[0];

// [key, heading, value to sort by, cells' content, class]
function columns() {
  const {measures} = state.all, settings = byVariety(state.all.settings);
  const shown = settings.slice(0, kMostSettings), more = settings.slice(kMostSettings);
  return [
    {key: 'name', words: 'Run', of: (run) => run.name, show: nameCell, kind: 'left name'},
    {key: 'state', words: 'State', of: (run) => run.state, show: stateCell, kind: 'left'},
    ...shown.map((name) => ({key: `s:${name}`, words: sayName(name), of: (run) => own(run.settings, name), show: (run) => saySetting(own(run.settings, name))})),
    ...(more.length ? [{key: 'more', words: 'further settings', of: (run) => moreSettings(run, more), show: (run) => moreSettings(run, more), kind: 'left more'}] : []),
    ...measures.map((name) => ({key: `m:${name}`, words: `best ${sayMeasure(name)}`, of: (run) => bestOf(run, name), show: (run) => bestCell(run, name), measure: name})),
    {key: 'auc', words: 'D AUC', of: (run) => own(run.last, 'd_auc'), show: (run) => short(own(run.last, 'd_auc'))},
    {key: 'verdict', words: 'Verdict', of: (run) => run.verdict, show: (run) => run.verdict ? sayVerdict(run.verdict) : '–', kind: 'left'},
    {key: 'images', words: 'Images', of: (run) => run.images, show: (run) => whole(run.images)},
    {key: 'step', words: 'Steps', of: (run) => run.step, show: (run) => whole(run.step)},
    {key: 'time', words: 'Time', of: timeOf, show: (run) => duration(timeOf(run))},
    {key: 'updated', words: 'Last sign', of: (run) => run.updated, show: (run) => isNumber(run.updated) ? `${duration(Math.max(0, state.all.now - run.updated))} ago` : '–'},
  ];
}

// Settings with many different values say most about a run.
function byVariety(names) {
  const variety = new Map(names.map((name) => [name, new Set(state.all.runs.map((run) => saySetting(own(run.settings, name)))).size]));
  return [...names].sort((a, b) => variety.get(b) - variety.get(a) || a.localeCompare(b));
}

const timeOf = (run) => isNumber(run.updated) && isNumber(run.started) ? Math.max(0, run.updated - run.started) : undefined;
const moreSettings = (run, names) => names.filter((name) => own(run.settings, name) !== undefined).map((name) => `${name} ${saySetting(run.settings[name])}`).join(' · ');

function nameCell(run) {
  return make('a', {href: `run/${encodeURIComponent(run.name)}/`, title: run.name}, run.name);
}

function stateCell(run) {
  const [words, kind] = sayState(run.state), left = isNumber(run.seconds_left) ? ` · ${duration(run.seconds_left)} left` : '';
  const chip = make('span', {class: `chip ${kind}`}, words);
  if (run.why) chip.setAttribute('title', run.why);
  return make('span', {}, chip, make('span', {class: 'muted'}, left));
}

function bestCell(run, measure) {
  const found = own(run.best, measure);
  return found ? make('span', {title: `at step ${whole(found[1])}`}, short(found[0])) : '–';
}

function compare(a, b) {
  if (a === undefined || a === null) return b === undefined || b === null ? 0 : 1;
  if (b === undefined || b === null) return -1;
  const order = isNumber(a) && isNumber(b) ? a - b : String(a).localeCompare(String(b), 'en', {numeric: true});
  return state.falling ? -order : order;
}

function isShown(run) {
  const only = byId('only').value, words = byId('filter').value.toLowerCase().split(/\s+/).filter(Boolean);
  if (only && run.state !== only) return false;
  const text = `${run.name} ${Object.entries(run.settings).map(([name, value]) => `${name} ${saySetting(value)}`).join(' ')}`.toLowerCase();
  return words.every((word) => text.includes(word));
}

function headOf(column) {
  const button = make('button', {type: 'button'}, column.words);
  button.addEventListener('click', () => {
    state.falling = state.sort === column.key ? !state.falling : column.kind === undefined && !column.measure;
    if (column.measure && state.sort !== column.key) state.falling = !state.all.lower_is_better.includes(column.measure);
    state.sort = column.key;
    showTable();
  });
  const attributes = {scope: 'col', class: column.kind || ''};
  if (state.sort === column.key) attributes['aria-sort'] = state.falling ? 'descending' : 'ascending';
  return make('th', attributes, button);
}

// The best value of each measure among the runs that are shown.
function leaders(shown, plan) {
  const found = new Map();
  for (const {key, measure} of plan.filter((column) => column.measure)) {
    const values = shown.map((run) => bestOf(run, measure)).filter(isNumber);
    if (values.length > 1) found.set(key, state.all.lower_is_better.includes(measure) ? Math.min(...values) : Math.max(...values));
  }
  return found;
}

function rowOf(run, plan, best) {
  const box = make('input', {type: 'checkbox', 'aria-label': `Compare ${run.name}`});
  box.checked = state.chosen.has(run.name);
  box.addEventListener('change', () => choose(run.name, box.checked));
  return make('tr', {class: box.checked ? 'chosen' : ''}, make('td', {class: 'left'}, box), ...plan.map((column) =>
    make('td', {class: `${column.kind || ''}${best.has(column.key) && column.of(run) === best.get(column.key) ? ' best' : ''}`}, column.show(run))));
}

function showTable() {
  const plan = columns(), sorted = plan.find((column) => column.key === state.sort) || plan[0];
  const shown = state.all.runs.filter(isShown).sort((a, b) => compare(sorted.of(a), sorted.of(b)));
  const best = leaders(shown, plan), focused = document.activeElement && document.activeElement.getAttribute('aria-label');
  byId('runs').tHead.replaceChildren(make('tr', {}, make('th', {scope: 'col', class: 'left'}, make('span', {class: 'hidden'}, 'Compare')), ...plan.map(headOf)));
  byId('runs').tBodies[0].replaceChildren(...shown.map((run) => rowOf(run, plan, best)));
  // The table was built anew, so the focus returns to the box that had it.
  if (focused && focused.startsWith('Compare ')) for (const box of byId('runs').querySelectorAll('input')) if (box.getAttribute('aria-label') === focused) box.focus();
  byId('table-title').textContent = shown.length === state.all.runs.length ? counted(shown.length, 'run') : `${whole(shown.length)} of ${whole(state.all.runs.length)} runs`;
}

// Each chosen run has the smallest number that is free, which is its colour and dash.
function choose(name, on) {
  state.touched = true;
  if (!on) state.chosen.delete(name);
  else if (state.chosen.size < kMostChosen) {
    const taken = new Set(state.chosen.values());
    let number = 0;
    while (taken.has(number)) ++number;
    state.chosen.set(name, number);
  }
  showTable();
  drawOverlay();
  showGrids();
}
