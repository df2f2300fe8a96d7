"""A frozen model is the live one, and describes itself."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from small_run import changed_input, write_system

from deeptf import __version__
from deeptf.data.system import System
from deeptf.exchange import frozen
from deeptf.infer.deep_pot import DeepPot
from deeptf.train.checkpoint import Series
from deeptf.train.freeze import freeze
from deeptf.train.graph import TrainingGraph
from deeptf.train.options import load_input

STATISTICS = {
    "descriptor/mean": np.array([[0.05, 0, 0, 0], [0.07, 0, 0, 0]]),
    "descriptor/stddev": np.tile([0.2, 0.1, 0.1, 0.1], (2, 1)),
    "fitting/energy_bias": np.array([-3.0, -6.0]),
}


def live(folder: Path) -> tuple[TrainingGraph, System, dict]:
    """Return a model in training, its data and its input."""
    script = changed_input({"training/training_data/systems": [str(folder / "system")]})
    system = System(str(write_system(folder / "system")), ("A", "B"))
    return TrainingGraph(load_input(script)[0], STATISTICS, seed=4), system, script


def test_frozen_equals_live(tmp_path: Path) -> None:
    graph, system, script = live(tmp_path)
    batch = system.batch(range(3))
    for step in range(3):
        graph.step(system.batch([step]), 0.01, np.ones(5))
    _, sums = graph.evaluate(batch, np.ones(5))
    Series(tmp_path / "m", "a", 1).save(3, graph.arrays(), {"input": script, "seed": 4})
    freeze(tmp_path, tmp_path / "model.pb")
    freeze(tmp_path, tmp_path / "again.pb")
    assert (tmp_path / "again.pb").read_bytes() == (tmp_path / "model.pb").read_bytes()
    with DeepPot(tmp_path / "model.pb") as potential:
        coord, cell = batch.coord.reshape(3, -1), batch.cell.reshape(3, 9)
        e, f, v = potential.eval(coord, cell, batch.atom_type[:6])
    square = [
        np.sum(((e[:, 0] - batch.labels["energy"]) / 6) ** 2),
        np.sum((f.reshape(-1, 3) - batch.labels["force"]) ** 2),
        np.sum(((v - batch.labels["virial"]) / 6) ** 2),
    ]
    np.testing.assert_allclose(sums[:, 0], square, rtol=1e-12)
    np.testing.assert_array_equal(sums[:, 1], [3, 54, 27])


def test_description_and_arrays(tmp_path: Path) -> None:
    graph, _, script = live(tmp_path)
    arrays = graph.arrays()
    frozen.write(load_input(script)[0].model, arrays, tmp_path / "model.pb", script)
    description, found = frozen.read_arrays(tmp_path / "model.pb")
    assert description["deeptf_version"] == __version__
    assert description["type_map"] == ["A", "B"]
    assert description["model"]["descriptor"]["sel"] == [8, 16]
    assert description["training_script"] == script
    for name, value in arrays.items():
        if not name.startswith("optimizer/"):
            np.testing.assert_array_equal(found[name], value)


def test_arrays_of_another_model_are_not_frozen(tmp_path: Path) -> None:
    graph, _, script = live(tmp_path)
    arrays = graph.arrays() | {"fitting/other": np.ones(2)}
    with pytest.raises(ValueError, match="it has no use for fitting/other$"):
        frozen.write(load_input(script)[0].model, arrays, tmp_path / "model.pb")
    assert not (tmp_path / "model.pb").exists()


@pytest.mark.parametrize("content", [b"", b"not a graph", None])
def test_wrong_frozen_model(content: bytes | None, tmp_path: Path) -> None:
    path = tmp_path / "model.pb"
    if content is None:
        graph, _, script = live(tmp_path)
        frozen.write(load_input(script)[0].model, graph.arrays(), path)
        content = path.read_bytes()[:-100]
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"model\.pb must be a frozen deeptf model"):
        frozen.read_arrays(path)
