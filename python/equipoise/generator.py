"""A trained generator as a PyTorch module."""
from __future__ import annotations

import json
import os
import pathlib
import subprocess
import tempfile
from typing import Any, Literal

import torch
from safetensors.torch import load_file

from equipoise import programs


class Generator(torch.nn.Module):
    """A generator from the weights that gan-generate exports, and the names of their classes.

    Latents float [N, noise_dim] or [N, noise_dim, 1, 1] in, pictures float [N, 3, side, side] in [-1, 1] out.

    A conditional generator also takes the classes of its pictures, as positions in `classes`: an integer, or int64 [N].
    The parameters have the names of a torch.nn.Sequential (0.weight, 1.running_mean ...), and class_embedding.weight.
    """

    def __init__(self, weights: dict[str, torch.Tensor], classes: list[str]) -> None:
        super().__init__()
        self.classes = classes
        places = sorted({int(name.split('.')[0]) for name in weights if name[0].isdigit()})
        self._order: list[str] = []
        first = True
        for place in places:
            weight = weights[f'{place}.weight']
            bias = f'{place}.bias' in weights
            if weight.dim() == 1:
                self._push(place, torch.nn.BatchNorm2d(len(weight)))
                self._push(place + 1, torch.nn.ReLU())
            elif weight.shape[2:] == (1, 1):  # appends the only class of an exported generator
                self._push(place, torch.nn.Conv2d(weight.shape[1], weight.shape[0], 1, bias=bias))
            else:
                stride, padding = (1, 0) if first else (2, 1)
                first = False
                self._push(place, torch.nn.ConvTranspose2d(weight.shape[0], weight.shape[1], 4, stride, padding, bias=bias))
        self._push(places[-1] + 1, torch.nn.Tanh())
        table = weights.get('class_embedding.weight')
        self.class_embedding = None if table is None else torch.nn.Embedding(*table.shape)
        self.load_state_dict(weights)

    def _push(self, place: int, layer: torch.nn.Module) -> None:
        self.add_module(str(place), layer)
        self._order.append(str(place))

    @property
    def noise_dim(self) -> int:
        first = self.get_submodule(self._order[0])
        inputs = next(first.parameters()).shape[1 if isinstance(first, torch.nn.Conv2d) else 0]
        return inputs - (0 if self.class_embedding is None else self.class_embedding.embedding_dim)

    def forward(self, latents: torch.Tensor, classes: torch.Tensor | int | None = None) -> torch.Tensor:
        value = latents.reshape(len(latents), -1, 1, 1)
        if (classes is None) != (self.class_embedding is None):
            raise ValueError('this generator makes no classes' if self.class_embedding is None else
                             f'this generator asks which of its {len(self.classes)} classes to make')
        if self.class_embedding is not None:
            rows = self.class_embedding(torch.as_tensor(classes, device=value.device).expand(len(value)))
            value = torch.cat((value, rows[:, :, None, None]), 1)
        for name in self._order:
            value = self.get_submodule(name)(value)
        return value


def load_generator(run_or_checkpoint: str | os.PathLike[str], weights: Literal['auto', 'ema', 'raw'] = 'auto') -> Generator:
    """The generator of a run folder (its newest checkpoint), a checkpoint, an exported folder or a safetensors file.

    It is in evaluation mode on the CPU, and its pictures are those of gan-generate to 1e-4: gan-generate reads the
    weights, so this function accepts and refuses the same sources; `weights` is its flag. Raises ValueError with its
    message.
    """
    with tempfile.TemporaryDirectory() as folder:
        command = [programs.path('gan-generate'), '--checkpoint', os.fspath(run_or_checkpoint), '--weights', weights,
                   '--export', folder]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode != 0:
            raise ValueError(done.stderr.strip() or f'gan-generate ended with {done.returncode}')
        config: dict[str, Any] = json.loads(pathlib.Path(folder, 'config.json').read_bytes())
        tensors = load_file(pathlib.Path(folder, 'generator.safetensors'))
        return Generator(tensors, config.get('classes', [])).eval()
