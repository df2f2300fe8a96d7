"""What a run goes on from must fit its input, or the run says what does not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from small_run import write_run

from deeptf.train import checkpoint
from deeptf.train.checkpoint import Series
from deeptf.train.freeze import freeze
from deeptf.train.run import train

GOLDEN = Path(__file__).parents[1] / "golden"


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a run of five steps and its frozen model."""
    folder = tmp_path_factory.mktemp("trained")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        train(write_run(folder, {"training/numb_steps": 5}))
        freeze(folder, "frozen.pb")
    return folder


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def starts(trained: Path) -> dict[str, dict[str, Path]]:
    return {
        "restart": {"restart": trained},
        "init_model": {"init_model": trained},
        "init_frozen": {"init_frozen": trained / "frozen.pb"},
    }


def go_on(folder: Path, changes: dict[str, Any], start: dict[str, Path]) -> None:
    train(write_run(folder, {"training/numb_steps": 6, **changes}), **start)


FUNCTION = {
    "descriptor/rcut": (3.4, "3.5"),
    "descriptor/rcut_smth": (0.9, "1.0"),
    "descriptor/sel": ([9, 16], r"\[8, 16\]"),
    "descriptor/activation_function": ("gelu", '"tanh"'),
    "descriptor/precision": ("float32", '"default"'),
    "descriptor/exclude_types": ([[0, 1]], r"\[\]"),
    "fitting_net/activation_function": ("softplus", '"tanh"'),
    "fitting_net/precision": ("float32", '"default"'),
    "fitting_net/atom_ener": ([-1.0, None], r"\[\]"),
}
SHAPE = {
    "descriptor/neuron": ([4, 4], r"\[4, 8\]"),
    "descriptor/axis_neuron": (3, "2"),
    "descriptor/type_one_side": (True, "false"),
    "descriptor/resnet_dt": (True, "false"),
    "fitting_net/neuron": ([9, 9], r"\[8, 8\]"),
    "fitting_net/resnet_dt": (False, "true"),
    "fitting_net/numb_fparam": (1, "0"),
    "type_map": (["B", "A"], r'\["A", "B"\]'),
}
RUN = {
    "descriptor/trainable": (False, "true"),
    "fitting_net/trainable": ([True, True, False], "true"),
    "descriptor/embedding": ("network", "null"),
}


@pytest.mark.parametrize("key", [*FUNCTION, *SHAPE, *RUN])
def test_a_restart_takes_no_other_model(key: str, folder: Path, trained: Path) -> None:
    new, old = {**FUNCTION, **SHAPE, **RUN}[key]
    with pytest.raises(ValueError, match=f"a restart goes on.*model/{key} must be {old}, got"):
        go_on(folder, {f"model/{key}": new}, {"restart": trained})
    assert sorted(path.name for path in folder.iterdir()) == ["input.json", "system"]


@pytest.mark.parametrize("start", ["restart", "init_model", "init_frozen"])
def test_more_types_are_named_before_what_belongs_to_them(
    start: str, folder: Path, trained: Path
) -> None:
    changes = {"model/type_map": ["A", "B", "C"], "model/descriptor/sel": "auto"}
    message = r'model/type_map must be \["A", "B"\], got \["A", "B", "C"\]; give these types; --fin'
    with pytest.raises(ValueError, match=message):
        go_on(
            folder, changes, {"restart": trained} if start == "restart" else starts(trained)[start]
        )


@pytest.mark.parametrize("start", ["init_model", "init_frozen"])
@pytest.mark.parametrize("key", SHAPE)
def test_weights_of_another_shape_are_refused(
    key: str, start: str, folder: Path, trained: Path
) -> None:
    new, old = SHAPE[key]
    with pytest.raises(ValueError, match=f"have the shapes.*model/{key} must be {old}, got"):
        go_on(folder, {f"model/{key}": new}, starts(trained)[start])


def test_all_keys_that_do_not_fit_are_named(folder: Path, trained: Path) -> None:
    changes = {"model/descriptor/rcut": 3.0, "model/fitting_net/neuron": [4]}
    with pytest.raises(
        ValueError, match=r"rcut must be 3\.5, got 3\.0; model/fitting_net/neuron"
    ) as caught:
        go_on(folder, changes, {"restart": trained})
    assert "trainable" not in str(caught.value)


@pytest.mark.parametrize("start", ["init_model", "init_frozen"])
def test_what_belongs_to_the_weights_is_carried_over(
    start: str, folder: Path, trained: Path, capsys: pytest.CaptureFixture
) -> None:
    go_on(
        folder, {f"model/{key}": new for key, (new, _) in FUNCTION.items()}, starts(trained)[start]
    )
    told = [line for line in capsys.readouterr().out.splitlines() if line.startswith("note: model")]
    for key in FUNCTION:
        assert sum(line.startswith(f"note: model/{key} is ") for line in told) == 1, key
    old, new = (checkpoint.load(place).meta["input"]["model"] for place in (trained, folder))
    assert old == new


def test_the_energy_is_that_of_the_weights(folder: Path, trained: Path) -> None:
    changes = {"model/descriptor/rcut": 3.0, "training/disp_freq": 1, "training/numb_steps": 1}
    go_on(folder, changes, {"init_model": trained})
    rows = [np.genfromtxt(place / "lcurve.out", names=True) for place in (trained, folder)]
    names = ("rmse_e_trn", "rmse_f_trn")
    go_on(folder, {"training/numb_steps": 1, "training/disp_freq": 1}, {"init_model": trained})
    same = np.genfromtxt(folder / "lcurve.out", names=True)
    for name in names:
        assert rows[1][name][0] == same[name][0]


@pytest.mark.parametrize("start", ["init_model", "init_frozen"])
def test_how_a_run_moves_the_arrays_is_free(
    start: str, folder: Path, trained: Path, capsys: pytest.CaptureFixture
) -> None:
    changes = {f"model/{key}": new for key, (new, _) in RUN.items()} | {"optimizer/type": "SOAP"}
    go_on(folder, changes, starts(trained)[start])
    told = capsys.readouterr().out
    assert 'note: model/descriptor/embedding is "network", was null' in told
    arrays = checkpoint.load(folder).arrays
    assert not any(name.startswith("optimizer/descriptor") for name in arrays)


def test_other_spellings_and_keys_of_the_beginning_have_no_effect(
    folder: Path, trained: Path, capsys: pytest.CaptureFixture
) -> None:
    changes = {
        "model/descriptor/activation_function": "TANH",
        "model/descriptor/precision": "double",
        "model/fitting_net/trainable": [True, True, True],
        "model/descriptor/sel": "auto",
        "model/type_map": [],
        "model/descriptor/embedding": "table",
        "model/descriptor/set_davg_zero": True,
        "model/data_stat_nbatch": 3,
    }
    go_on(folder, changes, {"restart": trained})
    told = capsys.readouterr().out
    assert told.count("note: model/") == 2
    for key in ("descriptor/set_davg_zero is true, was false", "data_stat_nbatch is 3, was 10"):
        assert f"note: model/{key}: no effect" in told
    assert checkpoint.load(folder).meta["step"] == 6
    assert checkpoint.load(folder).meta["input"]["model"]["descriptor"]["sel"] == [8, 16]


def test_a_restart_says_what_else_has_changed(
    folder: Path, trained: Path, capsys: pytest.CaptureFixture
) -> None:
    changes = {
        "training/numb_steps": 40,
        "training/training_data/batch_size": 1,
        "training/gradient_max_norm": 5.0,
        "training/save_freq": 40,
        "training/seed": 5,
        "loss/start_pref_f": 10,
    }
    go_on(folder, changes, {"restart": trained})
    told = [line for line in capsys.readouterr().out.splitlines() if line.startswith("note: ")]
    path = trained / "model.ckpt-5.npz"
    assert told[:5] == [
        f"note: training/seed is 1 as in {path}, not 5",
        "note: loss/start_pref_f is 10.0, was 1000.0",
        "note: training/gradient_max_norm is 5.0, was 0.0",
        "note: training/numb_steps is 40, was 5",
        "note: training/training_data/batch_size is 1, was 2",
    ]
    assert (
        "note: the learning rate goes on at 7.50e-03, where the run before had come to" in told[5]
    )
    assert len(told) == 6


def test_a_restart_takes_no_other_optimizer(folder: Path, trained: Path) -> None:
    message = "optimizer/type must be 'Adam' as in .*model.ckpt-5.npz.*got 'SOAP'"
    with pytest.raises(ValueError, match=message):
        go_on(folder, {"optimizer/type": "SOAP"}, {"restart": trained})


def test_a_finished_run_says_so(folder: Path, trained: Path, capsys: pytest.CaptureFixture) -> None:
    assert train(write_run(folder, {"training/numb_steps": 5}), restart=trained) == 0
    told = capsys.readouterr().out
    assert "nothing to do" in told and "a larger training/numb_steps goes on" in told
    assert not (folder / "lcurve.out").exists()
    with pytest.raises(ValueError, match="training/numb_steps must be at least 5.*got 4"):
        train(write_run(folder, {"training/numb_steps": 4}), restart=trained)


def changed(trained: Path, folder: Path, change: Any) -> Path:
    """Write the checkpoint with other arrays and return its path."""
    state = checkpoint.load(trained)
    arrays = dict(state.arrays)
    change(arrays)
    return Series(folder / "changed", "b", 1).save(5, arrays, state.meta)


def test_every_array_of_a_restart_is_used(folder: Path, trained: Path) -> None:
    path = changed(trained, folder, lambda arrays: arrays.update({"fitting/extra": np.ones(2)}))
    with pytest.raises(ValueError, match=r"no use for 1 of them \(fitting/extra\).*--init-model"):
        go_on(folder, {}, {"restart": path})


def test_unused_arrays_of_a_start_are_named(
    folder: Path, trained: Path, capsys: pytest.CaptureFixture
) -> None:
    path = changed(trained, folder, lambda arrays: arrays.update({"fitting/extra": np.ones(2)}))
    go_on(folder, {}, {"init_model": path})
    assert f"note: not used of {path}: fitting/extra" in capsys.readouterr().out


@pytest.mark.parametrize("start", ["restart", "init_model"])
@pytest.mark.parametrize(
    "name", ["fitting/type_0/0/matrix", "descriptor/mean", "fitting/energy_bias"]
)
def test_no_array_is_drawn_anew(name: str, start: str, folder: Path, trained: Path) -> None:
    path = changed(trained, folder, lambda arrays: arrays.pop(name))
    with pytest.raises(ValueError, match=f"`{name}` must be among the arrays of the model"):
        go_on(folder, {}, {start: path})


def test_a_restart_needs_the_state_of_the_optimizer(folder: Path, trained: Path) -> None:
    def forget(arrays: dict[str, np.ndarray]) -> None:
        for name in [name for name in arrays if name.startswith("optimizer/")]:
            del arrays[name]

    path = changed(trained, folder, forget)
    with pytest.raises(ValueError, match="must hold the state of the optimizer"):
        go_on(folder, {}, {"restart": path})


def test_the_wrong_kind_of_file_names_the_option(folder: Path, trained: Path) -> None:
    for start in ("restart", "init_model"):
        with pytest.raises(ValueError, match="with --init-frz-model"):
            go_on(folder, {}, {start: trained / "frozen.pb"})
    with pytest.raises(ValueError, match="with --init-model"):
        go_on(folder, {}, {"init_frozen": trained / "model.ckpt-5.npz"})


def test_files_of_a_restart_belong_to_its_run(folder: Path, finished: Callable) -> None:
    finished()
    first = checkpoint.load(folder)
    train(write_run(folder, {"training/save_freq": 20}))
    assert checkpoint.load(folder).meta["run"] != first.meta["run"]
    assert (folder / "lcurve.out.1").exists()
    train(write_run(folder, {"training/numb_steps": 30}), restart=".")
    runs = [checkpoint.load(f"model.ckpt-{step}.npz").meta["run"] for step in (10, 20, 30)]
    assert runs[0] == first.meta["run"] and runs[1] == runs[2] != runs[0]
    assert f"run {runs[1]} " in (folder / "lcurve.out").read_text()
    assert not (folder / "lcurve.out.2").exists()


@pytest.mark.parametrize("number", [1, 2])
def test_checkpoints_of_all_formats_go_on(number: int, folder: Path) -> None:
    """The files were written at step 10 of the small run with `ema_decay` 0.9; the row is that of
    step 20 of the same run by the version that wrote the first of them.
    """
    changes = {"training/numb_steps": 20, "training/ema_decay": 0.9}
    train(write_run(folder, changes), restart=GOLDEN / f"checkpoint_format_{number}.npz")
    last = np.genfromtxt(folder / "lcurve.out", names=True)[-1]
    expected = {"step": 20, "rmse_e_trn": 7.0008e-01, "rmse_f_trn": 2.2165e-01, "lr": 1e-3}
    for name, value in expected.items():
        assert last[name] == pytest.approx(value, rel=2e-4), name
    assert checkpoint.load(folder).meta["format"] == 2


@pytest.mark.parametrize("start", ["restart", "init_model"])
def test_weights_that_are_not_finite(start: str, folder: Path, trained: Path) -> None:
    def spoil(arrays: dict[str, np.ndarray]) -> None:
        arrays["fitting/type_0/0/bias"] = arrays["fitting/type_0/0/bias"] * np.nan

    path = changed(trained, folder, spoil)
    message = r"changed-5.npz must hold finite numbers, but `fitting/type_0/0/bias` has others"
    with pytest.raises(ValueError, match=message):
        go_on(folder, {}, {start: path})
