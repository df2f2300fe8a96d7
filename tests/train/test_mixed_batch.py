"""Frames of different size and composition in one batch: loss and gradient are means over frames,
and runs on such batches go on as if they had not stopped.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from restarts import assert_goes_on
from small_run import changed_input, write_run, write_system

from deeptf.data.batch import Batch, Pairs, join, join_to
from deeptf.data.schedule import BatchSchedule
from deeptf.data.system import System
from deeptf.train import checkpoint
from deeptf.train.graph import TrainingGraph
from deeptf.train.options import load_input
from deeptf.train.run import train

STATISTICS = {
    "descriptor/mean": np.array([[0.05, 0, 0, 0], [0.07, 0, 0, 0]]),
    "descriptor/stddev": np.tile([0.2, 0.1, 0.1, 0.1], (2, 1)),
    "fitting/energy_bias": np.array([-3.0, -6.0]),
}
PREFACTORS = np.array([0.7, 3.0, 0.2, 0.0, 0.0])


def write_trimer(folder: Path) -> Path:
    """Write frames of three atoms of type B without cell and virial."""
    rng = np.random.default_rng(5)
    places = np.array([[0.0, 0, 0], [1.5, 0, 0], [0, 1.6, 0.2]])
    shift = rng.normal(0, 0.15, (4, 3, 3))
    (folder / "set.000").mkdir(parents=True)
    (folder / "type.raw").write_text("1 1 1")
    (folder / "type_map.raw").write_text("A B")
    (folder / "nopbc").touch()
    data = {"coord": places + shift, "force": -2 * shift}
    for name, value in data.items():
        np.save(folder / "set.000" / f"{name}.npy", value.reshape(4, -1))
    np.save(folder / "set.000" / "energy.npy", (shift**2).sum(axis=(1, 2)) - 18)
    return folder


def loss_and_gradient(graph: TrainingGraph, batch: Batch) -> tuple[np.ndarray, dict]:
    """Return the loss of every frame and the gradient: Adam's first moment with beta1 = 0."""
    loss = graph.step(batch, 0.0, PREFACTORS).loss
    arrays = graph.arrays()
    slots = {n: v for n, v in arrays.items() if n.startswith("optimizer/") and n.endswith("/Adam")}
    return loss, slots


def test_known_pairs_give_the_same_bits_without_coordinates(tmp_path: Path) -> None:
    script = changed_input({"optimizer/adam_beta1": 0.0})
    graph = TrainingGraph(load_input(script)[0], STATISTICS, seed=4)
    large = System(write_system(tmp_path / "large"), ("A", "B"))
    small = System(write_trimer(tmp_path / "small"), ("A", "B"))
    frames = [large.frame(3), small.frame(0), large.frame(1)]
    batch = join(frames)
    known = join([replace(frame, pairs=graph.find_pairs(frame)) for frame in frames])
    for name in ("row", "neighbor", "displacement"):
        joined, whole = (getattr(p, name) for p in (known.pairs, graph.find_pairs(batch)))
        assert joined.dtype == whole.dtype and joined.tobytes() == whole.tobytes()
    blind = replace(known, coord=np.full_like(batch.coord, np.nan))
    for got, want in zip(
        graph.evaluate(blind, PREFACTORS), graph.evaluate(batch, PREFACTORS), strict=True
    ):
        assert got.tobytes() == want.tobytes()
    (loss, gradient), (wanted, wanted_gradient) = (
        loss_and_gradient(graph, one) for one in (blind, batch)
    )
    graph.close()
    assert loss.tobytes() == wanted.tobytes()
    assert all(gradient[name].tobytes() == wanted_gradient[name].tobytes() for name in gradient)


def test_gradient_of_a_mixed_batch_is_the_mean_of_its_frames(tmp_path: Path) -> None:
    script = changed_input({"optimizer/adam_beta1": 0.0})
    graph = TrainingGraph(load_input(script)[0], STATISTICS, seed=4)
    large = System(write_system(tmp_path / "large"), ("A", "B"))
    small = System(write_trimer(tmp_path / "small"), ("A", "B"))
    frames = [large.frame(3), small.frame(0), large.frame(1), small.frame(2), small.frame(3)]
    single = [loss_and_gradient(graph, frame) for frame in frames]
    loss, gradient = loss_and_gradient(graph, join(frames))
    graph.close()
    np.testing.assert_allclose(loss, np.concatenate([each for each, _ in single]), rtol=1e-12)
    assert len(gradient) >= 12
    for name, value in gradient.items():
        mean = np.mean([each[name] for _, each in single], axis=0)
        scale = np.abs(mean).max()
        assert scale > 0, name
        np.testing.assert_allclose(value, mean, rtol=0, atol=1e-10 * scale, err_msg=name)


def test_errors_of_joined_batches_are_those_of_their_frames(tmp_path: Path) -> None:
    graph = TrainingGraph(load_input(changed_input({}))[0], STATISTICS, seed=4)
    large = System(write_system(tmp_path / "large"), ("A", "B"))
    small = System(write_trimer(tmp_path / "small"), ("A", "B"))
    frames = [large.frame(3), small.frame(0), small.frame(2), large.frame(1), small.frame(3)]
    atoms = [batch.num_atoms for batch in join_to(frames, 9)]
    assert atoms == [9, 9, 3]
    assert [batch.num_atoms for batch in join_to(frames, 1)] == [6, 3, 3, 6, 3]
    results = {}
    for limit in (1, 9, 100):
        found = [graph.evaluate(batch, PREFACTORS) for batch in join_to(frames, limit)]
        results[limit] = np.concatenate([loss for loss, _ in found]), sum(sums for _, sums in found)
    graph.close()
    for limit in (9, 100):
        for found, wanted in zip(results[limit], results[1], strict=True):
            np.testing.assert_allclose(found, wanted, rtol=1e-11)


def test_runs_on_mixed_batches_go_on_bit_for_bit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write_trimer(tmp_path / "small")
    data = {"systems": ["system", "small"], "batch_size": "mixed:3"}
    changes = {"training/training_data": data, "training/validation_data": data}
    path = write_run(tmp_path, changes)
    assert train(path) == 0
    assert_goes_on(tmp_path, 20)


def test_a_run_that_finds_pairs_in_every_step_has_the_same_bits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write_trimer(tmp_path / "small")
    data = {"systems": ["system", "small"], "batch_size": "mixed:3"}
    path = write_run(tmp_path, {"training/training_data": data, "training/validation_data": data})
    known, found = [], TrainingGraph.find_pairs

    def watched(self: TrainingGraph, batch: Batch) -> Pairs:
        known.append(batch.origin)
        return found(self, batch)

    monkeypatch.setattr(TrainingGraph, "find_pairs", watched)
    assert train(path) == 0
    assert set(Counter(known).values()) == {2}  # by training and by validation
    assert len(known) == 20
    kept = checkpoint.load(tmp_path).arrays
    (tmp_path / "model.ckpt-20.npz").unlink()
    monkeypatch.setattr(BatchSchedule, "keep_pairs", lambda self, find_pairs: None)
    assert train(path) == 0
    plain = checkpoint.load(tmp_path).arrays
    assert all(kept[name].tobytes() == plain[name].tobytes() for name in plain)
    assert len(known) == 20
