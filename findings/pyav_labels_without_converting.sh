#!/usr/bin/env bash
# PyAV 18.1.0 (PyPI wheel, import av): a stream whose colorspace is set to BT.709, or whose color_range to full, gets that label, and the
# colours of the frames are converted with the default, BT.601 and limited range, all the same. Every reader that obeys the label, PyAV
# too, shows other colours: off by up to 40 levels of green, or greys instead of black and white. There is no error and no warning.
#
# The guess before it was run: encode() converts a frame from RGB to what the stream says that it is, as it converts its pixel
# format and, where that is needed, its size.
#
# The reason: encode() gives the frame to a converter that is told the pixel format alone. reformat(dst_colorspace=...)
# converts, and labels no stream.
#
# What follows for users: a video of generated images, or a data set stored as video, is off as soon as somebody sets the label that
# players want for high definition. Do both, or neither: frame.reformat(format='yuv420p', dst_colorspace=..., dst_color_range=...),
# and the same labels on the stream.
#
# What was seen, as the largest difference of a level in flat colours, and what green (0 255 0) and white became:
#   no label                                       2      0 254   0      255 255 255
#   colorspace = BT.709                           40      0 215   0      255 255 255
#   color_range = full                            20     13 237  13      235 235 235
#   colorspace = BT.709, and reformat()            2      0 254   0      255 255 255
#   color_range = full, and reformat()             2      0 255   0      253 255 253
#   no label, reformat() to BT.709                23     19 255   8      255 255 255
#
# Exits 0 while this is so, 1 when the behaviour changed. Downloads about 60 MB.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" --quiet --disable-pip-version-check install --no-compile numpy==2.4.6 av==18.1.0

cat >"$folder/label.py" <<'PYTHON'
import io
import sys

import av
import numpy
from av.video.reformatter import ColorRange, Colorspace

COLOURS = numpy.array([[255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 0], [128, 64, 200], [255, 255, 255], [0, 0, 0],
                       [128, 128, 128]], numpy.uint8)
# Stripes of 16 pixels, so that the halved resolution of the colours plays no part.
picture = numpy.repeat(numpy.repeat(COLOURS[None], 64, 0), 16, 1)
LIBX264_BT709, LIBX264_FULL = 1, 2


def stored(labels, conversion):
    """The levels of the stripes after they were written and read."""
    buffer = io.BytesIO()
    with av.open(buffer, 'w', format='mp4') as container:
        stream = container.add_stream('libx264', rate=10, options={'crf': '1'})
        stream.width, stream.height, stream.pix_fmt = 128, 64, 'yuv420p'
        for name, value in labels.items():
            setattr(stream.codec_context, name, value)
        for _ in range(3):
            frame = av.VideoFrame.from_ndarray(picture, format='rgb24')
            if conversion:
                frame = frame.reformat(format='yuv420p', **conversion)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    buffer.seek(0)
    with av.open(buffer) as container:
        return next(container.decode(video=0)).to_ndarray(format='rgb24')[32, 8::16]


bt709, full = {'colorspace': LIBX264_BT709}, {'color_range': LIBX264_FULL}
to_bt709, to_full = {'dst_colorspace': Colorspace.ITU709}, {'dst_color_range': ColorRange.JPEG}
RUNS = [('no label', {}, {}, 0, 4), ('colorspace', bt709, {}, 35, 45), ('color_range', full, {}, 16, 25),
        ('colorspace and reformat()', bt709, to_bt709, 0, 4), ('color_range and reformat()', full, to_full, 0, 4),
        ('no label, reformat()', {}, to_bt709, 18, 28)]
right = True
for name, labels, conversion, least, most in RUNS:
    levels = stored(labels, conversion)
    difference = int(numpy.abs(levels.astype(int) - COLOURS).max())
    print(f'{name:28} {difference:3}   green {levels[1]}   white {levels[5]}')
    right = right and least <= difference <= most
sys.exit(0 if right else 1)
PYTHON
"$folder/venv/bin/python" -W error "$folder/label.py" 2>/dev/null
