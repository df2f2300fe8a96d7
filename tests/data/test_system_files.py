"""Files and folders of a system that lack, are damaged or are no such files: each is named."""

import h5py
import numpy as np
import pytest
from small_systems import NAMES, arrays, open_all, write_folder, write_hdf5

from deeptf.data.digest import new_digest
from deeptf.data.errors import DataError
from deeptf.data.system import System


def read_all(system):
    return system.batch(range(system.num_frames))


def test_no_frames(tmp_path):
    with pytest.raises(DataError, match=r"must hold frames in set"):
        System(write_folder(tmp_path / "s", []))


def test_truncated_or_foreign_array(tmp_path):
    path = write_folder(tmp_path / "s", [arrays(4)])
    force = path / "set.000/force.npy"
    force.write_bytes(force.read_bytes()[:-8])
    with pytest.raises(DataError, match=r"force.npy must be a complete .npy file"):
        System(path).frame(0)
    force.write_bytes(b"not an array")
    with pytest.raises(DataError, match=r"force.npy must be a complete .npy file"):
        System(path).frame(0)
    np.save(force, np.zeros((4, 9)))
    force.write_bytes(force.read_bytes().replace(b"}", b"["))  # in the header
    with pytest.raises(DataError, match=r"force.npy must be a complete .npy file"):
        System(path).frame(0)
    np.save(force, np.array([["a"] * 9] * 4))
    with pytest.raises(DataError, match=r"force.npy must hold real numbers"):
        System(path).frame(0)


def test_missing_folders_and_files(tmp_path):
    with pytest.raises(DataError, match=r"nowhere must be a folder with type.raw"):
        System(tmp_path / "nowhere")
    with pytest.raises(DataError, match=r"must be a readable HDF5 file"):
        System(f"{tmp_path}/nothing.hdf5#/a")
    file = write_hdf5(tmp_path / "a.hdf5", "x", [arrays(1)]).partition("#")[0]
    with pytest.raises(DataError, match=r"must be a group of the HDF5 file"):
        System(f"{file}#/y")
    with pytest.raises(DataError, match=r"must be a group of the HDF5 file"):
        System(f"{file}#/x/type.raw")


def link_to_nothing(path):
    path.symlink_to("nowhere")


def archive(path):
    with open(path, "wb") as stream:
        np.savez(stream, force=np.zeros((2, 9)))


@pytest.mark.parametrize(
    ("name", "make", "message"),
    [
        ("set.000/force.npy", archive, r"force.npy must be a complete .npy file of numbers"),
        (
            "set.000/force.npy",
            lambda path: np.save(path, np.array([None] * 18).reshape(2, 9)),
            r"force.npy must be a complete .npy file of numbers",
        ),
        ("set.000/force.npy", lambda path: path.touch(), r"force.npy must be a complete .npy file"),
        ("set.000/force.npy", lambda path: path.mkdir(), r"force.npy must be a file, got a folder"),
        ("set.000/force.npy", link_to_nothing, r"force.npy must be a file, got a link to nothing"),
        (
            "set.000/coord.npy",
            lambda path: np.save(path, np.zeros((0, 9))),
            r"set.000/coord.npy must hold at least one frame, got \[0, 9\]",
        ),
        (
            "set.000/coord.npy",
            lambda path: np.save(path, np.float64(1)),
            r"set.000/coord.npy must hold at least one frame, got \[\]",
        ),
        ("set.001", lambda path: path.mkdir(), r"set.001/coord.npy must exist"),
        ("set.001", lambda path: path.touch(), r"set.001 must be a folder of frames, got a file"),
        ("set.001", link_to_nothing, r"set.001 must be a folder of frames, got .*link to nothing"),
        ("type_map.raw", lambda path: path.touch(), r"type_map.raw must name the types .*got none"),
        (
            "type_map.raw",
            lambda path: path.write_text("O O"),
            r"type_map.raw must name each type once, got 'O' twice",
        ),
    ],
)
def test_files_that_are_not_what_their_name_says(tmp_path, name, make, message):
    path = write_folder(tmp_path / "s", [arrays(2)])
    (path / name).unlink(missing_ok=True)
    make(path / name)
    with pytest.raises(DataError, match=message):
        read_all(System(path, NAMES))


def test_hdf5_nodes_of_the_wrong_kind(tmp_path):
    group = write_hdf5(tmp_path / "a.hdf5", "x", [arrays(2)])
    with h5py.File(tmp_path / "a.hdf5", "a") as file:
        del file["x/set.000/force.npy"]
        file.create_group("x/set.000/force.npy")
    with pytest.raises(DataError, match=r"x/set.000/force.npy must be a dataset, got a group"):
        System(group)
    group = write_hdf5(tmp_path / "b.hdf5", "x", [arrays(2)])
    with h5py.File(tmp_path / "b.hdf5", "a") as file:
        file["x/set.001"] = np.zeros(3)
    with pytest.raises(DataError, match=r"x/set.001 must be a group of frames, got a dataset"):
        System(group)
    group = write_hdf5(tmp_path / "c.hdf5", "x", [arrays(2)])
    with h5py.File(tmp_path / "c.hdf5", "a") as file:
        del file["x/set.000/force.npy"]
        file["x/set.000/force.npy"] = h5py.Empty("f")
    with pytest.raises(DataError, match=r"force.npy must hold numbers, got an empty dataset"):
        System(group).frame(0)


def test_damaged_hdf5_files_are_named(tmp_path):
    random = np.random.default_rng(0)
    group = write_hdf5(tmp_path / "whole.hdf5", "x", [arrays(2)])
    whole = np.fromfile(group.partition("#")[0], np.uint8)
    failed = 0
    for number in range(60):
        content, file = whole.copy(), tmp_path / f"{number}.hdf5"
        content[random.integers(len(whole), size=30)] = random.integers(256, size=30)
        content.tofile(file)
        try:
            for system in open_all([str(file)]):
                system.digest(new_digest())
                read_all(system)
        except DataError as error:
            assert str(file) in str(error)
            failed += 1
    assert failed > 20
