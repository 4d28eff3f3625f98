"""Converts generators and discriminators of other DCGAN scripts to the names and shapes of Equipoise, or explains why
they differ."""
from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence

import torch

from equipoise.foreign_layers import Layer, Refused, layers_of

MOST_SIDE = 256


@dataclasses.dataclass
class Network:
    tensors: dict[str, torch.Tensor]  # under the names of the same nn.Sequential in Equipoise
    side: int  # side of its pictures in pixels
    features: int | None  # gan-train's --features, if its widths follow from one
    remarks: list[str]
    noise_dim: int | None = None  # only for a generator


def as_generator(tensors: Mapping[str, torch.Tensor]) -> Network:
    layers = layers_of(tensors, transposed=True)
    _require_taps(layer for layer in layers if layer.dims == 4)
    convolutions = _chain(_with_convolution_first(layers), input_at=0)
    norms = [layer for layer in layers if layer.dims == 1]
    side = 4 << (len(convolutions) - 1)
    if not 2 <= len(convolutions) or side > MOST_SIDE:
        raise Refused(f'its {len(convolutions)} convolutions do not make pictures of 8 to {MOST_SIDE} px')
    result: dict[str, torch.Tensor] = {}
    for i, layer in enumerate(convolutions[:-1]):
        norm = _take_norm(norms, layer, _weight(layer).shape[1])
        if norm is None or norm.mean is None:
            raise Refused(f'no batch norm with running statistics follows {layer.name}, and gan-generate needs one there')
        result[f'{3 * i}.weight'] = _weight(layer)
        _put_norm(result, f'{3 * i + 1}', norm, layer.bias)
    _require_none_left(norms)
    remarks = _put_last(result, 3 * (len(convolutions) - 1), convolutions[-1])
    widths = [_weight(layer).shape[1] for layer in convolutions[:-1]]
    return Network(result, side, _features(widths[::-1], side), remarks, _weight(convolutions[0]).shape[0])


def as_discriminator(tensors: Mapping[str, torch.Tensor]) -> Network:
    layers = layers_of(tensors, transposed=False)
    _require_taps(layer for layer in layers if layer.dims == 4 and _weight(layer).shape[0] != 1)
    *convolutions, head = _chain([layer for layer in layers if layer.dims in (2, 4)], input_at=1)
    if _weight(head).shape[2:] not in ((), (1, 1)):
        raise Refused(f'it ends in {head.name}, a convolution of {head.taps()} taps on as many pixels, and the discriminator of '
                      'gan-train averages over all pixels before one of 1×1')
    side = 2 << len(convolutions)
    if side not in (64, 128, 256):
        raise Refused(f'it halves the side {len(convolutions)} times, and that of gan-train does so 5, 6 or 7 times')
    norms = [layer for layer in layers if layer.dims == 1]
    remarks = [] if norms else ['it has no norms: give --d-norm none']
    if any(norm.mean is None for norm in norms):
        remarks = ['its norm has no running statistics: give --d-norm layer or instance, as it was trained']
    result: dict[str, torch.Tensor] = {}
    place = 0
    for i, layer in enumerate(convolutions):
        norm = _take_norm(norms, layer, _weight(layer).shape[0]) if i > 0 else None
        result[f'{place}.weight'] = _weight(layer)
        if norm is None or norm.mean is None:
            _require_no_bias(layer)
        if norm is not None:
            place += 1
            _put_norm(result, f'{place}', norm, layer.bias)
        elif i > 0 and norms:
            raise Refused(f'a norm follows some layers, but none {layer.name}')
        place += 2
    _require_none_left(norms)
    _require_no_bias(head)
    weight = _weight(head)
    result[f'{place + 1}.weight'] = weight.reshape(*weight.shape[:2], 1, 1)  # the pooling layer is in front of it
    widths = [_weight(layer).shape[0] for layer in convolutions]
    return Network(result, side, _features(widths, side), remarks)


def _weight(layer: Layer) -> torch.Tensor:
    assert layer.weight is not None
    return layer.weight


def _require_taps(convolutions: Iterable[Layer]) -> None:
    for layer in convolutions:
        if _weight(layer).shape[2:] != (4, 4):
            raise Refused(f'layer {layer.name} has {layer.taps()} taps, and every layer of a DCGAN here has 4×4')


def _with_convolution_first(layers: Sequence[Layer]) -> list[Layer]:
    """A linear layer that makes 4×4 pixels is a transposed convolution of one pixel."""
    layers = [layer for layer in layers if layer.dims in (2, 4)]
    linear = [layer for layer in layers if layer.dims == 2]
    if not linear:
        return layers
    first = linear[0]
    rows, noise = _weight(first).shape
    if len(linear) > 1 or first is not layers[0] or rows % 16 != 0:
        raise Refused(f'layer {linear[-1].name} is linear and does not make 4×4 pixels of the latent')
    bias = first.bias
    if bias is not None:
        planes = bias.reshape(-1, 16)
        if not torch.equal(planes, planes[:, :1].expand_as(planes)):
            raise Refused(f'the bias of the linear layer {first.name} differs from pixel to pixel, which a convolution cannot do')
        bias = planes[:, 0]
    kernel = _weight(first).T.reshape(noise, rows // 16, 4, 4)
    return [Layer(first.name, kernel, bias), *layers[1:]]


def _chain(layers: Sequence[Layer], input_at: int) -> list[Layer]:
    """The layers in an order in which each fits the output of the one before: the file's, or else the only possible
    one."""
    if not layers:
        raise Refused('it has no convolutions')
    def inputs(layer: Layer) -> int:
        return _weight(layer).shape[input_at]

    def outputs(layer: Layer) -> int:
        return _weight(layer).shape[1 - input_at]

    if all(outputs(a) == inputs(b) for a, b in zip(layers, layers[1:])):
        return list(layers)
    made = [outputs(layer) for layer in layers]
    ordered = [layer for layer in layers if inputs(layer) not in made]
    while len(ordered) == 1 or (ordered and len(ordered) < len(layers)):
        following = [layer for layer in layers if inputs(layer) == outputs(ordered[-1])]
        if len(following) != 1:
            break
        ordered.append(following[0])
    if len(ordered) != len(layers) or len(set(map(id, ordered))) != len(layers):
        raise Refused(f'its layers do not follow one another: {", ".join(layer.name for layer in layers)}')
    return ordered


def _take_norm(norms: list[Layer], before: Layer, channels: int) -> Layer | None:
    """The first of the remaining norms that fits; widths of a DCGAN differ from layer to layer."""
    for i, norm in enumerate(norms):
        sizes = [len(part) for part in (norm.weight, norm.bias, norm.mean, norm.variance) if part is not None]
        if sizes == [channels] * len(sizes):
            return norms.pop(i)
    if norms and before.dims == 4 and len(norms[0].weight if norms[0].weight is not None else ()) == 16 * channels:
        raise Refused(f'the norm {norms[0].name} treats each pixel differently, which batch norm of pictures does not')
    return None


def _put_norm(result: dict[str, torch.Tensor], place: str, norm: Layer, bias: torch.Tensor | None) -> None:
    """A bias before batch norm only moves the mean, in training as in evaluation."""
    some = norm.mean if norm.mean is not None else norm.weight
    assert some is not None
    result[f'{place}.weight'] = torch.ones_like(some) if norm.weight is None else norm.weight
    result[f'{place}.bias'] = torch.zeros_like(some) if norm.bias is None else norm.bias
    if norm.mean is None or norm.variance is None:
        return
    result[f'{place}.running_mean'] = norm.mean if bias is None else norm.mean - bias
    result[f'{place}.running_var'] = norm.variance
    result[f'{place}.num_batches_tracked'] = torch.zeros((), dtype=torch.int64)


def _put_last(result: dict[str, torch.Tensor], place: int, layer: Layer) -> list[str]:
    """The layer that makes RGB; grey pictures become three equal channels."""
    weight, bias = _weight(layer), layer.bias
    remarks = []
    if weight.shape[1] == 1:
        weight = weight.repeat(1, 3, 1, 1)
        bias = None if bias is None else bias.repeat(3)
        remarks.append('its grey pictures have become RGB of three equal channels')
    if weight.shape[1] != 3:
        raise Refused(f'{layer.name} makes {weight.shape[1]} channels and not RGB')
    result[f'{place}.weight'] = weight
    if bias is not None and bool((bias != 0).any()):
        result[f'{place}.bias'] = bias
        remarks.append(f'the bias of {layer.name} is kept for gan-generate; gan-train has none there')
    return remarks


def _require_no_bias(layer: Layer) -> None:
    if layer.bias is not None and bool((layer.bias != 0).any()):
        raise Refused(f'{layer.name} has a bias and no batch norm after it, and the discriminator of gan-train has none there')


def _require_none_left(norms: Sequence[Layer]) -> None:
    if norms:
        raise Refused(f'the norm {norms[0].name} stands where a DCGAN has none, or has another size than its layer')


def _features(widths: Sequence[int], side: int) -> int | None:
    """The value for gan-train's --features: widths double from the layer at half the side to the deepest."""
    doubling = all(width == widths[0] << i for i, width in enumerate(widths))
    return widths[0] * side // 128 if doubling and widths[0] * side % 128 == 0 else None
