"""Ranges of embedding tables in runs: that they follow the data, and what is said where they do
not.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from array_names import NODES, RANGE, SHORTEST
from small_run import write_run, write_system

from deeptf.data.statistics import Extremes
from deeptf.model.ranges import FAR
from deeptf.model.table import FIRST_NODES
from deeptf.train import checkpoint
from deeptf.train.checkpoint import Series
from deeptf.train.run import train


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("change", ["shorter", "older"])
def test_another_range_has_its_nodes_measured_before_the_first_step(
    change: str, folder: Path, finished: Callable
) -> None:
    finished()
    state = checkpoint.load(folder)
    arrays = dict(state.arrays)
    if change == "shorter":  # as after a look at other data
        arrays[SHORTEST] = arrays[SHORTEST] / 2
    else:  # a checkpoint of deeptf 0.1
        arrays[NODES] = arrays[NODES][:, :FAR]
        del arrays[RANGE]
    Series("other/model.ckpt", "a", 1).save(20, arrays, state.meta)
    train(write_run(folder, {"training/numb_steps": 25}), restart="other")
    new = checkpoint.load(folder).arrays
    assert new[NODES].shape == state.arrays[NODES].shape
    assert np.any(new[NODES] != FIRST_NODES)  # which tables begin with
    same = np.allclose(new[RANGE], state.arrays[RANGE])
    assert same == (change == "older")


def test_pairs_closer_than_the_data_that_were_looked_at(
    folder: Path, capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Extremes, "shortest", lambda *_: np.full((2, 2), 2.0))
    coord = np.load(write_system(folder / "system") / "set.000/coord.npy")
    coord[2, 3:6] = coord[2, :3] + [0.7, 0, 0]  # atoms A and B
    np.save(folder / "system/set.000/coord.npy", coord)
    changes = {"model/data_stat_nbatch": 1, "training/training_data/batch_size": 1}
    train(write_run(folder, changes))
    notes = [line for line in capsys.readouterr().out.splitlines() if "the model knows not" in line]
    assert len(notes) == 2
    assert notes[0].startswith("note: ") and notes[1].startswith("note: in the whole run ")
    for line in notes:
        assert " of A-B closer than " in line and "closest 0.700 A" in line
