"""Data sets, generators and statistics of Equipoise in Python, for use before and after training.

    equipoise.Shards(folder)             a shard folder for numpy and PyTorch
    equipoise.load_generator(run)        a trained generator as a torch.nn.Module
    equipoise.stats(run)                 stats.jsonl as columns of numpy arrays
    python -m equipoise.convert FILE     weights of other DCGAN scripts for gan-generate and gan-train

Each part is imported at its first use, so the programs of the package start without numpy, and only generators need
torch.
"""
from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from equipoise.generator import Generator, load_generator
    from equipoise.run_stats import stats
    from equipoise.shards import Shard, Shards, to_tensor

__all__ = ['Generator', 'Shard', 'Shards', 'load_generator', 'stats', 'to_tensor']

_HOME = {'Generator': 'generator', 'load_generator': 'generator', 'stats': 'run_stats', 'Shard': 'shards', 'Shards': 'shards',
         'to_tensor': 'shards'}


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
    return getattr(importlib.import_module(f'{__name__}.{_HOME[name]}'), name)


def __dir__() -> list[str]:
    return sorted(__all__)
