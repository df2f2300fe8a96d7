"""The session of a frozen model: frames and pairs in, outputs by name out, block by block.

Many frames, or one large frame, are evaluated in blocks (blocks.py) so that the memory stays
bounded whatever the amount of data. It takes what inputs.py has checked.
"""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Sequence
from numbers import Integral

import numpy as np

from deeptf.data.batch import Frames, Pairs
from deeptf.exchange.model_file import OUTSIDE, ModelFile
from deeptf.exchange.runnable import import_model
from deeptf.infer.blocks import Block, block_atoms, blocks, frame_groups
from deeptf.infer.description import Description
from deeptf.model.outside import OutsidePairs
from deeptf.ops.library import library
from deeptf.ops.messages import op_message
from deeptf.properties import ATOM, CENTRE, FRAME, PROPERTIES
from deeptf.tf import session, tf

_PAIRS = ("row", "neighbor", "displacement")
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
        self._bytes_per_pair = int(model.metadata["pair_bytes"])
        self._bytes_per_atom = int(model.metadata["atom_bytes"])
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
        atoms = int(frames.frame_row[-1])
        direct = min(DIRECT_ATOMS, self._most_atoms) if self._in_blocks else atoms
        if len(frames.cell) and atoms <= direct:
            result = self._run(names, self._feed(frames))
            self._warn()
            return result
        result = self._empty(frames, names, atoms)
        for first, last in frame_groups(frames.frame_row, min(LIST_ATOMS, self._most_atoms)):
            group = frames.part(first, last)
            pairs = Pairs(**self._run(_PAIRS, self._feed(group), first))
            begin, end = frames.frame_row[first], frames.frame_row[last]
            view = {
                name: value[first:last] if PROPERTIES[name].of == FRAME else value[begin:end]
                for name, value in result.items()
            }
            self._run_blocks(group, pairs, view)
        self._warn()
        return result

    def _run_pairs(
        self, frames: Frames, pairs: Pairs, outputs: Sequence[str]
    ) -> dict[str, np.ndarray]:
        """Evaluate a frame whose pairs are given; its atom_type may go on with ghosts."""
        result = self._empty(frames, self._checked(outputs), len(frames.atom_type))
        self._run_blocks(frames, pairs, result)
        self._warn()
        return result

    def _run_blocks(self, frames: Frames, pairs: Pairs, result: dict[str, np.ndarray]) -> None:
        """Evaluate pairs block by block and add what comes out to the zeros in `result`."""
        size = pairs.row.astype(np.int64) * self._bytes_per_pair
        size += np.arange(len(pairs.row), dtype=np.int64) * self._bytes_per_atom
        for block in blocks(size, frames.frame_row, self.memory):
            atoms, part = block_atoms(pairs, block, len(frames.atom_type))
            feed = self._feed_block(frames, block, atoms, part)
            for name, value in self._run(list(result), feed).items():
                if PROPERTIES[name].of == FRAME:
                    result[name][block.first_frame : block.last_frame] += value
                elif PROPERTIES[name].of == CENTRE:
                    result[name][block.first : block.last] = value
                else:
                    result[name][atoms] += value

    def _feed(self, frames: Frames) -> dict[str, np.ndarray]:
        """Return what the door for coordinates takes."""
        feed = {name: getattr(frames, name) for name in ("coord", "cell", "atom_type", "frame_row")}
        if frames.fparam is not None:
            feed["fparam"] = frames.fparam
        if frames.aparam is not None:
            feed["aparam"] = frames.aparam
        return feed

    def _feed_block(
        self, frames: Frames, block: Block, atoms: np.ndarray, pairs: Pairs
    ) -> dict[str, np.ndarray]:
        """Return what the door for pairs takes."""
        frame_row = frames.frame_row[block.first_frame : block.last_frame + 1]
        feed = {
            "row": pairs.row,
            "neighbor": pairs.neighbor,
            "displacement": pairs.displacement,
            "atom_type": frames.atom_type[atoms],
            "frame_row": np.clip(frame_row, block.first, block.last) - np.int32(block.first),
        }
        if frames.fparam is not None:
            feed["fparam"] = frames.fparam[block.first_frame : block.last_frame]
        if frames.aparam is not None:
            feed["aparam"] = frames.aparam[block.first : block.last]
        return feed

    def _empty(self, frames: Frames, names: Sequence[str], num_all: int) -> dict[str, np.ndarray]:
        """Return zeros for the outputs `names` of all frames."""
        sizes = {FRAME: len(frames.cell), CENTRE: int(frames.frame_row[-1]), ATOM: num_all}
        result = {}
        for name in names:
            row = PROPERTIES[name]
            shape = row.shape
            if not row.width:
                shape = (int(self._graph.get_tensor_by_name(f"{name}:0").shape[-1]),)
            result[name] = np.zeros((sizes[row.of], *shape))
        return result

    def _run(
        self, names: Sequence[str], feed: dict[str, np.ndarray], first_frame: int = 0
    ) -> dict[str, np.ndarray]:
        if self._session is None:
            raise ValueError(f"`DeepPot` must be open, got the closed one of {self.path}")
        if self._process != os.getpid():  # a fork has no threads of its parent's session
            self._session, self._process = session(self._graph, self._threads), os.getpid()
        fetches = {name: f"{name}:0" for name in names}
        given = {f"{name}:0": value for name, value in feed.items()}
        count, distance = (f"{name}:0" for name in OUTSIDE)
        try:
            if self.outside is None or names is _PAIRS:
                return self._session.run(fetches, given)
            result, outside = self._session.run((fetches, count), given)
            if outside.any():
                self.outside.add(outside, self._session.run(distance, given))
            return result
        except tf.errors.InvalidArgumentError as error:
            raise ValueError(op_message(error, first_frame)) from None

    def _checked(self, outputs: Sequence[str]) -> list[str]:
        known = self.metadata["outputs"]
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
