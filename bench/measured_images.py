"""What several benches do with images, float [N, 3, R, R] in [-1, 1]: measure them against real ones, show them."""
import json
import os
import pathlib
import subprocess

import numpy as np
from safetensors.numpy import save_file

BIN = pathlib.Path(os.environ.get('EQUIPOISE_BIN', pathlib.Path(__file__).resolve().parents[1] / 'build/release/bin'))


def measured(sets, folder, inception=''):
    """{measure: {name of a set: value}}, each of the `sets` {name: images} measured against the one named real. `inception`:
    a TorchScript file; without it FID and KID are not measured. `folder` holds the images meanwhile."""
    file = pathlib.Path(folder) / 'sets.safetensors'
    save_file({name: np.ascontiguousarray(images, np.float32) for name, images in sets.items()}, file)
    done = subprocess.run([BIN / 'quality_dump', folder, inception, file], check=True, stdout=subprocess.PIPE, text=True)
    file.unlink()
    return json.loads(done.stdout)


def pixels(images):
    """The images as uint8 [N, R, R, 3]."""
    return np.clip((images.transpose(0, 2, 3, 1).astype(np.float32) + 1) * 127.5 + 0.5, 0, 255).astype(np.uint8)
