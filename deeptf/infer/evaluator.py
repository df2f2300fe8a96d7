"""The session of a frozen model: frames and pairs in, outputs by name out, block by block.

Many frames, or one large frame, are evaluated in blocks (blocks.py) so that the memory stays
bounded whatever the amount of data. It takes what inputs.py has checked.
"""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import fields
from numbers import Integral
from typing import Any

import numpy as np

from deeptf.data.batch import Frames, Pairs
from deeptf.exchange.model_file import OUTSIDE, ModelFile
from deeptf.exchange.runnable import import_model
from deeptf.infer.blocks import Block, block_atoms, blocks, frame_groups, with_further
from deeptf.infer.description import Description
from deeptf.model.outside import OutsidePairs
from deeptf.ops.library import library
from deeptf.ops.messages import op_message
from deeptf.properties import ATOM, CENTRE, FRAME, PROPERTIES
from deeptf.tf import session, tf

DIRECT_ATOMS = 512  # up to so many atoms are evaluated in one run, straight from the coordinates
LIST_ATOMS = 16384  # neighbours of at most so many atoms (or of one frame) are held at a time


class OutsideWarning(UserWarning):
    """Atoms are closer than anything in the data of a model."""


class Evaluator(Description):
    """A model that is open, see DeepPot for the arguments."""

    def __init__(
        self, model: ModelFile, threads: int | None, memory: int, auto_batch_size: bool | int
    ) -> None:
        if threads is not None and threads < 1:
            raise ValueError(f"`threads` must be at least 1, got {threads}")
        if memory < 1:
            raise ValueError(f"`memory` must be positive (bytes), got {memory}")
        super().__init__(model)
        self.path = model.path
        self.memory = memory
        self._in_blocks = auto_batch_size is not False
        self._most_atoms = _most_atoms(auto_batch_size)
        self.outside = None
        if model.data_end is not None:
            self.outside = OutsidePairs(self.get_type_map(), model.data_end)
        self._warned = False
        library()
        self._graph = import_model(model)
        self._threads = threads
        self._session: tf.Session | None = session(self._graph, threads)
        self._process = os.getpid()

    def close(self) -> None:
        """Release the session; the object cannot evaluate afterwards."""
        if self._session is not None:
            self._session.close()
        self._session = None

    def _run_frames(self, frames: Frames, outputs: Sequence[str]) -> dict[str, np.ndarray]:
        """Evaluate frames: list the neighbours of a group of frames, then run block by block."""
        names = self._checked(outputs)
        direct = min(DIRECT_ATOMS, self._most_atoms) if self._in_blocks else frames.num_atoms
        if frames.num_frames and frames.num_atoms <= direct:
            result = self._run_graph(names, _given(frames))
            self._warn()
            return result
        result = self._empty(frames, names)
        whole = not self.takes_pairs()
        most = min(direct if whole else LIST_ATOMS, self._most_atoms)
        for first, last in frame_groups(frames.frame_row, most):
            group = frames.part(first, last)
            begin, end = frames.frame_row[first], frames.frame_row[last]
            view = {
                name: value[first:last] if PROPERTIES[name].of == FRAME else value[begin:end]
                for name, value in result.items()
            }
            if whole:
                for name, value in self._run_graph(names, _given(group), first).items():
                    view[name][...] = value
            else:
                self._run_blocks(group, self._list_pairs(group, first), group.num_atoms, view)
        self._warn()
        return result

    def _run_pairs(
        self, frames: Frames, pairs: Pairs, num_owned: int, outputs: Sequence[str]
    ) -> dict[str, np.ndarray]:
        """Evaluate the first `num_owned` centres of a frame whose pairs are given.

        Its atom_type may go on with ghosts.
        """
        result = self._empty(frames, self._checked(outputs))
        self._run_blocks(frames, pairs, num_owned, result)
        self._warn()
        return result

    def _run_blocks(
        self, frames: Frames, pairs: Pairs, num_owned: int, result: dict[str, np.ndarray]
    ) -> None:
        """Evaluate pairs block by block and add what comes out to the zeros in `result`."""
        size = pairs.row.astype(np.int64) * self.metadata["pair_bytes"]
        size += np.arange(len(pairs.row), dtype=np.int64) * self.metadata["atom_bytes"]
        owned = np.minimum(frames.frame_row, num_owned)
        for whole in blocks(size, owned, self.memory):
            for block, further in with_further(whole, pairs, self.get_hops(), size, self.memory):
                atoms, part = block_atoms(pairs, block, further, len(frames.atom_type))
                found = self._run_graph(list(result), _given_block(frames, block, atoms, part))
                _add(found, block, atoms, result)

    def _empty(self, frames: Frames, names: Sequence[str]) -> dict[str, np.ndarray]:
        """Return zeros for the outputs `names` of all frames, and of ghosts."""
        sizes = {
            FRAME: frames.num_frames,
            CENTRE: frames.num_atoms,
            ATOM: len(frames.atom_type),
        }
        result = {}
        for name in names:
            row = PROPERTIES[name]
            shape = row.shape
            if not row.width:
                shape = (int(self._graph.get_tensor_by_name(f"{name}:0").shape[-1]),)
            result[name] = np.zeros((sizes[row.of], *shape))
        return result

    def _list_pairs(self, frames: Frames, first_frame: int) -> Pairs:
        """Return the pairs that the graph finds; `first_frame` is the number of the first frame."""
        fetches = {part.name: f"{part.name}:0" for part in fields(Pairs)}
        return Pairs(**self._run_session(fetches, _given(frames), first_frame))

    def _run_graph(
        self, names: Sequence[str], given: Mapping[str, Any], first_frame: int = 0
    ) -> dict[str, np.ndarray]:
        """Return outputs, and count the pairs closer than the data of the model."""
        fetches = {name: f"{name}:0" for name in names}
        if self.outside is None:
            return self._run_session(fetches, given, first_frame)
        count, distance = (f"{name}:0" for name in OUTSIDE)
        result, outside = self._run_session((fetches, count), given, first_frame)
        if outside.any():
            self.outside.add(outside, self._run_session(distance, given))
        return result

    def _run_session(self, fetches: Any, given: Mapping[str, Any], first_frame: int = 0) -> Any:
        """Run the graph; messages of its ops count frames from `first_frame`."""
        if self._session is None:
            raise ValueError(f"`DeepPot` must be open, got the closed one of {self.path}")
        if self._process != os.getpid():  # a fork has no threads of its parent's session
            self._session, self._process = session(self._graph, self._threads), os.getpid()
        try:
            return self._session.run(fetches, {f"{k}:0": value for k, value in given.items()})
        except tf.errors.InvalidArgumentError as error:
            raise ValueError(op_message(error, first_frame)) from None

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
            warnings.warn("; ".join(self.outside.lines()), OutsideWarning, stacklevel=4)


def _most_atoms(auto_batch_size: bool | int) -> int:
    """Return the most atoms that a user lets evaluate at a time."""
    if isinstance(auto_batch_size, bool):
        return sys.maxsize
    if not isinstance(auto_batch_size, Integral) or auto_batch_size < 1:
        raise ValueError(
            "`auto_batch_size` must be true, false or a positive number of atoms, "
            f"got {auto_batch_size!r}"
        )
    return int(auto_batch_size)


def _given(frames: Frames) -> dict[str, np.ndarray]:
    """Return what the door for coordinates takes."""
    return {name: value for name, value in vars(frames).items() if value is not None}


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
