"""Runs that go on from a checkpoint as if they had never stopped."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from deeptf.train import checkpoint
from deeptf.train.run import train


def assert_goes_on(folder: Path, last: int) -> None:
    """Restart a run of input.json that ended at step `last`, from the checkpoint before its last.

    Weights and table of errors must have the same bits again.
    """
    whole, rows = checkpoint.load(folder), (folder / "lcurve.out").read_text()
    (folder / f"model.ckpt-{last}.npz").unlink()
    assert train(folder / "input.json", restart=folder) == 0
    again = checkpoint.load(folder)
    assert all(np.array_equal(whole.arrays[name], again.arrays[name]) for name in whole.arrays)
    assert (folder / "lcurve.out").read_text() == rows
