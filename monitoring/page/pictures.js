// The newest generated images beside real ones, and a slider through the run.

const pictures = {steps: [], embedded: null, follow: true, timer: null};
const fakesName = (step) => `fakes-${String(step).padStart(8, '0')}.png`;
const pictureUrl = (name) => pictures.embedded ? pictures.embedded[name] || '' : `pictures/${name}`;

function showFakes(index) {
  const step = pictures.steps[index];
  if (step === undefined) return;
  byId('slider').value = index;
  byId('slider').setAttribute('aria-valuetext', `step ${whole(step)}`);
  byId('slider-step').textContent = `step ${whole(step)}`;
  byId('fakes-caption').textContent = `Generated at step ${whole(step)}`;
  const image = byId('fakes'), url = pictureUrl(fakesName(step));
  if (image.getAttribute('src') !== url) image.src = url;
  image.alt = `Grid of images that the generator made at step ${whole(step)}`;
  if (shared.picture !== step) { shared.picture = step; notify('picture'); }
}

function play(on) {
  clearInterval(pictures.timer);
  pictures.timer = on ? setInterval(() => showFakes((Number(byId('slider').value) + 1) % pictures.steps.length), 350) : null;
  byId('play').setAttribute('aria-pressed', String(on));
  byId('play').textContent = on ? '❚❚ Pause' : '▶ Play';
}

const ownNumber = (object, name) => object !== null && typeof object === 'object' && Object.hasOwn(object, name) && isNumber(object[name]) ? object[name] : null;

// How diverse the generated images of a class are relative to its real ones, and their SWD where it is measured.
function sayClass(name, stats) {
  const last = stats.last || {}, quality = (stats.quality_by_class || [])[1] || {};
  const diversity = ownNumber(last.class_diversity, name), swd = Object.hasOwn(quality, name) ? ownNumber(quality[name], 'swd') : null;
  const collapsed = Array.isArray(last.classes_collapsed) && last.classes_collapsed.includes(name);
  return [collapsed ? '▲ collapsed' : '', diversity === null ? '' : `diversity ${diversity.toFixed(2)}`, swd === null ? '' : `SWD ${short(swd)}`]
    .filter(Boolean).join(' · ');
}

// The grids of a conditional run have one row per class, eight images wide. The generated ones say how each class does.
function showRows(run) {
  const classes = (run.options || {}).classes;
  const names = (Array.isArray(classes) ? classes : []).slice(0, 32).map((one) => String(one?.name ?? ''));
  for (const frame of document.querySelectorAll('.frame')) {
    const notes = names.map((name) => frame.querySelector('#fakes') ? sayClass(name, run.stats) : '');
    const key = JSON.stringify([names, notes]);
    if ((frame.dataset.rows ?? '[[],[]]') === key) continue;
    frame.dataset.rows = key;
    frame.querySelector('.rows')?.remove();
    frame.style.aspectRatio = names.length ? `8 / ${names.length}` : '';
    if (names.length === 0) continue;
    const list = make('ol', {class: 'rows'});
    names.forEach((name, i) => {
      const shown = name || '(no label)', words = notes[i] ? `${shown}: ${notes[i]}` : shown;
      list.append(make('li', {title: words}, make('b', {}, shown), notes[i] ? make('span', {}, notes[i]) : ''));
    });
    frame.append(list);
  }
}

function showPictures(run) {
  showRows(run);
  const all = run.fakes || [];
  pictures.embedded = run.pictures || null;
  pictures.steps = pictures.embedded ? all.filter((step) => Object.hasOwn(pictures.embedded, fakesName(step))) : all;
  const slider = byId('slider'), newest = pictures.steps.length - 1;
  slider.max = Math.max(0, newest);
  byId('time').hidden = newest < 1;
  byId('pictures-note').textContent = newest < 0 ? 'No grid yet' :
    pictures.steps.length < all.length ? `${whole(pictures.steps.length)} of ${whole(all.length)} grids` : `${counted(all.length, 'grid')}, same latents`;
  if (newest >= 0 && pictures.follow && !pictures.timer) showFakes(newest);
  const reals = byId('reals'), url = pictureUrl('reals.png');
  if (run.reals && url && reals.getAttribute('src') !== url) {
    reals.src = url;
    reals.alt = 'Grid of real images from the data set';
  }
}

function listenToPictures() {
  byId('slider').addEventListener('input', (event) => {
    const index = Number(event.target.value);
    pictures.follow = index === pictures.steps.length - 1;
    play(false);
    showFakes(index);
  });
  byId('play').addEventListener('click', () => {
    play(pictures.timer === null);
    pictures.follow = pictures.timer === null && Number(byId('slider').value) === pictures.steps.length - 1;
  });
}
