"""Real runs of several workers by Gloo and MPI, beside runs of one."""

import json
import shutil
import signal
from pathlib import Path

import launch
import numpy as np
import pytest
from small_run import write_run, write_system

from deeptf.train import checkpoint
from deeptf.train.run import train

HERE = Path(__file__).parent
EXAMPLE = HERE.parents[1] / "examples/horovod/input.json"
LAUNCHERS = pytest.mark.parametrize("name", ["gloo", "mpi"])
STEPS = 60
CHANGES = {  # two workers with two frames each, or one with four: the same steps
    "learning_rate/scale_by_worker": "none",
    "learning_rate/start_lr": 0.003,
    "training/numb_steps": STEPS,
    "training/training_data/batch_size": 2,
    "training/disp_freq": 20,
    "training/save_freq": 30,
}

NETS = {"rcut": 3.5, "rcut_smth": 1.0, "neuron": [4, 8]}
ATTENTION = {**NETS, "type": "se_atten_v2", "sel": 24, "attn": 5}
HYBRID = {"type": "hybrid", "list": [{**NETS, "type": "se_e3", "sel": [8, 16]}, ATTENTION]}
AVERAGED = {  # weights and averages change places for the validation
    "training/ema_decay": 0.9,
    "training/validation_data": {"systems": ["system"], "batch_size": 2, "numb_btch": 2},
}


def curve(folder):
    return np.loadtxt(folder / "lcurve.out")


def newest(folder):
    return checkpoint.load(folder)


@LAUNCHERS
def test_the_example(name, tmp_path):
    script = json.loads(EXAMPLE.read_text())
    training = script["training"]
    for data in ("training_data", "validation_data"):
        paths = training[data]["systems"]
        training[data]["systems"] = [
            str((EXAMPLE.parent / "run" / path).resolve()) for path in paths
        ]
    training |= {"numb_steps": 200, "disp_freq": 100, "save_freq": 200}
    (tmp_path / "input.json").write_text(json.dumps(script))
    printed = launch.train(name, "input.json", cwd=tmp_path)
    assert printed.count("2 workers, 2 on this host") == 1
    assert printed.count("sums by shared memory") == 1
    assert printed.count("saved model.ckpt-200.npz") == 1
    rows = curve(tmp_path)
    assert rows[:, 0].tolist() == [0, 100, 200]
    assert rows[-1, 5] < 0.6 * rows[0, 5]  # force on validation frames
    state = newest(tmp_path)
    assert (state.meta["step"], state.meta["drawn"]) == (200, 400)
    assert [path.name for path in tmp_path.glob("*.npz")].count("model.ckpt-200.npz") == 1


@pytest.mark.parametrize(("name", "workers"), [("gloo", 2), ("mpi", 3)])
def test_gradient_of_the_large_batch(name, workers, tmp_path):
    """With shared memory and with messages, and where gradients are summed to be clipped."""
    changes = {"optimizer/adam_beta1": 0.0, "model/descriptor": HYBRID}
    write_run(tmp_path, changes | {"training/training_data/batch_size": 2})
    command = (HERE / "same_as_large_batch.py", "input.json")
    done = launch.run(name, *command, cwd=tmp_path, workers=workers)
    assert done.returncode == 0, done.stdout + done.stderr
    for way in ("memory", "clipped", "messages"):
        assert done.stdout.count(f"same gradient by {way}") == workers


@pytest.fixture(scope="module", params=["gloo", "mpi"])
def together(request, tmp_path_factory):
    """Return a launcher and the folder of a run of its two workers."""
    folder = tmp_path_factory.mktemp("together")
    write_run(folder, CHANGES | AVERAGED)
    done = launch.run(request.param, HERE / "train_and_keep.py", "input.json", cwd=folder)
    assert done.returncode == 0, done.stdout + done.stderr
    return request.param, folder


def test_same_weights_on_all_and_the_curve_of_the_large_batch(together, tmp_path, monkeypatch):
    _, folder = together
    first, second = (np.load(folder / f"weights-{rank}.npz") for rank in (0, 1))
    assert first.files == second.files
    assert all(first[key].tobytes() == second[key].tobytes() for key in first.files)
    write_run(tmp_path, CHANGES | AVERAGED | {"training/training_data/batch_size": 4})
    monkeypatch.chdir(tmp_path)
    train("input.json", threads=1)
    ours, large = curve(folder), curve(tmp_path)
    assert ours[:, 0].tolist() == large[:, 0].tolist() == [0, 20, 40, 60]
    np.testing.assert_allclose(ours, large, rtol=2e-4)  # the digits of the file
    arrays = newest(tmp_path).arrays
    for key in first.files:
        np.testing.assert_allclose(first[key], arrays[key], rtol=1e-6, atol=1e-9)


def test_restart_with_another_number_of_workers(together, tmp_path, monkeypatch):
    name, folder = together
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    write_run(tmp_path, CHANGES | AVERAGED | {"training/numb_steps": STEPS + 10})
    monkeypatch.chdir(tmp_path)
    train("input.json", restart=".", threads=1)
    drawn = STEPS * 2 + 10
    assert newest(tmp_path).meta["drawn"] == drawn
    write_run(tmp_path, CHANGES | AVERAGED | {"training/numb_steps": STEPS + 20})
    printed = launch.train(name, "input.json", "--restart", ".", cwd=tmp_path)
    assert f"(step {STEPS + 10})" in printed
    state = newest(tmp_path)
    assert (state.meta["step"], state.meta["drawn"]) == (STEPS + 20, drawn + 10 * 2)
    assert curve(tmp_path)[:, 0].tolist() == [0, 20, 40, 60, 70, 80]


def long_run(folder):
    changes = CHANGES | {"training/numb_steps": 10**6, "training/save_freq": 10}
    write_run(folder, changes | {"training/max_ckpt_keep": 3})


@LAUNCHERS
@pytest.mark.parametrize("rank", [0, 1])
def test_kill_of_one_worker_ends_all_and_a_restart_goes_on(name, rank, tmp_path, monkeypatch):
    long_run(tmp_path)
    with launch.Running(name, tmp_path) as running:
        running.wait_for("saved model.ckpt-30.npz")
        running.send(signal.SIGKILL, rank)
        assert running.end() != 0
        if name == "mpi":  # horovodrun shows its own traceback
            assert "Traceback" not in running.output()
    step = newest(tmp_path).meta["step"]
    assert step >= 30
    write_run(tmp_path, CHANGES | {"training/numb_steps": step + 10})
    monkeypatch.chdir(tmp_path)
    train("input.json", restart=".", threads=1)
    assert newest(tmp_path).meta["step"] == step + 10


IMPATIENT = """
import sys
from deeptf.__main__ import main
from deeptf.train import host
host.PATIENCE = 1.0
sys.exit(main(sys.argv[2:]))
"""


@pytest.mark.parametrize(
    ("name", "number", "rank"),
    [("gloo", signal.SIGTERM, 1), ("mpi", signal.SIGTERM, 0), ("mpi", signal.SIGUSR1, 1)],
)
def test_a_run_waits_for_stopped_workers_and_saves_at_a_signal_to_one(name, number, rank, tmp_path):
    """A stopped worker is named, and the run goes on with it; the signal stops all at one step."""
    long_run(tmp_path)
    with launch.Running(name, tmp_path, "-c", IMPATIENT) as running:
        running.wait_for("saved model.ckpt-10.npz")
        for stopped in (0, 1):
            running.send(signal.SIGSTOP, stopped)
            running.wait_for("), which is stopped: `kill -CONT ", stopped + 1)
            lines = running.output().splitlines()
            line = [line for line in lines if "which is stopped" in line][stopped]
            assert f"deeptf: the others have waited 1 s for worker {stopped} (process " in line
            running.send(signal.SIGCONT, stopped)
            saved = running.output().count("saved")
            running.wait_for("saved model.ckpt", saved + 1)
        running.send(number, rank)
        assert running.end() != 0
        told = number.name if rank == 0 else "SIGTERM"  # the leader knows its own signal alone
        assert f"stopped by {told} after step" in running.output()
    state = newest(tmp_path)
    assert f"saved model.ckpt-{state.meta['step']}.npz" in running.output()
    assert state.meta["drawn"] == 2 * state.meta["step"]


@LAUNCHERS
def test_an_error_in_the_input_is_told_once(name, tmp_path):
    write_run(tmp_path, {"training/training_data/systems": ["nowhere"]})
    done = launch.run(name, "-m", "deeptf", "train", "input.json", cwd=tmp_path)
    assert done.returncode != 0
    assert (done.stdout + done.stderr).count("deeptf train: error: ") == 1


@LAUNCHERS
def test_a_loss_that_is_not_finite_on_one_worker_stops_all(name, tmp_path):
    """One of two frames has a force whose square overflows: each step has it on one worker."""
    force = np.full((2, 18), 1e-3)
    force[1, 4] = 9e29
    write_system(tmp_path / "system", frames=2, force=force)
    changes = {"training/training_data/batch_size": 1, "loss/start_pref_f": 1e252}
    write_run(tmp_path, CHANGES | changes)
    done = launch.run(name, "-m", "deeptf", "train", "input.json", cwd=tmp_path)
    assert done.returncode != 0
    told = done.stderr + done.stdout
    message = "the loss must be finite, got inf in step 1 for system system, frame 1 (worker "
    assert told.count(message) == 2  # both workers name the one frame
    assert not list(tmp_path.glob("model.ckpt*"))
