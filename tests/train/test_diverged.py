"""Numbers that are none: what a run says of them, and that it keeps what it had before."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from small_run import write_run, write_system

from deeptf.tf import assign
from deeptf.train import checkpoint
from deeptf.train.checkpoint import Series
from deeptf.train.freeze import freeze
from deeptf.train.graph import Step, TrainingGraph
from deeptf.train.loop import Loop
from deeptf.train.run import train
from deeptf.train.workers import Workers


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def poison(monkeypatch: pytest.MonkeyPatch, step: int, average: bool) -> None:
    """Make one number of a weight, or of its average, NaN by the update of a step."""
    original, done = TrainingGraph.step, [0]

    def step_and_spoil(self: TrainingGraph, *arguments: object) -> Step:
        told = original(self, *arguments)
        done[0] += 1
        if done[0] == step:
            name = "fitting/type_1/1/bias"
            state = self._state["average/" + name] if average else self._parameters.variables[name]
            value = self._session.run(state)
            value[3] = np.nan
            assign(self._session, state, value)
        return told

    monkeypatch.setattr(TrainingGraph, "step", step_and_spoil)


@pytest.mark.parametrize("average", [False, True])
def test_weights_that_are_not_finite_are_not_saved(
    average: bool, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    changes = {"numb_steps": 4, "save_freq": 1, "max_ckpt_keep": 1, "ema_decay": 0.9}
    path = write_run(folder, {f"training/{name}": value for name, value in changes.items()})
    poison(monkeypatch, 4, average)
    name = "average/fitting/type_1/1/bias" if average else "fitting/type_1/1/bias"
    message = f"`{name}` must be finite to be saved, but is not after step 4.*model.ckpt-3.npz"
    with pytest.raises(FloatingPointError, match=message):
        train(path)
    assert [one.name for one in folder.glob("*.ckpt-*")] == ["model.ckpt-3.npz"]
    assert checkpoint.load(folder).meta["step"] == 3


def test_weights_that_diverge_in_mid_run_are_found_by_the_next_loss(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_run(folder, {"training/save_freq": 200, "training/numb_steps": 200})
    poison(monkeypatch, 100, False)  # tables are measured before step 101
    with pytest.raises(FloatingPointError, match=r"must be finite, got nan in step 101 for system"):
        train(path)
    assert not list(folder.glob("*.ckpt-*"))


def test_a_sum_too_large_for_float32(folder: Path) -> None:
    force = np.full((6, 18), 1e25)
    write_system(folder / "system", force=force)
    single = {"model/descriptor/precision": "float32", "model/fitting_net/precision": "float32"}
    message = r"got inf in step 1, beyond the nets' precision .* at most 1e\+53, for system system"
    with pytest.raises(FloatingPointError, match=message):
        train(write_run(folder, single))


class Two(Workers):
    """One of two workers; `other` is what the other one tells."""

    size = 2

    def __init__(self, rank: int, other: tuple[int, int]) -> None:
        self.rank, self._other = rank, other

    def sum(self, values: np.ndarray) -> np.ndarray:
        """Return the sum with the numbers of the other worker."""
        total = values.copy()
        total[1 - self.rank] += self._other
        return total


@pytest.mark.parametrize(
    ("loss", "workers", "message"),
    [
        ([1.0, np.nan], Workers(), "got nan in step 8 for system b, frame 5. The weights"),
        ([np.inf, np.nan], Workers(), "for system a, frame 3; system b, frame 5. The"),
        ([1.0, np.inf], Two(1, (0, 0)), "step 8 for system b, frame 5 (worker 1). The"),
        ([1.0, 2.0], Two(1, (3, 9)), "step 8 for system c, frame 9 (worker 0). The"),
        (
            [np.nan, 2.0],
            Two(0, (3, 9)),
            "for system a, frame 3 (worker 0); system c, frame 9 (worker 1). The",
        ),
        ([1.0, 2.0], Workers(), "precision though frames have at most 2, for system b, frame 5."),
        ([1.0, 2.0], Two(0, (0, 0)), "though frames have at most 2, for system b, frame 5."),
    ],
)
def test_whose_loss_is_not_finite(loss: list[float], workers: Workers, message: str) -> None:
    loop = Loop.__new__(Loop)
    loop._workers, loop._records = workers, SimpleNamespace(saved=Path("model.ckpt-5.npz"))
    section = SimpleNamespace(systems=[SimpleNamespace(path=path) for path in "abc"])
    loop._run = SimpleNamespace(data=SimpleNamespace(training=section))
    batch = SimpleNamespace(origin=[("a", 3), ("b", 5)])
    assert message in loop._not_finite(7, batch, Step(np.array(loss), np.nan, False))


def test_a_model_that_is_not_finite_is_not_frozen(folder: Path, finished: Callable) -> None:
    finished()
    state = checkpoint.load(folder)
    state.arrays["fitting/type_0/0/matrix"][2, 1] = np.inf
    Series("bad", "a", 1).save(1, state.arrays, state.meta)
    with pytest.raises(ValueError, match="`fitting/type_0/0/matrix` must be finite, but is not"):
        freeze("bad", "model.pb")
    assert not (folder / "model.pb").exists()
