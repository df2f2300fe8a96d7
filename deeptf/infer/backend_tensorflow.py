"""TensorFlow as a backend: the graph of a model in a session, block by block (blocks.py)."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

import numpy as np

from deeptf.config import load
from deeptf.data.batch import Frames, Pairs
from deeptf.exchange.model_file import OUTSIDE, ModelFile
from deeptf.exchange.runnable import import_model, runnable
from deeptf.infer.backend import Settings, empty_results, part_of_results
from deeptf.infer.blocks import Block, block_atoms, blocks, frame_groups, with_further
from deeptf.input_file import Notices
from deeptf.model.doors import PAIRS
from deeptf.model.model import ModelConfig
from deeptf.model.outside import OutsidePairs
from deeptf.model.parameters import Parameters
from deeptf.model.scopes import below
from deeptf.model.term.standard import TYPES
from deeptf.ops.library import library
from deeptf.ops.messages import op_message
from deeptf.properties import CENTRE, FRAME, PROPERTIES
from deeptf.tf import session, tf

__all__ = ["TensorFlowBackend", "runnable", "type_vectors"]

DIRECT_ATOMS = 512  # up to so many atoms are evaluated in one run, straight from the coordinates
LIST_ATOMS = 16384  # neighbours of at most so many atoms (or of one frame) are held at a time


class TensorFlowBackend:
    """A model whose graph is in a session.

    outside : gets the pairs that are closer than the data of the model, where it can tell.
    """

    def __init__(self, model: ModelFile, settings: Settings, outside: OutsidePairs | None) -> None:
        library()
        self._metadata = model.metadata
        self._settings, self._outside = settings, outside
        self._graph = import_model(model)
        self._session: tf.Session = session(self._graph, settings.threads)
        self._process = os.getpid()

    def close(self) -> None:
        """Release the session."""
        self._session.close()

    def run_frames(self, frames: Frames, names: Sequence[str]) -> dict[str, np.ndarray]:
        """Return outputs: list the neighbours of a group of frames, then run block by block."""
        limit = self._settings.most_atoms
        in_blocks = self._settings.auto_batch_size is not False
        direct = min(DIRECT_ATOMS, limit) if in_blocks else frames.num_atoms
        if frames.num_frames and frames.num_atoms <= direct:
            return self._run_graph(names, _given(frames))
        result = self._empty(frames, names)
        whole = PAIRS not in self._metadata["doors"]
        most = min(direct if whole else LIST_ATOMS, limit)
        for first, last in frame_groups(frames.frame_row, most):
            group, view = frames.part(first, last), part_of_results(result, frames, first, last)
            if whole:
                for name, value in self._run_graph(names, _given(group), first).items():
                    view[name][...] = value
            else:
                self._run_blocks(group, self._list_pairs(group, first), group.num_atoms, view)
        return result

    def run_pairs(
        self, frames: Frames, pairs: Pairs, num_owned: int, names: Sequence[str]
    ) -> dict[str, np.ndarray]:
        """Return outputs of a frame whose pairs are given, see Backend."""
        result = self._empty(frames, names)
        self._run_blocks(frames, pairs, num_owned, result)
        return result

    def _run_blocks(
        self, frames: Frames, pairs: Pairs, num_owned: int, result: dict[str, np.ndarray]
    ) -> None:
        """Evaluate pairs block by block and add what comes out to the zeros in `result`."""
        size = pairs.row.astype(np.int64) * self._metadata["pair_bytes"]
        size += np.arange(len(pairs.row), dtype=np.int64) * self._metadata["atom_bytes"]
        owned = np.minimum(frames.frame_row, num_owned)
        memory, hops = self._settings.memory, self._metadata["hops"]
        for whole in blocks(size, owned, memory):
            for block, further in with_further(whole, pairs, hops, size, memory):
                atoms, part = block_atoms(pairs, block, further, len(frames.atom_type))
                found = self._run_graph(list(result), _given_block(frames, block, atoms, part))
                _add(found, block, atoms, result)

    def _empty(self, frames: Frames, names: Sequence[str]) -> dict[str, np.ndarray]:
        """Return zeros for the outputs `names` of all frames, and of ghosts."""
        shapes = {name: self._graph.get_tensor_by_name(f"{name}:0").shape for name in names}
        widths = {name: shape[-1] for name, shape in shapes.items() if not PROPERTIES[name].width}
        return empty_results(frames, names, widths)

    def _list_pairs(self, frames: Frames, first_frame: int) -> Pairs:
        """Return the pairs that the graph finds; `first_frame` is the number of the first frame."""
        fetches = {part.name: f"{part.name}:0" for part in fields(Pairs)}
        return Pairs(**self._run_session(fetches, _given(frames), first_frame))

    def _run_graph(
        self, names: Sequence[str], given: Mapping[str, Any], first_frame: int = 0
    ) -> dict[str, np.ndarray]:
        """Return outputs, and count the pairs closer than the data of the model."""
        fetches = {name: f"{name}:0" for name in names}
        if self._outside is None:
            return self._run_session(fetches, given, first_frame)
        count, distance = (f"{name}:0" for name in OUTSIDE)
        result, outside = self._run_session((fetches, count), given, first_frame)
        if outside.any():
            self._outside.add(outside, self._run_session(distance, given))
        return result

    def _run_session(self, fetches: Any, given: Mapping[str, Any], first_frame: int = 0) -> Any:
        """Run the graph; messages of its ops count frames from `first_frame`."""
        if self._process != os.getpid():  # a fork has no threads of its parent's session
            self._session = session(self._graph, self._settings.threads)
            self._process = os.getpid()
        try:
            return self._session.run(fetches, {f"{k}:0": value for k, value in given.items()})
        except tf.errors.InvalidArgumentError as error:
            raise ValueError(op_message(error.message, first_frame)) from None


def _given(frames: Frames) -> dict[str, np.ndarray]:
    """Return what the door for coordinates takes."""
    return {name: value for name, value in vars(frames).items() if value is not None}


def type_vectors(model: ModelFile) -> np.ndarray | None:
    """Return the vectors of the types of a model, [T, n]; None of one without.

    With a row of zeros for no atom, [T + 1, n], where the descriptor needs such vectors.
    """
    config = load(ModelConfig, model.metadata["model"], "model", Notices())
    section = getattr(config.term, "type_embedding", None)
    if section is None:
        return None
    with tf.Graph().as_default() as graph:
        parameters = Parameters(below(model.arrays, TYPES), frozen=True)
        vectors = section.vectors(config.num_types, parameters)
        with session(graph) as run:
            found = run.run(vectors)
    return found if config.term.descriptor.needs_type_vectors else found[:-1]


def _given_block(
    frames: Frames, block: Block, atoms: np.ndarray, pairs: Pairs
) -> dict[str, np.ndarray | int]:
    """Return what the door for pairs takes."""
    num_owned, num_centres = block.last - block.first, len(pairs.row) - 1
    frame_row = frames.frame_row[block.first_frame : block.last_frame + 1]
    frame_row = np.clip(frame_row, block.first, block.last) - np.int32(block.first)
    frame_row[-1] = num_centres  # further centres are those of one frame
    given = vars(pairs) | {"atom_type": frames.atom_type[atoms], "frame_row": frame_row}
    if num_centres > num_owned:
        given["num_owned"] = num_owned
    if frames.fparam is not None:
        given["fparam"] = frames.fparam[block.first_frame : block.last_frame]
    if frames.aparam is not None:
        given["aparam"] = frames.aparam[atoms[:num_centres]]
    return given


def _add(
    found: Mapping[str, np.ndarray], block: Block, atoms: np.ndarray, result: dict[str, np.ndarray]
) -> None:
    """Add the outputs of a block to those of all frames."""
    for name, value in found.items():
        if PROPERTIES[name].of == FRAME:
            result[name][block.first_frame : block.last_frame] += value
        elif PROPERTIES[name].of == CENTRE:
            result[name][block.first : block.last] = value[: block.last - block.first]
        else:
            result[name][atoms] += value
