"""Converts weights of other DCGAN scripts to safetensors for gan-generate and gan-train.

    python -m equipoise.convert netG.pth [--out netG.safetensors]

The file is read as weights only: nothing in it is executed. A network that does not fit is refused with one sentence.
"""
from __future__ import annotations

import argparse
import os
import pathlib
import re
import sys
import tempfile
import warnings
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import torch
from safetensors.torch import load_file, save_file

from equipoise.foreign_layers import Refused
from equipoise.foreign_networks import Network, as_discriminator, as_generator

_OF_A_NETWORK = r'(_?(ema|state|dict|state_dict|model|net|network|weights|params))?'
_GENERATOR = re.compile(r'(model_?|net_?)?(g|gen|generator)' + _OF_A_NETWORK, re.I)
_DISCRIMINATOR = re.compile(r'(model_?|net_?)?(d|dis|disc|discriminator|critic)' + _OF_A_NETWORK, re.I)
_WRAPPERS = ('module.', '_orig_mod.')  # prefixes of DataParallel and torch.compile
_DEEPEST = 16
_KINDS = {'generator': as_generator, 'discriminator': as_discriminator}


def networks_of(path: str | os.PathLike[str]) -> tuple[dict[str, Network], list[str]]:
    """{'generator': ..., 'discriminator': ...}, as far as the file contains them and they fit, and a sentence for each
    network that does not fit.

    Raises Refused when none fits.
    """
    found: dict[str, Network] = {}
    refused = []
    for kind, name, tensors in _candidates(_read(pathlib.Path(path))):
        try:
            if kind in found:
                raise Refused(f'is another {kind}; one file holds one')
            found[kind] = _KINDS[kind](tensors)
        except Refused as error:
            refused.append(f'{name}: {error}' if name else str(error))
    if not found:
        raise Refused(f'{os.fspath(path)}: ' + ('; '.join(refused) or 'holds no weights'))
    return found, refused


def _read(path: pathlib.Path) -> dict[str, torch.Tensor]:
    try:
        if path.suffix == '.safetensors':
            return load_file(path)
        with warnings.catch_warnings(action='ignore'):
            return dict(_flat(torch.load(path, map_location='cpu', weights_only=True), '', 0))
    except OSError as error:
        raise Refused(f'{path}: {error.strerror or error}') from None
    except Refused as error:
        raise Refused(f'{path}: {error}') from None
    except Exception as error:  # a hostile file can raise anything inside the readers
        # PyTorch's own message advises to execute the file's content.
        why = 'it holds more than weights, or is damaged' if 'eights only' in str(error) else (str(error).splitlines() or ['damaged'])[0]
        raise Refused(f'{path}: cannot be read as weights alone ({why}); save the state_dict() of the network, not the network '
                      'itself') from None


def _flat(value: Any, prefix: str, depth: int) -> Iterator[tuple[str, torch.Tensor]]:
    """The tensors of nested dictionaries by their dotted names, without tensors of optimizers and single numbers."""
    if isinstance(value, torch.Tensor):
        if value.dim() > 0:
            yield prefix.removesuffix('.'), value
    elif isinstance(value, Mapping) and 'param_groups' not in value:
        if depth > _DEEPEST:
            raise Refused('its dictionaries are nested too deeply')
        for name, inner in value.items():
            if isinstance(name, str):
                yield from _flat(inner, f'{prefix}{name}.', depth + 1)


def _candidates(tensors: dict[str, torch.Tensor]) -> list[tuple[str, str, dict[str, torch.Tensor]]]:
    """(kind, name in the file, its tensors) of each network that can be recognised by names; the average of a generator
    first."""
    tensors = {_unwrapped(name): tensor for name, tensor in tensors.items()}
    groups: dict[str, dict[str, torch.Tensor]] = {}
    for name, tensor in tensors.items():
        groups.setdefault(_network_in(name), {})[name] = tensor
    named = sorted(filter(None, groups), key=lambda name: 'ema' not in name.lower())
    if not named:
        return _nameless(tensors) if tensors else []
    return [('discriminator' if _DISCRIMINATOR.fullmatch(name.split('.')[-1]) else 'generator', name, groups[name])
            for name in named]


def _nameless(tensors: dict[str, torch.Tensor]) -> list[tuple[str, str, dict[str, torch.Tensor]]]:
    """Tells whether tensors without the name of a network belong to a discriminator or to a generator. The first layer
    of a discriminator takes pictures, so one dimension of its weight is their number of channels. The last layer of a
    generator makes pictures, and its weight has that dimension in the same place. A file need not list the layers in
    order, so the other kind is chosen if the tensors fit only that one."""
    kernels = [tensor for tensor in tensors.values() if tensor.shape[2:] == (4, 4)]
    kind = 'discriminator' if kernels and kernels[0].shape[1] in (1, 3) else 'generator'
    other = next(k for k in _KINDS if k != kind)
    return [(other if not _fits(kind, tensors) and _fits(other, tensors) else kind, '', tensors)]


def _fits(kind: str, tensors: dict[str, torch.Tensor]) -> bool:
    try:
        _KINDS[kind](tensors)
    except Refused:
        return False
    return True


def _unwrapped(name: str) -> str:
    for wrapper in _WRAPPERS:
        name = name.replace('.' + wrapper, '.').removeprefix(wrapper)
    return name


def _network_in(name: str) -> str:
    """The beginning of a tensor's name that names a network: 'netG' of 'netG.main.0.weight', or ''."""
    parts = name.split('.')
    for i, part in enumerate(parts[:-2]):
        if _GENERATOR.fullmatch(part) or _DISCRIMINATOR.fullmatch(part):
            return '.'.join(parts[:i + 1])
    return ''


def write(networks: Mapping[str, Network], out: str | os.PathLike[str]) -> None:
    """Writes the networks: one network keeps its names; two get the prefixes `generator.` and `discriminator.`. The
    file is complete or absent."""
    prefixes = {kind: f'{kind}.' if len(networks) > 1 else '' for kind in networks}
    tensors = {prefixes[kind] + name: tensor.contiguous()
               for kind, network in networks.items() for name, tensor in network.tensors.items()}
    target = pathlib.Path(out)
    handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=target.name, suffix='.tmp')
    os.close(handle)
    try:
        save_file({name: tensor.clone() for name, tensor in tensors.items()}, temporary)
        os.chmod(temporary, 0o666 & ~_umask())
        os.replace(temporary, target)
    except BaseException:
        os.unlink(temporary)
        raise


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _summary(networks: Mapping[str, Network], out: pathlib.Path) -> Iterator[str]:
    for kind, network in networks.items():
        latents = f', latents of {network.noise_dim} numbers' if network.noise_dim else ''
        yield f'{out}: a {kind} of {network.side} px{latents}'
        yield from (f'  {remark}' for remark in network.remarks)
    if 'generator' in networks:
        yield f'gan-generate --checkpoint {out} --out grid.png'
    features = {network.features for network in networks.values()}
    sides = {network.side for network in networks.values()}
    side, width = next(iter(sides)), next(iter(features))
    if len(sides) == 1 and len(features) == 1 and width is not None and side >= 64:
        noise = next((f' --noise-dim {n.noise_dim}' for n in networks.values() if n.noise_dim not in (None, 100)), '')
        yield f'gan-train --shards shards --init-from {out} --resolution {side} --features {width}{noise}'


def main(words: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog='python -m equipoise.convert', description='Converts the weights of a DCGAN script.')
    parser.add_argument('file', type=pathlib.Path, help='weights that torch.save or safetensors wrote')
    parser.add_argument('--out', type=pathlib.Path, help='file to write; default: FILE with the ending .safetensors')
    arguments = parser.parse_args(words)
    out = arguments.out or arguments.file.with_suffix('.safetensors')
    if out.exists() and arguments.file.exists() and out.samefile(arguments.file):
        parser.error('--out has to name another file than the one that is read')
    try:
        networks, refused = networks_of(arguments.file)
        write(networks, out)
    except Refused as error:
        print(error, file=sys.stderr)
        return 3
    except OSError as error:
        print(f'{out}: {error.strerror}', file=sys.stderr)
        return 1
    for sentence in refused:
        print(f'left out: {sentence}', file=sys.stderr)
    print('\n'.join(_summary(networks, out)))
    return 0


if __name__ == '__main__':
    sys.exit(main())
