"""The C interface of the engine, op/engine/deeptf.h, by ctypes: its structs, functions and errors.

Names and order are those of the header. All pointers to numbers are addresses of NumPy arrays,
which the caller keeps until the call is over; None is NULL. ctypes gives up Python's lock in a
call, so threads evaluate at the same time.
"""

from __future__ import annotations

import ctypes
import functools
import weakref
from ctypes import POINTER, byref, c_char_p, c_int, c_int32, c_size_t, c_void_p
from typing import Any, ClassVar

import numpy as np

from deeptf.ops.library import BUILD, FOLDER

LIBRARY = "libdeeptf_engine.so"
NO_TENSORFLOW = b"none, Python has its own"  # in the place of a path
GPU = {"auto": 0, "no": 1, "yes": 2}  # deeptf_gpu
_MODEL = c_void_p


class _Sized(ctypes.Structure):
    """A struct that begins with its size; members that are not given are zero or NULL."""

    def __init__(self, **members: Any) -> None:
        super().__init__(ctypes.sizeof(self), **members)


class LoadOptions(_Sized):
    """deeptf_load_options."""

    _fields_: ClassVar = [
        ("size", c_size_t),
        ("tensorflow", c_char_p),
        ("ops", c_char_p),
        ("gpu", c_int32),
        ("gpu_number", c_int32),
    ]


class Options(_Sized):
    """deeptf_options."""

    _fields_: ClassVar = [
        ("size", c_size_t),
        ("threads", c_int32),
        ("most_atoms", c_int32),
        ("weight", c_void_p),
        ("add_parts", c_void_p),
        ("parts", c_void_p),
        ("num_parts", c_int32),
    ]


class FramesStruct(_Sized):
    """deeptf_frames."""

    _fields_: ClassVar = [
        ("size", c_size_t),
        ("num_frames", c_int32),
        ("num_atoms", c_int32),
        ("frame_row", c_void_p),
        ("coord", c_void_p),
        ("cell", c_void_p),
        ("type", c_void_p),
        ("fparam", c_void_p),
        ("aparam", c_void_p),
    ]


class PairsStruct(_Sized):
    """deeptf_pairs."""

    _fields_: ClassVar = [
        ("size", c_size_t),
        ("num_centres", c_int32),
        ("num_owned", c_int32),
        ("num_all", c_int32),
        ("type", c_void_p),
        ("row", c_void_p),
        ("neighbor", c_void_p),
        ("displacement", c_void_p),
        ("fparam", c_void_p),
        ("aparam", c_void_p),
    ]


class Results(_Sized):
    """deeptf_results."""

    _fields_: ClassVar = [
        ("size", c_size_t),
        ("energy", c_void_p),
        ("force", c_void_p),
        ("virial", c_void_p),
        ("atom_energy", c_void_p),
        ("atom_virial", c_void_p),
        ("outside_count", c_void_p),
        ("outside_distance", c_void_p),
        ("value", c_void_p),
        ("atom_value", c_void_p),
    ]


DERIVATIVES = "force", "virial", "atom_virial"
ENERGIES = frozenset({"energy", "atom_energy", *DERIVATIVES})
_EVALUATE = POINTER(Options), POINTER(Results)
_FUNCTIONS: dict[str, tuple[Any, tuple[Any, ...]]] = {  # what they return and take
    "version": (c_char_p, ()),
    "last_error": (c_char_p, ()),
    "load_content": (
        c_int,
        (c_char_p, c_char_p, c_size_t, POINTER(LoadOptions), POINTER(_MODEL)),
    ),
    "free": (None, (_MODEL,)),
    "property": (c_char_p, (_MODEL,)),
    "width": (c_int32, (_MODEL,)),
    "device": (c_char_p, (_MODEL,)),
    "no_gpu_reason": (c_char_p, (_MODEL,)),
    "evaluate": (c_int, (_MODEL, POINTER(FramesStruct), *_EVALUATE)),
    "evaluate_pairs": (c_int, (_MODEL, POINTER(PairsStruct), *_EVALUATE)),
}


@functools.cache
def library() -> ctypes.CDLL:
    """Load the engine, once; raise ImportError where it is missing or no core fits this CPU."""
    path = FOLDER / LIBRARY
    if not path.exists():
        raise ImportError(f"the engine `{path}` must be built first, got no such file: {BUILD}")
    try:
        loaded = ctypes.CDLL(str(path))
    except OSError as error:
        raise ImportError(
            f"the engine `{path}` must fit this system, got `{error}`: {BUILD}"
        ) from error
    for name, (returns, takes) in _FUNCTIONS.items():
        function = getattr(loaded, f"deeptf_{name}")
        function.restype, function.argtypes = returns, takes
    if not loaded.deeptf_version():
        raise ImportError(_last_error(loaded))
    return loaded


def call(function: str, *arguments: Any) -> None:
    """Call the function `deeptf_FUNCTION`; raise ValueError with its message where it fails."""
    loaded = library()
    if getattr(loaded, f"deeptf_{function}")(*arguments):
        raise ValueError(_last_error(loaded))


def address(array: np.ndarray | None) -> int | None:
    """Return where the numbers of an array begin; the array must be in order and stay alive."""
    return None if array is None else array.__array_interface__["data"][0]


class Model:
    """A model that the engine runs itself; it is released with the last reference to it.

    content : of the file `path`, which is for messages
    gpu : of GPU; the first GPU that CUDA_VISIBLE_DEVICES shows is meant
    property : "energy", or "dipole", "polar" or "dos"
    width : numbers of it that a frame and an atom have
    device : "CPU", or the number and name of the GPU on which it runs
    no_gpu_reason : why it does not run on a GPU, though there is one; or nothing

    Raises ValueError, for a model that the engine would give to TensorFlow too.
    """

    def __init__(self, path: str, content: bytes, gpu: str = "auto") -> None:
        self.handle = _MODEL()
        name = path.encode(errors="surrogateescape")
        options = LoadOptions(tensorflow=NO_TENSORFLOW, gpu=GPU[gpu])
        call("load_content", name, content, len(content), options, byref(self.handle))
        weakref.finalize(self, library().deeptf_free, self.handle)
        self.property = library().deeptf_property(self.handle).decode()
        self.width = library().deeptf_width(self.handle)
        self.device = library().deeptf_device(self.handle).decode()
        self.no_gpu_reason = library().deeptf_no_gpu_reason(self.handle).decode(errors="replace")

    @property
    def outputs(self) -> frozenset[str]:
        """Names of what the engine gives of the model."""
        if self.property == "energy":
            return ENERGIES
        name = self.property
        return frozenset({name, f"atom_{name}", *(f"{name}_{one}" for one in DERIVATIVES)})


def _last_error(loaded: ctypes.CDLL) -> str:
    return loaded.deeptf_last_error().decode(errors="replace")
