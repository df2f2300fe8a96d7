"""Bad data: every error of a system, with the file, frame and atom that it names."""

import numpy as np
import pytest
from small_systems import NAMES, arrays, write_folder, write_hdf5

from deeptf.data.find import find_systems
from deeptf.data.storage import DataError
from deeptf.data.system import System


def damaged(tmp_path, name, change):
    data = arrays(3, labels=("energy", "force", "virial"))
    data[name] = change(data[name])
    return System(write_folder(tmp_path / "s", [arrays(2), data]), NAMES)


def put(row, column, value):
    def change(array):
        array = array.copy()
        array.reshape(len(array), -1)[row, column] = value
        return array

    return change


@pytest.mark.parametrize(
    ("name", "column", "place"),
    [
        ("coord", 7, "frame 2, atom 2"),
        ("force", 3, "frame 2, atom 1"),
        ("energy", 0, "frame 2"),
        ("virial", 8, "frame 2"),
        ("box", 0, "frame 2"),
    ],
)
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_numbers_that_are_not_finite(tmp_path, name, column, place, value):
    system = damaged(tmp_path, name, put(2, column, value))
    system.batch([2, 3])
    message = rf"set.001/{name}.npy: {place}: must be a finite number, got {value}"
    with pytest.raises(DataError, match=message):
        system.frame(4)
    with pytest.raises(DataError, match=message):
        system.check()


@pytest.mark.parametrize("name", ["force", "virial", "energy", "box"])
def test_wrong_shape(tmp_path, name):
    system = damaged(tmp_path, name, lambda array: array.reshape(3, -1)[:2])
    with pytest.raises(DataError, match=rf"{name}.npy must have shape \[3, .*got \[2, "):
        system.check()
    system = damaged(tmp_path / "b", name, lambda array: np.repeat(array.reshape(3, -1), 2, 1))
    with pytest.raises(DataError, match=rf"{name}.npy must have shape"):
        system.check()


def test_coordinates_of_another_number_of_atoms(tmp_path):
    system = damaged(tmp_path, "coord", lambda array: array[:, :6])
    with pytest.raises(DataError, match=r"coord.npy must have shape \[3, 9\].*got \[3, 6\]"):
        system.check()


@pytest.mark.parametrize(
    "cell", [np.zeros(9), [5, 0, 0, 0, 5, 0, 5, 5, 0], [5, 0, 0, 10, 0, 0, 0, 0, 5]]
)
def test_cell_without_volume(tmp_path, cell):
    system = damaged(tmp_path, "box", put(1, slice(None), cell))
    with pytest.raises(DataError, match=r"set.001/box.npy: frame 1: the cell must have a volume"):
        system.check()


def test_missing_cell(tmp_path):
    data = arrays(1)
    del data["box"]
    system = System(write_folder(tmp_path / "s", [data]))
    with pytest.raises(DataError, match=r"box.npy must exist.*an empty file nopbc"):
        system.frame(0)


def test_missing_parameters(tmp_path):
    system = System(write_folder(tmp_path / "s", [arrays(1)]), numb_fparam=2)
    with pytest.raises(DataError, match=r"fparam.npy must exist"):
        system.frame(0)


def test_missing_coordinates(tmp_path):
    data = arrays(1)
    del data["coord"]
    path = write_folder(tmp_path / "s", [data])
    with pytest.raises(DataError, match=r"set.000/coord.npy must exist"):
        System(path)


def test_type_that_the_model_does_not_have(tmp_path):
    path = write_folder(tmp_path / "s", [arrays(1)], names=["O", "Cl"])
    message = r"type.raw must hold types in type_map \['O', 'H'\], got 'Cl' .*type_map.raw"
    with pytest.raises(DataError, match=message):
        System(path, ["O", "H"])


@pytest.mark.parametrize("types", [[0, 1, 2], [0, -2, 1]])
def test_type_without_a_name(tmp_path, types):
    path = write_folder(tmp_path / "s", [arrays(1)], types=types)
    with pytest.raises(
        DataError, match=r"type.raw must hold types from 0 to 1, which type_map.raw"
    ):
        System(path, NAMES)


def test_type_raw_of_words_or_nothing(tmp_path):
    path = write_folder(tmp_path / "s", [arrays(1)])
    (path / "type.raw").write_text("O H H")
    with pytest.raises(DataError, match=r"type.raw must hold one integer per atom"):
        System(path)
    (path / "type.raw").write_text("")
    with pytest.raises(DataError, match=r"type.raw must hold at least one type"):
        System(path)
    (path / "type.raw").unlink()
    with pytest.raises(DataError, match=r"must hold the file type.raw"):
        System(path)
    (path / "type.raw").write_bytes(b"\xff\xfe")
    with pytest.raises(DataError, match=r"type.raw must be readable text"):
        System(path)


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
    np.save(force, np.array([["a"] * 9] * 4))
    with pytest.raises(DataError, match=r"force.npy must hold real numbers"):
        System(path).frame(0)


def test_missing_folders_and_files(tmp_path):
    with pytest.raises(DataError, match=r"nowhere must be a folder with type.raw"):
        System(tmp_path / "nowhere")
    with pytest.raises(DataError, match=r"no such folder"):
        find_systems(str(tmp_path / "nowhere"))
    with pytest.raises(DataError, match=r"must be a readable HDF5 file"):
        System(f"{tmp_path}/nothing.hdf5#/a")
    file = write_hdf5(tmp_path / "a.hdf5", "x", [arrays(1)]).partition("#")[0]
    with pytest.raises(DataError, match=r"must be a group of the HDF5 file"):
        System(f"{file}#/y")


def test_no_systems(tmp_path):
    with pytest.raises(DataError, match=r"`systems` must name at least one system"):
        find_systems([])
    with pytest.raises(DataError, match=r"`systems` must name at least one system.*got none in"):
        find_systems(str(tmp_path))


def test_frames_that_do_not_exist(tmp_path):
    system = System(write_folder(tmp_path / "s", [arrays(2)]))
    for wrong in ([2], [-1], []):
        with pytest.raises(DataError, match=r"must be from 0 to 1"):
            system.batch(wrong)
