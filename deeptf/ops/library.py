"""Loading the compiled ops: the core for the CPU of this machine, then its TensorFlow bindings.

The package holds the core once for each CPU level that was built, `libdeeptf_core.LEVEL.so`, all
with the SONAME that the bindings `libdeeptf.so` need. So the bindings take the core that is in the
process when they are loaded. Before that the build lines of both are read from the files: a library
made for another TensorFlow, another deeptf or another CPU gives one sentence and not a crash.

`libdeeptf_cuda.so` has the ops' kernels for GPUs, where it was built. It is loaded behind the
bindings, also where there is no GPU and no driver; without it the ops run on the CPU.
"""

from __future__ import annotations

import ctypes
import functools
import re
import warnings
from collections.abc import Set
from pathlib import Path
from typing import Any, NamedTuple

import deeptf

FOLDER = Path(__file__).parents[1]
BINDINGS = "libdeeptf.so"
CORES = "libdeeptf_core.*.so"
CUDA = "libdeeptf_cuda.so"
ENGINE_CUDA = "libdeeptf_engine_cuda.so"
BUILD = "`pip install .` in the source folder of deeptf builds it"


class Ops:
    """The ops that a loaded library registers, each a function of its name in lower case.

    Raises ImportError for one that it has not: then the library is older than who asks for the op.
    """

    def __init__(self, path: Path, loaded: Any) -> None:
        self._path, self._loaded = path, loaded

    def has(self, name: str) -> bool:
        """Return whether there is an op of this name; some exist on some systems alone."""
        return hasattr(self._loaded, name)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or self.has(name):
            return getattr(self._loaded, name)
        raise ImportError(
            f"the op library `{self._path}` must have the op {name}, got an older one: {BUILD}"
        )


class Core(NamedTuple):
    """A core library and what its build line says."""

    path: Path
    version: str  # of deeptf
    level: str  # value of -march
    features: frozenset[str]  # of the CPU that it needs, by their names in /proc/cpuinfo


def read_core(path: Path) -> Core:
    """Return what the core library at `path` is."""
    version, level, features = _build_line(path, "core", 3)
    needed = [
        name for name, _, value in (f.partition("=") for f in features.split()) if value == "1"
    ]
    return Core(path, version, level, frozenset(needed))


def choose_core(folder: Path, cpu_features: Set[str]) -> Core:
    """Return the core library in `folder` that uses most of this CPU.

    cpu_features : names from /proc/cpuinfo; empty on a system that does not tell them, which gets
        the lowest level.
    Raises ImportError where there is none for this CPU, or the one found is of another deeptf.
    """
    cores = sorted(
        map(read_core, folder.glob(CORES)), key=lambda core: (len(core.features), core.level)
    )
    if not cores:
        raise ImportError(
            f"a core library `{folder / CORES}` must be built first, got none: {BUILD}"
        )
    fitting = [core for core in cores if core.features <= cpu_features]
    if not fitting and cpu_features:
        lacking = " ".join(sorted(cores[0].features - cpu_features))
        raise ImportError(
            f"a core library `{folder / CORES}` must be built for this CPU, got "
            f"{', '.join(core.level for core in cores)}, and this CPU lacks {lacking} of "
            f"{cores[0].level}: {BUILD} for every CPU where DEEPTF_MARCH is not set"
        )
    chosen = fitting[-1] if fitting else cores[0]
    _check_version(chosen.path, chosen.version)
    return chosen


def tensorflow_of(path: Path) -> str:
    """Return the version of TensorFlow for which the bindings at `path` are built.

    Raises ImportError where there are none, or those of another deeptf.
    """
    if not path.exists():
        raise ImportError(f"the op library `{path}` must be built first, got no such file: {BUILD}")
    version, built_for = _build_line(path, "bindings", 2)
    _check_version(path, version)
    return built_for


def check_bindings(path: Path, tensorflow: str) -> None:
    """Raise ImportError unless the bindings at `path` are of this deeptf and of `tensorflow`."""
    _check_release(path, tensorflow_of(path), tensorflow)


def architectures(path: Path, tensorflow: str | None = None) -> str | None:
    """Return the GPUs for which kernels are built, such as "sm_80 sm_90"; None without any.

    path : of the library with them
    tensorflow : the version with which it is to be loaded, if it is.
    Raises ImportError where it is of another deeptf or TensorFlow.
    """
    if not path.exists():
        return None
    version, built_for, cards = _build_line(path, "cuda", 3)
    _check_version(path, version)
    if tensorflow is not None:
        _check_release(path, built_for, tensorflow)
    return cards


def engine_architectures(path: Path) -> str | None:
    """Return the GPUs for which the engine has kernels, in the library at `path`; None without it.

    Raises ImportError where it is of another deeptf.
    """
    if not path.exists():
        return None
    version, cards = _build_line(path, "engine-cuda", 2)
    _check_version(path, version)
    return cards


def this_cpu() -> set[str]:
    """Return the feature names of this CPU, or nothing where /proc/cpuinfo does not tell."""
    try:
        text = Path("/proc/cpuinfo").read_text()
    except OSError:
        return set()
    found = re.search(r"^flags\s*:(.*)$", text, re.MULTILINE)
    return set(found.group(1).split()) if found else set()


def description() -> str:
    """Return version, CPU level and GPUs in one line; raise ImportError where no core fits."""
    cards = architectures(FOLDER / CUDA)
    level = choose_core(FOLDER, this_cpu()).level
    gpu = f"for GPUs of {cards}" if cards else "none for GPUs"
    return f"deeptf {deeptf.__version__}, kernels for {level}, {gpu}"


@functools.cache
def library() -> Ops:
    """Load the op library, once; raise ImportError where it is missing or does not fit."""
    from deeptf.tf import tf  # only here: `deeptf --version` needs no TensorFlow

    bindings = FOLDER / BINDINGS
    check_bindings(bindings, tf.__version__)
    cards = architectures(FOLDER / CUDA, tf.__version__)
    core = choose_core(FOLDER, this_cpu())
    try:
        # For the whole process: core and bindings must have one type of Error between them.
        ctypes.CDLL(str(core.path), mode=ctypes.RTLD_GLOBAL)
        loaded = tf.load_op_library(str(bindings))
        if cards:
            tf.load_library(str(FOLDER / CUDA))
    except (OSError, tf.errors.NotFoundError) as error:
        raise ImportError(
            f"the op library `{bindings}` must match TensorFlow {tf.__version__} and this system, "
            f"got `{error}`: {BUILD}"
        ) from error
    if not cards and tf.config.list_physical_devices("GPU"):
        warnings.warn(
            f"TensorFlow sees a GPU, and there is no library `{FOLDER / CUDA}`: the ops of deeptf "
            f"run on the CPU. {BUILD} where nvcc is found",
            stacklevel=2,
        )
    return Ops(bindings, loaded)


def _check_release(path: Path, built_for: str, tensorflow: str) -> None:
    """Raise ImportError unless a library for one release of TensorFlow fits another."""
    release = built_for.split(".")[:2]
    if release != tensorflow.split(".")[:2]:
        raise ImportError(
            f"the op library `{path}` must be built for TensorFlow {tensorflow}, got one for "
            f"{built_for}: `DEEPTF_TENSORFLOW={tensorflow.replace('-', '')} pip install .` in the "
            f"source folder of deeptf builds it; or install TensorFlow {'.'.join(release)}"
        )


def _build_line(path: Path, part: str, fields: int) -> list[str]:
    """Return the `fields` of the build line that names the part, from a library file."""
    line = rf"deeptf-{part}\|" + r"([^|\0]*)\|" * fields
    found = re.search(line.encode(), path.read_bytes())
    if found is None:
        raise ImportError(f"`{path}` must be the {part} of deeptf's ops, got another file: {BUILD}")
    return [field.decode() for field in found.groups()]


def _check_version(path: Path, version: str) -> None:
    if version != deeptf.__version__:
        raise ImportError(
            f"the op library `{path}` must be of deeptf {deeptf.__version__}, got {version}: "
            + BUILD
        )
