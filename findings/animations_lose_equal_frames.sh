#!/usr/bin/env bash
# Pillow 13.0.0 (PyPI wheel): save(save_all=True) to GIF, PNG and WebP leaves out each frame that equals the one before it, so n_frames is
# smaller than the number of pictures that were given. AVIF and TIFF keep all. There is no error and no warning.
#
# The guess before it was run: a file has as many frames as were given. Compression may store an equal frame in a few bytes.
#
# The reason: the frame before is shown for the sum of both durations instead. Where no duration is given there is nothing to add up:
# GIF and WebP leave the frames out all the same, and PNG keeps them.
#
# What follows for users: frames are shifted against what they are compared with, such as a list of labels, steps or latents. A
# generator that stands still for a while, or a video of early and late samples, has fewer frames than samples. Two animations of 100 frames
# each cannot be compared frame by frame. Store samples in a TIFF or as single files, and number them by time, not by frame.
#
# What was seen, for nine pictures of which each three are equal, as the durations of the frames in ms:
#            duration=100                               no duration
#   GIF      300 300 300                                3 frames
#   PNG      300 300 300                                9 frames
#   WebP     300 300 300                                3 frames
#   AVIF     100 100 100 100 100 100 100 100 100        9 frames
#   TIFF     (none)                                     9 frames
#
# Exits 0 while this is so, 1 when the behaviour changed. Downloads about 10 MB.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" --quiet --disable-pip-version-check install --no-compile pillow==13.0.0

cat >"$folder/frames.py" <<'PYTHON'
import io
import sys

from PIL import Image, ImageSequence

pictures = [Image.new('RGB', (16, 16), (number // 3 * 40, 0, 0)) for number in range(9)]


def durations(kind, **options):
    """The duration of each frame that is in the file."""
    buffer = io.BytesIO()
    pictures[0].save(buffer, kind, save_all=True, append_images=pictures[1:], **options)
    found = []
    for frame in ImageSequence.Iterator(Image.open(buffer)):
        frame.load()
        found.append(frame.info.get('duration'))
    print(f'{kind:5} {options}:', len(found), 'frames', found)
    return found


three, nine = [300] * 3, [100] * 9
timed = [durations('GIF', duration=100), durations('PNG', duration=100), durations('WEBP', duration=100, lossless=True),
         durations('AVIF', duration=100)]
counts = [len(durations(kind, **options)) for kind, options in
          (('GIF', {}), ('PNG', {}), ('WEBP', {'lossless': True}), ('AVIF', {}), ('TIFF', {}))]
sys.exit(0 if timed == [three, three, three, nine] and counts == [3, 9, 3, 9, 9] else 1)
PYTHON
"$folder/venv/bin/python" "$folder/frames.py"
