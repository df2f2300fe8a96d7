"""Training of triples, local frames and hybrids: the gradient of the loss, and restarted runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from restarts import assert_goes_on
from small_run import changed_input, write_run, write_system
from test_mixed_batch import PREFACTORS, STATISTICS, write_trimer

from deeptf.data.batch import join
from deeptf.data.system import System
from deeptf.train.freeze import freeze
from deeptf.train.graph import TrainingGraph
from deeptf.train.options import load_input
from deeptf.train.run import train

TRIPLES: dict[str, Any] = {
    "type": "se_e3",
    "sel": [6, 12],
    "rcut": 3.0,
    "rcut_smth": 1.0,
    "neuron": [4, 8],
}
RADIAL = {**TRIPLES, "type": "se_e2_r", "rcut": 3.5, "precision": "float32"}
PAIRS = {**TRIPLES, "type": "se_e2_a", "sel": "auto", "rcut": 3.3, "axis_neuron": 2}
LOCAL = {
    "type": "loc_frame",
    "sel_a": [3, 4],
    "sel_r": [2, 0],
    "rcut": 5.0,
    "axis_rule": [0, 1, 0, 0, -3, 2, 0, -3, 0, 0, -3, 1],
}
LOCAL_STATISTICS = {
    **STATISTICS,
    "descriptor/mean": np.full((2, 30), 0.1),
    "descriptor/stddev": np.full((2, 30), 0.3),
}
KINDS = {
    "se_e3": TRIPLES,
    "se_e3, network": {**TRIPLES, "embedding": "network"},
    "se_e3, float32": {**TRIPLES, "precision": "float32", "sel": "auto"},
    "hybrid": {
        "type": "hybrid",
        "list": [PAIRS, {"type": "hybrid", "list": [TRIPLES, RADIAL]}],
    },
    "loc_frame": LOCAL,
    "loc_frame in a hybrid": {"type": "hybrid", "list": [PAIRS, LOCAL]},
}


EMBEDDING = ("descriptor/embedding_0_1/0/bias", "descriptor/embedding_1_1/1/matrix")
NAMES = {"loc_frame": ("fitting/type_0/0/matrix", "fitting/type_1/1/bias")}


@pytest.mark.parametrize("kind", ["se_e3", "se_e3, network", "loc_frame"])
def test_the_gradient_of_the_loss(kind: str, tmp_path: Path) -> None:
    """With energies, forces and virials in the loss, against differences."""
    script = changed_input({"model/descriptor": KINDS[kind], "optimizer/adam_beta1": 0.0})
    systems = write_system(tmp_path / "large"), write_trimer(tmp_path / "small")
    batch = join([System(path, ("A", "B")).frame(1) for path in systems])
    known = LOCAL_STATISTICS if kind == "loc_frame" else STATISTICS
    graph = TrainingGraph(load_input(script)[0], known, seed=4)
    start = graph.arrays()
    graph.step(batch, 0.0, PREFACTORS)
    after = graph.arrays()
    graph.close()

    random = np.random.default_rng(0)
    names = NAMES.get(kind, EMBEDDING)
    changes = {name: 1e-5 * random.normal(size=start[name].shape) for name in names}

    def loss(factor: float) -> float:
        there = {name: start[name] + factor * change for name, change in changes.items()}
        moved = TrainingGraph(load_input(script)[0], {**start, **there}, seed=4)
        value = np.mean(moved.evaluate(batch, PREFACTORS)[0])
        moved.close()
        return value

    found = [np.sum(after[f"optimizer/{name}/Adam"] * changes[name]) for name in names]
    wanted = (loss(1.0) - loss(-1.0)) / 2
    assert np.min(np.abs(found)) > 0
    assert np.sum(found) == pytest.approx(wanted, rel=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_runs_go_on_bit_for_bit(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_trimer(tmp_path / "small")
    data = {"systems": ["system", "small"], "batch_size": "mixed:3"}
    path = write_run(tmp_path, {"model/descriptor": KINDS[kind], "training/training_data": data})
    assert train(path) == 0
    assert_goes_on(tmp_path, 20)
    freeze(".", tmp_path / "frozen.pb")
    train(path, init_frozen="frozen.pb")
