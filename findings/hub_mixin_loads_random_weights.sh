#!/usr/bin/env bash
# huggingface_hub 2.4.0 with torch 2.11.0 and safetensors 0.8.0 (PyPI wheels, CPU): two ways in which PyTorchModelHubMixin, whose
# save_pretrained() and from_pretrained() are how models get to the Hub, gives back another network, without an error or a warning.
#   - Weights that the file does not hold, because a layer was renamed since, keep their random values.
#   - Arguments of the constructor that are no JSON (an activation, a kind of layer, a number of numpy or torch) are not saved. The
#     network is made with the default ones.
#
# The guess before it was run: names that do not match are an error, as in load_state_dict(); an argument that cannot be saved is an
# error, or the network cannot be loaded without it.
#
# The reason: from_pretrained() has strict=False. config.json gets the arguments that json can write, and the others are left out.
#
# What follows for users: a generator that was trained for weeks draws noise, or nearly the right images, after an upload. Call
# from_pretrained(..., strict=True), give arguments as text and numbers of Python, and compare one output before and after.
#
# What was seen, as the largest difference of outputs of about unit size, of the network that was saved and the loaded one:
#   the same class                              0
#   a layer renamed                             more than 0.1, and other with each load
#   a layer renamed, strict=True                RuntimeError
#   activation=torch.nn.functional.silu         more than 0.1, for a default of relu
#   scale=numpy.float32(3), scale=3             more than 0.1, and 0, for a default of 1
#
# Exits 0 while this is so, 1 when the behaviour changed. Downloads about 2 GB.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" --quiet --disable-pip-version-check install --no-compile torch==2.11.0 numpy==2.2.6 huggingface_hub==2.4.0 \
  safetensors==0.8.0

cat >"$folder/load.py" <<'PYTHON'
import logging
import sys
import tempfile

import numpy
import torch
from huggingface_hub import PyTorchModelHubMixin
from torch.nn.functional import relu, silu


class Generator(torch.nn.Module, PyTorchModelHubMixin):
    def __init__(self, latent=8, activation=relu, scale=1.0):
        super().__init__()
        self.first, self.last = torch.nn.Linear(latent, 64), torch.nn.Linear(64, 4)
        self.activation, self.scale = activation, scale

    def forward(self, latents):
        return self.last(self.activation(self.first(latents))) * self.scale


class Renamed(torch.nn.Module, PyTorchModelHubMixin):
    def __init__(self, latent=8, activation=relu, scale=1.0):
        super().__init__()
        self.first, self.output = torch.nn.Linear(latent, 64), torch.nn.Linear(64, 4)

    def forward(self, latents):
        return self.output(relu(self.first(latents)))


warnings = []
handler = logging.Handler(logging.WARNING)
handler.emit = warnings.append
logging.getLogger().addHandler(handler)
logging.getLogger('huggingface_hub').addHandler(handler)
torch.manual_seed(0)
latents = torch.randn(16, 8)


def difference(loaded=Generator, **arguments):
    """The largest difference of the outputs after saving and loading, as the class `loaded`."""
    generator = Generator(**arguments).eval()
    with tempfile.TemporaryDirectory() as folder, torch.no_grad():
        generator.save_pretrained(folder)
        other = loaded.from_pretrained(folder)
        found = float((generator(latents) - other(latents)).abs().max())
        try:
            loaded.from_pretrained(folder, strict=True)
            strict = 'loads'
        except RuntimeError:
            strict = 'RuntimeError'
    print(f'{loaded.__name__:10} {arguments}: {found:.3g}, strict=True: {strict}')
    return found, strict


same, renamed, again = difference(), difference(Renamed), difference(Renamed)
activation, narrow, plain = (difference(**arguments) for arguments in
                             ({'activation': silu}, {'scale': numpy.float32(3)}, {'scale': 3}))
print('warnings:', len(warnings))
sys.exit(0 if not warnings and same == plain == (0, 'loads') and min(renamed[0], again[0], activation[0], narrow[0]) > 0.1
         and renamed[0] != again[0] and renamed[1] == 'RuntimeError' and activation[1] == narrow[1] == 'loads' else 1)
PYTHON
OMP_NUM_THREADS=1 "$folder/venv/bin/python" "$folder/load.py"
