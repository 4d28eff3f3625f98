// One curve of several runs in one chart. Lines differ by their dashes as well as by their colours.

const kColours = 8, kDashes = 4;
const overlay = {curve: null, hovered: null};
// The look of a chosen run stays while it is chosen: a number that no other chosen run has.
const lookOf = (number) => `run-${number % kColours} dash-${Math.floor(number / kColours) % kDashes}`;

function smoothed(values) {
  const strength = Number(byId('smoothing').value);
  const radius = Math.round(strength * values.length / 80);
  if (radius < 1 || values.length < 16) return values;
  const sums = [0];
  values.forEach((value, i) => sums.push(sums[i] + value));
  return values.map((_, i) => {
    const low = Math.max(0, i - radius), high = Math.min(values.length, i + radius + 1);
    return (sums[high] - sums[low]) / (high - low);
  });
}

// [name, look, x values, y values] of the chosen runs that have the curve.
function chosenLines() {
  if (!overlay.curve) return [];
  const axis = byId('axis').value;
  return [...state.chosen].filter(([name]) => Object.hasOwn(overlay.curve.runs, name)).map(([name, number]) => {
    const points = overlay.curve.runs[name], known = points.values.map(isNumber);
    const only = (list) => list.filter((_, i) => known[i]);
    return {name, look: lookOf(number), x: only(points[axis]), y: smoothed(only(points.values))};
  }).filter((line) => line.x.length > 0);
}

// The outermost values may be cut, so that a few outliers do not flatten the rest.
function rangeOf(lines) {
  const all = lines.flatMap((line) => line.y).sort((a, b) => a - b);
  const low = all[Math.floor(all.length * 0.004)], high = all[Math.min(all.length - 1, Math.floor(all.length * 0.996))];
  const room = (high - low || Math.abs(high) || 1) * 0.06;
  return [low - room, high + room];
}

function frameOf(width, height, left, bottom, lowest, highest, last, x, y) {
  const parts = [];
  for (const mark of ticks(lowest, highest, 5)) {
    parts.push(draw('line', {x1: left, x2: width - 8, y1: y(mark), y2: y(mark), class: 'gridline'}),
      draw('text', {x: left - 6, y: y(mark) + 4, 'text-anchor': 'end', class: 'axis'}, shortMark(mark)));
  }
  for (const mark of ticks(0, last, width / 110).filter(Number.isInteger)) {
    parts.push(draw('text', {x: x(mark), y: height - 6, 'text-anchor': x(mark) > width - 40 ? 'end' : 'middle', class: 'axis'}, whole(mark)));
  }
  const at = Number(state.images);
  if (byId('axis').value === 'images' && at <= last) parts.push(draw('line', {x1: x(at), x2: x(at), y1: 0, y2: height - bottom, class: 'picture-mark'}));
  return parts;
}

function drawOverlay() {
  const plot = byId('overlay'), lines = chosenLines(), empty = byId('overlay-empty');
  plot.toggleAttribute('hidden', lines.length === 0);
  empty.hidden = lines.length > 0;
  empty.textContent = state.chosen.size === 0 ? 'Choose runs in the table' : overlay.curve ? 'The chosen runs have not measured it' : 'Reading the runs';
  byId('overlay-legend').replaceChildren(...lines.map(legendOf));
  if (lines.length === 0) return;
  const width = Math.max(plot.parentNode.clientWidth - 32, 200), height = 300, bottom = 22, top = 8, left = 64;
  const [low, high] = rangeOf(lines), last = Math.max(...lines.map((line) => line.x[line.x.length - 1]), 1);
  const x = (value) => left + (width - left - 8) * value / last;
  const y = (value) => top + (height - top - bottom) * Math.min(1.02, Math.max(-0.02, 1 - (value - low) / (high - low)));
  plot.setAttribute('viewBox', `0 0 ${width} ${height}`);
  const paths = lines.map((line) => draw('path', {
    d: pathThrough(line, x, y), 'data-run': line.name,
    class: `line ${line.look}${overlay.hovered === null ? '' : overlay.hovered === line.name ? ' strong' : ' faded'}`}, draw('title', {}, line.name)));
  plot.replaceChildren(draw('title', {}, `${sayName(overlay.curve.name)} of ${lines.map((line) => line.name).join(', ')}`),
    ...frameOf(width, height, left, bottom, low, high, last, x, y), ...paths, ...lines.flatMap((line) => dotsOf(line, x, y)));
}

// The points of a curve that is measured now and then; a single one would not be seen otherwise.
const dotsOf = (line, x, y) => line.x.length > 40 ? [] : line.x.map((value, i) =>
  draw('circle', {cx: x(value), cy: y(line.y[i]), r: 3.5, class: `dot-run ${line.look}`}, draw('title', {}, line.name)));

const pathThrough = (line, x, y) => line.x.map((value, i) => `${i ? 'L' : 'M'}${x(value).toFixed(1)} ${y(line.y[i]).toFixed(1)}`).join('');

function legendOf(line) {
  const item = make('li', {}, draw('svg', {width: 26, height: 10, 'aria-hidden': 'true'}, draw('path', {d: 'M1 5H25', class: `line ${line.look}`})),
    line.name, make('b', {}, short(line.y[line.y.length - 1])));
  item.addEventListener('pointerenter', () => { overlay.hovered = line.name; drawOverlay.soon(); });
  item.addEventListener('pointerleave', () => { overlay.hovered = null; drawOverlay.soon(); });
  return item;
}

// The legend must survive the pointer that rests on it, so only the classes of the lines change.
drawOverlay.soon = () => {
  for (const path of byId('overlay').querySelectorAll('path[data-run]')) {
    const mine = path.getAttribute('data-run') === overlay.hovered;
    path.classList.toggle('strong', overlay.hovered !== null && mine);
    path.classList.toggle('faded', overlay.hovered !== null && !mine);
  }
};
