"""Builds the op library (op/) with CMake against the TensorFlow of this Python.

The result is deeptf/libdeeptf.so, the bindings, and deeptf/libdeeptf_core.LEVEL.so, the kernels,
for each CPU level; deeptf/op_library.py takes those for the CPU on which it runs.

Everything else about the package stands in pyproject.toml. Settings, from the environment:
  DEEPTF_MARCH  CPU levels of the kernels, separated by `,` or `;`, such as `x86-64-v3` or `native`;
                default: all of x86-64, or the compiler's own on other processors
  CXX           C++ compiler
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

ROOT = Path(__file__).resolve().parent
SOURCES = sorted(str(p.relative_to(ROOT)) for p in (ROOT / "op").rglob("*") if p.is_file())
CORES = "libdeeptf_core.*.so"  # beside the library of the extension
OLDEST, NEWEST = (2, 16), (2, 21)
QUERY = """
import json, tensorflow as tf
print("deeptf:" + json.dumps({
    "version": tf.__version__,
    "include": tf.sysconfig.get_include(),
    "library": tf.sysconfig.get_lib(),
    "compile": tf.sysconfig.get_compile_flags(),
    "link": tf.sysconfig.get_link_flags(),
}))
"""


def find_tensorflow() -> dict[str, str | list[str]]:
    """Ask the TensorFlow of this Python for its version, folders and flags."""
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
    run = subprocess.run(
        [sys.executable, "-c", QUERY], capture_output=True, text=True, env=environment
    )
    answer = [line for line in run.stdout.splitlines() if line.startswith("deeptf:")]
    if run.returncode or not answer:
        reason = run.stderr.strip().splitlines()[-1:] or ["no answer"]
        raise SystemExit(
            f"deeptf: TensorFlow must be importable by {sys.executable} ({reason[0]}): install it "
            "first, for example `pip install tensorflow-cpu==2.18.1`, and build with "
            "`pip install --no-build-isolation .`"
        )
    tensorflow = json.loads(answer[0].removeprefix("deeptf:"))
    check_version(tensorflow["version"])
    return tensorflow


def check_version(version: str) -> None:
    """Stop unless TensorFlow `version` is one that deeptf is built and tested with."""
    release = tuple(int(part) for part in version.split(".")[:2])
    if not OLDEST <= release <= NEWEST:
        oldest, newest = (".".join(map(str, bound)) for bound in (OLDEST, NEWEST))
        raise SystemExit(
            f"deeptf: TensorFlow must be {oldest} to {newest}, got {version}: install a supported "
            "release, for example `pip install tensorflow-cpu==2.18.1`"
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


def remove_cores(folder: Path) -> None:
    """Remove the cores of an earlier build, whose levels may be other ones."""
    for core in folder.glob(CORES):
        core.unlink()


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
        tensorflow = find_tensorflow()
        target = Path(self.get_ext_fullpath(ext.name)).resolve()
        folder = Path(self.build_temp).resolve() / "op"
        shutil.rmtree(folder, ignore_errors=True)  # it may remember another TensorFlow or CMake
        remove_cores(target.parent)
        settings = {
            "CMAKE_BUILD_TYPE": "Release",
            "CMAKE_CXX_COMPILER": compiler,
            "CMAKE_LIBRARY_OUTPUT_DIRECTORY": target.parent,
            "DEEPTF_VERSION": self.distribution.get_version(),
            "DEEPTF_MARCH": os.environ.get("DEEPTF_MARCH", "").replace(",", ";"),
            "TENSORFLOW_VERSION": tensorflow["version"],
            "TENSORFLOW_INCLUDE": tensorflow["include"],
            "TENSORFLOW_COMPILE": ";".join(
                flag for flag in tensorflow["compile"] if not flag.startswith("-I")
            ),
            "TENSORFLOW_LINK": ";".join(tensorflow["link"]),
        }
        configure = [cmake, "-S", str(ROOT / "op"), "-B", str(folder)]
        configure += [f"-D{name}={value}" for name, value in settings.items()]
        self.spawn(configure)
        self.spawn([cmake, "--build", str(folder), "--parallel", str(os.cpu_count() or 1)])

    def copy_extensions_to_source(self) -> None:
        """Copy the cores too where the source folder itself is the installed package."""
        super().copy_extensions_to_source()
        remove_cores(ROOT / "deeptf")
        for core in Path(self.build_lib, "deeptf").glob(CORES):
            self.copy_file(str(core), str(ROOT / "deeptf"))


setup(
    ext_modules=[Extension("deeptf.libdeeptf", sources=[], depends=SOURCES)],
    cmdclass={"build_ext": BuildLibrary},
)
