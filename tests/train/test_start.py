"""What is decided before the first step, whatever a run starts from."""

from __future__ import annotations

import pickle
import shutil
from pathlib import Path

import numpy as np
import pytest
from array_names import SHORTEST
from small_run import TYPES, write_run, write_system

from deeptf.data.errors import DataError
from deeptf.data.schedule import BatchSchedule
from deeptf.data.system import System
from deeptf.infer import DeepPot
from deeptf.infer.test import test as compare
from deeptf.train import checkpoint
from deeptf.train.freeze import freeze
from deeptf.train.graph import TrainingGraph
from deeptf.train.run import train
from deeptf.train.start import start


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


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


def test_every_run_looks_at_every_frame(folder, finished) -> None:
    finished()
    freeze(".", "frozen.pb")
    overlap(write_system(folder / "bad"))
    validation = {"training/validation_data": {"systems": ["bad"]}}
    training = {"training/training_data/systems": ["system", "bad"]}
    origins = ({}, {"restart": "."}, {"init_model": "."}, {"init_frozen": "frozen.pb"})
    for changes in (validation, training):
        path = write_run(folder, changes)
        for origin in origins:
            with pytest.raises(DataError, match=r"system bad: .*atoms 0 and 1 of frame 2 on top"):
                start(path, **origin)


def test_a_frame_that_fails_in_a_step_is_named(folder, monkeypatch) -> None:
    run = start(write_run(folder))
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
    first = start(path)
    monkeypatch.setattr("deeptf.data.statistics._look", None)
    again = start(path)
    assert set(first.values) == set(again.values)
    for name, value in first.values.items():
        np.testing.assert_array_equal(value, again.values[name])


def test_a_foreign_statistics_file_stays(folder) -> None:
    (folder / "statistics.npz").write_text("mine")
    with pytest.raises(DataError, match=r"statistics.npz must be a statistics file of deeptf"):
        start(write_run(folder))
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
    for origin in ({"restart": "."}, {"init_model": "."}):
        run = start(path, **origin)
        assert "note: atoms come as close as 0.800 A, closer than" in capsys.readouterr().out
        assert run.values[SHORTEST][0, 1] == pytest.approx(0.8)
        assert np.all(run.values[SHORTEST] <= new)
    np.testing.assert_array_equal(
        start(write_run(folder, with_valid), restart=".").values[SHORTEST],
        new,
    )
    assert "closer than" not in capsys.readouterr().out


def test_atoms_closer_than_any_bond_are_pointed_out(folder, capsys) -> None:
    path = write_run(folder)
    start(path)
    assert "are coordinates and cells in A?" not in capsys.readouterr().out
    closer(folder / "system", 0.4)
    start(path)
    assert (
        "shortest distance 0.400 A (that of H2 is 0.74 A: are coordinates and cells in A?), at most"
    ) in capsys.readouterr().out


def test_energies_that_cannot_be_of_these_frames_are_pointed_out(folder, capsys) -> None:
    write_system(folder / "valid", seed=2)
    path = write_run(folder, {"training/validation_data": {"systems": ["valid"]}})
    start(path)
    assert "eV/atom away from" not in capsys.readouterr().out
    file = folder / "system/set.000/energy.npy"
    energy = np.load(file)
    np.save(file, energy * np.array([1, 1, 1, 1, 100, 1]))
    start(path)
    assert (
        "note: energies of 1 frame are more than 10 eV/atom away from what compositions say, "
        "frame 4 of system by -48"
    ) in capsys.readouterr().out
    np.save(file, energy * 27.2114)
    start(path)
    assert (
        "note: energies of 6 frames are more than 10 eV/atom away from what compositions say, "
        "frame 0 of valid by 129"
    ) in capsys.readouterr().out


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
    run = start(write_run(folder, changes), restart=".")
    assert run.config.model.type_map == ("Type_0", "Type_1")


def test_epochs_become_steps(folder, capsys) -> None:
    changes = {"training/numb_steps": None, "training/numb_epoch": 2.5}  # of 6 / 2 steps
    run = start(write_run(folder, changes))
    training = run.config.training
    assert (training.numb_steps, training.numb_epoch) == (8, None)
    assert "numb_steps 8: numb_epoch 2.5 of 3 steps" in capsys.readouterr().out
    with pytest.raises(ValueError, match=r"`warmup_steps` must be below numb_steps = 8"):
        start(write_run(folder, changes | {"learning_rate/warmup_steps": 8}))


def test_types_of_a_restart_are_those_of_its_model(folder, finished) -> None:
    finished()
    (folder / "system/type_map.raw").write_text("B\nA\n")
    run = start(write_run(folder, {"model/type_map": []}), restart=".")
    assert run.config.model.type_map == run.data.type_map == ("A", "B")
    assert run.data.training.systems[0].atom_type.tolist() == [1, 0, 0, 1, 0, 0]


def test_a_run_can_be_handed_to_other_workers(folder) -> None:
    run = start(write_run(folder, {"training/validation_data": {"systems": ["system"]}}))
    again = pickle.loads(pickle.dumps(run))
    assert again.config == run.config and again.identity == run.identity
    for name in ("training", "validation"):
        ours, theirs = (BatchSchedule(getattr(one.data, name), 3) for one in (run, again))
        np.testing.assert_array_equal(ours.batch_at(7).coord, theirs.batch_at(7).coord)
