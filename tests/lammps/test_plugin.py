"""The plugin itself: what it exports and loads, for which LAMMPS it is, and its other name."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from lammps_runs import ENTRY_POINTS, Lammps

ROOT = Path(__file__).parents[2]
STYLES = "info styles pair\n"


def has_style(printed: str, name: str) -> bool:
    return name in printed.split("Pair styles:")[1].split("Info-")[0].split()


def test_one_function_is_exported(lammps: Lammps) -> None:
    run = subprocess.run(["nm", "-D", "--defined-only", lammps.plugin], capture_output=True)
    names = [line.split()[2] for line in run.stdout.decode().splitlines() if " T " in line]
    assert names == ["lammpsplugin_init"]
    run = subprocess.run(["readelf", "-d", lammps.plugin], capture_output=True, text=True)
    needed = [line.split("[")[1][:-1] for line in run.stdout.splitlines() if "(NEEDED)" in line]
    assert "libdeeptf_engine.so" in needed
    assert not [name for name in needed if "mpi" in name or "lammps" in name]


def test_what_the_process_maps(lammps: Lammps, models: list[Path], tmp_path: Path) -> None:
    """Neither TensorFlow nor Python."""
    script = f"pair_style deeptf {models[0]}\npair_coeff * *\nrun 0\n"
    head = "units metal\nregion b block 0 9 0 9 0 9\ncreate_box 2 b\nmass * 1\n"
    printed = lammps.run(head + script + 'shell "cat /proc/$PPID/maps"\n', tmp_path)
    assert "libdeeptf_core" in printed and "liblammps" in printed
    assert "libtensorflow" not in printed and "libpython" not in printed


def test_a_start_without_the_plugin(lammps: Lammps, tmp_path: Path) -> None:
    """The entry point names a folder that is there."""
    group, line = ENTRY_POINTS.replace("[lammps.", '[project.entry-points."lammps.').splitlines()
    group, line = group.replace("]", '"]'), line.replace("= ", '= "') + '"'
    assert f"{group}\n{line}\n" in (ROOT / "pyproject.toml").read_text()
    site = tmp_path / "site"
    ignored = shutil.ignore_patterns("deeptfplugin.so")
    shutil.copytree(lammps.site, site, ignore=ignored)
    other = Lammps(lammps.bin.parent, site)
    printed = other.run(STYLES, tmp_path)
    assert f"Loaded 0 plugins from {other.folder}" in printed
    assert not has_style(printed, "deeptf")
    imported = "import sys; from deeptf.lammps import plugin_folder; plugin_folder()\n"
    heavy = "print(sorted({'numpy', 'tensorflow', 'subprocess', 'deeptf.ops'} & set(sys.modules)))"
    assert other.python("-c", imported + heavy).stdout == "[]\n"


@pytest.mark.skipif(shutil.which("cmake") is None, reason="cmake is not installed")
def test_cmake_asks_lammps_what_it_is(lammps: Lammps, tmp_path: Path) -> None:
    def configured(*words: str) -> str:
        command = ["cmake", "-S", str(lammps.folder / "source"), "-B", str(tmp_path / "build")]
        command += [f"-Ddeeptf_DIR={lammps.site / 'deeptf' / 'cmake'}", *words]
        done = subprocess.run(command, env=lammps.variables, capture_output=True, text=True)
        return done.stdout + done.stderr

    assert "LAMMPS_INCLUDE must be the folder of pair.h, got" in configured()
    headers = next(lammps.bin.parent.glob("lib/python*/site-packages/lammps/include/lammps"))
    words = f"-DLAMMPS_INCLUDE={headers}", f"-DMPI_CXX_COMPILER={lammps.bin / 'mpicxx'}"
    assert "must be LAMMPS, got `/bin/true`" in configured(*words, "-DLAMMPS_EXECUTABLE=/bin/true")
    printed = configured(*words, f"-DLAMMPS_EXECUTABLE={lammps.bin / 'lmp'}")
    assert "pair_style deeptf for LAMMPS stable_22Jul2025_update4 -DLAMMPS_SMALLBIG\n" in printed


@pytest.mark.parametrize("ranks", [1, 2])
def test_another_lammps(ranks: int, lammps: Lammps, tmp_path: Path) -> None:
    """A plugin that was compiled for it is left alone, and said once."""
    content = lammps.plugin.read_bytes()
    at = content.index(b"deeptf-lammps|stable_")
    changed = content[:at] + content[at:].replace(b"|stable_", b"|staple_", 1)
    (tmp_path / "otherplugin.so").write_bytes(changed)
    shutil.copy(lammps.site / "deeptf" / "libdeeptf_engine.so", tmp_path)
    program = lammps.bin.parent / "lib"
    variables = {"PYTHONPATH": "", "LAMMPS_PLUGIN_PATH": str(tmp_path)}
    variables["LD_LIBRARY_PATH"] = f"{lammps.site / 'deeptf'}:{program}"
    printed = lammps.run(STYLES, tmp_path, ranks, variables=variables)
    message = "deeptf: pair style deeptf is not there: LAMMPS must be staple_"
    assert printed.count(message) == 1
    assert not has_style(printed, "deeptf")


@pytest.mark.parametrize("name", ["libdeepmd_lmpplugin.so", "dpplugin.so"])
def test_beside_the_plugin_of_deepmd_kit(name: str, lammps: Lammps, tmp_path: Path) -> None:
    """Its pair style keeps its name."""
    assert has_style(lammps.run(STYLES, tmp_path), "deepmd")
    (tmp_path / name).touch()
    printed = lammps.run(STYLES, tmp_path, variables={"LAMMPS_PLUGIN_PATH": str(tmp_path)})
    assert has_style(printed, "deeptf") and not has_style(printed, "deepmd")
