"""The built engine, and programs compiled against it, for tests."""

from __future__ import annotations

import ctypes
import gzip
import shutil
import subprocess
from pathlib import Path

import pytest

from deeptf.ops import library as op_library
from deeptf.ops.library import CORES, ENGINE_CUDA

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent
EXAMPLE = ROOT / "examples" / "engine"
FOLDER = op_library.FOLDER
(ENGINE,) = FOLDER.glob("libdeeptf_engine.*")


def open_engine(path: Path) -> ctypes.CDLL:
    """Load an engine by itself, whichever others are in the process."""
    engine = ctypes.CDLL(str(path))
    for name in ("deeptf_version", "deeptf_last_error"):
        getattr(engine, name).restype = ctypes.c_char_p
    return engine


def engine_on_gpu(folder: Path, kernels: Path) -> Path:
    """Copy the engine into a folder, with kernels for GPUs beside it; return its path."""
    for part in (ENGINE, *FOLDER.glob(CORES)):
        shutil.copy(part, folder)
    shutil.copy(kernels, folder / ENGINE_CUDA)
    return folder / ENGINE.name


def program(name: str) -> str:
    """Return the path of a program, or skip the test."""
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not installed")
    return found


def run(*command: object, **options: object) -> subprocess.CompletedProcess:
    """Run a command that must succeed."""
    done = subprocess.run(
        [str(word) for word in command], capture_output=True, text=True, **options
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done


def link_options(library: Path) -> list[str]:
    """Return what links a program with the engine in a folder, where the program finds it."""
    return [f"-I{FOLDER / 'include'}", f"-L{library}", "-ldeeptf_engine", f"-Wl,-rpath,{library}"]


def write_golden_model(folder: Path) -> Path:
    """Write the frozen model of examples/engine/README.md."""
    content = (ROOT / "tests" / "golden" / "frozen" / "format_2.pb.gz").read_bytes()
    path = folder / "model.pb"
    path.write_bytes(gzip.decompress(content))
    return path
