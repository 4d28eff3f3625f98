// Line charts in plain SVG. They share the range of steps and the cursor. Lines differ by their dashes as well as by
// their colours, and the legend shows the values at the cursor.

const shared = {steps: [], first: 0, last: 1, from: 0, cursor: null, picture: null, smoothing: 1, listeners: []};
const notify = (what) => shared.listeners.forEach((listener) => listener(what));

// Index of the bucket that ends at or after `step`.
function bucketAt(step) {
  let low = 0, high = shared.steps.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (shared.steps[middle] < step) low = middle + 1; else high = middle;
  }
  return low;
}

function moveCursor(index) {
  const low = bucketAt(shared.from);
  shared.cursor = index === null ? null : Math.min(Math.max(index, low), shared.steps.length - 1);
  notify('cursor');
}

// A moving average over the neighbours that have values; sparse series keep their own points.
function smooth(values, radius) {
  const present = values.filter(isNumber).length;
  if (radius < 1 || present < values.length / 2 || present < 8) return values;
  const sums = [0], counts = [0];
  values.forEach((value, i) => {
    sums.push(sums[i] + (isNumber(value) ? value : 0));
    counts.push(counts[i] + (isNumber(value) ? 1 : 0));
  });
  return values.map((value, i) => {
    if (!isNumber(value)) return null;
    const low = Math.max(0, i - radius), high = Math.min(values.length, i + radius + 1);
    return (sums[high] - sums[low]) / (counts[high] - counts[low]);
  });
}

// Joins the points of values that are measured now and then. In values that are measured always, a longer break is a gap.
function pathOf(values, x, y) {
  const longest = values.filter(isNumber).length < values.length / 2 ? Infinity : 8;
  let path = '', before = -Infinity;
  values.forEach((value, i) => {
    if (!isNumber(value)) return;
    path += `${i - before <= longest ? 'L' : 'M'}${x(i).toFixed(1)} ${y(value).toFixed(1)}`;
    before = i;
  });
  return path.replace(/^L/, 'M');
}

function bandOf(low, high, x, y) {
  let there = '', back = '', path = '';
  const close = () => { if (there) path += `M${there.slice(1)}${back}Z`; there = back = ''; };
  low.forEach((value, i) => {
    if (!isNumber(value) || !isNumber(high[i])) return close();
    there += `L${x(i).toFixed(1)} ${y(high[i]).toFixed(1)}`;
    back = `L${x(i).toFixed(1)} ${y(value).toFixed(1)}` + back;
  });
  close();
  return path;
}

function sample(line) {
  return draw('svg', {width: 26, height: 10, 'aria-hidden': 'true'},
    draw('path', {d: 'M1 5H25', class: `line c-${line.colour} dash-${line.dash || 0}`}));
}

class Chart {
  // plan: {title, note, lines: [{key, label, colour, dash}], fixed: [low, high], logarithmic, zone: [low, high, words], say}
  constructor(plan) {
    this.plan = plan;
    this.say = plan.say || short;
    this.legend = make('ul', {class: 'legend'});
    this.plot = draw('svg', {class: 'plot', height: 190, tabindex: 0, role: 'img'});
    this.empty = make('p', {class: 'empty'}, plan.empty || 'This run has not measured it');
    this.card = make('article', {class: 'card chart'}, make('h3', {}, plan.title), this.legend, this.plot, this.empty);
    if (plan.note) this.legend.before(make('p', {class: 'note'}, plan.note));
    this.values = plan.lines.map((line) => {
      const value = make('b', {}, '–');
      this.legend.append(make('li', {}, sample(line), line.label, value));
      return value;
    });
    this.listen();
    shared.listeners.push((what) => what === 'cursor' ? this.drawCursor() : this.redraw());
    new ResizeObserver(() => this.redraw()).observe(this.card);
  }

  listen() {
    this.plot.addEventListener('pointermove', (event) => {
      const box = this.plot.getBoundingClientRect();
      const part = (event.clientX - box.left - this.left) / Math.max(1, this.width);
      moveCursor(bucketAt(shared.from + part * (shared.last - shared.from)));
    });
    this.plot.addEventListener('pointerleave', () => moveCursor(null));
    this.plot.addEventListener('keydown', (event) => {
      const end = shared.steps.length - 1, at = shared.cursor === null ? end : shared.cursor, stride = event.shiftKey ? 10 : 1;
      const goal = {ArrowLeft: at - stride, ArrowRight: at + stride, Home: 0, End: end, Escape: null}[event.key];
      if (goal === undefined) return;
      event.preventDefault();
      moveCursor(goal);
    });
  }

  // series: name -> {mean, min, max}
  show(series) {
    this.series = this.plan.lines.map((line) => Object.hasOwn(series, line.key) ? series[line.key] : null);
    this.redraw();
  }

  redraw() {
    if (!this.series) return;
    const has = this.series.some((one) => one && one.mean.some(isNumber));
    this.plot.toggleAttribute('hidden', !has);
    this.legend.hidden = !has;
    this.empty.hidden = has;
    // While the page is laid out, a card can be narrower than the labels of its axis. It is drawn when it has grown.
    if (has && this.card.clientWidth > 100) this.drawAll();
  }

  // The range of the drawn values. The outermost hundredth may be cut, so that a few outliers do not flatten the rest.
  range(lines) {
    if (this.plan.fixed) return this.plan.fixed;
    const all = lines.flat().filter(isNumber).filter((value) => !this.plan.logarithmic || value > 0).sort((a, b) => a - b);
    if (all.length === 0) return [0, 1];
    let low = all[Math.floor(all.length * 0.004)], high = all[Math.min(all.length - 1, Math.floor(all.length * 0.996))];
    if (this.plan.logarithmic) return [low / 1.2, high * 1.2];
    if (low >= 0 && low < high / 2) low = 0;
    const room = (high - low || Math.abs(high) || 1) * 0.06;
    return [low === 0 ? 0 : low - room, high + room];
  }

  drawAll() {
    const width = this.card.clientWidth - 32, height = 190, bottom = 22, top = 6;
    const start = bucketAt(shared.from), cut = (values) => values.slice(start);
    const radius = this.plan.exact ? 0 : Math.round(shared.smoothing * (shared.steps.length - start) / 160);
    const means = this.series.map((one) => one ? cut(one.mean) : []);
    this.smoothed = means.map((values) => smooth(values, radius));
    const edges = this.series.filter((one) => one && one.min).flatMap((one) => [cut(one.min), cut(one.max)]);
    const [low, high] = this.range([...this.smoothed, ...(radius < 1 ? [] : means), ...edges]);
    const log = this.plan.logarithmic, place = (v) => log ? Math.log10(Math.max(v, 1e-30)) : v;
    const marks = log ? this.logTicks(low, high) : ticks(low, high, 4);
    const labels = marks.map((mark) => this.plan.fixed ? String(Number(mark.toFixed(2))) : shortMark(mark));
    this.left = 14 + 6.6 * Math.max(...labels.map((label) => label.length), 1);
    this.width = width - this.left - 8;
    const y = (v) => top + (height - top - bottom) * Math.min(1.02, Math.max(-0.02, 1 - (place(v) - place(low)) / (place(high) - place(low))));
    const stepX = (step) => this.left + this.width * (step - shared.from) / Math.max(1, shared.last - shared.from);
    const x = (i) => stepX(shared.steps[start + i]);
    this.plot.setAttribute('viewBox', `0 0 ${width} ${height}`);
    this.plot.setAttribute('height', height);
    const parts = this.frame(marks, labels, y, stepX, width, height, bottom);
    this.series.forEach((one, i) => one && this.drawLine(parts, this.plan.lines[i], one, means[i], this.smoothed[i], radius, cut, x, y));
    this.cursor = draw('g', {});
    this.plot.replaceChildren(draw('title', {}, this.summary()), ...parts, this.cursor);
    Object.assign(this, {x, y, start});
    this.drawCursor();
  }

  // Powers of ten, with their double and fivefold where there are few.
  logTicks(low, high) {
    const found = [];
    for (let power = Math.floor(Math.log10(low)); power <= Math.log10(high); ++power) {
      found.push(...[1, 2, 5].map((digit) => digit * 10 ** power));
    }
    const inside = found.filter((mark) => mark >= low && mark <= high), powers = inside.filter((_, i) => found.indexOf(inside[i]) % 3 === 0);
    const chosen = powers.length >= 3 ? powers : inside;
    return chosen.filter((_, i) => i % Math.ceil(chosen.length / 6) === 0);
  }

  frame(marks, labels, y, stepX, width, height, bottom) {
    const parts = [];
    const zone = this.plan.zone;
    if (zone) {
      parts.push(draw('rect', {x: this.left, y: y(zone[1]), width: this.width, height: Math.max(0, y(zone[0]) - y(zone[1])), class: 'zone'}),
        draw('text', {x: this.left + 6, y: y(zone[0]) - 5, class: 'zone-text'}, zone[2]));
    }
    marks.forEach((mark, i) => parts.push(
      draw('line', {x1: this.left, x2: width - 8, y1: y(mark), y2: y(mark), class: 'gridline'}),
      draw('text', {x: this.left - 6, y: y(mark) + 4, 'text-anchor': 'end', class: 'axis'}, labels[i])));
    for (const step of ticks(shared.from, shared.last, this.width / 75).filter((step) => Number.isInteger(step))) {
      const at = stepX(step), anchor = at > width - 30 ? 'end' : at < this.left + 8 ? 'start' : 'middle';
      parts.push(draw('text', {x: at, y: height - 6, 'text-anchor': anchor, class: 'axis'}, step.toLocaleString('en')));
    }
    if (shared.picture !== null && shared.picture >= shared.from) {
      const at = stepX(shared.picture);
      parts.push(draw('line', {x1: at, x2: at, y1: 0, y2: height - bottom, class: 'picture-mark'}));
    }
    return parts;
  }

  drawLine(parts, line, one, mean, smoothed, radius, cut, x, y) {
    if (one.min) parts.push(draw('path', {d: bandOf(cut(one.min), cut(one.max), x, y), class: `band f-${line.colour}`}));
    else if (radius >= 1 && smoothed !== mean) parts.push(draw('path', {d: pathOf(mean, x, y), class: `raw c-${line.colour}`}));
    parts.push(draw('path', {d: pathOf(smoothed, x, y), class: `line c-${line.colour} dash-${line.dash || 0}`}));
    const seen = smoothed.map((value, i) => [i, value]).filter(([, value]) => isNumber(value));
    const few = seen.length <= Math.min(40, smoothed.length / 2) || seen.length < 3;
    for (const [i, value] of few ? seen : seen.slice(-1)) parts.push(draw('circle', {cx: x(i), cy: y(value), r: 3.5, class: `dot f-${line.colour}`}));
  }

  // The newest value of a line, or the one at the cursor. Sparse series show their last value up to there.
  valueAt(values, index) {
    for (let i = index; i >= 0; --i) if (isNumber(values[i])) return values[i];
    return null;
  }

  summary() {
    const said = this.plan.lines.map((line, i) => this.series[i] && `${line.label} ${this.say(this.valueAt(this.smoothed[i], this.smoothed[i].length - 1))}`);
    return `${this.plan.title}: ${said.filter(Boolean).join(', ')}`;
  }

  drawCursor() {
    if (!this.cursor || !this.smoothed || this.plot.hasAttribute('hidden')) return;
    const at = (shared.cursor === null ? shared.steps.length - 1 : shared.cursor) - this.start;
    this.values.forEach((value, i) => { value.textContent = this.say(this.valueAt(this.smoothed[i], at)); });
    const marks = [];
    if (shared.cursor !== null && at >= 0) {
      marks.push(draw('line', {x1: this.x(at), x2: this.x(at), y1: 0, y2: 168, class: 'cursor'}));
      this.plan.lines.forEach((line, i) => {
        const value = this.smoothed[i][at];
        if (isNumber(value)) marks.push(draw('circle', {cx: this.x(at), cy: this.y(value), r: 4, class: `dot f-${line.colour}`}));
      });
      const step = shared.steps[this.start + at], right = this.x(at) > this.left + this.width - 90;
      marks.push(draw('text', {x: this.x(at) + (right ? -6 : 6), y: 14, 'text-anchor': right ? 'end' : 'start', class: 'axis'}, `step ${step.toLocaleString('en')}`));
    }
    this.cursor.replaceChildren(...marks);
    this.plot.setAttribute('aria-label', this.summary());
  }
}
