// Assembles the page of runs and keeps it up to date.

const kEvery = 4000, kFirstChosen = 8, kMostGrids = 12;
const page = {failures: 0, curvesAt: -1};

// The newest runs are chosen until the user chooses.
function chooseFirst() {
  if (state.touched) return;
  const newest = [...state.all.runs].sort((a, b) => (b.updated || 0) - (a.updated || 0)).slice(0, kFirstChosen).map((run) => run.name);
  state.chosen = new Map(newest.map((name, i) => [name, i]));
}

function forgetGone() {
  const known = new Set(state.all.runs.map((run) => run.name));
  for (const name of [...state.chosen.keys()]) if (!known.has(name)) state.chosen.delete(name);
}

function showStates() {
  const counts = new Map();
  for (const run of state.all.runs) counts.set(run.state, (counts.get(run.state) || 0) + 1);
  const chip = byId('state'), bad = (counts.get('failed') || 0) + (counts.get('diverged') || 0);
  chip.textContent = [...counts].map(([name, count]) => `${whole(count)} ${sayState(name)[0].replace(/^\S+ /, '')}`).join(' · ') || 'no run';
  chip.className = `chip ${bad ? 'bad' : counts.get('running') ? 'good' : ''}`;
  const only = byId('only'), chosen = only.value, names = [...counts.keys()].sort();
  only.replaceChildren(make('option', {value: ''}, 'all'), ...names.map((name) => make('option', {value: name}, sayName(name))));
  only.value = names.includes(chosen) ? chosen : '';
}

function showCurveNames() {
  const select = byId('curve'), chosen = select.value, names = state.all.curves;
  if ([...select.options].map((option) => option.value).join() === names.join()) return;
  select.replaceChildren(...names.map((name) => make('option', {value: name}, sayName(name))));
  select.value = names.includes(chosen) ? chosen : names.find((name) => name === 'quality_swd') || names.find((name) => name === 'd_auc') || names[0] || '';
}

// The newest grid of a run that was made after at most `images` real images.
function gridAt(run, images) {
  let found = null;
  for (const grid of run.grids) if (grid[1] <= images) found = grid;
  return found;
}

function showGrids() {
  const runs = state.all.runs.filter((run) => state.chosen.has(run.name) && run.grids.length);
  const most = Math.max(0, ...runs.map((run) => run.grids[run.grids.length - 1][1]));
  const slider = byId('slider'), shown = runs.slice(0, kMostGrids);
  slider.max = 200;
  if (!Number.isFinite(state.images)) slider.value = 200;
  const images = Number.isFinite(state.images) ? state.images : most;
  slider.setAttribute('aria-valuetext', counted(images, 'image'));
  byId('slider-images').textContent = counted(images, 'image');
  byId('time').hidden = most === 0;
  byId('grids-note').textContent = runs.length === 0 ? 'No grid yet' : runs.length > shown.length ? `${shown.length} of ${runs.length} chosen runs` : '';
  page.mostImages = most;
  const chosen = shown.map((run) => [run, gridAt(run, images)]), sign = JSON.stringify(chosen.map(([run, grid]) => [run.name, grid]));
  if (sign === page.gridsShown) return;  // images would be fetched again
  page.gridsShown = sign;
  byId('grids').replaceChildren(...chosen.map(([run, grid]) => gridFigure(run, grid)));
}

function gridFigure(run, grid) {
  const frame = make('div', {class: 'frame'});
  const words = grid ? counted(grid[1], 'image') : 'none yet';
  if (grid) frame.append(make('img', {src: `run/${encodeURIComponent(run.name)}/pictures/fakes-${String(grid[0]).padStart(8, '0')}.png`, loading: 'lazy', alt: `Grid of images that ${run.name} made after ${words}`}));
  return make('figure', {}, make('figcaption', {title: run.name}, make('b', {}, run.name), make('span', {class: 'muted'}, words)), frame);
}

function show(all) {
  state.all = all;
  chooseFirst();
  forgetGone();
  document.title = `${all.root} · Equipoise`;
  byId('root-name').textContent = all.root;
  showStates();
  showCurveNames();
  showTable();
  showGrids();
  byId('foot').textContent = `A curve shows at most 256 steps of each run; the best measures are exact.${all.left_out ? ` ${whole(all.left_out)} further runs are not shown.` : ''}`;
  notice(all.read_ratio < 0.995 ? `Reading the logs of the runs: ${Math.floor(100 * all.read_ratio)} %` : '');
  performance.mark('equipoise-shown');
}

function notice(words) {
  byId('notice').textContent = words;
  byId('notice').hidden = words === '';
}

async function fetchCurve() {
  const name = byId('curve').value;
  if (!name) return drawOverlay();
  const response = await fetch(`curves/${encodeURIComponent(name)}`, {cache: 'no-store'});
  if (!response.ok) throw new Error(`the server answered ${response.status}`);
  const curve = await response.json();
  if (curve.name !== byId('curve').value) return;  // the user has chosen another one meanwhile
  overlay.curve = curve;
  drawOverlay();
  performance.mark('equipoise-curves');
}

async function refresh() {
  let wait = kEvery;
  try {
    if (!document.hidden) {
      const response = await fetch('runs.json', {cache: 'no-store'});
      if (!response.ok) throw new Error(`the server answered ${response.status}`);
      show(await response.json());
      await fetchCurve();
      page.failures = 0;
      if (state.all.read_ratio < 0.995) wait = 500;
    }
  } catch (error) {
    page.failures += 1;
    wait = Math.min(30000, kEvery * 2 ** page.failures);
    notice(state.all ? 'The server does not answer any more. The page shows the last data that it received.' : `No data: ${error.message}`);
  }
  setTimeout(refresh, wait);
}

function chooseTheme() {
  const chosen = byId('theme').value, dark = matchMedia('(prefers-color-scheme: dark)').matches;
  document.documentElement.classList.toggle('dark', chosen === 'dark' || (chosen === 'auto' && dark));
}

function start() {
  chooseTheme();
  byId('theme').addEventListener('change', chooseTheme);
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', chooseTheme);
  byId('curve').addEventListener('change', () => fetchCurve().catch((error) => notice(error.message)));
  for (const id of ['axis', 'smoothing']) byId(id).addEventListener('change', drawOverlay);
  for (const id of ['filter', 'only']) byId(id).addEventListener('input', () => state.all && showTable());
  byId('choose-none').addEventListener('click', () => { state.touched = true; state.chosen.clear(); showTable(); drawOverlay(); showGrids(); });
  byId('slider').addEventListener('input', () => {
    const part = Number(byId('slider').value) / 200;
    state.images = part === 1 ? Infinity : Math.round(part * page.mostImages);
    showGrids();
    drawOverlay();
  });
  new ResizeObserver(() => state.all && drawOverlay()).observe(byId('overlay').parentNode);
  refresh();
}
start();
