"""Freezing: the newest checkpoint of a run becomes a model file (exchange/frozen.py)."""

from __future__ import annotations

from pathlib import Path

from deeptf.exchange.frozen import write
from deeptf.train import checkpoint
from deeptf.train.options import load_input


def freeze(location: str | Path, output: str | Path) -> Path:
    """Write the newest checkpoint at `location` (folder, prefix or file) as a frozen model.

    The model has averaged weights where the checkpoint has them.
    Raises FileNotFoundError without a checkpoint and ValueError for a damaged one; returns the
    checkpoint's path.
    """
    state = checkpoint.load(location)
    config = load_input(state.meta["input"])[0].model
    write(config, state.model_arrays(), output, training_script=state.meta["input"])
    return state.path
