"""Builds the libraries (op/) with CMake, and chooses the TensorFlow to build them against.

The result is deeptf/libdeeptf.so, the bindings, and deeptf/libdeeptf_core.LEVEL.so, kernels and
engine, for each CPU level; deeptf/ops/library.py takes those for the CPU on which it runs. So does
deeptf/libdeeptf_engine.so, by which other programs use them: deeptf/include, deeptf/cmake and
deeptf/pkgconfig are for building these, deeptf/lammps/source is for `deeptf lammps build`. Where
nvcc is found, deeptf/libdeeptf_cuda.so has the ops' kernels for GPUs, and
deeptf/libdeeptf_engine_cuda.so those of the engine, which need no TensorFlow.
`cmake -S op` makes all but the bindings too.

This file is the build backend too (PEP 517): that of setuptools, which runs it as a script, with a
choice of what a build needs. A TensorFlow that is there is used as it is, one around pip's isolated
environment included; else a build gets the reference release. The extras `cpu`, `gpu` and `test`
require the same minor release. Settings, from the environment:
  DEEPTF_TENSORFLOW  TensorFlow to build against, such as `2.19` or `2.19.1`
  DEEPTF_MARCH       CPU levels of the kernels, separated by `,` or `;`, such as `x86-64-v3` or
                     `native`; default: all of x86-64, or the compiler's own on other processors
  DEEPTF_CUDA        `off` builds no GPU kernels, or the nvcc to take; default: the one on PATH or
                     in /usr/local/cuda
  CXX                C++ compiler
"""

from __future__ import annotations

import functools
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from setuptools import Extension, setup
from setuptools.build_meta import (
    build_editable,
    build_sdist,
    build_wheel,
    prepare_metadata_for_build_editable,
    prepare_metadata_for_build_wheel,
)
from setuptools.command.build_ext import build_ext

__all__ = [  # what a build frontend calls
    "build_editable",
    "build_sdist",
    "build_wheel",
    "get_requires_for_build_editable",
    "get_requires_for_build_sdist",
    "get_requires_for_build_wheel",
    "prepare_metadata_for_build_editable",
    "prepare_metadata_for_build_wheel",
]

ROOT = Path(__file__).resolve().parent
SOURCES = sorted(str(p.relative_to(ROOT)) for p in (ROOT / "op").rglob("*") if p.is_file())
INSTALLED = (  # in the package, beside the library of the extension
    "libdeeptf_core.*.so",
    "libdeeptf_engine.*",
    "libdeeptf_cuda.so",
    "libdeeptf_engine_cuda.so",
    "include/*",
    "cmake/*",
    "pkgconfig/*",
    "lammps/source/*",
)
OLDEST, NEWEST = (2, 16), (2, 21)
OLDEST_CUDA = (11, 8)  # the first one for sm_90
REFERENCE = "2.18.1" if sys.version_info < (3, 13) else "2.21.0"  # 2.18 has no newer Python
SETTING = "DEEPTF_TENSORFLOW"
QUERY = """
import json, tensorflow as tf
from importlib.metadata import PackageNotFoundError, version
def installed(name):
    try:
        return bool(version(name))
    except PackageNotFoundError:
        return False
print("deeptf:" + json.dumps({
    "name": "tensorflow" if installed("tensorflow") else "tensorflow-cpu",
    "version": tf.__version__,
    "include": tf.sysconfig.get_include(),
    "library": tf.sysconfig.get_lib(),
    "compile": tf.sysconfig.get_compile_flags(),
    "link": tf.sysconfig.get_link_flags(),
}))
"""
TensorFlow = dict[str, Any]  # the answer to QUERY


def get_requires_for_build_wheel(settings: dict | None = None) -> list[str]:
    """Return what a build needs beside the requirements in pyproject.toml."""
    tools = ["cmake>=3.18", "ninja"]
    found, _ = look_for_tensorflow()
    if found:
        return tools
    release = wanted_release() or REFERENCE
    any_patch = ".*" if release.count(".") == 1 else ""
    return [*tools, f"tensorflow-cpu=={release}{any_patch}"]


get_requires_for_build_editable = get_requires_for_build_wheel


def get_requires_for_build_sdist(settings: dict | None = None) -> list[str]:
    """Return what a source distribution needs: nothing is compiled."""
    return []


def extras() -> dict[str, list[str]]:
    """Return the optional requirements, with the minor release of TensorFlow of this build."""
    found, _ = look_for_tensorflow()
    version = found["version"] if found else wanted_release() or REFERENCE
    same = "==" + ".".join(version.split(".")[:2]) + ".*"
    tensorflow = (found["name"] if found else "tensorflow-cpu") + same
    tools = ["pytest", "pytest-xdist", "ruff", "clang-format"]
    tools += ["ase", "matplotlib", "phonopy", "ipi"]
    return {
        "cpu": [tensorflow],
        "gpu": ["tensorflow[and-cuda]" + same],
        "ase": ["ase>=3.25"],  # the first one with all integrators of `deeptf md`
        "plot": ["matplotlib"],
        "test": [tensorflow, *tools],
    }


def wanted_release() -> str | None:
    """Return the release of TensorFlow that the user names, if any."""
    given = os.environ.get(SETTING)
    if not given:
        return None
    if not re.fullmatch(r"\d+\.\d+(\.\d+\w*)?", given):
        raise SystemExit(
            f"deeptf: {SETTING} must be a release such as 2.19 or 2.19.1, got {given!r}"
        )
    check_version(given)
    return given


@functools.cache
def look_for_tensorflow() -> tuple[TensorFlow | None, str]:
    """Return the TensorFlow that is there, or None and the reason.

    pip runs an isolated build with the Python of the environment that it installs into and hides
    the packages of that environment by PYTHONPATH; so without it Python has them.
    """
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
    around = {k: v for k, v in environment.items() if k not in ("PYTHONPATH", "PYTHONNOUSERSITE")}
    wanted = wanted_release()
    reason = ""
    for variables in [environment] if environment == around else [environment, around]:
        found, failure = ask_tensorflow(variables)
        if found and wanted and not is_of(found["version"], wanted):
            failure = f"it has TensorFlow {found['version']}, and {SETTING} is {wanted}"
        elif found:
            check_version(found["version"])
            return found, ""
        reason = reason or failure
    return None, reason


def ask_tensorflow(variables: dict[str, str]) -> tuple[TensorFlow | None, str]:
    """Ask the TensorFlow of this Python for its version, folders and flags, or why there is none.

    variables : environment in which Python starts
    """
    run = subprocess.run(
        [sys.executable, "-c", QUERY], capture_output=True, text=True, env=variables
    )
    answer = [line for line in run.stdout.splitlines() if line.startswith("deeptf:")]
    if run.returncode or not answer:
        return None, (run.stderr.strip().splitlines() or ["no answer"])[-1]
    return json.loads(answer[0].removeprefix("deeptf:")), ""


def find_tensorflow() -> TensorFlow:
    """Return the TensorFlow to compile against; stop where there is none."""
    found, reason = look_for_tensorflow()
    if found is None:
        release = wanted_release() or REFERENCE
        raise SystemExit(
            f"deeptf: TensorFlow must be importable by {sys.executable} ({reason}): build with "
            "`pip install '.[cpu]'`, which brings it, or for a build without isolation install it "
            f"first, for example `pip install tensorflow-cpu=={release}`"
        )
    return found


def is_of(version: str, wanted: str) -> bool:
    """Return whether TensorFlow `version` is the wanted release or a patch of it."""
    return f"{version.replace('-', '')}.".startswith(f"{wanted}.")


def check_version(version: str) -> None:
    """Stop unless TensorFlow `version` is one that deeptf is built and tested with."""
    release = tuple(int(part) for part in version.split(".")[:2])
    if not OLDEST <= release <= NEWEST:
        oldest, newest = (".".join(map(str, bound)) for bound in (OLDEST, NEWEST))
        raise SystemExit(
            f"deeptf: TensorFlow must be {oldest} to {newest}, got {version}: install a supported "
            f"release, for example `pip install tensorflow-cpu=={REFERENCE}`"
        )


def find_program(names: list[str], what: str, advice: str) -> str:
    """Return the first of `names` on PATH or beside this Python."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    for name in names:
        found = shutil.which(name, path=path)
        if found:
            return found
    raise SystemExit(
        f"deeptf: {what} must be installed, found none of {', '.join(names)}: {advice}"
    )


def cuda_settings() -> dict[str, str]:
    """Return what CMake has to know to build GPU kernels; nothing where it shall build none."""
    wanted = os.environ.get("DEEPTF_CUDA", "")
    if wanted == "off":
        return {}
    path = os.pathsep.join([os.environ.get("PATH", ""), "/usr/local/cuda/bin"])
    nvcc = shutil.which(wanted or "nvcc", path=path)
    if nvcc is None and wanted:
        raise SystemExit(f"deeptf: DEEPTF_CUDA must be `off` or a path of nvcc, got {wanted!r}")
    if nvcc is None:
        print("deeptf: no nvcc is found, and no GPU kernels are built")
        return {}
    said = subprocess.run([nvcc, "--version"], capture_output=True, text=True).stdout
    release = re.search(r"release (\d+)\.(\d+)", said)
    if release is None or tuple(map(int, release.groups())) < OLDEST_CUDA:
        oldest = ".".join(map(str, OLDEST_CUDA))
        found = release.group() if release else "no release"
        message = (
            f"deeptf: nvcc must be of CUDA {oldest} or newer for GPU kernels, {nvcc} is {found}"
        )
        if wanted:
            raise SystemExit(message)
        print(f"{message}: none are built")
        return {}
    return {"DEEPTF_CUDA": "device", "CMAKE_CUDA_COMPILER": nvcc}


def installed_files(package: Path) -> list[Path]:
    """Return what builds have put into the package beside the library of the extension."""
    return sorted(path for pattern in INSTALLED for path in package.glob(pattern))


def remove_installed(package: Path) -> None:
    """Remove the files of an earlier build, whose CPU levels may be other ones."""
    for path in installed_files(package):
        path.unlink()


class BuildLibrary(build_ext):
    """Runs CMake in place of the compiler calls of setuptools."""

    def get_source_files(self) -> list[str]:
        """Return the files that a source distribution needs."""
        return [*super().get_source_files(), *SOURCES]

    def get_ext_filename(self, fullname: str) -> str:
        """Return the plain library name: it is not a Python module."""
        return str(Path(*fullname.split("."))) + ".so"

    def build_extension(self, ext: Extension) -> None:
        """Configure and compile op/, and put the library where setuptools expects it."""
        compilers = [os.environ["CXX"]] if os.environ.get("CXX") else ["c++", "g++", "clang++"]
        compiler = find_program(
            compilers, "a C++17 compiler", "`apt-get install g++` or the like, or set CXX"
        )
        cmake = find_program(["cmake"], "CMake", "`pip install cmake ninja`")
        ninja = find_program(["ninja"], "Ninja", "`pip install cmake ninja`")
        tensorflow = find_tensorflow()
        target = Path(self.get_ext_fullpath(ext.name)).resolve()
        folder = Path(self.build_temp).resolve() / "op"
        shutil.rmtree(folder, ignore_errors=True)  # it may remember another TensorFlow or CMake
        remove_installed(target.parent)
        settings = {
            "CMAKE_BUILD_TYPE": "Release",
            "CMAKE_CXX_COMPILER": compiler,
            "CMAKE_MAKE_PROGRAM": ninja,
            "CMAKE_INSTALL_LIBDIR": ".",
            "CMAKE_INSTALL_INCLUDEDIR": "include",
            "DEEPTF_CMAKEDIR": "cmake",
            "DEEPTF_LAMMPSDIR": "lammps/source",
            "DEEPTF_MARCH": os.environ.get("DEEPTF_MARCH", "").replace(",", ";"),
            "TENSORFLOW_VERSION": tensorflow["version"],
            "TENSORFLOW_INCLUDE": tensorflow["include"],
            "TENSORFLOW_COMPILE": ";".join(
                flag for flag in tensorflow["compile"] if not flag.startswith("-I")
            ),
            "TENSORFLOW_LINK": ";".join(tensorflow["link"]),
            **cuda_settings(),
        }
        configure = [cmake, "-G", "Ninja", "-S", str(ROOT / "op"), "-B", str(folder)]
        configure += [f"-D{name}={value}" for name, value in settings.items()]
        self.spawn(configure)
        self.spawn([cmake, "--build", str(folder), "--parallel", str(os.cpu_count() or 1)])
        self.spawn([cmake, "--install", str(folder), "--prefix", str(target.parent)])

    def copy_extensions_to_source(self) -> None:
        """Copy all else too where the source folder itself is the installed package."""
        super().copy_extensions_to_source()
        package, built = ROOT / "deeptf", Path(self.build_lib, "deeptf")
        remove_installed(package)
        for path in installed_files(built):
            copy = package / path.relative_to(built)
            copy.parent.mkdir(exist_ok=True)
            self.copy_file(str(path), str(copy))


if __name__ == "__main__":
    setup(
        ext_modules=[Extension("deeptf.libdeeptf", sources=[], depends=SOURCES)],
        cmdclass={"build_ext": BuildLibrary},
        extras_require=extras(),
    )
