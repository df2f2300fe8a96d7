"""The C interface of the engine for tests, by ctypes alone: models, atoms in, results by name out.

It imports nothing of deeptf, so that a process that uses it has the engine and nothing else.
"""

from __future__ import annotations

import ctypes
import importlib.util
from ctypes import POINTER, byref, c_char_p, c_int, c_int32, c_size_t, c_void_p
from pathlib import Path

import numpy as np

PACKAGE = Path(importlib.util.find_spec("deeptf").origin).parent  # which stays unimported
LIBRARY = PACKAGE / "libdeeptf_engine.so"
OUTPUTS = {"energy": 1, "force": 3, "virial": 9, "atom_energy": 1, "atom_virial": 9}


def _struct(name, **members):
    return type(name, (ctypes.Structure,), {"_fields_": [("size", c_size_t), *members.items()]})


_GIVEN = {"fparam": c_void_p, "aparam": c_void_p}
_ATOMS = {"num_centres": c_int32, "num_owned": c_int32, "num_all": c_int32}
LoadOptions = _struct(
    "LoadOptions", tensorflow=c_char_p, ops=c_char_p, gpu=c_int32, gpu_number=c_int32
)
GPU = {"auto": 0, "no": 1, "yes": 2}
Options = _struct("Options", threads=c_int32, most_atoms=c_int32)
Results = _struct(
    "Results", **dict.fromkeys((*OUTPUTS, "outside_count", "outside_distance"), c_void_p)
)
DOORS = {
    "evaluate": _struct(
        "Frames",
        num_frames=c_int32,
        num_atoms=c_int32,
        **dict.fromkeys(("frame_row", "coord", "cell", "type"), c_void_p),
        **_GIVEN,
    ),
    "evaluate_list": _struct(
        "NeighborList",
        **_ATOMS,
        coord=c_void_p,
        type=c_void_p,
        num_lists=c_int32,
        **dict.fromkeys(("centre", "num_neighbors", "neighbors"), c_void_p),
        neighbor_mask=c_int32,
        **_GIVEN,
    ),
    "evaluate_pairs": _struct(
        "Pairs",
        **_ATOMS,
        **dict.fromkeys(("type", "row", "neighbor", "displacement"), c_void_p),
        **_GIVEN,
    ),
}


def _library(path):
    library = ctypes.CDLL(str(path))
    library.deeptf_last_error.restype = c_char_p
    library.deeptf_load.argtypes = c_char_p, POINTER(LoadOptions), POINTER(c_void_p)
    for name in ("num_types", "is_native", "hops"):
        getattr(library, f"deeptf_{name}").argtypes = (c_void_p,)
    for name, struct in DOORS.items():
        function = getattr(library, f"deeptf_{name}")
        function.argtypes = c_void_p, POINTER(struct), POINTER(Options), POINTER(Results)
        function.restype = c_int
    library.deeptf_free.argtypes, library.deeptf_free.restype = (c_void_p,), None
    return library


def _filled(struct, **members):
    made = struct(ctypes.sizeof(struct))
    for name, value in members.items():
        value = value.ctypes.data if isinstance(value, np.ndarray) else value
        setattr(made, name, value)
    return made


class Model:
    """A loaded model. All methods raise ValueError with the engine's message."""

    def __init__(self, path, tensorflow=None, ops=None, library=LIBRARY, gpu="auto"):
        self._library = _library(library)
        given = {"tensorflow": tensorflow, "ops": ops}
        given = {name: str(value).encode() for name, value in given.items() if value is not None}
        self._model = c_void_p()
        options = _filled(LoadOptions, gpu=GPU[gpu], **given)
        self._check(
            self._library.deeptf_load(str(path).encode(), byref(options), byref(self._model))
        )

    def __del__(self):
        self._library.deeptf_free(self._model)

    @property
    def is_native(self):
        return bool(self._library.deeptf_is_native(self._model))

    def evaluate(self, frame_row, outputs=tuple(OUTPUTS), threads=1, most_atoms=0, **given):
        """Evaluate frames; `given` are arrays of their types."""
        given |= {"num_frames": len(frame_row) - 1, "num_atoms": int(frame_row[-1])}
        sizes = given["num_frames"], given["num_atoms"], given["num_atoms"]
        given["frame_row"] = np.asarray(frame_row, np.int32)
        return self._run("evaluate", given, sizes, outputs, (threads, most_atoms))

    def evaluate_list(self, lists, outputs=tuple(OUTPUTS), threads=1, most_atoms=0, **given):
        """Evaluate centres with their lists, each an array of int32."""
        neighbors = np.array([one.ctypes.data for one in lists], np.uintp)
        given |= {"num_lists": len(lists), "neighbors": neighbors, "num_all": len(given["type"])}
        given["num_neighbors"] = np.array([len(one) for one in lists], np.int32)
        sizes = 1, given["num_centres"], given["num_all"]
        return self._run("evaluate_list", given, sizes, outputs, (threads, most_atoms))

    def evaluate_pairs(self, outputs=tuple(OUTPUTS), threads=1, most_atoms=0, **given):
        """Evaluate pairs."""
        given |= {"num_centres": len(given["row"]) - 1, "num_all": len(given["type"])}
        sizes = 1, given["num_centres"], given["num_all"]
        return self._run("evaluate_pairs", given, sizes, outputs, (threads, most_atoms))

    def _run(self, function, given, sizes, outputs, options):
        num_frames, num_energies, num_atoms = sizes
        rows = {"energy": num_frames, "virial": num_frames, "atom_energy": num_energies}
        found = {
            name: np.full((rows.get(name, num_atoms), OUTPUTS[name]), np.nan) for name in outputs
        }
        types = self._library.deeptf_num_types(self._model)
        found["outside_count"] = np.full((types, types), -1, np.int64)
        found["outside_distance"] = np.full((types, types), np.nan)
        self._check(
            getattr(self._library, f"deeptf_{function}")(
                self._model,
                byref(_filled(DOORS[function], **given)),
                byref(Options(ctypes.sizeof(Options), *options)),
                byref(_filled(Results, **found)),
            )
        )
        return found

    def _check(self, failed):
        if failed:
            raise ValueError(self._library.deeptf_last_error().decode())
