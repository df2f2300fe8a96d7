"""The statistics file: used for the content that made it only; foreign files stay as they are."""

import os
import shutil

import numpy as np
import pytest
from looked import look
from small_systems import NAMES, arrays, write_folder, write_hdf5

from deeptf.data import cache, statistics
from deeptf.data.errors import DataError
from deeptf.data.system import System

RCUT, RCUT_SMTH = 4.0, 1.0


@pytest.fixture
def visits(monkeypatch):
    """Return a list of the systems that were looked at."""
    seen = []
    collect = statistics._look

    def counted(system, *rest):
        seen.append(system.path)
        return collect(system, *rest)

    monkeypatch.setattr(statistics, "_look", counted)
    return seen


def look_at(system, file, radii=(RCUT, RCUT_SMTH), **options):
    return look([system], 2, *radii, cache=file, **options)


def test_what_is_kept_is_what_was_found(tmp_path, visits):
    file = tmp_path / "cache/statistics.npz"
    systems = [
        System(write_folder(tmp_path / "s", [arrays(3, seed=1), arrays(2, seed=2)]), NAMES),
        System(write_hdf5(tmp_path / "d.hdf5", "x", [arrays(2, seed=3)]), NAMES),
    ]
    first = look(systems, 2, RCUT, RCUT_SMTH, cache=file)
    plain = look(systems, 2, RCUT, RCUT_SMTH)
    del visits[:]
    systems[0] = System(tmp_path / "s", NAMES)
    again = look(systems, 2, RCUT, RCUT_SMTH, cache=file)
    assert not visits
    for one, row in first.rows.items():
        np.testing.assert_array_equal(again.rows[one], row)
        np.testing.assert_array_equal(plain.rows[one], row)
    systems.append(System(write_folder(tmp_path / "new", [arrays(1, seed=4)]), NAMES))
    look(systems, 2, RCUT, RCUT_SMTH, cache=file)
    assert visits == [str(tmp_path / "new")]  # the others are in the file


def rewrite(name, change):
    def apply(path):
        file = path / "set.000" / name
        status = file.stat()
        np.save(file, change(np.load(file)))
        os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))  # times tell nothing

    return apply


def exchange_types(path):
    (path / "type.raw").write_text("1 0 1")


def exchange_names(path):
    (path / "type_map.raw").write_text("H O")


def swap_real_types(types):
    types[1] = types[1, ::-1]
    return types


@pytest.mark.parametrize(
    "change",
    [
        rewrite("coord.npy", lambda array: array + 0.1),
        rewrite("box.npy", lambda array: array * 1.01),
        rewrite("force.npy", lambda array: array * np.nan),
        rewrite("energy.npy", lambda array: array[::-1]),
        rewrite("real_atom_types.npy", swap_real_types),
        exchange_types,
        exchange_names,
        lambda path: (path / "nopbc").touch(),
        lambda path: np.save(path / "set.000/virial.npy", np.zeros((2, 9))),
        lambda path: np.save(path / "set.000/numb_copy.npy", np.array([1, 2])),
        lambda path: shutil.copytree(path / "set.000", path / "set.001"),
    ],
)
def test_other_content_is_looked_at(tmp_path, visits, change):
    data = arrays(2) | {"real_atom_types": np.array([[0, 1, 1], [0, 1, 1]])}
    path = write_folder(tmp_path / "s", [data])
    look_at(System(path, NAMES), tmp_path / "c.npz")
    look_at(System(path, NAMES), tmp_path / "c.npz")
    assert len(visits) == 1
    change(path)
    try:
        look_at(System(path, NAMES), tmp_path / "c.npz")
    except DataError as error:
        assert "force.npy" in str(error)
    assert len(visits) == 2


@pytest.mark.parametrize(
    "options",
    [
        {"radii": (RCUT, 0.5)},
        {"radii": (RCUT - 0.5, RCUT_SMTH)},
        {"sampled": [1]},
        {"type_map": ["H", "O"]},
        {"numb_fparam": 2},
    ],
)
def test_other_settings_are_looked_at(tmp_path, visits, options):
    data = arrays(2, labels=("energy", "fparam"))
    path, file = write_folder(tmp_path / "s", [data]), tmp_path / "c.npz"
    look_at(System(path, NAMES), file)
    of_system = {k: options.pop(k) for k in ("type_map", "numb_fparam") if k in options}
    changed = System(path, **{"type_map": NAMES, **of_system})
    fresh = look_at(changed, None, **options)
    found = look_at(changed, file, **options)
    assert len(visits) == 3
    for one, row in fresh.rows.items():
        np.testing.assert_array_equal(found.rows[one], row)
    look_at(System(path, NAMES), file)  # both are in the file now
    look_at(changed, file, **options)
    assert len(visits) == 3


def test_a_place_on_the_disk_tells_nothing(tmp_path, visits):
    for name in ("one", "two"):
        look_at(System(write_folder(tmp_path / name, [arrays(2)]), NAMES), tmp_path / "c.npz")
    assert visits == [str(tmp_path / "one")]


def test_the_oldest_go_where_there_is_no_room(tmp_path, visits, monkeypatch):
    monkeypatch.setattr(cache, "MOST_NUMBERS", 2 * 17)  # two systems
    systems = [
        System(write_folder(tmp_path / str(k), [arrays(1, seed=k)]), NAMES) for k in range(3)
    ]
    file = tmp_path / "c.npz"
    for system in systems:
        look_at(system, file)
    del visits[:]
    for system in (systems[2], systems[1], systems[0]):
        look_at(system, file)
    assert visits == [systems[0].path]
    look([systems[2], systems[1]], 2, RCUT, RCUT_SMTH, cache=file)
    monkeypatch.setattr(cache, "MOST_NUMBERS", 4 * 17)
    look([systems[2], systems[0]], 2, RCUT, RCUT_SMTH, cache=file)
    monkeypatch.setattr(cache, "MOST_NUMBERS", 3 * 17)
    extra = System(write_folder(tmp_path / "extra", [arrays(1, seed=9)]), NAMES)
    look_at(extra, file)  # in place of system 1, the one that was not used last
    del visits[:]
    look([systems[2], systems[0], extra], 2, RCUT, RCUT_SMTH, cache=file)
    assert not visits
    monkeypatch.setattr(cache, "MOST_NUMBERS", 2 * 17)
    look(systems, 2, RCUT, RCUT_SMTH, cache=file)
    del visits[:]
    look(systems, 2, RCUT, RCUT_SMTH, cache=file)  # all of one run stay
    assert not visits


def cut(content):
    return content[:200]


def packed_otherwise(content):
    place = content.rindex(b"PK\1\2") + 10
    return content[:place] + b"M" + content[place + 1 :]


@pytest.mark.parametrize("damaged", [cut, packed_otherwise])
def test_a_damaged_file_of_its_own_is_replaced(tmp_path, visits, damaged):
    system, file = System(write_folder(tmp_path / "s", [arrays(2)]), NAMES), tmp_path / "c.npz"
    look_at(system, file)
    file.write_bytes(damaged(file.read_bytes()))
    look_at(system, file)
    look_at(system, file)
    assert len(visits) == 2


def test_a_file_of_an_older_version_is_replaced(tmp_path, visits):
    system, file = System(write_folder(tmp_path / "s", [arrays(2)]), NAMES), tmp_path / "c.npz"
    vectors = {name: np.zeros(2) for name in ("centre_count", "radial", "radial_square")}
    np.savez(file, key="0", **vectors)
    look_at(system, file)
    look_at(system, file)
    assert len(visits) == 1


@pytest.mark.parametrize(
    "make",
    [
        lambda path: np.savez(path, energy=np.zeros(3)),
        lambda path: path.write_text("the results of a year"),
        lambda path: path.touch(),
        lambda path: path.write_bytes(b"PK\x03\x04"),
    ],
)
def test_another_file_is_left_as_it_is(tmp_path, visits, make):
    system, file = System(write_folder(tmp_path / "s", [arrays(2)]), NAMES), tmp_path / "c.npz"
    make(file)
    before = file.read_bytes()
    with pytest.raises(DataError, match=r"c.npz must be a statistics file .*left as it is"):
        look_at(system, file)
    assert file.read_bytes() == before
    assert not visits


def test_folders_and_hdf5_files(tmp_path):
    system = System(write_folder(tmp_path / "s", [arrays(2)]), NAMES)
    with pytest.raises(DataError, match=r"`stat_file` must be the name of a file, got the folder"):
        look_at(system, tmp_path)
    with pytest.raises(DataError, match=r"`stat_file` must be the name of an .npz file, got .*x.h"):
        look_at(system, tmp_path / "x.hdf5")
