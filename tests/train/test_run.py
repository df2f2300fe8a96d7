"""Training runs: what they write, how they stop, and that they go on as if they had not."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from array_names import NODES
from small_run import write_run, write_system

from deeptf.tf import tf
from deeptf.train import checkpoint
from deeptf.train.freeze import freeze
from deeptf.train.run import train


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def curve(folder: Path) -> np.ndarray:
    return np.genfromtxt(folder / "lcurve.out", names=True)


def same(first: checkpoint.Checkpoint, second: checkpoint.Checkpoint) -> bool:
    assert set(first.arrays) == set(second.arrays)
    return all(np.array_equal(first.arrays[k], second.arrays[k]) for k in first.arrays)


def test_files_of_a_run(folder: Path) -> None:
    changes = {"training/validation_data": {"systems": ["system"], "numb_btch": 2}}
    path = write_run(folder, changes | {"training/numb_steps": 100})
    assert train(path, output="out.json") == 0
    rows = curve(folder)
    names = "rmse_val rmse_trn rmse_e_val rmse_e_trn rmse_f_val rmse_f_trn rmse_v_val rmse_v_trn"
    assert rows.dtype.names == ("step", *names.split(), "lr")
    assert rows["step"].tolist() == list(range(0, 101, 5))
    assert rows["rmse_e_trn"][-1] < 0.5 * rows["rmse_e_trn"][0]
    assert rows["lr"][[0, -1]] == pytest.approx([0.01, 0.001])
    state = checkpoint.load(folder)
    assert state.meta["step"] == 100
    assert train("out.json", restart=".") == 0  # the written input is a complete one
    assert same(state, checkpoint.load(folder))


def test_frames_are_looked_at_in_any_case(folder: Path, capsys: pytest.CaptureFixture) -> None:
    train(write_run(folder, {"training/numb_steps": 1}), skip_neighbor_stat=True)
    told = capsys.readouterr().out
    assert "note: --skip-neighbor-stat has no effect: a run looks at frames that are new" in told
    assert "statistics of 6 frames" in told


def test_a_seed_repeats_a_run_and_another_does_not(folder: Path, finished: Callable) -> None:
    finished()  # with seed 1
    states = [checkpoint.load(folder)]
    for seed in (1, 2):
        train(write_run(folder, {"training/seed": seed}))
        states.append(checkpoint.load(folder))
    assert same(states[0], states[1])
    assert not same(states[0], states[2])


def test_a_drawn_seed_is_told(folder: Path, capsys: pytest.CaptureFixture) -> None:
    train(write_run(folder, {"training/seed": None, "training/numb_steps": 1}))
    seed = checkpoint.load(folder).meta["seed"]
    assert f"seed {seed} (give training/seed to repeat the run)" in capsys.readouterr().out


def test_restart_continues_bit_for_bit(folder: Path, finished: Callable) -> None:
    path = finished({"training/validation_data": {"systems": ["system"]}})
    whole, rows = checkpoint.load(folder), curve(folder)
    (folder / "model.ckpt-20.npz").unlink()
    train(path, restart="model.ckpt")
    assert same(whole, checkpoint.load(folder))
    np.testing.assert_array_equal(curve(folder), rows)


def test_init_model_takes_weights_and_begins_anew(folder: Path, finished: Callable) -> None:
    finished()
    old = checkpoint.load(folder)
    changes = {"training/save_ckpt": "new", "training/numb_steps": 1}
    for name in ("learning_rate/start_lr", "learning_rate/stop_lr"):
        changes[name] = 1e-30  # the step changes nothing
    path = write_run(folder, changes)
    freeze(folder, "frozen.pb")
    for start in ({"init_model": "model.ckpt"}, {"init_frozen": "frozen.pb"}):
        train(path, **start)
        new = checkpoint.load("new")
        assert new.meta["step"] == 1
        for name, value in old.arrays.items():
            if not name.startswith("optimizer/") and name != NODES:  # tables follow their errors
                np.testing.assert_array_equal(new.arrays[name], value, err_msg=name)


def test_a_model_of_other_size_cannot_be_started_from(folder: Path, finished: Callable) -> None:
    finished()
    path = write_run(folder, {"model/fitting_net/neuron": [9, 9]})
    message = (
        r"model/fitting_net/neuron must be \[8, 8\], got \[9, 9\]; give these values, or train"
    )
    with pytest.raises(ValueError, match=message):
        train(path, init_model="model.ckpt")


def test_two_origins(folder: Path) -> None:
    with pytest.raises(ValueError, match="only one of restart and init_model must be given"):
        train(write_run(folder), restart="a", init_model="b")


def test_sel_and_type_map_from_the_data(folder: Path, capsys: pytest.CaptureFixture) -> None:
    path = write_run(folder, {"model/descriptor/sel": "auto", "model/type_map": []})
    train(path)
    model = checkpoint.load(folder).meta["input"]["model"]
    assert model["type_map"] == ["A", "B"]
    assert all(n % 4 == 0 and n > 0 for n in model["descriptor"]["sel"])
    whole = checkpoint.load(folder)
    (folder / "model.ckpt-20.npz").unlink()
    train(path, restart=".")
    assert same(whole, checkpoint.load(folder))


def test_fixed_layers_stay(folder: Path) -> None:
    path = write_run(
        folder,
        {"model/descriptor/trainable": False, "model/fitting_net/trainable": [False, True, True]},
    )
    train(path)
    first, last = (checkpoint.load(f"model.ckpt-{step}.npz").arrays for step in (10, 20))
    for name, value in last.items():
        fixed = name.startswith("descriptor/") or "/0/" in name
        if name.endswith(("/matrix", "/bias")) and not name.startswith("optimizer/"):
            assert np.array_equal(first[name], value) == fixed, name
    assert not any(n.startswith("optimizer/descriptor") for n in last)


def test_gradient_clipping_changes_the_run(folder: Path, finished: Callable) -> None:
    finished()
    free = checkpoint.load(folder)
    train(write_run(folder, {"training/gradient_max_norm": 1e-3}))
    assert not same(free, checkpoint.load(folder))


def test_tensorboard(folder: Path) -> None:
    options = {"tensorboard": True, "tensorboard_log_dir": "tb", "tensorboard_freq": 4}
    train(write_run(folder, {f"training/{name}": value for name, value in options.items()}))
    assert [p.name for p in (folder / "tb").iterdir()][0].startswith("events.out.tfevents")
    steps: dict[str, list[int]] = {}
    for event in tf.train.summary_iterator(str(next((folder / "tb").iterdir()))):
        for value in event.summary.value:
            steps.setdefault(value.tag, []).append(event.step)
    assert steps["loss"] == steps["learning_rate"] == [4, 8, 12, 16, 20]
    assert steps["rmse_f/training"] == [0, 5, 10, 15, 20]


def test_a_loss_that_is_not_finite_stops(folder: Path) -> None:
    path = write_run(folder, {"learning_rate/start_lr": 1e200, "training/save_freq": 1})
    message = r"the loss must be finite, got .* in step \d+ for system system, frame \d"
    with pytest.raises(FloatingPointError, match=message):
        train(path)
    for name, value in checkpoint.load(folder).arrays.items():
        assert np.all(np.isfinite(value)), name


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signals_save_and_leave(
    folder: Path, number: signal.Signals, capsys: pytest.CaptureFixture
) -> None:
    path = write_run(folder, {"training/numb_steps": 10000, "training/save_freq": 10})

    def interrupt() -> None:
        await_checkpoint(folder)
        os.kill(os.getpid(), number)

    thread = threading.Thread(target=interrupt)
    before = signal.signal(number, signal.default_int_handler)  # it may be ignored
    try:
        thread.start()
        assert train(path) == 128 + number
        thread.join()
    finally:
        signal.signal(number, before)
    told = capsys.readouterr().out
    step = int(told.split(f"stopped by {number.name} after step ")[1].split(":")[0])
    assert checkpoint.load(folder).meta["step"] == step


def await_checkpoint(folder: Path) -> None:
    """Wait until a run has written its first checkpoint."""
    for _ in range(600):
        if list(folder.glob("model.ckpt-*.npz")):
            return
        time.sleep(0.1)
    raise AssertionError("no checkpoint after a minute")


def test_kill_leaves_a_run_that_can_go_on(folder: Path) -> None:
    path = write_run(folder, {"training/numb_steps": 100000, "training/save_freq": 1})
    command = [sys.executable, "-m", "deeptf", "train", "input.json"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        await_checkpoint(folder)
        time.sleep(0.5)
        process.kill()
    killed = checkpoint.load(folder).meta["step"]
    assert killed > 0
    copy = folder / "copy"
    copy.mkdir()
    shutil.copy(checkpoint.find(folder), copy)
    path = write_run(folder, {"training/numb_steps": killed + 5})
    train(path, restart=copy)
    assert checkpoint.load(folder).meta["step"] == killed + 5


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"model/descriptor/rcutt": 3.0},
            "model/descriptor/rcutt: unknown key; did you mean 'rcut'",
        ),
        ({"model/descriptor/rcut": 0}, "model/descriptor: `rcut` must be positive, got 0"),
        (
            {"training/disp_file": "input.json"},
            "`training/disp_file` must be the name of a file of its own.*is the input file",
        ),
        (
            {"training/disp_file": "a.npz", "training/stat_file": "./a.npz"},
            r"`training/disp_file` must be .* got './a.npz', which is stat_file",
        ),
        ({"training/training_data/systems": ["a.h5"]}, "got 'a.h5': no such folder or file"),
        ({"training/training_data/systems": []}, "`systems` must name at least one system"),
        (
            {"training/training_data/systems": ["absent"]},
            "`systems` must name folders or HDF5 files, got 'absent': no such folder or file",
        ),
        (
            {"model/type_map": ["A", "C"]},
            r"system/type.raw must hold types in type_map \['A', 'C'\], got 'B' ",
        ),
        ({"model/descriptor/sel": [3]}, "`sel` must have one entry for each of the 2 types"),
    ],
)
def test_bad_input_writes_nothing(folder: Path, changes: dict, message: str) -> None:
    path = write_run(folder, changes)
    with pytest.raises((ValueError, OSError), match=message):
        train(path, output="out.json")
    assert sorted(p.name for p in folder.iterdir()) == ["input.json", "system"]


def bad(name: str) -> dict[str, np.ndarray]:
    """Return labels with something wrong in frame 2."""
    force = np.zeros((6, 18))
    force[2, 7] = np.nan
    box = np.tile(np.eye(3).ravel() * 5, (6, 1))
    box[2, :3] = 0
    coord = np.arange(108.0).reshape(6, 18)
    coord[2, 3:6] = coord[2, :3]
    virial = np.zeros((6, 8))
    return {name: {"force": force, "box": box, "coord": coord, "virial": virial}[name]}


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("force", r"force.npy: frame 2, atom 2: must be a finite number, got nan"),
        ("box", r"box.npy: frame 2: the cell must have a volume, got \[0.0, 0.0, 0.0, 0.0, 5.0"),
        ("coord", r"system system: .*atoms 0 and 1 of frame 2 on top of each other"),
        ("virial", r"virial.npy must have shape \[6, 9\] .*, got \[6, 8\]"),
    ],
)
def test_bad_data_writes_nothing(folder: Path, name: str, message: str) -> None:
    write_system(folder / "system", **bad(name))
    with pytest.raises(ValueError, match=f"(?s){message}"):
        train(write_run(folder))
    assert sorted(p.name for p in folder.iterdir()) == ["input.json", "system"]
