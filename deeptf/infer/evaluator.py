"""A model that is open: which backend runs it, and what its evaluations have found.

A model whose plan the engine knows never needs TensorFlow, except for what the engine does not
give, such as descriptors: the first of these opens a session beside it.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from deeptf.data.batch import Frames, Pairs
from deeptf.infer.backend import ENGINE, TENSORFLOW, Backend, Settings
from deeptf.infer.backend_engine import EngineBackend
from deeptf.infer.description import Description
from deeptf.infer.opening import open_model, tensorflow_backend
from deeptf.model.outside import OutsidePairs
from deeptf.properties import MAGNETIC_FORCE, PROPERTIES

_INNER = ("deeptf", "ase")  # packages whose lines a warning does not show


class OutsideWarning(UserWarning):
    """Atoms are closer than anything in the data of a model."""


class Evaluator(Description):
    """A model that is open, see DeepPot for the arguments."""

    def __init__(self, model_file: str | Path, backend: str | None, settings: Settings) -> None:
        model, native = open_model(model_file, backend, settings.gpu)
        super().__init__(model)
        self.path = model.path
        self.backend = TENSORFLOW if native is None else ENGINE
        self.device = None if native is None else native.device
        self._given = frozenset() if native is None else native.outputs
        self.outside = None
        if model.data_end is not None:
            self.outside = OutsidePairs(self.get_type_map(), model.data_end)
        self._model, self._settings = model, settings
        self._warned = self._closed = False
        self._open: dict[str, Backend] = {}
        if native is not None:
            self._open[ENGINE] = EngineBackend(native, settings, self.outside)
            if native.no_gpu_reason:
                text = f"{model.path} runs on the CPU: {native.no_gpu_reason}"
                warnings.warn(text, stacklevel=3)
        else:
            self._open_session()

    def close(self) -> None:
        """Release the model; the object cannot evaluate afterwards."""
        for backend in self._open.values():
            backend.close()
        self._open.clear()
        self._closed = True

    def _run_frames(self, frames: Frames, outputs: Sequence[str]) -> dict[str, np.ndarray]:
        """Evaluate frames."""
        names = self._checked(outputs)
        wanted = list(dict.fromkeys(map(self._evaluated, names)))
        result = self._backend_for(wanted).run_frames(frames, wanted)
        self._warn()
        return {name: self._part(name, result, frames) for name in names}

    def _run_pairs(
        self, frames: Frames, pairs: Pairs, num_owned: int, outputs: Sequence[str]
    ) -> dict[str, np.ndarray]:
        """Evaluate the first `num_owned` centres of a frame whose pairs are given.

        Its atom_type may go on with ghosts.
        """
        names = self._checked(outputs)
        wanted = list(dict.fromkeys(map(self._evaluated, names)))
        result = self._backend_for(wanted).run_pairs(frames, pairs, num_owned, wanted)
        self._warn()
        return {name: self._part(name, result, frames) for name in names}

    def _evaluated(self, name: str) -> str:
        """Return the output that a backend evaluates for the output `name`."""
        return PROPERTIES[name].part_of or name

    def _part(self, name: str, result: Mapping[str, np.ndarray], frames: Frames) -> np.ndarray:
        """Return the output `name`: those of forces of one kind of atoms have zeros for others."""
        whole = result[self._evaluated(name)]
        if not PROPERTIES[name].part_of:
            return whole
        virtual = frames.atom_type >= self.get_ntypes() - self.get_ntypes_spin()
        chosen = virtual if name == MAGNETIC_FORCE.name else ~virtual
        return np.where(chosen[:, None], whole, 0.0)

    def _backend_for(self, names: Sequence[str]) -> Backend:
        """Return what gives the outputs `names`."""
        if self._closed:
            raise ValueError(f"`DeepPot` must be open, got the closed one of {self.path}")
        if ENGINE in self._open and self._given.issuperset(names):
            return self._open[ENGINE]
        if TENSORFLOW not in self._open:
            self._open_session()
        return self._open[TENSORFLOW]

    def _open_session(self) -> None:
        opened = tensorflow_backend().TensorFlowBackend(self._model, self._settings, self.outside)
        self._open[TENSORFLOW] = opened

    def _checked(self, outputs: Sequence[str]) -> list[str]:
        known = [name for name in self.get_outputs() if name in PROPERTIES]
        unknown = [name for name in outputs if name not in known]
        if unknown:
            raise ValueError(
                f"`outputs` must be among {', '.join(known)}, got {', '.join(unknown)}"
            )
        return list(outputs)

    def _warn(self) -> None:
        """Say once that there were pairs closer than the data of the model."""
        if self.outside and not self._warned:
            self._warned = True
            warnings.warn("; ".join(self.outside.lines()), OutsideWarning, stacklevel=_level())


def _level() -> int:
    """Return the stack level of a warning that shows who called deeptf, seen from the caller."""
    frame, level = sys._getframe(1), 1
    while frame.f_back and frame.f_globals.get("__name__", "").partition(".")[0] in _INNER:
        frame, level = frame.f_back, level + 1
    return level
