// The tiles, the time of a step per rank, the checkpoints and the options.

function spark(values) {
  const width = 120, height = 26, seen = smooth(values.slice(-200), 3);
  const known = seen.filter(isNumber);
  if (known.length < 2) return '';
  const low = Math.min(...known), high = Math.max(...known);
  const x = (i) => width * i / (seen.length - 1), y = (v) => 2 + (height - 4) * (1 - (v - low) / (high - low || 1));
  return draw('svg', {class: 'spark', viewBox: `0 0 ${width} ${height}`, preserveAspectRatio: 'none', 'aria-hidden': 'true'},
    draw('path', {d: pathOf(seen, x, y), class: 'line c-third', 'vector-effect': 'non-scaling-stroke', 'stroke-width': 1.5}));
}

// status.json is written every few seconds, the statistics in every step: extrapolates the fraction done to the newest step.
function partDone(run) {
  const status = run.status || {}, last = run.stats.last || {};
  if (status.state === 'finished') return 1;
  if (!isNumber(status.fraction_done)) return null;
  const since = isNumber(last.step) && status.step > 0 ? last.step / status.step : 1;
  return Math.min(1, status.fraction_done * since);
}

// A run that was killed, or whose machine is gone, says "running" for ever.
const ageOf = (run) => Math.max(0, run.now - ((run.status || {}).unix_seconds || run.now));
const isSilent = (run) => !run.live && (run.status || {}).state === 'running' && ageOf(run) > 120;

function showTiles(run) {
  const last = run.stats.last || {}, status = run.status || {}, series = run.stats.table.series;
  const meanOf = (name) => Object.hasOwn(series, name) ? series[name].mean : [];
  const speed = smooth(meanOf('images_per_second').slice(-20), 20), recent = speed.filter(isNumber).pop();
  const finished = status.state && status.state !== 'running';
  const age = ageOf(run);
  const left = isNumber(status.seconds_left) && !isSilent(run) ? Math.max(0, status.seconds_left - (finished ? 0 : age)) : null;
  const done = partDone(run);
  const ranks = run.options && run.options.options ? run.options.options.world_size : null;
  const tiles = [
    ['Step', whole(last.step ?? status.step), done === null ? '' : `${(100 * done).toFixed(1)} % done`, null],
    [finished ? 'State' : 'Time left', finished ? sayName(status.state) : duration(left), finished ? `${duration(age)} ago` : '', null],
    ['Images seen', whole(last.images ?? status.images), isNumber(last.epoch) ? `epoch ${last.epoch.toFixed(2)}` : '', null],
    ['Last checkpoint', run.checkpoints.length ? `step ${whole(run.checkpoints[0].step)}` : 'none yet', run.checkpoints.length ? `${duration(run.now - run.checkpoints[0].unix_seconds)} ago` : '', null],
    ['Images per second', short(recent), isNumber(ranks) ? `by ${whole(ranks)} rank${ranks === 1 ? '' : 's'}` : '', meanOf('images_per_second')],
    ['Seconds per step', short(last.step_seconds), 'wall time', meanOf('step_seconds')],
    ['Discriminator AUC', short(last.d_auc), '0.5 is guessing, 1 is perfect', meanOf('d_auc')],
    ['Loss imbalance', short(last.imbalance), '0: equal losses', meanOf('imbalance')],
  ];
  byId('tiles').replaceChildren(...tiles.map(([name, value, note, values]) =>
    make('div', {class: 'tile'}, make('dt', {}, name), make('dd', {}, value, make('small', {}, note)), values ? spark(values) : '')));
}

const kPhases = [['data', 'waiting for data', ''], ['discriminator', 'discriminator', 'M0 8L8 0'], ['generator', 'generator', 'M0 0L8 8'],
                 ['sync', 'synchronising', 'M4 0V8'], ['other', 'other', 'M0 4H8']];

function phasePatterns() {
  return draw('defs', {}, ...kPhases.filter(([, , hatch]) => hatch).map(([name, , hatch]) =>
    draw('pattern', {id: `phase-${name}`, width: 8, height: 8, patternUnits: 'userSpaceOnUse'},
      draw('rect', {width: 8, height: 8, class: `p-${name}`}), draw('path', {d: hatch, class: 'p-hatch', 'stroke-opacity': 0.35}))));
}
const phaseFill = (name, hatch) => hatch ? {fill: `url(#phase-${name})`} : {class: `p-${name}`};

function rankBar(rank, longest) {
  const svg = draw('svg', {viewBox: '0 0 1000 22', preserveAspectRatio: 'none', role: 'img'});
  let at = 0;
  const said = [];
  for (const [name, words, hatch] of kPhases) {
    const seconds = isNumber(rank[name]) ? Math.max(0, rank[name]) : 0, width = 1000 * seconds / longest;
    svg.append(draw('rect', {x: at, y: 0, width, height: 22, ...phaseFill(name, hatch)}, draw('title', {}, `${words}: ${duration(seconds)} (${Math.round(100 * seconds / longest)} %)`)));
    said.push(`${words} ${Math.round(100 * seconds / Math.max(rank.total, 1e-9))} %`);
    at += width;
  }
  svg.setAttribute('aria-label', `Rank ${rank.rank}: ${said.join(', ')}`);
  return make('div', {class: 'rank'}, make('b', {}, `rank ${rank.rank}`),
    make('span', {class: 'muted'}, `${duration(rank.total)} per step · ${short(rank.images_per_second)} images/s`), svg);
}

function showRanks(run) {
  const reported = run.status && Array.isArray(run.status.ranks) ? run.status.ranks : [];
  const place = byId('ranks');
  if (reported.length === 0) {
    place.replaceChildren(make('p', {class: 'muted'}, 'This run has not reported times yet'));
    return;
  }
  const ranks = reported.map((rank) => ({...rank, other: rank.total - rank.data - rank.discriminator - rank.generator - rank.sync}));
  const longest = Math.max(...ranks.map((rank) => rank.total), 1e-9);
  const own = (rank) => rank.total - rank.sync;  // without waiting for others
  const shown = ranks.length > 16 ? [...ranks].sort((a, b) => own(b) - own(a)).slice(0, 16) : ranks;
  const slowest = ranks.reduce((a, b) => own(b) > own(a) ? b : a);
  const parts = [draw('svg', {width: 0, height: 0, 'aria-hidden': 'true'}, phasePatterns()), ...shown.map((rank) => rankBar(rank, longest))];
  if (ranks.length > 1) {
    parts.push(make('p', {class: 'muted'}, (ranks.length > shown.length ? `These are the 16 slowest of ${whole(ranks.length)} ranks. ` : '') +
      `Rank ${slowest.rank} is the slowest: ${duration(own(slowest))} per step without synchronisation.`));
  }
  place.replaceChildren(...parts);
  byId('phases-legend').replaceChildren(...kPhases.map(([name, words, hatch]) => make('li', {},
    draw('svg', {width: 18, height: 12, 'aria-hidden': 'true'}, draw('rect', {width: 18, height: 12, rx: 3, ...phaseFill(name, hatch)})), words)));
}

function showCheckpoints(run) {
  const rows = run.checkpoints.map((saved) => make('tr', {}, make('td', {}, whole(saved.step)),
    make('td', {}, `${duration(run.now - saved.unix_seconds)} ago`), make('td', {}, bytes(saved.bytes))));
  byId('checkpoints').tBodies[0].replaceChildren(...(rows.length ? rows : [make('tr', {}, make('td', {colspan: 3, class: 'muted'}, 'None yet'))]));
}

function showOptions(run) {
  const facts = run.options && typeof run.options === 'object' ? run.options : {};
  const rows = Object.entries(facts.options || {}).filter(([, value]) => value !== '' && value !== null);
  if (facts.build) rows.push(['build', facts.build]);
  byId('options').replaceChildren(...rows.map(([name, value]) =>
    make('div', {}, make('dt', {}, sayName(name)), make('dd', {}, typeof value === 'object' ? JSON.stringify(value) : String(value)))));
}
