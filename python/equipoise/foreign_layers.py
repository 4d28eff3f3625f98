"""Recognises the layers of a network of another script from its tensors alone. The tensors whose names have one parent
are one layer."""
from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import torch


class Refused(ValueError):
    """Why weights do not fit, in one sentence."""


@dataclasses.dataclass
class Layer:
    name: str                          # as in the file: 'main.0'
    weight: torch.Tensor | None  # float32; a convolution has 4 dimensions, a linear layer 2, a norm 1
    bias: torch.Tensor | None
    mean: torch.Tensor | None = None   # running statistics: only batch norm has them
    variance: torch.Tensor | None = None

    @property
    def dims(self) -> int:
        return 1 if self.weight is None else self.weight.dim()

    def taps(self) -> str:
        assert self.weight is not None
        return '×'.join(str(n) for n in self.weight.shape[2:])


def layers_of(tensors: Mapping[str, torch.Tensor], transposed: bool) -> list[Layer]:
    """The layers in the order of the file, with spectral and weight norm applied. `transposed`: the convolutions of a
    generator, whose first dimension is the input's. Raises Refused for a tensor that no layer of a DCGAN has."""
    parts: dict[str, dict[str, torch.Tensor]] = {}
    for name, tensor in tensors.items():
        parent, parametrized, last = name.partition('.parametrizations.weight.')
        if parametrized:
            last = f'parametrized.{last}'
        else:
            parent, _, last = name.rpartition('.')
        parts.setdefault(parent, {})[last] = tensor
    return [_layer(parent, members, transposed) for parent, members in parts.items()]


def _layer(name: str, members: dict[str, torch.Tensor], transposed: bool) -> Layer:
    # A safetensors file also has num_batches_tracked.
    members = {part: tensor for part, tensor in members.items() if part != 'num_batches_tracked'}
    weight = _take_weight(name, members, transposed)
    layer = Layer(name, weight, *(_take(name, members, part) for part in ('bias', 'running_mean', 'running_var')))
    if members:
        raise Refused(f'tensor {name}.{next(iter(members))} belongs to no layer of a DCGAN')
    if (layer.mean is None) != (layer.variance is None):
        raise Refused(f'of {name} there is only one of running_mean and running_var')
    if layer.variance is not None and bool((layer.variance < 0).any()):
        raise Refused(f'tensor {name}.running_var holds a variance below zero')
    if layer.dims not in (1, 2, 4) or (weight is None and layer.mean is None):
        raise Refused(f'layer {name} is neither a convolution nor a linear layer nor a norm')
    return layer


def _take(name: str, members: dict[str, torch.Tensor], part: str) -> torch.Tensor | None:
    return _floats(f'{name}.{part}', members.pop(part)) if part in members else None


def _floats(name: str, tensor: torch.Tensor) -> torch.Tensor:
    if tensor.layout != torch.strided or not tensor.is_floating_point() or tensor.is_meta:
        raise Refused(f'tensor {name} holds no plain floating-point numbers')
    numbers = tensor.detach().to(torch.float32)
    if not bool(torch.isfinite(numbers).all()):
        raise Refused(f'tensor {name} holds a value that is not finite')
    return numbers


# The same parts as torch.nn.utils and torch.nn.utils.parametrizations name them.
_SPECTRAL = (('weight_orig', 'weight_u', 'weight_v'), ('parametrized.original', 'parametrized.0._u', 'parametrized.0._v'))
_WEIGHT_NORM = (('weight_g', 'weight_v'), ('parametrized.original0', 'parametrized.original1'))


def _take_weight(name: str, members: dict[str, torch.Tensor], transposed: bool) -> torch.Tensor | None:
    for names in _SPECTRAL:
        if all(part in members for part in names):
            raw, u, v = (_floats(f'{name}.{part}', members.pop(part)) for part in names)
            return _without_spectral_norm(name, raw, u, v, transposed)
    for pair in _WEIGHT_NORM:
        if all(part in members for part in pair):
            length, direction = (_floats(f'{name}.{part}', members.pop(part)) for part in pair)
            if length.dim() != direction.dim():
                raise Refused(f'the weight norm of {name} has parts that do not fit')
            own = [i for i, n in enumerate(length.shape) if n == 1]
            size: torch.Tensor = torch.linalg.vector_norm(direction, dim=own, keepdim=True)
            return length * direction / size
    return _take(name, members, 'weight')


def _without_spectral_norm(name: str, raw: torch.Tensor, u: torch.Tensor, v: torch.Tensor, transposed: bool) -> torch.Tensor:
    """The weight in evaluation mode: divided by the largest singular value, which u and v estimate."""
    outputs = 1 if transposed and raw.dim() == 4 else 0
    matrix = raw.movedim(outputs, 0).flatten(1)
    if matrix.shape != (u.numel(), v.numel()):
        raise Refused(f'the spectral norm of {name} has parts that do not fit')
    return raw / torch.dot(u.flatten(), matrix.mv(v.flatten()))
