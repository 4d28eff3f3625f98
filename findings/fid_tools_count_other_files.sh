#!/usr/bin/env bash
# Three tools for the Fréchet inception distance take different pictures of one folder, without an error or a warning:
#   pytorch-fid 0.3.0: names that end in lower case only, of one folder
#   clean-fid 0.1.35: subfolders too, and the upper-case forms JPG, JPEG and PNG, but not .TIFF or .Jpg
#   torch-fidelity 0.4.0: by default .png, .jpg and .jpeg of one folder, in either case
#
# The guess before it was run: the three take the same pictures of a flat folder: all that Pillow reads, in either case.
#
# What follows for users: two tools disagree about one folder, and after cameras, whose files end in .JPG, a distance can rest
# on a part of the data. Compare the count that a tool prints with the number of pictures, or convert them to .png first.
#
# What was seen, for 18 pictures of which Pillow reads each:
#   pytorch-fid      9: .png .jpg .jpeg .webp .bmp .tif .tiff .ppm .pgm
#   clean-fid       12: the same and .PNG .JPG .JPEG
#   torch-fidelity   7: .png .PNG .jpg .JPG .Jpg .jpeg .JPEG
#   none of them: .gif .avif .jfif .TIFF .jp2
#   a folder inside the folder: clean-fid alone
#
# Exits 0 while this is so, 1 when the behaviour changed. Downloads about 2 GB.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" --quiet --disable-pip-version-check install --no-compile torch==2.11.0 torchvision==0.26.0 \
  numpy==2.2.6 pillow==12.0.0 scipy==1.17.1 pytorch-fid==0.3.0 clean-fid==0.1.35 torch-fidelity==0.4.0

cat >"$folder/count.py" <<'PYTHON'
import pathlib
import sys

import numpy as np
import torch
from cleanfid.fid import get_folder_features
from PIL import Image
from pytorch_fid.fid_score import compute_statistics_of_path
from torch_fidelity.utils import prepare_input_from_id

ENDINGS = ['png', 'PNG', 'jpg', 'JPG', 'Jpg', 'jpeg', 'JPEG', 'webp', 'bmp', 'tif', 'tiff', 'TIFF', 'ppm', 'pgm', 'gif', 'avif',
           'jfif', 'jp2']
folder = pathlib.Path(sys.argv[1]) / 'pictures'
for number, ending in enumerate(ENDINGS):
    (folder / ending).mkdir(parents=True)
    picture = Image.fromarray(np.full((32, 32), 10 * number, np.uint8))
    (picture if ending == 'pgm' else picture.convert('RGB')).save(
        folder / ending / f'picture.{ending}', {'jfif': 'JPEG'}.get(ending))
    Image.open(folder / ending / f'picture.{ending}').load()


class Counting(torch.nn.Module):
    """Stands in for the inception network, which would have to be downloaded."""
    seen = 0

    def forward(self, images):
        self.seen += len(images)
        return [images.flatten(1)[:, :4, None, None]]


def pytorch_fid(path):
    model = Counting()
    try:
        compute_statistics_of_path(str(path), model, 1, 4, 'cpu', 0)
    except (ValueError, RuntimeError):  # a folder without a picture, as it sees it
        pass
    return model.seen


def clean_fid(path):
    try:
        return len(get_folder_features(str(path), model=lambda images: images.float().flatten(1)[:, :4], num_workers=0,
                                       device=torch.device('cpu'), verbose=False))
    except (ValueError, RuntimeError):
        return 0


def torch_fidelity(path):
    try:
        return len(prepare_input_from_id(1, input1=str(path), verbose=False))
    except (ValueError, RuntimeError, AssertionError):
        return 0


expected = {pytorch_fid: 'png jpg jpeg webp bmp tif tiff ppm pgm', clean_fid: 'png PNG jpg JPG jpeg JPEG webp bmp tif tiff ppm pgm',
            torch_fidelity: 'png PNG jpg JPG Jpg jpeg JPEG'}
changed = False
for count, endings in expected.items():
    taken = [ending for ending in ENDINGS if count(folder / ending) == 1]
    below = count(folder)
    print(f'{count.__name__}: {len(taken)} of {len(ENDINGS)}: {" ".join(taken)}; in subfolders: {below}')
    changed |= taken != [ending for ending in ENDINGS if ending in endings.split()] or bool(below) != (count is clean_fid)
sys.exit(changed)
PYTHON
"$folder/venv/bin/python" -W ignore "$folder/count.py" "$folder"
