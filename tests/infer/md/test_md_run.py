"""Runs of molecular dynamics: files, resuming after a kill, explosions, messages."""

import warnings

import numpy as np
import pytest
from ase import Atoms
from ase.io import read, write
from md_runs import columns, settings, write_cluster
from small_network import write_network

from deeptf.infer import DeepPot
from deeptf.infer.md import run as run_module
from deeptf.infer.md.run import run
from deeptf.infer.md.settings import ENSEMBLES, Settings

NAMES = ("H", "He")


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return write_network(tmp_path_factory.mktemp("md") / "model.pb", names=NAMES)


@pytest.fixture
def structure(tmp_path):
    return write_cluster(tmp_path)


def test_files_of_a_run(model, structure, tmp_path, capsys):
    output = tmp_path / "new" / "run"
    run(structure, [model], str(output), settings("nve", temperature=50.0))
    log = columns(output.with_suffix(".log"))
    assert list(log["step"]) == [0, 2, 4, 6, 8, 10, 12]
    np.testing.assert_allclose(log["time"], log["step"] * 0.0005)
    assert log["temperature"][0] == pytest.approx(50.0)
    assert np.abs(log["drift"]).max() < 0.1 and np.isnan(log["deviation"]).all()
    frames = read(output.with_suffix(".extxyz"), ":")
    assert [atoms.info["step"] for atoms in frames] == [0, 4, 8, 12]
    with DeepPot(model) as pot:
        last = frames[-1]
        found = pot.eval(last.positions, last.cell[:], last.numbers - 1)
    assert log["potential"][-1] == pytest.approx(found[0].item(), abs=1e-6)
    np.testing.assert_allclose(last.get_forces(), found[1][0], atol=1e-6)
    assert last.get_kinetic_energy() == pytest.approx(log["total"][-1] - log["potential"][-1])
    said = capsys.readouterr().out.splitlines()
    assert said[0].startswith("step       0 | starting | left ? | T 50.0 K | p ")
    assert "drift" in said[-1] and said[-1].startswith("step      12 |")


@pytest.mark.parametrize(("ensemble", "last"), [*((e, 7) for e in ENSEMBLES), ("nvt", 2)])
def test_a_killed_run_resumes_bit_for_bit(model, structure, tmp_path, monkeypatch, ensemble, last):
    """Frames are written every 4 steps: the state is that of step 4, or of the start."""
    told = settings(ensemble, temperature=50.0, tdamp=5.0, pdamp=20.0)
    run(structure, [model], str(tmp_path / "whole"), told)
    left = [last]

    def kill(atoms, timestep):
        left[0] -= 1
        if not left[0]:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(run_module, "check_step", kill)
        with pytest.raises(KeyboardInterrupt):
            run(structure, [model], str(tmp_path / "killed"), told)
    for end in ("log", "extxyz"):
        with open(tmp_path / f"killed.{end}", "a") as stream:
            stream.write("half a li")
    run(structure, [model], str(tmp_path / "killed"), told, restart=True)
    for end in ("log", "extxyz"):
        one, other = ((tmp_path / f"{name}.{end}").read_bytes() for name in ("whole", "killed"))
        assert one == other


def test_a_run_gets_more_steps(model, structure, tmp_path):
    run(structure, [model], str(tmp_path / "whole"), settings("nvt"), restart=True)  # begins
    run(structure, [model], str(tmp_path / "part"), settings("nvt", steps=8))
    run(structure, [model], str(tmp_path / "part"), settings("nvt"), restart=True)
    assert (tmp_path / "part.log").read_text() == (tmp_path / "whole.log").read_text()


def test_velocities_of_the_file_are_kept(model, structure, tmp_path):
    run(structure, [model], str(tmp_path / "a"), settings("nve"))
    write(tmp_path / "last.extxyz", read(tmp_path / "a.extxyz", -1))
    run(tmp_path / "last.extxyz", [model], str(tmp_path / "b"), settings("nve", temperature=9.0))
    one, other = (columns(tmp_path / f"{name}.log")["temperature"] for name in "ab")
    assert other[0] == pytest.approx(one[-1], abs=1e-3)


def test_a_supercell(model, structure, tmp_path):
    """Of twice the energy, and with velocities of its own: copies would move alike for ever."""
    start = read(structure)
    start.set_velocities(np.random.default_rng(0).normal(0, 0.01, (len(start), 3)))
    write(tmp_path / "moving.extxyz", start)
    run(structure, [model], str(tmp_path / "one"), settings("nve"))
    output = str(tmp_path / "two")
    run(tmp_path / "moving.extxyz", [model], output, settings("nve"), supercell=(1, 2, 1))
    one, two = (read(tmp_path / f"{name}.extxyz", 0) for name in ("one", "two"))
    assert two.get_potential_energy() == pytest.approx(2 * one.get_potential_energy())
    np.testing.assert_allclose(two.cell, one.cell[:] * [[1], [2], [1]])
    assert columns(tmp_path / "two.log")["temperature"][0] == pytest.approx(300.0)
    assert np.abs(two.get_momenta()[:8] - two.get_momenta()[8:]).max() > 0.1
    more = settings("nve", steps=20)
    assert "`supercell` must be those of the run" in message(
        structure, [model], output, more, restart=True
    )
    run(structure, [model], output, more, restart=True, supercell=(1, 2, 1))


def test_deviation_of_models_and_pairs_outside(model, structure, tmp_path, capsys):
    second = write_network(tmp_path / "second.pb", seed=2, names=NAMES)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        run(structure, [model, second], str(tmp_path / "run"), settings("nve", steps=4))
    log = columns(tmp_path / "run.log")
    first = read(tmp_path / "run.extxyz", 0)
    force = []
    for path in (model, second):
        with DeepPot(path) as pot:
            force.append(pot.eval(first.positions, first.cell[:], first.numbers - 1)[1][0])
    spread = np.sqrt(((force - np.mean(force, axis=0)) ** 2).sum(axis=2).mean(axis=0))
    assert log["deviation"][0] == pytest.approx(spread.max(), rel=1e-5)
    assert "| deviation " in capsys.readouterr().out


def test_an_explosion_stops_with_step_and_atoms(model, structure, tmp_path):
    with pytest.raises(ValueError, match=r"^step 1: atoms must stay together, got \d of 8 that"):
        run(structure, [model], str(tmp_path / "run"), settings("nve", temperature=1e7))
    assert len(columns(tmp_path / "run.log")["step"]) == 1


def test_a_thermostat_that_overflows_says_no_more_than_that(model, structure, tmp_path):
    with warnings.catch_warnings(), pytest.raises(ValueError, match="must stay together, got "):
        warnings.simplefilter("error", RuntimeWarning)
        run(structure, [model], str(tmp_path / "run"), settings("nvt", timestep=500.0, steps=50))


def message(*arguments, **others):
    with pytest.raises((ValueError, OSError)) as error:
        run(*arguments, **others)
    return str(error.value)


def test_wrong_structures(model, structure, tmp_path):
    def of(name, atoms=None, ensemble="nvt"):
        if atoms is not None:
            write(tmp_path / name, atoms)
        return message(tmp_path / name, [model], str(tmp_path / "run"), settings(ensemble))

    assert "no such structure file" in of("none.xyz")
    (tmp_path / "text.xyz").write_text("what\n")
    assert "`structure` must be a file that ASE reads, got" in of("text.xyz")
    found = of("cu.xyz", Atoms("HCu", [[0, 0, 0], [0, 0, 2.0]]))
    assert f"elements of the model {model} (H He), got Cu in" in found
    pair = Atoms("H2", [[0, 0, 0], [0, 0, 0.1]])
    assert "got 1 overlapping pairs in" in of("pair.xyz", pair)
    assert "H 0 and H 1 (0.100 A)" in of("pair.xyz")
    slab = Atoms("H2", [[0, 0, 0], [0, 0, 1]], cell=[3, 3, 9], pbc=[True, True, False])
    write(tmp_path / "slab.xyz", slab)
    for supercell, part in (
        ((1, 1, 2), "repeat periodic directions only, got [1, 1, 2] for pbc [True, True, False]"),
        ((0, 1, 1), "be three numbers of copies, at least 1, got [0, 1, 1]"),
    ):
        again = tmp_path / "slab.xyz", [model], str(tmp_path / "run"), settings()
        assert f"`supercell` must {part}" in message(*again, supercell=supercell)
    found = of("open.xyz", Atoms("H2", [[0, 0, 0], [0, 0, 1]]), "npt")
    assert "three periodic directions for a constant pressure (npt), got pbc [False" in found
    assert not list(tmp_path.glob("run.*"))


def test_wrong_output_and_restart(model, structure, tmp_path):
    output = str(tmp_path / "run")
    run(structure, [model], output, settings("nve"))
    again = structure, [model], output
    assert "run.extxyz, which exists; --restart goes on with it" in message(*again, settings("nve"))
    found = message(*again, settings("nve", steps=20, timestep=1.0), restart=True)
    assert "`timestep` must be 0.5 as in the run of" in found and "got 1.0" in found
    assert "`steps` must be more than the 12 that" in message(*again, settings("nve"), restart=True)
    more = settings("nve", steps=20)
    other = write_cluster(tmp_path, 7)
    assert "got other atoms in" in message(other, [model], output, more, restart=True)
    write_cluster(tmp_path)
    (tmp_path / "run.log").write_text("")
    assert "got a file that is shorter or missing" in message(*again, more, restart=True)
    (tmp_path / "run.restart").write_text("what")
    assert "must be the state of a run, got another" in message(*again, more, restart=True)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ensemble", "nvp"),
        ("timestep", 0.0),
        ("tdamp", -1.0),
        ("temperature", 0.0),
        ("temperature", float("nan")),
        ("pressure", float("inf")),
        ("log_every", 0),
        ("steps", -1),
    ],
)
def test_wrong_settings(name, value):
    with pytest.raises(ValueError, match=f"`{name}` must be .*, got {value!r}"):
        Settings(**{"steps": 1, name: value})
