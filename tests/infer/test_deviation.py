"""How much models disagree: the definitions, ensembles, deepmd-kit's function and the command."""

import numpy as np
import pytest
from small_network import write_network
from small_run import write_system
from toy import random_frames

from deeptf.__main__ import main
from deeptf.infer import DeepPot, Ensemble, calc_model_devi
from deeptf.infer.deviation import Levels

TYPES = [0, 1, 1, 0, 1, 1]


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    return [write_network(folder / f"{seed}.pb", seed=seed) for seed in range(3)]


@pytest.fixture(scope="module")
def ensemble(files):
    with Ensemble(files) as opened:
        yield opened


def by_hand(energy, force, virial, level=None, level_v=None, centre=None):
    """Return deviations of one frame, from lists of three models."""
    number = len(force[0])
    mean_e, mean_f, mean_v = centre or (sum(energy) / 3, sum(force) / 3, sum(virial) / 3)
    of_force = np.array(
        [np.sqrt(sum(sum((f[i] - mean_f[i]) ** 2) for f in force) / 3) for i in range(number)]
    )
    if level is not None:
        of_force /= np.array([np.sqrt(sum(f**2)) for f in mean_f]) + level
    of_virial = np.sqrt(sum((v - mean_v) ** 2 for v in virial) / 3) / number
    if level_v is not None:
        of_virial /= abs(mean_v / number) + level_v
    of_energy = np.sqrt(sum((e - mean_e) ** 2 for e in energy) / 3) / number
    return of_energy, of_force, of_virial


@pytest.mark.parametrize("levels", [(None, None), (0.5, None), (0, 0.25)])
def test_definitions(ensemble, levels):
    coords, cells, types = random_frames(2, 5)
    energy, force, virial = ensemble.eval(coords, cells, types)
    assert force.shape == (3, 2, 5, 3) and np.ptp(energy, axis=0).min() > 1e-3
    found = ensemble.deviation(coords, cells, types, *levels)
    for k in range(2):
        e, f, v = by_hand([*energy[:, k, 0]], [*force[:, k]], [*virial[:, k]], *levels)
        np.testing.assert_allclose(found.energy[k], e, rtol=1e-10)
        np.testing.assert_allclose(found.force[k], f, rtol=1e-10)
        np.testing.assert_allclose(found.virial[k], v, rtol=1e-10)


def test_virtual_atoms_do_not_count(ensemble):
    coords, cells, types = random_frames(2, 6)
    types[1, 5] = -1
    found = ensemble.deviation(coords, cells, types)
    assert found.force[1, 5] == 0
    without = ensemble.deviation(coords[1:, :15], cells[1:], types[1, :5])
    np.testing.assert_allclose(found.table()[1, 1:], without.table()[0, 1:], rtol=1e-10)
    with pytest.raises(ValueError, match="`atom_types` must have an atom in each frame"):
        ensemble.deviation(coords, cells, np.full(6, -1))


def test_table_of_deepmd_kit(ensemble, files, tmp_path):
    coords, cells, types = random_frames(2, 5)
    found = ensemble.deviation(coords, cells, types)
    path = tmp_path / "model_devi.out"
    table = calc_model_devi(coords, cells, types, ensemble.models, path, 10, atomic=True)
    assert table.shape == (2, 8 + 5)
    v, f = found.virial, found.force
    average = np.sqrt((v**2).sum(axis=1) / 9)
    columns = [[0, 10], v.max(1), v.min(1), average, f.max(1), f.min(1), f.mean(1), found.energy]
    np.testing.assert_allclose(table[:, :8].T, columns, rtol=1e-12)
    np.testing.assert_array_equal(table[:, 8:], f)
    header, names, first, _ = path.read_text().splitlines()
    assert header == "# "
    words = "step max_devi_v min_devi_v avg_devi_v max_devi_f min_devi_f avg_devi_f devi_e"
    assert names.split() == ["#", *words.split(), "atm_devi_f(N)"]
    assert first == "".join([f"{0:12d}", *(f"{value:19.6e}" for value in table[0, 1:])])
    plain = calc_model_devi(coords, cells, types, files, relative=0.5, relative_v=0.1)
    want = ensemble.deviation(coords, cells, types, 0.5, 0.1).table()
    np.testing.assert_array_equal(plain, want)


def test_errors_in_the_place_of_deviations(ensemble):
    coords, cells, types = random_frames(1, 5)
    rng = np.random.default_rng(0)
    real = {"energy": [[0.1]], "force": rng.normal(size=(1, 5, 3)), "virial": np.ones((1, 9))}
    table = calc_model_devi(
        coords, cells, types, ensemble.models, real_data=real, relative=0.5, atomic=True
    )
    energy, force, virial = ensemble.eval(coords, cells, types)
    centre = (5 * 0.1, real["force"][0], 5 * np.ones(9))
    e, f, v = by_hand([*energy[:, 0, 0]], [*force[:, 0]], [*virial[:, 0]], 0.5, None, centre)
    np.testing.assert_allclose(table[0, [7, 1]], [e, v.max()], rtol=1e-10)
    np.testing.assert_allclose(table[0, 8:], f, rtol=1e-10)


def test_models_that_do_not_go_together(files, network_parameter_file, tmp_path):
    other = write_network(tmp_path / "other.pb", names=("B", "A"))
    with pytest.raises(
        ValueError, match="`models` must have the same `type_map`, got .* in .*0.pb"
    ):
        Ensemble([files[0], other])
    with pytest.raises(ValueError, match="the same `numb_fparam`, got 0 in .* and 2 in"):
        Ensemble([files[0], network_parameter_file])
    for wrong in ([], str(files[0])):
        with pytest.raises(ValueError, match="`models` must be a list of at least one model"):
            Ensemble(wrong)
    with pytest.raises(ValueError, match="`relative` must be a level from 0, got -1"):
        Levels(force=-1)


def test_models_that_were_open_stay_open(files):
    frames = random_frames(1, 3)
    with DeepPot(files[0]) as pot:
        with Ensemble([pot, files[1]]) as ensemble:
            opened = ensemble.models[1]
        pot.eval(*frames)
        with pytest.raises(ValueError, match="must be open"):
            opened.eval(*frames)


def test_the_command(files, tmp_path, monkeypatch, capsys):
    """One header and all frames of each system, in batches of any size."""
    monkeypatch.setattr("deeptf.infer.systems.BATCH_ATOMS", 13)
    systems = [write_system(tmp_path / "data" / name, seed=k) for k, name in enumerate("ab")]
    np.save(systems[1] / "set.000" / "virial.npy", np.zeros((0, 9)))
    (systems[1] / "set.000" / "virial.npy").unlink()
    output, models = tmp_path / "out" / "devi.out", [str(path) for path in files]
    given = ["model-devi", "-m", *models, "-s", str(tmp_path / "data"), "-o", str(output)]
    assert main([*given, "-f", "5", "--atomic", "-S", "set"]) == 0
    lines = output.read_text().splitlines()
    assert [lines[0], lines[8]] == [f"# {system}" for system in systems] and len(lines) == 16
    coord, box = (np.load(systems[0] / "set.000" / f"{name}.npy") for name in ("coord", "box"))
    want = calc_model_devi(coord, box, TYPES, models, frequency=5, atomic=True)
    np.testing.assert_allclose(np.loadtxt(lines[:8]), want, rtol=1e-6)
    assert f"{systems[0]}: 6 frames, largest deviation of a force" in capsys.readouterr().out

    one = ["model-devi", "-m", models[0], *given[given.index("-s") :]]
    assert main(one) == 1
    assert "`models` must be at least two files, got" in capsys.readouterr().err
    assert main([*one, "--real_error"]) == 0
    assert main([*given, "--real_error"]) == 0
    first, second = np.loadtxt(output).reshape(2, 6, 8)
    names = ("energy", "force", "virial")
    energy, force, virial = (np.load(systems[0] / "set.000" / f"{name}.npy") for name in names)
    real = {"energy": energy[:, None] / 6, "force": force.reshape(6, 6, 3), "virial": virial / 6}
    want = calc_model_devi(coord, box, TYPES, models, real_data=real)
    np.testing.assert_allclose(first, want, rtol=1e-5)
    assert np.isnan(second[:, 1:4]).all() and np.isfinite(second[:, 4:]).all()


def test_a_mixed_system(files, tmp_path):
    system = write_system(tmp_path / "mixed")
    types = np.tile(TYPES, (6, 1))
    types[2, 4] = -1
    np.save(system / "set.000" / "real_atom_types.npy", types)
    output, models = tmp_path / "devi.out", [str(path) for path in files]
    given = ["model-devi", "-m", *models, "-s", str(system), "-o", str(output), "--atomic"]
    assert main(given) == 0
    coord, box = (np.load(system / "set.000" / f"{name}.npy") for name in ("coord", "box"))
    want = calc_model_devi(coord, box, types, models, mixed_type=True, atomic=True)
    np.testing.assert_allclose(np.loadtxt(output), want, rtol=1e-6)
    assert np.loadtxt(output)[2, 8 + 4] == 0


def test_pairs_closer_than_the_data_are_told_at_the_end(files, tmp_path, capsys):
    coord = np.tile([0, 0, 0, 0.05, 0, 0, 2, 2, 2, 0, 2, 2, 2, 0, 2, 2, 2, 0], (6, 1))
    system = write_system(tmp_path / "near", coord=coord)
    given = ["-m", *map(str, files[:2]), "-s", str(system), "-o", str(tmp_path / "devi.out")]
    assert main(["model-devi", *given]) == 0
    notes = [line for line in capsys.readouterr().out.splitlines() if line.startswith("note: ")]
    assert [str(path) in note for path, note in zip(files, notes, strict=False)] == [True, True]
    assert all("pairs of A-B closer than" in note for note in notes)
