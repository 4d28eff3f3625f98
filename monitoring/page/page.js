// Assembles the page and keeps it up to date. A report contains its data; a live page fetches run.json.

const kEvery = 3000, kEveryWhenEnded = 30000;
const kCharts = [
  {title: 'Losses', lines: [{key: 'loss_d', label: 'D', colour: 'd'}, {key: 'loss_g', label: 'G', colour: 'g', dash: 1}]},
  {title: 'Discriminator AUC', note: 'Probability that a real image scores above a generated one', fixed: [0, 1], zone: [0.6, 0.95, 'healthy'],
    lines: [{key: 'd_auc', label: 'AUC', colour: 'd'}]},
  {title: 'Discriminator accuracy', note: 'Fraction of images that it classifies correctly', fixed: [0, 1],
    lines: [{key: 'd_accuracy_real', label: 'real', colour: 'real'}, {key: 'd_accuracy_fake', label: 'generated', colour: 'fake', dash: 1}]},
  {title: 'Gradient norms', logarithmic: true, lines: [{key: 'grad_norm_d', label: 'D', colour: 'd'}, {key: 'grad_norm_g', label: 'G', colour: 'g', dash: 1}]},
  {title: 'Sample diversity', note: 'Mean distance of an image to its nearest neighbour in the batch', empty: 'This run has not measured diversity',
    lines: [{key: 'diversity', label: 'generated', colour: 'fake', dash: 1}, {key: 'diversity_reference', label: 'real', colour: 'real'}]},
  {title: 'Copies of training images', note: 'Fraction of the images that are close to a single training image', fixed: [0, 1],
    empty: 'This run has not looked for copies',
    lines: [{key: 'quality_copies', label: 'generated', colour: 'fake', dash: 1}, {key: 'quality_copies_floor', label: 'held-out', colour: 'real'}]},
  {title: 'Images per second', lines: [{key: 'images_per_second', label: 'all ranks', colour: 'ink'}]},
  {title: 'Discriminator output', note: 'Mean after the sigmoid', fixed: [0, 1],
    lines: [{key: 'd_real_mean', label: 'real', colour: 'real'}, {key: 'd_fake_mean', label: 'generated', colour: 'fake', dash: 1}]},
  {title: 'Parts of the discriminator’s loss', lines: [{key: 'loss_d_real', label: 'real', colour: 'real'}, {key: 'loss_d_fake', label: 'generated', colour: 'fake', dash: 1}]},
  {title: 'Learning rates', exact: true, lines: [{key: 'lr_d', label: 'D', colour: 'd'}, {key: 'lr_g', label: 'G', colour: 'g', dash: 1}]},
];
const kShownElsewhere = new Set(['images', 'epoch', 'step_seconds', 'imbalance', 'quality_copies_p', 'quality_copies_told', ...kCharts.flatMap((plan) => plan.lines.map((line) => line.key))]);

const page = {charts: [], others: new Map(), beam: null, run: null, failures: 0};

function addChart(plan) {
  const chart = new Chart(plan);
  byId('charts').append(chart.card);
  return chart;
}

// Each further value that a run measures gets a chart of its own.
function addOtherCharts(series) {
  for (const key of Object.keys(series)) {
    if (kShownElsewhere.has(key) || page.others.has(key) || page.others.size >= 12) continue;
    page.others.set(key, addChart({title: sayName(key), lines: [{key, label: sayName(key), colour: 'ink'}]}));
  }
}

function showState(run) {
  const status = run.status || {}, chip = byId('state');
  const [words, kind] = isSilent(run) ? [`▲ no update for ${duration(ageOf(run))}`, 'warn'] : {
    running: ['● running', 'good'], finished: ['✓ finished', 'good'], stopped: ['■ stopped, saved', 'warn'], diverged: ['✕ diverged', 'bad'],
  }[status.state] || [run.live ? '● starting' : '? no status', ''];
  chip.textContent = words;
  chip.className = `chip ${kind}`;
  const done = partDone(run) ?? 0;
  byId('progress-fill').style.width = `${100 * done}%`;
  byId('progress').setAttribute('aria-valuenow', Math.round(100 * done));
}

function showVerdict(run) {
  const verdicts = run.stats.verdicts, last = run.stats.last;
  page.beam.show(last, tilt(last));
  if (verdicts.length === 0) return;
  const [since, name] = verdicts[verdicts.length - 1], [words, kind, meaning] = inWords(name);
  const place = byId('verdict');
  if (place.textContent !== words) place.textContent = words;
  place.className = `verdict ${kind}`;
  byId('verdict-words').textContent = `${meaning} Since step ${whole(since)}.`;
}

function showRange() {
  shared.from = shared.last - (shared.last - shared.first) * Number(byId('range').value);
  shared.smoothing = Number(byId('smoothing').value);
}

function show(run) {
  page.run = run;
  const table = run.stats.table;
  shared.steps = table.x;
  shared.first = table.x.length ? table.x[0] - 1 : 0;
  shared.last = table.x.length ? table.x[table.x.length - 1] : 1;
  if (shared.cursor !== null && shared.cursor >= shared.steps.length) shared.cursor = null;
  showRange();
  document.title = `${run.run} · Equipoise`;
  byId('run-name').textContent = run.run;
  byId('run-name').title = run.run;
  showState(run);
  showTiles(run);
  showVerdict(run);
  showStrip(run.stats);
  showActions(run.stats);
  showPictures(run);
  showNearest(run);
  addOtherCharts(table.series);
  for (const chart of [...page.charts, ...page.others.values()]) chart.show(table.series);
  showRanks(run);
  showCheckpoints(run);
  showOptions(run);
  byId('foot').textContent = [`${whole(run.stats.lines)} logged steps` + (table.width > 1 ? `, ${whole(table.width)} per point (line: mean, band: smallest to largest)` : ''),
    run.stats.bad_lines ? `${counted(run.stats.bad_lines, 'line')} could not be read` : ''].filter(Boolean).join(' · ');
  if (run.stats.read_ratio < 1) notice(`Reading the log: ${Math.floor(100 * run.stats.read_ratio)} %`); else notice('');
  performance.mark('equipoise-shown');
}

function notice(words) {
  byId('notice').textContent = words;
  byId('notice').hidden = words === '';
}

async function refresh() {
  let wait = kEvery;
  try {
    if (!document.hidden) {
      const response = await fetch('run.json', {cache: 'no-store'});
      if (!response.ok) throw new Error(`the server answered ${response.status}`);
      show(await response.json());
      page.failures = 0;
      const state = (page.run.status || {}).state;
      if (page.run.stats.read_ratio < 1) wait = 50;
      else if (state && state !== 'running') wait = kEveryWhenEnded;
    }
  } catch (error) {
    page.failures += 1;
    wait = Math.min(kEveryWhenEnded, kEvery * 2 ** page.failures);
    notice(page.run ? 'The run does not answer any more: it has ended, or the connection is lost. The page shows the last data that it received.' : `No data: ${error.message}`);
  }
  setTimeout(refresh, wait);
}

function chooseTheme() {
  const chosen = byId('theme').value, dark = matchMedia('(prefers-color-scheme: dark)').matches;
  document.documentElement.classList.toggle('dark', chosen === 'dark' || (chosen === 'auto' && dark));
}

function start() {
  chooseTheme();
  byId('all-runs').hidden = !/\/run\/[^/]+\/$/.test(location.pathname);  // this page is one of many
  byId('theme').addEventListener('change', chooseTheme);
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', chooseTheme);
  page.beam = new Beam();
  page.charts = kCharts.map(addChart);
  listenToPictures();
  for (const id of ['range', 'smoothing']) byId(id).addEventListener('change', () => page.run && show(page.run));
  new ResizeObserver(() => page.run && showStrip(page.run.stats)).observe(byId('strip'));
  const inside = byId('data').textContent.trim();
  if (inside) show(JSON.parse(inside)); else refresh();
}
start();
