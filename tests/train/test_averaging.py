"""Averaged weights: their rule, that they leave the run alone, and where they are used."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from array_names import NODES
from small_run import TYPES, changed_input, write_run, write_system

from deeptf.data.system import System
from deeptf.exchange import frozen
from deeptf.infer.deep_pot import DeepPot
from deeptf.train import checkpoint, loop
from deeptf.train.averaging import EVERY, update_weight
from deeptf.train.checkpoint import AVERAGE, Series
from deeptf.train.freeze import freeze
from deeptf.train.graph import TrainingGraph
from deeptf.train.options import load_input
from deeptf.train.run import train

STATISTICS = {
    "descriptor/mean": np.array([[0.05, 0, 0, 0], [0.07, 0, 0, 0]]),
    "descriptor/stddev": np.tile([0.2, 0.1, 0.1, 0.1], (2, 1)),
    "fitting/energy_bias": np.array([-3.0, -6.0]),
}
DECAY = {"training/ema_decay": 0.9}
TABLE = {"model/descriptor/embedding": "table"}
NETWORK = {"model/descriptor/embedding": "network"}
VALIDATION = {"training/validation_data": {"systems": ["system"]}}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def averages(arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {n.removeprefix(AVERAGE): v for n, v in arrays.items() if n.startswith(AVERAGE)}


def curve(folder: Path) -> np.ndarray:
    return np.genfromtxt(folder / "lcurve.out", names=True)


def test_how_fast_the_average_moves() -> None:
    assert update_weight(1, 0.999) == pytest.approx(1 - 2 / 11)
    assert update_weight(10, 0.999) == pytest.approx(1 - 11 / 20)
    assert [update_weight(done, 0.999) for done in range(11, 20)] == [0.0] * 9
    assert update_weight(20, 0.999) == pytest.approx(1 - (21 / 30) ** EVERY)
    assert update_weight(10**6, 0.999) == pytest.approx(1 - 0.999**EVERY)
    assert update_weight(3, 0.1) == pytest.approx(0.9)
    assert not any(update_weight(done, 0.0) for done in range(1, 50))


def test_the_average_forgets_the_first_weights() -> None:
    """At the end of a run the average of 1, 2, ... n lies near 0.9 n, or at n - 1/(1 - decay)."""
    for steps, decay, expected in ((5000, 0.9999, 4500), (5000, 0.99, 4900)):
        mean = 0.0
        for done in range(1, steps + 1):
            mean += update_weight(done, decay) * (done - mean)
        assert mean == pytest.approx(expected, rel=0.02)


@pytest.mark.parametrize("precision", ["float64", "float32"])
def test_averages_of_the_graph(precision: str, folder: Path) -> None:
    changes = {f"model/{part}/precision": precision for part in ("descriptor", "fitting_net")}
    script = changed_input(DECAY | changes)
    system = System(write_system(folder / "system"), ("A", "B"))
    graph = TrainingGraph(load_input(script)[0], STATISTICS, seed=4)
    arrays = graph.arrays()
    expected = averages(arrays)
    for name, value in expected.items():
        np.testing.assert_array_equal(value, arrays[name])
    for step in range(4):
        graph.step(system.frame(step), 0.01, np.ones(5))
        graph.average(0.3)
        arrays = graph.arrays()
        expected = {n: v + 0.3 * (arrays[n] - v) for n, v in expected.items()}
    tolerance = {"float64": 1e-14, "float32": 1e-6}[precision]
    for name, value in averages(arrays).items():
        assert value.dtype == precision and not np.array_equal(value, arrays[name])
        np.testing.assert_allclose(value, expected[name], rtol=tolerance, atol=tolerance)
    graph.close()


def test_weights_and_averages_change_places_and_back(folder: Path) -> None:
    system = System(write_system(folder / "system"), ("A", "B"))
    graph = TrainingGraph(load_input(changed_input(DECAY))[0], STATISTICS, seed=4)
    graph.step(system.frame(0), 0.01, np.ones(5))
    graph.average(0.3)
    before = graph.arrays()
    losses = [graph.evaluate(system.frame(1), np.ones(5))[0]]
    with pytest.raises(KeyError), graph.averaged():
        inside = graph.arrays()
        losses.append(graph.evaluate(system.frame(1), np.ones(5))[0])
        raise KeyError
    after = graph.arrays()
    for name, value in averages(before).items():
        np.testing.assert_array_equal(inside[name], value)
        np.testing.assert_array_equal(inside[AVERAGE + name], before[name])
    assert all(np.array_equal(after[name], before[name]) for name in before)
    assert losses[0] != losses[1]
    model = TrainingGraph(load_input(changed_input({}))[0], before | averages(before), seed=0)
    np.testing.assert_allclose(model.evaluate(system.frame(1), np.ones(5))[0], losses[1], 1e-12)
    graph.close()
    model.close()


def test_the_run_itself_is_left_alone(folder: Path, finished: Callable) -> None:
    finished(VALIDATION)
    plain, rows = checkpoint.load(folder).arrays, curve(folder)
    assert not averages(plain) and "averaged weights" not in (folder / "log").read_text()
    finished(VALIDATION | DECAY)
    told = "averaged weights, decay 0.9 a step: validation columns of lcurve.out and frozen models"
    assert (folder / "log").read_text().count(told) == 1
    arrays, new = checkpoint.load(folder).arrays, curve(folder)
    assert all(np.array_equal(arrays[name], value) for name, value in plain.items())
    assert len(arrays) == len(plain) + len(averages(arrays))
    np.testing.assert_array_equal(new["rmse_f_trn"], rows["rmse_f_trn"])
    assert new["rmse_f_val"][0] == rows["rmse_f_val"][0]
    assert np.all(new["rmse_f_val"][1:] != rows["rmse_f_val"][1:])


def test_restart_continues_bit_for_bit(folder: Path) -> None:
    changes = VALIDATION | DECAY | {"training/numb_steps": 25, "training/save_freq": 13}
    path = write_run(folder, changes)
    train(path)
    whole, rows = checkpoint.load(folder), curve(folder)
    (folder / "model.ckpt-25.npz").unlink()
    train(path, restart=".")
    again = checkpoint.load(folder)
    assert set(again.arrays) == set(whole.arrays)
    assert all(np.array_equal(again.arrays[name], v) for name, v in whole.arrays.items())
    np.testing.assert_array_equal(curve(folder), rows)


def test_models_of_a_checkpoint_have_the_averages(folder: Path, finished: Callable) -> None:
    finished(VALIDATION | DECAY)
    state = checkpoint.load(folder)
    expected = averages(state.arrays)
    freeze(folder, "frozen.pb")
    arrays = frozen.read_arrays("frozen.pb")[1]
    changes = {"training/save_ckpt": "new", "training/numb_steps": 1}
    for name in ("learning_rate/start_lr", "learning_rate/stop_lr"):
        changes[name] = 1e-30  # the step changes nothing
    train(write_run(folder, changes), init_model="model.ckpt")
    new = checkpoint.load("new").arrays
    for name, value in expected.items():
        assert not np.array_equal(value, state.arrays[name])
        np.testing.assert_array_equal(arrays[name], value)
        np.testing.assert_array_equal(new[name], value)


def test_the_averages_have_a_table_of_their_own(folder: Path) -> None:
    """What validation sees are the nets with averaged weights, up to the error of a table."""
    system = System(write_system(folder / "system"), ("A", "B"))
    graph = TrainingGraph(load_input(changed_input(DECAY | TABLE))[0], STATISTICS, seed=4)
    for step in range(3):
        graph.step(system.frame(step), 0.03, np.ones(5))
        graph.average(0.3)
    arrays = graph.arrays()
    nets = TrainingGraph(load_input(changed_input(NETWORK))[0], arrays | averages(arrays), seed=0)
    (exact,), _ = nets.evaluate(system.frame(1), np.ones(5))
    (present,), _ = graph.evaluate(system.frame(1), np.ones(5))
    with graph.averaged():
        (averaged,), _ = graph.evaluate(system.frame(1), np.ones(5))
    assert averaged == pytest.approx(exact, rel=1e-6)
    assert abs(present - exact) > 1e-2 * exact
    graph.close()
    nets.close()


def test_a_frozen_model_holds_the_table_of_the_averages(folder: Path, finished: Callable) -> None:
    finished(VALIDATION | DECAY)
    state = checkpoint.load(folder)
    config = load_input(state.meta["input"])[0].model
    descriptor = replace(config.term.descriptor, embedding="network")
    nets = replace(config, term=replace(config.term, descriptor=descriptor))
    freeze(folder, "table.pb")
    frozen.write(nets, state.model_arrays(), "averaged.pb")
    present = {k: v for k, v in state.arrays.items() if not k.startswith(checkpoint.AVERAGE)}
    frozen.write(nets, present, "present.pb")
    frames = [np.load(folder / "system/set.000" / f"{name}.npy") for name in ("coord", "box")]
    energies = []
    for name in ("table.pb", "averaged.pb", "present.pb"):
        with DeepPot(name) as potential:
            energies.append(potential.eval(*frames, TYPES)[0])
    np.testing.assert_allclose(energies[0], energies[1], rtol=0, atol=1e-6)
    assert np.abs(energies[2] - energies[1]).min() > 1e-3


def test_restart_before_a_table_grows(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "TABLE_CHECK", 5)
    changes = VALIDATION | DECAY | TABLE | {"training/numb_steps": 14, "training/save_freq": 7}
    path = write_run(folder, changes | {"learning_rate/start_lr": 0.5})
    train(path)
    before, whole = (checkpoint.load(f"model.ckpt-{step}.npz").arrays for step in (7, 14))
    assert np.any(before[NODES] != whole[NODES])
    rows = curve(folder)
    train(path, restart="model.ckpt-7.npz")
    again = checkpoint.load("model.ckpt-14.npz").arrays
    assert all(np.array_equal(again[name], value) for name, value in whole.items())
    np.testing.assert_array_equal(curve(folder), rows)


def test_averages_may_begin_or_end_at_a_restart(
    folder: Path, finished: Callable, capsys: pytest.CaptureFixture
) -> None:
    finished()
    path = write_run(folder, DECAY | {"training/numb_steps": 21, "training/save_freq": 21})
    train(path, restart="model.ckpt-20.npz")
    begun = checkpoint.load(folder)
    first = checkpoint.load("model.ckpt-20.npz").arrays
    for name, value in averages(begun.arrays).items():
        np.testing.assert_array_equal(value, first[name])  # the next update is due after step 30
    capsys.readouterr()
    train(write_run(folder, {"training/numb_steps": 22}), restart="model.ckpt-21.npz")
    assert "note: the checkpoint has averaged weights; without" in capsys.readouterr().out
    assert not averages(checkpoint.load(folder).arrays)


def test_a_checkpoint_with_a_part_of_the_averages(folder: Path, finished: Callable) -> None:
    finished(VALIDATION | DECAY)
    state = checkpoint.load(folder)
    lost = AVERAGE + next(iter(averages(state.arrays)))
    arrays = {name: value for name, value in state.arrays.items() if name != lost}
    Series("part", "a", 1).save(20, arrays, state.meta)
    with pytest.raises(ValueError, match=f"`{lost}` must be in the checkpoint to go on"):
        train(write_run(folder, DECAY | {"training/numb_steps": 30}), restart="part")
