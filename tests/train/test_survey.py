"""What a run learns from its data before the first step, whatever it starts from."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from array_names import SHORTEST
from small_run import TYPES, changed_input, write_run, write_system

from deeptf.data.errors import DataError
from deeptf.data.system import System
from deeptf.infer import DeepPot
from deeptf.infer.test import test as compare
from deeptf.train import checkpoint, survey
from deeptf.train.freeze import freeze
from deeptf.train.graph import TrainingGraph
from deeptf.train.options import load_input
from deeptf.train.preparation import Start, prepare
from deeptf.train.run import train


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def settings(**changes):
    """Return settings; `__` in a key separates sections."""
    paths = {name.replace("__", "/"): value for name, value in changes.items()}
    return load_input(changed_input(paths))[0]


def overlap(path, frame=2):
    """Put atoms 0 and 1 of a frame on top of each other."""
    file = path / "set.000/coord.npy"
    coord = np.load(file)
    coord[frame, 3:6] = coord[frame, :3]
    np.save(file, coord)


def closer(path, distance):
    """Put the first two atoms (A and B) of frame 0 at a distance in A."""
    file = path / "set.000/coord.npy"
    coord = np.load(file)
    coord[0, 3:6] = coord[0, :3] + [distance, 0, 0]
    np.save(file, coord)


def test_every_run_looks_at_every_frame(folder) -> None:
    train(write_run(folder, {"training/numb_steps": 1}))
    freeze(".", "frozen.pb")
    overlap(write_system(folder / "bad"))
    validation = {"training/validation_data": {"systems": ["bad"]}}
    training = {"training/training_data/systems": ["system", "bad"]}
    new, restart = Start(), Start(restart=".")
    starts = (new, restart, Start(init_model="."), Start(init_frozen="frozen.pb"))
    for changes, skip in ((validation, False), (training, True)):
        path = write_run(folder, changes)
        for start in starts:
            with pytest.raises(DataError, match=r"system bad: .*atoms 0 and 1 of frame 2 on top"):
                prepare(path, start, None, skip)


def test_a_frame_that_fails_in_a_step_is_named(folder, monkeypatch) -> None:
    run = prepare(write_run(folder), Start(), None, False)
    graph = TrainingGraph(run.config, run.values, 1)
    overlap(folder / "system")
    batch = System("system", ["A", "B"]).batch([4, 2])
    for act in (
        lambda: graph.step(batch, 1e-3, np.ones(5)),
        lambda: graph.evaluate(batch, np.ones(5)),
    ):
        with pytest.raises(DataError, match=r"^system system: .*atoms 0 and 1 of frame 2 on top"):
            act()
    graph.close()


def test_a_second_look_comes_from_the_file(folder, monkeypatch) -> None:
    write_system(folder / "other", seed=3)
    path = write_run(folder, {"training/validation_data": {"systems": ["other"]}})
    first = prepare(path, Start(), None, False)
    monkeypatch.setattr("deeptf.data.statistics._look", None)
    again = prepare(path, Start(), None, False)
    assert set(first.values) == set(again.values)
    for name, value in first.values.items():
        np.testing.assert_array_equal(value, again.values[name])


def test_a_foreign_statistics_file_stays(folder) -> None:
    (folder / "statistics.npz").write_text("mine")
    with pytest.raises(DataError, match=r"statistics.npz must be a statistics file of deeptf"):
        prepare(write_run(folder), Start(), None, False)
    assert (folder / "statistics.npz").read_text() == "mine"


def test_shortest_distances_follow_the_data(folder, capsys) -> None:
    closer(write_system(folder / "valid", seed=2), 0.9)
    with_valid = {"training/validation_data": {"systems": ["valid"]}, "training/numb_steps": 2}
    train(write_run(folder, with_valid))
    new = checkpoint.load(".").arrays[SHORTEST]
    assert new[0, 1] == new[1, 0] == pytest.approx(0.9)
    closer(write_system(folder / "more", seed=3), 0.8)
    data = {"training/training_data/systems": ["system", "more"], "training/numb_steps": 4}
    path = write_run(folder, with_valid | data)
    capsys.readouterr()
    for start in (Start(restart="."), Start(init_model=".")):
        run = prepare(path, start, None, False)
        assert "note: atoms come as close as 0.800 A, closer than" in capsys.readouterr().out
        assert run.values[SHORTEST][0, 1] == pytest.approx(0.8)
        assert np.all(run.values[SHORTEST] <= new)
    np.testing.assert_array_equal(
        prepare(write_run(folder, with_valid), Start(restart="."), None, False).values[SHORTEST],
        new,
    )
    assert "closer than" not in capsys.readouterr().out


def test_isolated_atoms_train(folder, capsys) -> None:
    shutil.rmtree(write_system(folder / "system") / "set.000")
    write_atoms(folder / "system/set.000")
    (folder / "system/nopbc").touch()
    changes = {"training/numb_steps": 1, "model/descriptor/sel": "auto"}
    assert train(write_run(folder, changes)) == 0
    out = capsys.readouterr().out
    assert "no atom has a neighbour within rcut" in out
    arrays = checkpoint.load(".").arrays
    assert all(np.isfinite(a).all() for a in arrays.values() if a.dtype.kind == "f")
    np.testing.assert_array_equal(arrays[SHORTEST], 1.0)


def write_atoms(path):
    path.mkdir()
    np.save(path / "coord.npy", np.arange(36.0).reshape(2, 18) * 50)
    np.save(path / "energy.npy", np.array([-4.0, -4.1]))
    np.save(path / "force.npy", np.zeros((2, 18)))


def test_types_without_names(folder, capsys) -> None:
    (write_system(folder / "system") / "type_map.raw").unlink()
    changes = {"model/type_map": [], "training/numb_steps": 1}
    train(write_run(folder, changes))
    assert "type_map Type_0 Type_1, since no system has a type_map.raw" in capsys.readouterr().out
    freeze(".", "frozen.pb")
    compare("frozen.pb", "system")
    system = System("system", ["Type_0", "Type_1"])
    with DeepPot("frozen.pb") as pot:
        assert list(pot.get_type_map()) == ["Type_0", "Type_1"]
        frame = system.frame(0)
        energy = pot.eval(frame.coord.reshape(1, -1), frame.cell.reshape(1, 9), TYPES)[0]
        assert np.isfinite(energy).all()
    run = prepare(write_run(folder, changes), Start(restart="."), None, False)
    assert run.config.model.type_map == ("Type_0", "Type_1")


def test_types_without_names_are_counted_by_sel(folder, capsys) -> None:
    (write_system(folder / "system") / "type_map.raw").unlink()
    config = survey.decide_type_map(settings(model__type_map=[], model__descriptor__sel=[4, 8, 2]))
    assert config.model.type_map == ("Type_0", "Type_1", "Type_2")


def test_types_of_validation_systems_count(folder, capsys) -> None:
    for name in ("system", "valid"):
        (write_system(folder / name) / "type_map.raw").unlink()
    (folder / "valid/type.raw").write_text("0 1 2 2 1 0")
    config = settings(
        model__type_map=[],
        model__descriptor__sel="auto",
        training__validation_data={"systems": ["valid"]},
    )
    assert survey.decide_type_map(config).model.type_map == ("Type_0", "Type_1", "Type_2")


def open_all(config, *names):
    return [System(name, config.model.type_map) for name in names]


def test_labels_that_the_loss_needs(folder, capsys) -> None:
    config = settings()
    write_system(folder / "system")
    write_system(folder / "part")
    for name in ("force", "virial"):
        (folder / "part/set.000" / f"{name}.npy").unlink()
    survey.describe(config, open_all(config, "system"), [])
    assert "note" not in capsys.readouterr().out
    survey.describe(config, open_all(config, "system", "part"), open_all(config, "part"))
    out = capsys.readouterr().out
    assert "note: 6 of 12 training frames have force: the others add nothing to its term" in out
    assert "note: no validation system has force: its term of the loss is 0" in out
    forces_only = settings(loss={"start_pref_e": 0, "limit_pref_e": 0})
    message = r"must have labels for the loss \(force\), got none in 1 systems"
    with pytest.raises(ValueError, match=message):
        survey.describe(forces_only, open_all(config, "part"), [])
    weighted = settings(
        loss={f"{a}_pref_{b}": 0 for a in ("start", "limit") for b in "ef"} | {"start_pref_pf": 1}
    )
    np.save(folder / "part/set.000/atom_pref.npy", np.ones((6, 6)))
    with pytest.raises(ValueError, match=r"\(atom_pref, force\), got none"):
        survey.describe(weighted, open_all(config, "part"), [])


def test_the_log_of_many_systems(folder, capsys, monkeypatch) -> None:
    write_system(folder / "system")
    config = settings()
    survey.describe(config, open_all(config, *["system"] * 25), [])
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "training: 25 systems, 150 frames"
    assert lines[1:21] == ["  system: 6 frames of 6 atoms"] * 20
    assert lines[21:] == ["  and 5 more, of 6 to 6 atoms", "validation: 0 systems, 0 frames"]


def test_what_is_used_more_or_less_is_said(folder, capsys) -> None:
    np.save(
        write_system(folder / "system") / "set.000/numb_copy.npy", [[100], [0], [1], [1], [1], [1]]
    )
    config = settings(training__training_data__sys_probs=[1.0, 0.0])
    survey.describe(config, open_all(config, "system", "system"), [])
    out = capsys.readouterr().out
    assert "note: 208 training frames an epoch by numb_copy.npy, 2 frames never" in out
    assert "note: probability 0, not used for training: system" in out


def test_systems_that_are_too_large(folder, capsys) -> None:
    write_system(folder / "system")
    data = {"systems": ["system"], "batch_size": "filter:6"}
    config = settings(training__training_data=data)
    assert [len(group) for group in survey.open_data(config)] == [1, 0]
    assert capsys.readouterr().out == ""
    shutil.copytree("system", "small")
    (folder / "small/type.raw").write_text("0 1")
    for name in ("coord", "force"):
        file = folder / "small/set.000" / f"{name}.npy"
        np.save(file, np.load(file)[:, :6])
    data = {"systems": ["system", "small"], "batch_size": "filter:5"}
    config = settings(training__training_data=data)
    kept, _ = survey.open_data(config)
    assert [system.path for system in kept] == ["small"]
    assert "note: 1 systems of more than 5 atoms are left out" in capsys.readouterr().out
    data = {"systems": ["system"], "batch_size": "filter:5"}
    config = settings(training__training_data=data)
    with pytest.raises(ValueError, match=r"`batch_size` must leave some system, got 'filter:5'"):
        survey.open_data(config)


def test_epochs_become_steps(folder, capsys) -> None:
    write_system(folder / "system")
    config = settings(training__numb_steps=None, training__numb_epoch=2.5)  # of 6 / 2 steps
    decided = survey.decide_steps(config, open_all(config, "system"))
    assert (decided.training.numb_steps, decided.training.numb_epoch) == (8, None)
    assert "numb_steps 8: numb_epoch 2.5 of 3 steps" in capsys.readouterr().out
    config = settings(
        training__numb_steps=None, training__numb_epoch=2.5, learning_rate__warmup_steps=8
    )
    with pytest.raises(ValueError, match=r"`warmup_steps` must be below numb_steps = 8"):
        survey.decide_steps(config, open_all(config, "system"))
