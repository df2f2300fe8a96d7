"""Statistics against sums over all pairs by hand, and the energy bias against exact energies."""

import numpy as np
import pytest
from looked import look
from small_systems import NAMES, arrays, write_folder

from deeptf.data.energy_bias import energy_bias, parameter_statistics
from deeptf.data.errors import DataError
from deeptf.data.options import DataOptions
from deeptf.data.section import Section
from deeptf.data.survey import collect, sampled_frames
from deeptf.data.system import System
from deeptf.model.descriptor.row_sums import RowSums
from deeptf.model.switch import switch_over_distance

RCUT, RCUT_SMTH = 4.0, 1.0


@pytest.fixture
def systems(tmp_path):
    one = write_folder(tmp_path / "one", [arrays(5, seed=1), arrays(2, seed=2)])
    cluster = arrays(3, 4, seed=3)
    two = write_folder(
        tmp_path / "two", [cluster], types=[0, 1, 1, 0], names=["H", "O"], nopbc=True
    )
    return [System(one, NAMES), System(two, NAMES)]


def all_pairs(batch, rcut):
    """Return types of centre and neighbour, centre and displacement of every pair of a frame."""
    shifts = np.zeros((1, 3))
    if batch.cell.any():
        images = np.stack(np.meshgrid(*[range(-3, 4)] * 3), axis=-1).reshape(-1, 3)
        shifts = images @ batch.cell[0]
    delta = batch.coord[None, :, None] + shifts - batch.coord[:, None, None]
    distance = np.linalg.norm(delta, axis=-1)
    centre, neighbor, image = np.nonzero((distance < rcut) & (distance > 0))
    types = batch.atom_type
    return types[centre], types[neighbor], centre, delta[centre, neighbor, image]


def by_hand(frames, sel, excluded=()):
    """Return mean, stddev, shortest distance and most neighbours from padded rows of every atom."""
    places = [[], []]
    shortest, most = np.inf, np.zeros(2, int)
    for batch in frames:
        centre_type, neighbor_type, centre, displacement = all_pairs(batch, RCUT)
        distance = np.linalg.norm(displacement, axis=1)
        shortest = min(shortest, distance.min(initial=np.inf))
        for atom in range(batch.num_atoms):
            own = centre == atom
            s = switch_over_distance(distance[own], RCUT_SMTH, RCUT)
            for a, b in excluded:
                types = {a, b}
                s = np.where(
                    [
                        {i, j} == types
                        for i, j in zip(centre_type[own], neighbor_type[own], strict=True)
                    ],
                    0,
                    s,
                )
            padded = np.zeros((sum(sel), 4))
            padded[: len(s), 0] = s
            padded[: len(s), 1:] = s[:, None] * displacement[own] / distance[own][:, None]
            places[batch.atom_type[atom]].append(padded)
            most = np.maximum(most, np.bincount(neighbor_type[own], minlength=2))
    mean, stddev = np.zeros((2, 4)), np.zeros((2, 4))
    for t in range(2):
        values = np.concatenate(places[t])
        mean[t, 0], stddev[t, 0] = values[:, 0].mean(), values[:, 0].std()
        stddev[t, 1:] = np.sqrt(np.mean(values[:, 1:] ** 2) - np.mean(values[:, 1:]) ** 2)
    return mean, stddev, shortest, most


def test_against_padded_rows(systems):
    frames = [system.frame(k) for system in systems for k in range(system.num_frames)]
    sel = [20, 30]
    mean, stddev, shortest, most = by_hand(frames, sel)
    found = look(systems, 2, RCUT, RCUT_SMTH)
    got_mean, got_stddev = found.environment(sel)
    np.testing.assert_allclose(got_mean, mean, rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(got_stddev, stddev, rtol=1e-12)
    assert found.min_distance == pytest.approx(shortest, rel=1e-12)
    np.testing.assert_array_equal(found.max_neighbors, most)
    assert found.numb_frames == 10
    np.testing.assert_array_equal(found.environment(sel, True)[0], 0)
    sums = RowSums(2, RCUT, RCUT_SMTH, ((0, 1),))
    pair = sums.normalisation(collect(systems, [sums])[sums], sel)
    for got, want in zip(pair, by_hand(frames, sel, ((0, 1),)), strict=False):
        np.testing.assert_allclose(got, want, rtol=1e-12, atol=1e-15)


def sampled(systems, num_batches, batch_size):
    return sampled_frames(Section(systems, DataOptions("x", batch_size=batch_size)), num_batches)


def test_sampled_frames_are_spread_over_each_system(systems):
    assert sampled(systems, 10, 1) == [7, 3]
    assert sampled(systems, 1, 3) == [3, 3]
    assert sampled(systems, 1, "auto") == [7, 3]  # 11 frames of 3 atoms
    assert sampled(systems, 2, "mixed:3") == [4, 3]
    assert sampled(systems, 2, "mixed:1") == [2, 2]
    frames = [systems[0].frame(k) for k in (0, 3, 6)] + [systems[1].frame(k) for k in (0, 2)]
    mean, stddev, _, _ = by_hand(frames, [20, 30])
    found = look(systems, 2, RCUT, RCUT_SMTH, [3, 2])
    np.testing.assert_allclose(found.environment([20, 30])[0], mean, rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(found.environment([20, 30])[1], stddev, rtol=1e-12)
    whole = look(systems, 2, RCUT, RCUT_SMTH)
    np.testing.assert_array_equal(whole.shortest, found.shortest)  # of all frames
    np.testing.assert_array_equal(whole.max_neighbors, found.max_neighbors)
    assert (whole.numb_frames, found.numb_frames) == (10, 10)


def test_floor_and_types_that_no_atom_has(systems):
    found = look(systems, 3, RCUT, RCUT_SMTH)
    mean, stddev = found.environment([10**6, 10**6, 1])  # nearly all places are empty
    np.testing.assert_array_equal(mean[2], 0)
    np.testing.assert_array_equal(stddev[2], 1 / RCUT)
    np.testing.assert_array_equal(stddev[:2], 0.01)
    assert found.max_neighbors[2] == 0


def test_switch():
    r = np.array([0.5, 1.0, 2.5, 4.0, 5.0])
    np.testing.assert_allclose(
        switch_over_distance(r, 1.0, 4.0), [2.0, 1.0, 0.5 / 2.5, 0.0, 0.0], atol=1e-15
    )


def test_no_pairs_at_all(tmp_path):
    data = arrays(2, 1)
    system = System(write_folder(tmp_path / "s", [data], types=[0], nopbc=True), NAMES)
    found = look([system], 2, RCUT, RCUT_SMTH)
    mean, stddev = found.environment([4, 4])
    assert np.isinf(found.min_distance)
    np.testing.assert_array_equal(mean, 0)
    np.testing.assert_array_equal(stddev[0], 0.01)
    np.testing.assert_array_equal(stddev[1], 1 / RCUT)
    np.testing.assert_array_equal(found.max_neighbors, 0)


def test_frames_without_copies_are_left_out(tmp_path):
    data = arrays(3, seed=5)
    data["coord"][1, 3:6] = data["coord"][1, 6:9]
    data["energy"][1] = 1e6
    data["numb_copy"] = np.array([2, 0, 1])
    system = System(write_folder(tmp_path / "s", [data]), NAMES)
    assert sampled([system], 10, 1) == [2]
    kept = {name: value[[0, 2]] for name, value in data.items() if name != "numb_copy"}
    other = System(write_folder(tmp_path / "kept", [kept]), NAMES)
    found, expected = (look([s], 2, RCUT, RCUT_SMTH) for s in (system, other))
    for one, row in expected.rows.items():
        np.testing.assert_array_equal(found.rows[one], row)
    repeated = {name: value[[0, 0, 2]] for name, value in data.items() if name != "numb_copy"}
    twice = System(write_folder(tmp_path / "twice", [repeated]), NAMES)
    np.testing.assert_allclose(energy_bias([system], 2), energy_bias([twice], 2), rtol=1e-12)


def test_atoms_on_top_of_each_other_name_system_and_frame(tmp_path):
    data = arrays(3, seed=5)
    data["coord"][2, 3:6] = data["coord"][2, 6:9]
    bad = System(write_folder(tmp_path / "bad", [data]), NAMES)
    good = System(write_folder(tmp_path / "good", [arrays(2, seed=6)]), NAMES)
    with pytest.raises(DataError, match=r"system .*/bad: .*atoms 1 and 2 of frame 2 on top"):
        look([good, bad], 2, RCUT, RCUT_SMTH)


def test_atoms_are_named_as_the_files_count_them(tmp_path):
    data = arrays(2, seed=5)
    data["coord"][1, :3] = data["coord"][1, 6:]
    data["real_atom_types"] = np.array([[0, 0, 0], [0, -1, 0]])
    system = System(write_folder(tmp_path / "s", [data], types=[0] * 3), NAMES)
    with pytest.raises(DataError, match=r"atoms 0 and 2 of frame 1 on top"):
        look([system], 2, RCUT, RCUT_SMTH)


def with_energies(tmp_path, name, types, energies, **more):
    data = arrays(len(energies), len(types), labels=())
    data |= {"energy": np.asarray(energies), **more}
    return System(write_folder(tmp_path / name, [data], types=types), NAMES)


def test_energy_bias_is_exact_for_sums_of_atoms(tmp_path):
    systems = [
        with_energies(tmp_path, "water", [0, 1, 1], [-430.0 + 2 * -13.0] * 3),
        with_energies(tmp_path, "hydrogen", [1, 1], [-26.0]),
    ]
    np.testing.assert_allclose(energy_bias(systems, 2), [-430.0, -13.0], rtol=1e-12)
    np.testing.assert_allclose(energy_bias(systems, 3), [-430.0, -13.0, 0.0], atol=1e-9)


def test_energy_bias_weighs_frames(tmp_path):
    types = np.array([[0, 1, 1], [0, 0, 1], [0, 1, 1], [1, 1, 1]])
    energies = np.array([1.0, 2.0, 4.0, -1.0])
    mixed = with_energies(tmp_path, "mixed", [0, 0, 0], energies, real_atom_types=types)
    count = np.array([[1, 2], [2, 1], [1, 2], [0, 3]])
    expected = np.linalg.lstsq(count, energies, rcond=None)[0]
    np.testing.assert_allclose(energy_bias([mixed], 2), expected, atol=1e-12)


def test_energy_bias_of_one_composition_has_the_smallest_norm(tmp_path):
    system = with_energies(tmp_path, "water", [0, 1, 1], [-10.0, -12.0])
    np.testing.assert_allclose(energy_bias([system], 2), np.array([1, 2]) * -11.0 / 5)


def test_energy_bias_keeps_given_energies(tmp_path):
    system = with_energies(tmp_path, "water", [0, 1, 1], [-10.0, -12.0])
    np.testing.assert_allclose(energy_bias([system], 2, [-5.0, None]), [-5.0, -3.0])
    np.testing.assert_allclose(energy_bias([system], 2, [-5.0, -1.0]), [-5.0, -1.0])
    with pytest.raises(ValueError, match=r"`atom_ener` must have one entry for each of 2 types"):
        energy_bias([system], 2, [1.0])


def test_energy_bias_without_energies(tmp_path):
    system = System(write_folder(tmp_path / "s", [arrays(1, labels=("force",))]), NAMES)
    np.testing.assert_array_equal(energy_bias([system], 2), [0.0, 0.0])


def test_float32_energies_are_averaged_in_float64(tmp_path):
    energies = np.array([-29943.125, -29944.375], np.float32)
    system = with_energies(tmp_path, "water", [0, 1, 1], energies)
    assert energy_bias([system], 2) @ [1, 2] == pytest.approx(-29943.75, abs=1e-9)


def test_parameters(tmp_path):
    data = arrays(4, labels=("fparam", "aparam"))
    data["fparam"][:, 1] = 3.0
    system = System(write_folder(tmp_path / "s", [data]), NAMES, numb_fparam=2, numb_aparam=1)
    mean, stddev = parameter_statistics([system], "fparam")
    np.testing.assert_allclose(mean, data["fparam"].mean(axis=0))
    np.testing.assert_allclose(stddev, [data["fparam"][:, 0].std(), 0.01])
    mean, stddev = parameter_statistics([system, system], "aparam")
    np.testing.assert_allclose([mean[0], stddev[0]], [data["aparam"].mean(), data["aparam"].std()])
