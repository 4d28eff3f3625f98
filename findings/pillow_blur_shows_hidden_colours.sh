#!/usr/bin/env bash
# Pillow 13.0.0 (PyPI wheel): filters mix the colours under fully transparent pixels into the visible ones, and resize, rotate,
# transform and reduce do not. A red figure on a transparent ground that holds green gets a green fringe from GaussianBlur,
# BoxBlur, SMOOTH and Sharpness, and Contrast changes its red by what the ground holds. There is no error and no warning.
#
# The guess before it was run: whoever weighs colours by alpha when resizing does so when blurring, since a blur is an average
# of neighbours as a smaller picture is.
#
# The reason: resize, rotate and transform convert RGBA to colours that are multiplied by alpha (RGBa) and back. Filters average
# the four channels one by one, and Contrast takes the mean grey of all pixels, whatever their alpha.
#
# What follows for users: most programs write black or white under transparent pixels, so cut-outs get dark or bright edges, and
# two files that look the same give different pictures. Pass image.convert('RGBa').filter(...).convert('RGBA'), or flatten the
# picture first.
#
# What was seen, for the last red pixel beside a transparent ground of green (0, 255, 0, 0), as red, green, blue and alpha:
#   unchanged, resize, rotate, transform    255   0 0
#   reduce(2) over the edge                 255   0 0 128
#   GaussianBlur(2), BoxBlur(2)             152 103 0 152,  153 102 0 153
#   SMOOTH                                  196  59 0 196
#   Sharpness(0)                            196  59 0 255
#   GaussianBlur(2), through RGBa           255   0 0 152
# Contrast(0.5) of the red: 184 56 56 on green, 146 19 19 on black, and 210 83 83 on white, none of which is seen.
#
# Exits 0 while this is so, 1 when the behaviour changed. Downloads about 7 MB.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" --quiet --disable-pip-version-check install --no-compile pillow==13.0.0

cat >"$folder/blur.py" <<'PYTHON'
import sys
import warnings

from PIL import Image, ImageEnhance, ImageFilter

warnings.simplefilter('error')


def figure(ground, width=8):
    """A red left half, of which `width` columns are opaque, beside a transparent ground."""
    image = Image.new('RGBA', (16, 16), ground + (0,))
    image.paste((255, 0, 0, 255), (0, 0, width, 16))
    return image


def visible(image):
    """Whether each pixel that is not fully transparent is pure red."""
    return {pixel[:3] for _, pixel in image.getcolors(4096) if pixel[3]} == {(255, 0, 0)}


green = figure((0, 255, 0))
geometric = {'resize': green.resize((15, 15), Image.Resampling.BICUBIC),
             'larger': green.resize((48, 48), Image.Resampling.BICUBIC),
             'rotate': green.rotate(10, Image.Resampling.BILINEAR),
             'transform': green.transform((16, 16), Image.Transform.AFFINE, (1, 0, 0.5, 0, 1, 0), Image.Resampling.BICUBIC),
             'reduce': figure((0, 255, 0), 7).reduce(2),
             'blur through RGBa': green.convert('RGBa').filter(ImageFilter.GaussianBlur(2)).convert('RGBA')}
filtered = {'GaussianBlur': green.filter(ImageFilter.GaussianBlur(2)), 'BoxBlur': green.filter(ImageFilter.BoxBlur(2)),
            'SMOOTH': green.filter(ImageFilter.SMOOTH), 'Sharpness': ImageEnhance.Sharpness(green).enhance(0)}
for name, image in (geometric | filtered).items():
    print(f'{name:20}', 'red alone' if visible(image) else f'beside the edge {image.getpixel((7, 8))}')
contrast = [ImageEnhance.Contrast(figure(ground)).enhance(0.5).getpixel((2, 2))[:3]
            for ground in ((0, 255, 0), (0, 0, 0), (255, 255, 255))]
print('Contrast of the red', contrast)
sys.exit(0 if all(map(visible, geometric.values())) and not any(map(visible, filtered.values()))
         and [image.getpixel((7, 8)) for image in filtered.values()]
         == [(152, 103, 0, 152), (153, 102, 0, 153), (196, 59, 0, 196), (196, 59, 0, 255)]
         and contrast == [(184, 56, 56), (146, 19, 19), (210, 83, 83)] else 1)
PYTHON
"$folder/venv/bin/python" "$folder/blur.py"
