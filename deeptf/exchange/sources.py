"""Frozen models of deeptf or of deepmd-kit, read as settings and arrays."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from deeptf.config import load
from deeptf.exchange import frozen
from deeptf.exchange.convert import read_foreign
from deeptf.exchange.model_file import is_of_deepmd
from deeptf.input_file import Notices
from deeptf.model.model import ModelConfig


def read_frozen(path: str | Path) -> tuple[ModelConfig, dict[str, np.ndarray], list[str]]:
    """Return settings and arrays of a frozen model, and notes on one that was converted.

    Raises FileNotFoundError, or ValueError for what is no model of either.
    """
    if not Path(path).is_file():
        raise FileNotFoundError(f"{path} must be a frozen model, got no such file")
    if is_of_deepmd(path):
        found = read_foreign(path)
        return found.config, found.arrays, found.notes
    description, arrays = frozen.read_arrays(path)
    return load(ModelConfig, description["model"], "model", Notices()), arrays, []
