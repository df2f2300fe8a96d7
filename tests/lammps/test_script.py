"""What a script may say, and the messages where it may not."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import numpy
import numpy as np
import pytest
import tensorflow
from lammps_runs import Lammps, crystal, read_dump, thermo, write_data

import deeptf
from deeptf.infer.deep_pot import DeepPot

GOLDEN = Path(__file__).parents[1] / "golden"
ATOMS = crystal((4, 4, 4))
HEAD = """
units {units}
atom_style {style}
box tilt large
{before}
read_data atoms.data
"""
TAIL = """
mass * 10
neighbor 1.0 bin
thermo_style custom step pe
thermo_modify format float %.16g
dump 1 all custom 1 dump id x y z fx fy fz type
dump_modify 1 format float %.17g
run 0
"""


def script(body: str, before: str = "", units: str = "metal", style: str = "atomic") -> str:
    """Return a script with the lines that a test is about."""
    return HEAD.format(units=units, style=style, before=before) + body + TAIL


def energy_of(model: Path, types: np.ndarray = ATOMS.type) -> float:
    """Return what DeepPot gives for the atoms of those types; -1 is no atom."""
    there = types >= 0
    with DeepPot(model) as pot:
        found = pot.eval(ATOMS.coord[there][None], ATOMS.cell[None], types[there])
    return found[0].item()


def energy(printed: str) -> float:
    return thermo(printed)[-1, 1]


@pytest.fixture
def folder(tmp_path: Path, models: list[Path]) -> Path:
    """Return a folder with atoms.data and the models a.pb, b.pb and short.pb."""
    write_data(ATOMS, tmp_path / "atoms.data")
    for name, path in zip(("a.pb", "b.pb", "short.pb"), models, strict=True):
        (tmp_path / name).symlink_to(path)
    return tmp_path


@pytest.mark.parametrize(
    ("names", "types"), [("", [0, 1]), ("B A", [1, 0]), ("A A", [0, 0]), ("NULL A", [-1, 0])]
)
def test_names_of_types(
    names: str, types: list[int], lammps: Lammps, models: list[Path], folder: Path
) -> None:
    printed = lammps.run(script(f"pair_style deeptf a.pb\npair_coeff * * {names}"), folder)
    assert energy(printed) == pytest.approx(energy_of(models[0], np.array(types)[ATOMS.type]))


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("", "the pair style must be followed by a model file, got none"),
        ("none.pb", "model file none.pb must be readable: No such file or directory"),
        ("atoms.data", "atoms.data"),
        (
            "a.pb outfile x",
            "No such file or directory; it is no keyword either, which are aparam, ",
        ),
        ("a.pb out_freq", "`out_freq` must be followed by a value, got none"),
        ("a.pb out_freq -1", "`out_freq` must be a whole number of at least 0, got -1"),
        ("a.pb threads 1.5", "`threads` must be a whole number of at least 1, got 1.5"),
        ("a.pb relative x", "`relative` must be a number of at least 0, got x"),
        ("a.pb atomic b.pb", "must be one of aparam, aparam_from_compute, atomic, fparam, "),
        ("a.pb atomic b.pb", "relative_v, threads, ttm, got b.pb (model files come first)"),
        ("a.pb ttm x", "`aparam` must be left out for this model, got ttm x"),
        ("a.pb short.pb", None),
        ("short.pb a.pb", "must have the types (A B) and parameters of the first model and no la"),
        ("a.pb b.pb out_file none/out", "`out_file` none/out must be writable: No such file"),
        ("a.pb fparam 1", "`fparam` must be left out for this model, got fparam with 1"),
        ("a.pb aparam_from_compute x", "`aparam` must be left out for this model, got aparam_f"),
        (
            "a.pb fparam 1 fparam_from_fix x",
            "`fparam_from_fix` must be the only source of its parameters, got `fparam` too",
        ),
        ("a.pb fparam", "`fparam` must be followed by a value, got none"),
    ],
)
def test_words_of_the_pair_style(
    words: str, message: str | None, lammps: Lammps, folder: Path
) -> None:
    text = script(f"pair_style deeptf {words}\npair_coeff * *")
    if message is None:
        lammps.run(text, folder)
    else:
        assert message in lammps.message(text, folder)


def test_deviations_are_of_several_models(lammps: Lammps, folder: Path) -> None:
    warning = "WARNING: `out_file` and `out_freq` have no effect with one model"
    for words, told in (
        ("a.pb out_freq 10", True),
        ("a.pb", False),
        ("a.pb b.pb out_freq 1", False),
    ):
        printed = lammps.run(script(f"pair_style deeptf {words}\npair_coeff * *"), folder)
        assert (warning in printed) == told


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("* * A", "`pair_coeff` must give a name for each of the 2 atom types, got 1"),
        ("* * A C", "must name types of model a.pb (A B) or NULL, got C"),
        ("1 2 A B", "Pair_coeff must start with * * for pair style deeptf"),
    ],
)
def test_words_of_pair_coeff(words: str, message: str, lammps: Lammps, folder: Path) -> None:
    text = script(f"pair_style deeptf a.pb\npair_coeff {words}")
    assert message in lammps.message(text, folder)


def test_more_atom_types_than_the_model_has(lammps: Lammps, folder: Path) -> None:
    body = "pair_style deeptf a.pb\npair_coeff * *"
    text = script(body).replace("read_data atoms.data", "read_data atoms.data extra/atom/types 1")
    assert (
        "`pair_coeff` must be followed by a name for each of the 3 atom types, since model "
        "a.pb has 2 (A B), got none"
    ) in lammps.message(text, folder)


def test_models_of_deepmd_kit(lammps: Lammps, folder: Path) -> None:
    """Converted by the plugin, or beforehand; else a message says how."""
    (folder / "old.pb").write_bytes(gzip.decompress((GOLDEN / "switch_6.pb.gz").read_bytes()))
    text = script("pair_style deepmd old.pb\npair_coeff * *")
    message = lammps.message(text, folder, 2)
    assert message.startswith(
        "ERROR: model file old.pb is one of deepmd-kit and must be converted, which failed (deeptf "
        "convert: error: "
    )  # numpy may be missing there as well as TensorFlow
    assert "must be installed, got none: pip install 'deeptf[cpu]'" in message
    assert "run `deeptf convert old.pb old.deeptf.pb` once where deeptf has Tens" in message
    packages = [Path(module.__file__).parents[1] for module in (deeptf, numpy, tensorflow)]
    variables = {"PYTHONPATH": ":".join(map(str, packages))}
    variables["LAMMPS_PLUGIN_PATH"] = str(lammps.folder)
    first = lammps.run(text, folder, 2, variables=variables)
    assert "Model old.pb of deepmd-kit was converted: old.deeptf.pb is used\n" in first
    again = lammps.run(text, folder)
    expected = energy_of(folder / "old.deeptf.pb")
    assert energy(first) == pytest.approx(expected) and energy(again) == pytest.approx(expected)


def test_units_lj(lammps: Lammps, folder: Path) -> None:
    text = script("pair_style deeptf a.pb\npair_coeff * *", units="lj")
    message = lammps.message(text, folder)
    assert "`units` must be metal, real or others with an angstrom, got lj" in message


def test_neighbours_of_a_group(lammps: Lammps, folder: Path) -> None:
    body = "pair_style deeptf a.pb\npair_coeff * *\ngroup some id 1:9\natom_modify first some\n"
    message = lammps.message(script(body + "neigh_modify include some"), folder)
    assert "`neigh_modify include` must be `all`: the model needs the neighbours of al" in message


BONDS = """
pair_style deeptf a.pb
pair_coeff * *
bond_style zero
bond_coeff *
create_bonds many all all 1 1.0 2.6
{}
"""


def test_bonded_neighbours(lammps: Lammps, models: list[Path], folder: Path) -> None:
    write_data(ATOMS, folder / "atoms.data", "full")
    extra = "extra/bond/types 1 extra/bond/per/atom 12 extra/special/per/atom 64"
    text = script(BONDS, style="full").replace("atoms.data", f"atoms.data {extra}")
    assert (
        "`special_bonds` must keep bonded neighbours, which the model needs too: add the line "
        "`special_bonds lj/coul 1 1 1` to the script"
    ) in lammps.message(text.format(""), folder)
    for kept in ("special_bonds lj/coul 1 1 1", "special_bonds lj/coul 1e-20 1e-20 0.5"):
        printed = lammps.run(text.format(kept), folder)
        assert energy(printed) == pytest.approx(energy_of(models[0]), abs=1e-9)


@pytest.mark.parametrize("style", ["full", "charge"])
def test_atom_styles_without_bonds(
    style: str, lammps: Lammps, models: list[Path], folder: Path
) -> None:
    write_data(ATOMS, folder / "atoms.data", style)
    body = "pair_style deeptf a.pb\npair_coeff * *\natom_modify sort 0 0\ncomment on"
    body = body.replace("comment on", "thermo_modify lost ignore")
    printed = lammps.run(script(body, style=style), folder)
    assert energy(printed) == pytest.approx(energy_of(models[0]))


@pytest.mark.parametrize("newton", ["on", "off"])
def test_two_models_overlaid(newton: str, lammps: Lammps, models: list[Path], folder: Path) -> None:
    """Each with its types and cut-off, and what `compute pair` says of each."""
    body = """
pair_style hybrid/overlay deeptf a.pb deeptf short.pb
pair_coeff * * deeptf 1 A B
pair_coeff * * deeptf 2 NULL A
compute one all pair deeptf 1
compute two all pair deeptf 2
compute each all centroid/stress/atom NULL pair
compute sum all reduce sum c_each[*]
compute all all pressure NULL pair
variable trace equal (c_sum[1]+c_sum[2]+c_sum[3])/vol/3+c_all
"""
    text = script(body, before=f"newton {newton}")
    text = text.replace("step pe", "step pe c_one c_two v_trace c_all")
    printed = lammps.run(text, folder, 2)
    second = ATOMS.type == 1
    expected = energy_of(models[0]), energy_of(models[2], np.where(second, 0, -1))
    *found, difference, pressure = thermo(printed)[-1, 1:]
    np.testing.assert_allclose(found, [sum(expected), *expected], atol=1e-9)
    assert abs(difference) < 1e-9 * abs(pressure)
    with DeepPot(models[0]) as first, DeepPot(models[2]) as other:
        force = first.eval(ATOMS.coord[None], ATOMS.cell[None], ATOMS.type)[1][0]
        types = np.zeros(second.sum(), int)
        force[second] += other.eval(ATOMS.coord[second][None], ATOMS.cell[None], types)[1][0]
    (dump,) = read_dump(folder / "dump")
    np.testing.assert_allclose(dump[:, 4:7], force, rtol=0, atol=1e-9)


def test_beside_another_style(lammps: Lammps, models: list[Path], folder: Path) -> None:
    body = """
pair_style hybrid deeptf a.pb zero 3.0
pair_coeff * * deeptf NULL A
pair_coeff 1 * zero
"""
    printed = lammps.run(script(body), folder)
    assert energy(printed) == pytest.approx(energy_of(models[0], np.where(ATOMS.type == 1, 0, -1)))


def test_scaled_by_fix_adapt(lammps: Lammps, models: list[Path], folder: Path) -> None:
    body = """
pair_style deeptf a.pb
pair_coeff * *
variable half equal 0.5
fix 1 all adapt 1 pair deeptf scale * * v_half
"""
    printed = lammps.run(script(body), folder)
    assert energy(printed) == pytest.approx(0.5 * energy_of(models[0]))


def test_another_model_later(lammps: Lammps, models: list[Path], folder: Path) -> None:
    """The same style again, restarts and reruns."""
    text = script("pair_style deeptf a.pb\npair_coeff * *")
    text += "write_restart all.restart\npair_style deeptf b.pb\npair_coeff * * B A\nrun 0\n"
    printed = lammps.run(text, folder)
    assert energy(printed) == pytest.approx(energy_of(models[1], 1 - ATOMS.type))
    (folder / "dump").rename(folder / "old")
    again = "read_restart all.restart\npair_style deeptf a.pb\npair_coeff * *" + TAIL
    rerun = "rerun old every 1 dump x y z"
    printed = lammps.run("units metal\n" + again.replace("run 0", rerun), folder)
    assert len(thermo(printed)) == 1
    assert energy(printed) == pytest.approx(energy_of(models[0]))


@pytest.mark.parametrize("ranks", [1, 2])
def test_atoms_at_one_place(ranks: int, lammps: Lammps, folder: Path) -> None:
    body = "pair_style deeptf a.pb\npair_coeff * *\nset atom 60 x 1.0 y 1.0 z 1.0\n"
    body += "set atom 64 x 1.0 y 1.0 z 1.0"
    done = lammps.start(script(body), folder, ranks)
    assert done.returncode
    message = re.search(r"ERROR.*: step 0, model a.pb: .*", done.stdout + done.stderr)[0]
    assert "at least 1e-6 A long, got [0.000000, 0.000000, 0.000000] from atom 6" in message
    assert re.findall(r"atom (\d+)", message) in (["60", "64"], ["64", "60"])


def test_the_restart_needs_the_style_again(lammps: Lammps, folder: Path) -> None:
    lammps.run(script("pair_style deeptf a.pb\npair_coeff * *") + "write_restart r\n", folder)
    assert "ERROR" in lammps.message("units metal\nread_restart r\nrun 0\n", folder)
    assert read_dump(folder / "dump")
