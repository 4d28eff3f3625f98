"""stats.jsonl of a run as columns."""
from __future__ import annotations

import json
import os
import pathlib
from typing import Any

import numpy as np
from numpy.typing import NDArray


def stats(run: str | os.PathLike[str]) -> dict[str, NDArray[Any]]:
    """The columns of a run's stats.jsonl: one array per name, one element per logged step, in the order of the file.

    `run` is a run folder or the file itself. Numbers are int64 if every line has a whole number, otherwise float64 with
    nan where a line has null or lacks the name (quality is not measured in each step). Texts, lists and the like are
    objects, None where missing. A last line that is still being written is left out. Raises ValueError with file, line
    and offset for any other line that is no JSON object.
    """
    path = pathlib.Path(run)
    if path.is_dir():
        path = path / 'stats.jsonl'
    lines = _lines(path)
    names = dict.fromkeys(name for line in lines for name in line)
    return {name: _column([line.get(name) for line in lines]) for name in names}


def _lines(path: pathlib.Path) -> list[dict[str, Any]]:
    lines = []
    offset = 0
    for number, line in enumerate(path.read_bytes().splitlines(keepends=True), 1):
        try:
            record = json.loads(line)
            if not isinstance(record, dict):
                raise ValueError('is no JSON object')
        except (ValueError, RecursionError) as error:
            if not line.endswith(b'\n'):
                break
            raise ValueError(f'{path}: line {number}, at offset {offset}: {error}') from None
        lines.append(record)
        offset += len(line)
    return lines


def _column(values: list[Any]) -> NDArray[Any]:
    kinds = {type(value) for value in values}
    if kinds == {bool}:
        return np.array(values, np.bool_)
    if kinds == {int} and all(abs(value) < 1 << 63 for value in values):
        return np.array(values, np.int64)
    if kinds <= {int, float, type(None)}:
        return np.array([_float(value) for value in values], np.float64)
    column: NDArray[Any] = np.empty(len(values), object)
    column[:] = values
    return column


def _float(value: float | None) -> float:
    try:
        return np.nan if value is None else float(value)
    except OverflowError:  # a whole number beyond the largest double
        return np.inf
