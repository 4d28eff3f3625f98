// The verdicts and interventions over time, and the beam that tilts towards the network that is ahead.

const kPatterns = ['discriminator_ahead', 'generator_ahead', 'mode_collapse', 'diverged'];

// Hatches distinguish the verdicts without colours.
function patterns(prefix) {
  const shapes = {
    discriminator_ahead: () => [draw('path', {d: 'M-2 8L8 -2M0 10L10 0', class: 'h-discriminator_ahead'})],
    generator_ahead: () => [draw('path', {d: 'M0 -2L10 8M-2 0L8 10', class: 'h-generator_ahead'})],
    mode_collapse: () => [draw('circle', {cx: 4, cy: 4, r: 1.6, class: 'h-mode_collapse'})],
    diverged: () => [draw('path', {d: 'M0 0L8 8M8 0L0 8', class: 'h-diverged'})],
  };
  return draw('defs', {}, ...kPatterns.map((name) =>
    draw('pattern', {id: `${prefix}-${name}`, width: 8, height: 8, patternUnits: 'userSpaceOnUse'}, ...shapes[name]())));
}

const knownVerdict = (name) => Object.hasOwn(kVerdicts, name) ? name : 'other';

function verdictBox(prefix, name, x, y, width, height) {
  const known = knownVerdict(name), box = {x, y, width, height, rx: 3};
  const parts = [draw('rect', {...box, class: `v-${known}`})];
  if (kPatterns.includes(known)) parts.push(draw('rect', {...box, fill: `url(#${prefix}-${known})`}));
  return parts;
}

function segmentsOf(verdicts) {
  return verdicts.map(([step, name], i) => ({
    name, from: Math.max(step - 1, shared.from), to: i + 1 < verdicts.length ? verdicts[i + 1][0] - 1 : shared.last,
  })).filter((segment) => segment.to > segment.from || segment.to === shared.last);
}

function showStrip(stats) {
  const place = byId('strip'), width = place.clientWidth;
  if (width === 0) return;
  const x = (step) => width * Math.min(1, Math.max(0, (step - shared.from) / Math.max(1, shared.last - shared.from)));
  const svg = draw('svg', {class: 'plot', viewBox: `0 0 ${width} 58`, height: 58, role: 'img'}, patterns('strip'));
  const segments = segmentsOf(stats.verdicts);
  for (const segment of segments) {
    const left = x(segment.from), size = Math.max(1, x(segment.to) - left);
    svg.append(draw('g', {}, draw('title', {}, `${sayVerdict(segment.name)}: step ${whole(segment.from + 1)} to ${whole(segment.to)}`),
      ...verdictBox('strip', segment.name, left, 0, size, 34)));
    const words = sayVerdict(segment.name);
    if (size > words.length * 7.4 + 16) svg.append(draw('text', {x: left + 8, y: 21, class: 'strip-text'}, words));
  }
  for (const [step, action] of stats.actions.filter(([step]) => step >= shared.from)) {
    const at = Math.min(width - 5, Math.max(5, x(step)));
    svg.append(draw('path', {d: `M${at} 38l5 9h-10z`, class: 'action-mark'}, draw('title', {}, `step ${whole(step)}: ${sayAction(action)}`)));
  }
  for (const step of stats.nonfinite.filter((step) => step >= shared.from)) {
    const at = Math.min(width - 4, Math.max(4, x(step)));
    svg.append(draw('path', {d: `M${at - 4} 49l8 8m0 -8l-8 8`, class: 'nonfinite-mark'}, draw('title', {}, `step ${whole(step)}: a loss or gradient was not finite`)));
  }
  svg.setAttribute('aria-label', segments.length ? `Newest verdict: ${sayVerdict(segments[segments.length - 1].name)}` : 'No verdict yet');
  place.replaceChildren(svg);
  showStripLegend(segments, stats);
}

function showStripLegend(segments, stats) {
  const shares = new Map();
  let all = 0;
  for (const segment of segments) {
    shares.set(segment.name, (shares.get(segment.name) || 0) + segment.to - segment.from);
    all += segment.to - segment.from;
  }
  const items = [...shares].map(([name, steps]) => make('li', {},
    draw('svg', {width: 20, height: 14, 'aria-hidden': 'true'}, patterns(`key-${knownVerdict(name)}`), ...verdictBox(`key-${knownVerdict(name)}`, name, 0, 0, 20, 14)),
    sayVerdict(name), make('b', {}, `${Math.round(100 * steps / Math.max(1, all))} %`)));
  if (stats.actions.length) items.push(make('li', {}, draw('svg', {width: 12, height: 10, 'aria-hidden': 'true'}, draw('path', {d: 'M6 0l5 9h-10z', class: 'action-mark'})), 'intervention'));
  if (stats.nonfinite.length) items.push(make('li', {}, draw('svg', {width: 10, height: 10, 'aria-hidden': 'true'}, draw('path', {d: 'M1 1l8 8m0 -8l-8 8', class: 'nonfinite-mark'})), `not finite`, make('b', {}, whole(stats.nonfinite_count))));
  byId('strip-legend').replaceChildren(...items);
}

function showActions(stats) {
  const counts = Object.entries(stats.action_counts);
  const total = counts.reduce((sum, [, count]) => sum + count, 0);
  byId('actions-summary').textContent = total === 0 ? 'No interventions' :
    `${whole(total)} intervention${total === 1 ? '' : 's'}: ` + counts.map(([name, count]) => `${sayAction(name)} ×${whole(count)}`).join(', ');
  byId('actions').replaceChildren(...stats.actions.slice(-200).reverse().map(([step, name]) =>
    make('li', {}, `step ${whole(step)}: ${sayAction(name)}`)));
}

// How far D is ahead, -1 to 1: its AUC relative to the middle of the healthy range.
function tilt(last) {
  if (!last) return 0;
  if (isNumber(last.d_auc)) return Math.max(-1, Math.min(1, (last.d_auc - 0.78) / 0.22));
  return 0;
}

class Beam {
  constructor() {
    const pan = (side, letter, words) => {
      const value = draw('text', {x: 0, y: 62, class: 'beam-value'}, '–');
      const group = draw('g', {class: 'beam-pan'},
        draw('path', {d: 'M0 0L-24 30H24Z', class: 'beam-string'}), draw('circle', {cx: 0, cy: 28, r: 17, class: `beam-${side}`}),
        draw('text', {x: 0, y: 29, class: 'beam-letter'}, letter), value, draw('text', {x: 0, y: 78, class: 'beam-label'}, words));
      return {group, value};
    };
    this.d = pan('d', 'D', 'loss of D');
    this.g = pan('g', 'G', 'loss of G');
    this.arm = draw('g', {class: 'beam-arm'}, draw('line', {x1: 60, y1: 62, x2: 260, y2: 62, class: 'beam-bar'}));
    this.svg = draw('svg', {viewBox: '0 0 320 190', role: 'img'},
      draw('path', {d: 'M160 62L182 170H138Z', class: 'beam-foot'}), this.arm, draw('circle', {cx: 160, cy: 62, r: 6, class: 'beam-knob'}), this.d.group, this.g.group);
    byId('beam').append(this.svg);
    this.show(null, 0);
  }

  show(last, lean) {
    const angle = -14 * lean, turn = angle * Math.PI / 180;
    this.arm.style.transform = `rotate(${angle}deg)`;
    this.d.group.style.transform = `translate(${160 - 100 * Math.cos(turn)}px, ${62 - 100 * Math.sin(turn)}px)`;
    this.g.group.style.transform = `translate(${160 + 100 * Math.cos(turn)}px, ${62 + 100 * Math.sin(turn)}px)`;
    this.d.value.textContent = last ? short(last.loss_d) : '–';
    this.g.value.textContent = last ? short(last.loss_g) : '–';
    const side = Math.abs(lean) < 0.35 ? 'level' : lean > 0 ? 'the discriminator is ahead' : 'the generator is ahead';
    this.svg.setAttribute('aria-label', `Balance beam: ${side}`);
  }
}
