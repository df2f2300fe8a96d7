"""`deeptf test`: sums of errors, detail files, choice of frames, parity plot."""

import numpy as np
import pytest
import toy
from small_run import write_system

import deeptf.infer.test as module
from deeptf.infer import DeepPot
from deeptf.properties import labelled

run = module.test
QUANTITIES = module.quantities(labelled(toy.OUTPUTS))


@pytest.fixture
def system(tmp_path):
    return write_system(tmp_path / "data" / "a")


def read(system):
    """Return coordinates, cells and labels of a system of small_run."""
    names = ("coord", "box", "energy", "force", "virial")
    return [np.load(system / "set.000" / f"{name}.npy") for name in names]


def expected(model_file, system):
    """Return differences of energy [n], force [n, 18] and virial [n, 9]."""
    coord, box, energy, force, virial = read(system)
    with DeepPot(model_file) as pot:
        e, f, v = pot.eval(coord, box, [0, 1, 1, 0, 1, 1])
    return e[:, 0] - energy, f.reshape(len(f), -1) - force, v - virial


def test_errors_of_one_system(network_file, system, capsys):
    errors = run(network_file, str(system))
    de, df, dv = expected(network_file, system)
    wanted = [("e", de), ("e_peratom", de / 6), ("f", df), ("v", dv)]
    for suffix, difference in [*wanted, ("v_peratom", dv / 6)]:
        assert errors[suffix].mae == pytest.approx(np.abs(difference).mean())
        assert errors[suffix].rmse == pytest.approx(np.sqrt((difference**2).mean()))
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"{system}: 6 frames"
    assert lines[1].split() == ["MAE", "RMSE"]
    rows = [line.split() for line in lines[2:]]
    assert [row[-1] for row in rows] == ["eV", "eV/atom", "eV/A", "eV", "eV/atom"]
    assert float(rows[2][2]) == pytest.approx(errors["f"].rmse, rel=1e-6)


def test_model_without_names_takes_types_by_number(system, tmp_path, capsys):
    named, unnamed = (
        toy.write(tmp_path / f"{''.join(names)}.pb", metadata={"type_map": names})
        for names in (["A", "B"], ["0", "1"])
    )
    want = run(named, str(system))
    capsys.readouterr()
    assert run(unnamed, str(system))["e"].mae == want["e"].mae
    assert "note: the model has no names of its types: those of the" in capsys.readouterr().out


def test_systems_are_weighted_by_their_size(network_file, system, capsys):
    second = write_system(system.parent / "b", frames=2, seed=5)
    total = run(network_file, str(system.parent))
    joined = [
        np.concatenate(pair)
        for pair in zip(*(expected(network_file, s) for s in (system, second)), strict=True)
    ]
    assert total["e"].rmse == pytest.approx(np.sqrt((joined[0] ** 2).mean()))
    assert total["f"].mae == pytest.approx(np.abs(joined[1]).mean())
    assert total.num_frames == 8
    assert "all 2 systems, weighted by their size: 8 frames" in capsys.readouterr().out


def test_small_batches_change_nothing(network_file, system, monkeypatch):
    want = run(network_file, str(system))
    monkeypatch.setattr("deeptf.infer.systems.BATCH_ATOMS", 13)
    got = run(network_file, str(system))
    assert got["f"].rmse == pytest.approx(want["f"].rmse, rel=1e-12)


def test_detail_files(network_file, system, tmp_path):
    second = write_system(system.parent / "b", frames=2, seed=5)
    prefix = tmp_path / "new folder" / "detail"
    run(network_file, [str(system), str(second)], detail=prefix)
    names = sorted(path.name for path in prefix.parent.iterdir())
    assert names == [f"detail.{n}.out" for n in ("e", "e_peratom", "f", "v", "v_peratom")]
    text = (prefix.parent / "detail.f.out").read_text().splitlines()
    header = "data_fx data_fy data_fz pred_fx pred_fy pred_fz"
    assert [line for line in text if line.startswith("#")] == [
        f"# {system}: {header}",
        f"# {second}: {header}",
    ]
    shapes = {"e": (8, 2), "e_peratom": (8, 2), "f": (48, 6), "v": (8, 18), "v_peratom": (8, 18)}
    table = {name: np.loadtxt(f"{prefix}.{name}.out") for name in shapes}
    assert {name: value.shape for name, value in table.items()} == shapes
    _, _, energy, force, virial = read(system)
    de, df, dv = expected(network_file, system)
    np.testing.assert_allclose(table["e"][:6], np.stack([energy, energy + de], 1), rtol=1e-12)
    np.testing.assert_allclose(table["e_peratom"], table["e"] / 6, rtol=1e-12)
    np.testing.assert_allclose(table["f"][:36, :3], force.reshape(-1, 3), rtol=1e-12)
    np.testing.assert_allclose(table["f"][:36, 3:], (force + df).reshape(-1, 3), atol=1e-11)
    np.testing.assert_allclose(table["v"][:6, 9:], virial + dv, atol=1e-11)


def test_nothing_is_written_when_a_later_system_fails(network_file, system, tmp_path):
    broken = write_system(system.parent / "b", energy=np.full(6, np.nan))
    with pytest.raises(ValueError, match="energy.npy: frame 0.* must be a finite number"):
        run(network_file, [str(system), str(broken)], detail=tmp_path / "out" / "detail")
    assert not list((tmp_path / "out").iterdir())


def test_missing_labels(network_file, system, capsys, tmp_path):
    for name in ("virial", "energy"):
        (system / "set.000" / f"{name}.npy").unlink()
    errors = run(network_file, str(system), detail=tmp_path / "detail")
    assert errors["v"].count == 0 and np.isnan(errors["v"].rmse)
    assert errors["f"].count == 6 * 18
    assert capsys.readouterr().out.count("no labels") == 4
    assert [path.name for path in tmp_path.glob("detail*")] == ["detail.f.out"]
    (system / "set.000" / "force.npy").unlink()
    with pytest.raises(ValueError, match="must hold labels .* got none in .*data/a"):
        run(network_file, str(system))


def test_atomic_energies(network_file, system, capsys):
    np.save(system / "set.000" / "atom_ener.npy", np.zeros((6, 6)))
    errors = run(network_file, str(system), atomic=True)
    coord, box, *_ = read(system)
    with DeepPot(network_file) as pot:
        atom_energy = pot.eval(coord, box, [0, 1, 1, 0, 1, 1], atomic=True)[3]
    assert errors["ae"].mae == pytest.approx(np.abs(atom_energy).mean())
    assert "atomic energy" in capsys.readouterr().out


def test_choice_of_frames(network_file, system):
    de = expected(network_file, system)[0]
    assert run(network_file, str(system), 2)["e"].mae == pytest.approx(np.abs(de[:2]).mean())
    assert run(network_file, str(system), 99)["e"].count == 6
    found = [
        run(network_file, str(system), 2, shuffle=True, seed=seed)["e"].mae for seed in (1, 1, 2)
    ]
    assert found[0] == found[1] != found[2]
    with pytest.raises(ValueError, match="`num_frames` must be at least 0"):
        run(network_file, str(system), -1)


def test_frame_that_the_model_refuses_is_named(network_file, system):
    coord = np.load(system / "set.000" / "coord.npy")
    coord[4, 3:6] = coord[4, 0:3]
    np.save(system / "set.000" / "coord.npy", coord)
    with pytest.raises(ValueError, match=r"frame 4.*; that is frame 4 of system .*data/a"):
        run(network_file, str(system))


def test_plot(network_file, system, tmp_path):
    pytest.importorskip("matplotlib")
    path = tmp_path / "parity.png"
    run(network_file, str(system), plot=path)
    assert path.read_bytes().startswith(b"\x89PNG")
    with pytest.raises(ValueError, match="`plot` must be the name of a .png file, got parity.pdf"):
        run(network_file, str(system), plot="parity.pdf")


def test_panels_of_a_plot(tmp_path, monkeypatch):
    """A panel for each quantity with data, and energies shifted to their mean."""
    figure = pytest.importorskip("matplotlib.figure").Figure
    drawn = []
    monkeypatch.setattr(figure, "savefig", lambda self, *_, **__: drawn.append(self))
    energy, per_atom, force, *_ = QUANTITIES
    plot = module.ParityPlot(QUANTITIES)
    label = np.array([[-4.0], [-2.0]])
    plot.add(per_atom, label, label + [[0.3], [0.4]])
    plot.add(energy, label, label)
    for shift in (0.0, 0.5):
        plot.add(force, np.full((40_000, 3), shift), np.full((40_000, 3), shift + 0.25))
    plot.write(tmp_path / "parity.png")
    energy, force = drawn[0].axes
    assert energy.get_title() == "energy per atom, zero at -3.000\nRMSE 0.354 eV/atom"
    assert force.get_title() == "force\nRMSE 0.25 eV/A"
    assert energy.get_xlabel() == "label (eV/atom)"
    assert energy.get_ylabel() == "prediction (eV/atom)"
    points, diagonal = (np.array(line.get_data()) for line in energy.lines)
    np.testing.assert_allclose(points, [[-1.0, 1.0], [-0.7, 1.4]], atol=1e-12)
    np.testing.assert_allclose(diagonal, [[-1.0, 1.4]] * 2, atol=1e-12)
    points, diagonal = (np.array(line.get_data()) for line in force.lines)
    assert points.shape == (2, 80_000)  # every third of 240,000
    np.testing.assert_allclose(diagonal, [[0.0, 0.75]] * 2)


def test_plot_without_matplotlib(network_file, system, tmp_path, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ValueError, match=r"matplotlib, got none: pip install 'deeptf\[plot\]'"):
        run(network_file, str(system), plot=tmp_path / "parity.png")


def test_list_of_systems(tmp_path):
    path = tmp_path / "list.txt"
    path.write_text("# comment\ndata/a\n\n data.hdf5#/b  # the second\n")
    assert module.read_list(path) == ["data/a", "data.hdf5#/b"]
    path.write_text("# nothing\n")
    with pytest.raises(ValueError, match="must name at least one system, got none in .*list.txt"):
        module.read_list(path)
    with pytest.raises(
        ValueError, match="`datafile` must be a text file with a .*none.txt: No such file"
    ):
        module.read_list(tmp_path / "none.txt")
