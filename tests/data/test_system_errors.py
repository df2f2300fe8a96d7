"""Bad numbers in a system: every error, with the file, frame and atom that it names."""

import numpy as np
import pytest
from small_systems import NAMES, arrays, write_folder

from deeptf.data.errors import DataError
from deeptf.data.system import System
from deeptf.data.types import unnamed_types


def damaged(tmp_path, name, change):
    data = arrays(3, labels=("energy", "force", "virial"))
    data[name] = change(data[name])
    return System(write_folder(tmp_path / "s", [arrays(2), data]), NAMES)


def read_all(system):
    return system.batch(range(system.num_frames))


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
        read_all(system)


def test_lengths_in_nm(tmp_path):
    system = damaged(tmp_path, "box", lambda array: array / 20)
    message = (
        r"set.001/box.npy: frame 0: the cell must have at least 0.05 A\^3 for each of 3 atoms, "
    )
    with pytest.raises(DataError, match=rf"{message}got 0.00875 A\^3: lengths are in A") as caught:
        system.frame(2)
    assert str(caught.value).endswith("(1 nm = 10 A)")


def test_files_of_text_have_another_reader(tmp_path):
    path = write_folder(tmp_path / "s", [])
    (path / "coord.raw").write_text("0 0 0 1 1 1 2 2 2\n")
    with pytest.raises(DataError, match=r"got none, but coord.raw: write it anew with dpdata, Lab"):
        System(path, NAMES)


@pytest.mark.parametrize("name", ["force", "virial", "energy", "box"])
def test_wrong_shape(tmp_path, name):
    system = damaged(tmp_path, name, lambda array: array.reshape(3, -1)[:2])
    with pytest.raises(DataError, match=rf"{name}.npy must have shape \[3, .*got \[2, "):
        read_all(system)
    system = damaged(tmp_path / "b", name, lambda array: np.repeat(array.reshape(3, -1), 2, 1))
    with pytest.raises(DataError, match=rf"{name}.npy must have shape"):
        read_all(system)


def test_coordinates_of_another_number_of_atoms(tmp_path):
    system = damaged(tmp_path, "coord", lambda array: array[:, :6])
    with pytest.raises(DataError, match=r"coord.npy must have shape \[3, 9\].*got \[3, 6\]"):
        read_all(system)


@pytest.mark.parametrize(
    "cell", [np.zeros(9), [5, 0, 0, 0, 5, 0, 5, 5, 0], [5, 0, 0, 10, 0, 0, 0, 0, 5]]
)
def test_cell_without_volume(tmp_path, cell):
    system = damaged(tmp_path, "box", put(1, slice(None), cell))
    with pytest.raises(DataError, match=r"set.001/box.npy: frame 1: the cell must have a volume"):
        read_all(system)


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


@pytest.mark.parametrize(
    ("types", "message"),
    [
        ([[0, 1, 1], [0, 1.5, 1]], r"got 1.5 for atom 1 of frame 1"),
        ([[0, 1, 1], [0, 1, 2**32]], r"got 4294967296 for atom 2 of frame 1"),
        ([[0, 1, 1], [-2, 1, 1]], r"got -2 for atom 0 of frame 1"),
        ([[0, 1, 1], [np.nan, 1, 1]], r"frame 1, atom 0: must be a finite number"),
        ([[0, 1, 1], [-1, -1, -1]], r"frame 1 must have an atom, got virtual ones"),
    ],
)
def test_wrong_types_of_a_frame(tmp_path, types, message):
    data = arrays(2) | {"real_atom_types": np.array(types)}
    with pytest.raises(DataError, match=message):
        read_all(System(write_folder(tmp_path / "s", [data], types=[0] * 3), NAMES))


def test_types_of_frames_in_some_sets_only(tmp_path):
    mixed = arrays(2) | {"real_atom_types": np.array([[0, 1, 1]] * 2)}
    for name, sets, missing in (("a", [arrays(1), mixed], 0), ("b", [mixed, arrays(1)], 1)):
        message = rf"{name}/set.00{missing}/real_atom_types.npy must exist, since other sets"
        with pytest.raises(DataError, match=message):
            System(write_folder(tmp_path / name, sets), NAMES)


def test_type_beyond_any_integer(tmp_path):
    for names in (NAMES, None):
        path = write_folder(tmp_path / str(names), [arrays(1)], types=[0, 2**32, 1], names=names)
        with pytest.raises(DataError, match=r"type.raw must .*got 4294967296 for atom 1"):
            System(path)
    path = write_folder(tmp_path / "c", [arrays(1)], types=[0, 10**40, 1])
    with pytest.raises(DataError, match=r"type.raw must hold one integer per atom, got: '10000"):
        System(path)


def test_system_with_names_for_a_model_without(tmp_path):
    path = write_folder(tmp_path / "s", [arrays(1)])
    with pytest.raises(DataError, match=r"got 'O' for atom 0 .*types have no names: remove type_"):
        System(path, unnamed_types(2))


@pytest.mark.parametrize("value", [1e31, -1e300])
def test_numbers_that_are_damaged(tmp_path, value):
    system = damaged(tmp_path, "force", put(2, 3, value))
    with pytest.raises(DataError, match=r"force.npy: frame 2, atom 1: must be below 1e\+30, got"):
        system.frame(4)


@pytest.mark.parametrize(
    ("copies", "message"),
    [
        ([1, -1, 1], r"numb_copy.npy: frame 1: must be an integer from 0 to 1000000, got -1"),
        ([1, 1, 0.5], r"numb_copy.npy: frame 2: must be an integer from 0 to 1000000, got 0.5"),
        ([0, 0, 0], r"s must use some frame, got numb_copy.npy of zeros"),
        ([1, 1], r"numb_copy.npy must have shape \[3, 1\]"),
    ],
)
def test_wrong_copies(tmp_path, copies, message):
    with pytest.raises(DataError, match=message):
        System(write_folder(tmp_path / "s", [arrays(3) | {"numb_copy": np.array(copies)}]))


def test_frames_that_do_not_exist(tmp_path):
    system = System(write_folder(tmp_path / "s", [arrays(2)]))
    for wrong in ([2], [-1], []):
        with pytest.raises(DataError, match=r"must be from 0 to 1"):
            system.batch(wrong)
