// Generated images beside the nearest training images, and whether the generator has learnt its images by heart.

const percent = (part) => `${(100 * part).toFixed(0)} %`;

function showCopies(copies) {
  const known = Array.isArray(copies) && copies.length === 4 && copies.every(isNumber), place = byId('nearest-verdict');
  place.hidden = !known;
  if (!known) return 'Too few images are trained on or held out for a verdict.';
  const [, rate, floor, told] = copies;
  place.textContent = told ? '▲ Learnt by heart' : 'No more copies than chance';
  place.className = `verdict ${told ? 'bad' : 'good'}`;
  return `${percent(rate)} of the generated images are copies of a training image. Of held-out real images ${percent(floor)} are as close to one.` +
    (told ? ' Train on more images, add --flip or --augment diff, or use an earlier checkpoint.' : '');
}

function showNearest(run) {
  const steps = Array.isArray(run.nearest) ? run.nearest : [], card = byId('nearest-card');
  card.hidden = steps.length === 0;
  if (card.hidden) return;
  const step = steps[steps.length - 1], image = byId('nearest');
  const url = pictureUrl(`nearest-${String(step).padStart(8, '0')}.png`);
  byId('nearest-note').textContent = `step ${whole(step)}`;
  byId('nearest-words').textContent = `${showCopies(run.stats.copies)} In odd rows: generated images, those that look most like copies first. Below each: its nearest training image.`;
  image.alt = `Generated images of step ${whole(step)}, each above the training image that it is nearest to`;
  if (url && image.getAttribute('src') !== url) image.src = url;
  // A browser opens no data URL in a window of its own.
  if (url && !run.pictures) byId('nearest-link').href = url;
}
