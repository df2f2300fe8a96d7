"""Tensors of a model on frames of systems, some frames at a time, before training begins."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from deeptf.data.batch import Batch
from deeptf.data.pairs import naming_frames
from deeptf.data.system import System
from deeptf.model.inputs import Inputs
from deeptf.model.model import ModelConfig
from deeptf.tf import session, tf

BATCH_ATOMS = 2048  # evaluated at a time
INPUTS = ("coord", "cell", "atom_type", "frame_row", "fparam", "aparam")


class Evaluation:
    """Tensors by name as functions of frames; a context manager.

    build : makes them, from the inputs of `model`
    """

    def __init__(self, model: ModelConfig, build: Callable[[Inputs], dict[str, tf.Tensor]]) -> None:
        with tf.Graph().as_default() as graph:
            inputs = model.inputs()
            self._tensors = build(inputs)
        self._inputs = {name: getattr(inputs, name) for name in INPUTS}
        self._session = session(graph)

    def __enter__(self) -> Evaluation:
        return self

    def __exit__(self, *details: object) -> None:
        self._session.close()

    def of(
        self, system: System, frames: np.ndarray, names: Sequence[str]
    ) -> Iterator[tuple[np.ndarray, dict[str, np.ndarray]]]:
        """Yield some of the frames at a time, and what these tensors are of them.

        Raises DataError, naming the frame, where an op refuses it.
        """
        size = max(1, BATCH_ATOMS // system.num_atoms)
        for first in range(0, len(frames), size):
            part = frames[first : first + size]
            yield part, self._run(system.batch(part), {k: self._tensors[k] for k in names})

    def _run(self, batch: Batch, wanted: dict[str, Any]) -> dict[str, np.ndarray]:
        given = {name: tensor for name, tensor in self._inputs.items() if tensor is not None}
        with naming_frames(batch):
            return self._session.run(wanted, {t: getattr(batch, name) for name, t in given.items()})
