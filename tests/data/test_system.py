"""Systems: formats, numbers, files and renumbered types."""

from dataclasses import replace

import dpdata
import numpy as np
import pytest
from small_systems import NAMES, arrays, open_all, write_folder, write_hdf5

from deeptf.data.errors import DataError
from deeptf.data.system import System
from deeptf.properties import ENERGY, FORCE, VIRIAL


def value_of(batch, name):
    """Return an array or a label of a batch."""
    return batch.labels[name] if name in batch.labels else getattr(batch, name)


def test_frames_of_all_sets_follow_in_order(tmp_path):
    first, second = arrays(2, seed=1), arrays(3, seed=2, labels=("energy",))
    system = System(write_folder(tmp_path / "water", [first, second]), NAMES)
    assert (system.num_frames, system.num_atoms, system.type_map) == (5, 3, ("O", "H"))
    counts = [system.number_with(rows) for rows in ([ENERGY], [ENERGY, FORCE], [VIRIAL])]
    assert counts == [5, 2, 0]
    owned = [replace(ENERGY, types=types) for types in ((1, 2), (2,))]
    assert [system.number_with([row]) for row in owned] == [5, 0]
    batch = system.batch([4, 1, 0])
    assert batch.origin == tuple((str(tmp_path / "water"), frame) for frame in (4, 1, 0))
    np.testing.assert_array_equal(batch.frame_row, [0, 3, 6, 9])
    np.testing.assert_array_equal(batch.coord[:3].ravel(), second["coord"][2])
    np.testing.assert_array_equal(batch.coord[3:6].ravel(), first["coord"][1])
    np.testing.assert_array_equal(
        batch.labels["energy"], [second["energy"][2], first["energy"][1], first["energy"][0]]
    )
    np.testing.assert_array_equal(batch.cell[0], np.diag([5.0, 6.0, 7.0]))
    np.testing.assert_array_equal(batch.has["force"], [0, 1, 1])
    np.testing.assert_array_equal(batch.has["virial"], [0, 0, 0])
    np.testing.assert_array_equal(batch.labels["force"][:3], 0)
    assert batch.labels["virial"].shape == (3, 9)
    assert batch.fparam.shape == (3, 0)
    assert batch.aparam.shape == (9, 0)


def test_sets_are_sorted_by_name(tmp_path):
    path = write_folder(tmp_path / "s", [arrays(1, seed=1), arrays(1, seed=2)])
    (path / "set.000").rename(path / "set.010")
    np.testing.assert_array_equal(
        System(path).frame(0).coord.ravel(), arrays(1, seed=2)["coord"][0]
    )


def test_float32_is_read_as_float64(tmp_path):
    data = {name: array.astype(np.float32) for name, array in arrays(2).items()}
    batch = System(write_folder(tmp_path / "s", [data])).batch([0, 1])
    for name in ("coord", "cell", "energy", "force"):
        assert value_of(batch, name).dtype == np.float64
    np.testing.assert_array_equal(batch.labels["energy"], data["energy"].astype(np.float64))


def test_all_labels_and_parameters(tmp_path):
    labels = ("energy", "force", "virial", "atom_ener", "atom_pref", "fparam", "aparam")
    data = arrays(2, labels=labels)
    data["energy"] = data["energy"][:, None]  # both shapes occur
    system = System(write_folder(tmp_path / "s", [data]), NAMES, numb_fparam=2, numb_aparam=1)
    batch = system.batch([0, 1])
    assert all(batch.has[label].all() for label in batch.has)
    np.testing.assert_array_equal(batch.labels["virial"], data["virial"])
    np.testing.assert_array_equal(batch.labels["atom_ener"], data["atom_ener"].ravel())
    np.testing.assert_array_equal(batch.labels["atom_pref"], data["atom_pref"].ravel())
    np.testing.assert_array_equal(batch.fparam, data["fparam"])
    np.testing.assert_array_equal(batch.aparam, data["aparam"].reshape(6, 1))
    np.testing.assert_array_equal(system.parameters("fparam"), data["fparam"])
    np.testing.assert_array_equal(system.parameters("aparam"), data["aparam"].reshape(6, 1))


def test_no_cell(tmp_path):
    data = arrays(1)
    del data["box"]
    system = System(write_folder(tmp_path / "s", [data], nopbc=True))
    assert not system.periodic
    np.testing.assert_array_equal(system.frame(0).cell, np.zeros((1, 3, 3)))


def test_types_are_renumbered_by_name(tmp_path):
    path = write_folder(tmp_path / "s", [arrays(1)], types=[0, 1, 1], names=["O", "H"])
    system = System(path, ["C", "H", "N", "O"])
    np.testing.assert_array_equal(system.atom_type, [3, 1, 1])
    np.testing.assert_array_equal(np.bincount(system.frame(0).atom_type), [0, 2, 0, 1])


def test_names_that_no_atom_has_do_not_matter(tmp_path):
    path = write_folder(tmp_path / "s", [arrays(1)], types=[1, 1, 1], names=["Xe", "H"])
    np.testing.assert_array_equal(System(path, ["H"]).atom_type, [0, 0, 0])


def test_without_type_map_raw_the_numbers_are_those_of_the_model(tmp_path):
    path = write_folder(tmp_path / "s", [arrays(1)], names=None)
    np.testing.assert_array_equal(System(path, ["O", "H"]).atom_type, [0, 1, 1])
    with pytest.raises(DataError, match=r"type.raw must hold types from 0 to 0.*got 1"):
        System(path, ["O"])


def test_mixed_types_leave_virtual_atoms_out(tmp_path):
    data = arrays(2, labels=("energy", "force", "aparam"))
    data["real_atom_types"] = np.array([[1, 0, -1], [0, -1, 0]])
    path = write_folder(tmp_path / "s", [data], types=[0, 0, 0], names=["O", "H"])
    system = System(path, ["H", "O"], numb_aparam=1)
    batch = system.batch([0, 1])
    np.testing.assert_array_equal(batch.atom_type, [0, 1, 1, 1])
    np.testing.assert_array_equal(batch.frame_row, [0, 2, 4])
    np.testing.assert_array_equal(batch.coord[2:].ravel(), data["coord"][1][[0, 1, 2, 6, 7, 8]])
    np.testing.assert_array_equal(batch.labels["force"][1], data["force"][0, 3:6])
    np.testing.assert_array_equal(system.compositions(2), [[1, 1], [0, 2]])
    assert system.number_with([replace(ENERGY, types=(0,)), FORCE]) == 1
    assert system.num_types() == 2
    np.testing.assert_array_equal(
        system.parameters("aparam")[:, 0], data["aparam"].ravel()[[0, 1, 3, 5]]
    )
    with pytest.raises(DataError, match=r"real_atom_types.npy must hold types in type_map \['O'\]"):
        System(path, ["O"])


def test_atoms_of_each_type_are_counted(tmp_path):
    path = write_folder(tmp_path / "s", [arrays(2, num_atoms=4)], types=[1, 0, -1, 1])
    system = System(path, NAMES)
    np.testing.assert_array_equal(system.compositions(3), [[1, 2, 0]] * 2)
    assert system.num_types() == 2


def test_one_frame_without_an_axis_of_frames(tmp_path):
    data = arrays(1, labels=("energy", "force", "virial", "atom_ener"))
    flat = {name: value.ravel() for name, value in data.items()}
    one = System(write_folder(tmp_path / "one", [flat, arrays(2, seed=1)]), NAMES).frame(0)
    two = System(write_folder(tmp_path / "two", [data]), NAMES).frame(0)
    for name in ("coord", "cell", "energy", "force", "virial", "atom_ener"):
        np.testing.assert_array_equal(value_of(one, name), value_of(two, name))


def test_a_number_as_the_energy_of_one_frame(tmp_path):
    data = arrays(1, labels=("energy",))
    number = {**data, "energy": data["energy"].reshape(())}
    for write in (write_folder, lambda path, sets: write_hdf5(path, "water", sets)):
        one = System(write(tmp_path / f"{write.__name__}.hdf5", [number]), NAMES).frame(0)
        np.testing.assert_array_equal(one.labels["energy"].ravel(), data["energy"].ravel())


def test_other_names_of_files(tmp_path):
    data = arrays(2, labels=("atom_ener", "atom_pref"))
    other = {name.replace("atom_", "atomic_"): value for name, value in data.items()}
    batch = System(write_folder(tmp_path / "s", [other]), NAMES).batch([0, 1])
    for name in ("atom_ener", "atom_pref"):
        np.testing.assert_array_equal(batch.has[name], 1)
        np.testing.assert_array_equal(value_of(batch, name), data[name].ravel())


def test_hdf5_reads_like_the_folder(tmp_path):
    sets = [arrays(2, seed=1), arrays(1, seed=2)]
    group = System(write_hdf5(tmp_path / "data.hdf5", "deep/water", sets), ["H", "O"])
    folder = System(write_folder(tmp_path / "s", sets), ["H", "O"])
    one, other = group.batch([2, 0, 1]), folder.batch([2, 0, 1])
    for name in ("coord", "cell", "atom_type", "energy", "force"):
        np.testing.assert_array_equal(value_of(one, name), value_of(other, name))


@pytest.mark.parametrize("form", ["deepmd/npy", "deepmd/npy/mixed", "deepmd/hdf5"])
def test_what_dpdata_writes(tmp_path, form):
    source = System(write_folder(tmp_path / "source", [arrays(3)]), NAMES)
    labelled = dpdata.LabeledSystem(str(tmp_path / "source"), fmt="deepmd/npy", type_map=NAMES)
    target = str(tmp_path / ("out.hdf5" if form == "deepmd/hdf5" else "out"))
    labelled.to(form, target)
    (system,) = open_all(target)
    assert system.mixed == (form == "deepmd/npy/mixed")
    for name in ("coord", "cell", "atom_type", "energy", "force"):
        np.testing.assert_allclose(
            value_of(system.batch(range(3)), name), value_of(source.batch(range(3)), name), 1e-6
        )


def test_a_rewritten_file_is_read_again(tmp_path):
    path = write_folder(tmp_path / "s", [arrays(2, seed=1)])
    System(path).frame(0)
    np.save(path / "set.000/coord.npy", arrays(3, seed=2)["coord"])
    for name in ("box", "energy", "force"):
        (path / f"set.000/{name}.npy").unlink()
    (path / "nopbc").touch()
    system = System(path)
    assert system.num_frames == 3
    np.testing.assert_array_equal(system.frame(2).coord.ravel(), arrays(3, seed=2)["coord"][2])


def test_more_files_than_may_be_open(tmp_path):
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (300, hard))
    try:
        paths = [write_folder(tmp_path / str(k), [arrays(1, seed=k)]) for k in range(120)]
        systems = open_all([str(path) for path in paths])
        for k in (0, 60, 119, 0):
            np.testing.assert_array_equal(
                systems[k].frame(0).coord.ravel(), arrays(1, seed=k)["coord"][0]
            )
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
