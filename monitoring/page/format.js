// Formats numbers and names, and creates elements. All data of a run becomes text, never markup.

const byId = (id) => document.getElementById(id);

function put(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes || {})) node.setAttribute(name, value);
  for (const child of children) node.append(child);
  return node;
}
const make = (tag, attributes, ...children) => put(document.createElement(tag), attributes, children);
const draw = (tag, attributes, ...children) =>
  put(document.createElementNS('http://www.w3.org/2000/svg', tag), attributes, children);

const isNumber = (value) => typeof value === 'number' && Number.isFinite(value);
const whole = (value) => isNumber(value) ? Math.round(value).toLocaleString('en') : '–';
// "1 grid", "2 grids"
const counted = (number, one) => `${whole(number)} ${one}${number === 1 ? '' : 's'}`;

// Three or four digits, independent of the magnitude.
function short(value) {
  if (!isNumber(value)) return '–';
  const size = Math.abs(value);
  if (size === 0) return '0';
  if (size >= 1e5 || size < 1e-3) return value.toExponential(1).replace('e+', 'e');
  if (size >= 100) return Math.round(value).toLocaleString('en');
  return value.toPrecision(3);
}
const shortMark = (value) => short(value).replace(/(\.\d*?)0+$/, '$1').replace(/\.$/, '').replace('.0e', 'e');

function bytes(value) {
  if (!isNumber(value)) return '–';
  const units = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) { value /= 1000; ++unit; }
  return `${value < 10 && unit > 0 ? value.toFixed(1) : Math.round(value)} ${units[unit]}`;
}

// The two largest units: "3 h 12 min".
function duration(seconds) {
  if (!isNumber(seconds) || seconds < 0) return '–';
  if (seconds < 1) return `${Math.round(seconds * 1000)} ms`;
  const parts = [['d', 86400], ['h', 3600], ['min', 60], ['s', 1]];
  let rest = Math.round(seconds);
  const said = [];
  for (const [unit, size] of parts) {
    const count = Math.floor(rest / size);
    rest -= count * size;
    if (count > 0 || said.length > 0) said.push(`${count} ${unit}`);
    if (said.length === 2) break;
  }
  return said.filter((part) => !part.startsWith('0 ')).join(' ');
}

const kVerdicts = {
  balanced: ['Balanced', 'good', 'Neither network learns too fast.'],
  discriminator_ahead: ['Discriminator ahead', 'd', 'It classifies nearly every image correctly, so the generator learns little.'],
  generator_ahead: ['Generator ahead', 'g', 'The discriminator can hardly tell real from generated.'],
  mode_collapse: ['Mode collapse', 'warn', 'Generated images are far more alike than real ones.'],
  diverged: ['Diverged', 'bad', 'A loss or gradient is not finite or extremely large.'],
};
const kActions = {
  lower_d_rate: 'lower the discriminator’s learning rate', raise_d_rate: 'raise the discriminator’s learning rate',
  d_less_often: 'update the discriminator less often', d_more_often: 'update the discriminator more often',
  more_d_steps: 'more discriminator updates per step', fewer_d_steps: 'fewer discriminator updates per step',
  lower_g_rate: 'lower the generator’s learning rate', raise_g_rate: 'raise the generator’s learning rate',
  freeze_g: 'freeze the generator for a while', unfreeze_g: 'update the generator again',
  r1_on: 'add the R1 penalty to the discriminator’s loss', r1_off: 'remove the R1 penalty',
  wgan_gp_on: 'switch to the losses of WGAN-GP', wgan_gp_off: 'return to the configured losses',
  feature_matching_on: 'add feature matching to the generator’s loss', feature_matching_off: 'remove feature matching',
  widen_d: 'widen the discriminator', restart_d: 'restart the discriminator with new weights',
  more_augmentation: 'augment the discriminator’s input at full strength',
  skip_step: 'skip an update that was not finite', rollback: 'roll back to an earlier checkpoint',
};
const sayName = (name) => String(name).replaceAll('_', ' ');
// Every object has a member "constructor", and a damaged file may have any name.
const inWords = (name) => Object.hasOwn(kVerdicts, name) ? kVerdicts[name] : [sayName(name), '', ''];
const sayVerdict = (name) => inWords(name)[0];
const sayAction = (name) => Object.hasOwn(kActions, name) ? kActions[name] : sayName(name);

// About `count` round numbers from low to high.
function ticks(low, high, count) {
  const rough = (high - low) / Math.max(1, count);
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].find((factor) => factor * power >= rough) * power;
  const first = Math.ceil(low / step - 1e-9), found = [];
  // Counted from 0, because adding 1 to a number beyond 2^53 changes nothing.
  for (let i = 0; i <= count + 1 && (first + i) * step <= high + step * 1e-9; ++i) found.push((first + i) * step + 0);
  return found;
}
