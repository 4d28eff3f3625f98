#!/usr/bin/env bash
# torchvision 0.26.0 with torch 2.11.0 (PyPI wheels, CPU): of the ways to turn a generated image into 8 bits, one makes
# white black in half precision, and one darkens a quarter of all levels.
#
# The guess before it was run: they all undo ToTensor and Normalize(0.5, 0.5), in half precision within one level.
#
# The reason: v2.functional.to_dtype(scale=True) and convert_image_dtype multiply by 255.999. That is 256 in float16 and
# bfloat16, and 256 as an 8-bit number is 0; in the same way float32 to uint16 makes 65536. to_pil_image multiplies by
# 255 and cuts the fraction off. torchvision.utils.save_image rounds.
#
# What follows for users: call .float() before the conversion, and round: (x * 127.5 + 127.5).round().clamp(0, 255).byte().
#
# What was seen, for white (1.0), and of the 256 levels that went through Normalize and back:
#   to_dtype, float32     white 255
#   to_dtype, float16     white 0
#   to_dtype, bfloat16    white 0
#   to_dtype, float32 to uint16   white 0
#   to_pil_image          63 of 256 levels too dark by 1
#   save_image            0 of 256 levels changed
#
# Exits 0 while this is so, 1 when the behaviour changed. Downloads about 2 GB.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" --quiet --disable-pip-version-check install torch==2.11.0 torchvision==0.26.0 numpy==2.2.6 pillow==12.0.0

cat >"$folder/convert.py" <<'PYTHON'
import io
import sys

import numpy as np
import torch
import torchvision
from PIL import Image
from torchvision.transforms import functional, v2

print('torchvision', torchvision.__version__, 'torch', torch.__version__)
white = torch.ones(3, 4, 4)
seen = []
for name, source, target in (('float32', torch.float32, torch.uint8), ('float16', torch.float16, torch.uint8),
                             ('bfloat16', torch.bfloat16, torch.uint8),
                             ('float32 to uint16', torch.float32, torch.uint16)):
    level = v2.functional.to_dtype(white.to(source), target, scale=True)[0, 0, 0].item()
    print(f'to_dtype, {name}   white {level}')
    seen.append(level)

levels = np.arange(256, dtype=np.uint8).reshape(16, 16)
picture = np.dstack([levels] * 3)
generated = functional.normalize(functional.to_tensor(picture), [0.5] * 3, [0.5] * 3)
back = (generated + 1) / 2
pil = np.asarray(functional.to_pil_image(back)).astype(int) - picture
file = io.BytesIO()
torchvision.utils.save_image(back, file, format='png')
saved = np.asarray(Image.open(file)).astype(int) - picture
print(f'to_pil_image   {(pil[..., 0] == -1).sum()} of 256 levels too dark by 1')
print(f'save_image     {(saved[..., 0] != 0).sum()} of 256 levels changed')
sys.exit(0 if seen == [255, 0, 0, 0] and (pil[..., 0] == -1).sum() > 40 and not saved.any() else 1)
PYTHON
"$folder/venv/bin/python" "$folder/convert.py"
