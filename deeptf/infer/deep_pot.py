"""DeepPot: energy, force and virial of a frozen model from Python.

Many frames, or one large frame, are evaluated in blocks (blocks.py) so that the memory stays
bounded whatever the amount of data. Units: A, eV, eV/A; virial = -dE/dstrain in eV. It does not
build neighbour lists itself: the graph does, or an MD engine gives pairs (eval_pairs).
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from deeptf.infer.blocks import Block, Pairs, block_atoms, blocks, frame_groups
from deeptf.infer.inputs import (
    Frames,
    atom_parameters,
    check_displacements,
    check_frames,
    frame_parameters,
    frames_of_arrays,
    frames_of_batch,
    pairs_of_arrays,
)
from deeptf.infer.memory import bytes_per_atom, bytes_per_pair
from deeptf.infer.model_file import OUTSIDE, import_model, read_model
from deeptf.model.outside import OutsidePairs
from deeptf.op_library import library
from deeptf.op_messages import op_message, with_origin
from deeptf.tf import session, tf

_EVAL_ORDER = ("energy", "force", "virial", "atom_energy", "atom_virial")
OUTPUTS = (*_EVAL_ORDER, "descriptor")
_PAIRS = ("row", "neighbor", "displacement")
_PER_FRAME = ("energy", "virial")
_PER_CENTRE = ("atom_energy", "descriptor")
DIRECT_ATOMS = 512  # up to so many atoms are evaluated in one run, straight from the coordinates
LIST_ATOMS = 16384  # neighbours of at most so many atoms (or of one frame) are held at a time


class OutsideWarning(UserWarning):
    """Atoms are closer than anything in the data of a model."""


class DeepPot:
    """A frozen model, ready to evaluate.

    model_file : path of the `.pb` written by `deeptf freeze` or `deeptf convert`
    threads : threads of TensorFlow; None takes all cores
    memory : bytes of working memory to aim at; more data are evaluated in blocks

    outside : pairs of atoms closer than anything in the data of the model, in all evaluations so
        far; None where the model cannot tell. The first ones are an OutsideWarning.

    Use it as a context manager, or call `close`, to release the session early.
    """

    def __init__(
        self, model_file: str | Path, threads: int | None = None, memory: int = 1 << 30
    ) -> None:
        if threads is not None and threads < 1:
            raise ValueError(f"`threads` must be at least 1, got {threads}")
        if memory < 1:
            raise ValueError(f"`memory` must be positive (bytes), got {memory}")
        library()
        model = read_model(model_file)
        self.path = model.path
        self.metadata = model.metadata
        self.memory = memory
        self._bytes_per_pair = bytes_per_pair(model)
        self._bytes_per_atom = bytes_per_atom(model)
        self.outside = None
        if model.data_end is not None:
            self.outside = OutsidePairs(model.type_map, model.data_end)
        self._warned = False
        self._graph = import_model(model)
        self._session: tf.Session | None = session(self._graph, threads)

    def __enter__(self) -> DeepPot:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Release the session; the object cannot evaluate afterwards."""
        if self._session is not None:
            self._session.close()
        self._session = None

    def get_type_map(self) -> list[str]:
        """Return the names of the atom types, by type index."""
        return list(self.metadata["type_map"])

    def get_ntypes(self) -> int:
        """Return the number of atom types."""
        return len(self.metadata["type_map"])

    def get_rcut(self) -> float:
        """Return the cut-off radius in A."""
        return float(self.metadata["rcut"])

    def get_dim_fparam(self) -> int:
        """Return how many frame parameters the model takes."""
        return int(self.metadata.get("numb_fparam", 0))

    def get_dim_aparam(self) -> int:
        """Return how many atom parameters the model takes."""
        return int(self.metadata.get("numb_aparam", 0))

    def eval(
        self,
        coords: ArrayLike,
        cells: ArrayLike | None,
        atom_types: ArrayLike,
        atomic: bool = False,
        fparam: ArrayLike | None = None,
        aparam: ArrayLike | None = None,
    ) -> tuple[np.ndarray, ...]:
        """Evaluate frames of one size.

        coords [nf, 3N] in A; cells [nf, 9] in A or None for no cell (zeros: this frame has none);
        atom_types [N] or [nf, N], -1 for no atom; fparam [nf, k] or [k]; aparam [nf, N, k], [N, k]
        or [k]. Returns energy [nf, 1], force [nf, N, 3], virial [nf, 9] and, with `atomic`, the
        energy of each atom [nf, N, 1] and its virial [nf, N, 9] (that of a pair belongs to the
        neighbour). Raises ValueError, naming frame and atom where it can.
        """
        names = _EVAL_ORDER if atomic else _EVAL_ORDER[:3]
        frames = self._frames(coords, cells, atom_types, fparam, aparam)
        result = self._run_frames(frames, names)
        nf, n = len(frames.cell), np.asarray(atom_types).shape[-1]
        shapes = [(nf, 1), (nf, n, 3), (nf, 9), (nf, n, 1), (nf, n, 9)]
        shape_of = dict(zip(_EVAL_ORDER, shapes, strict=True))
        return tuple(result[name].reshape(shape_of[name]) for name in names)

    def eval_descriptor(
        self,
        coords: ArrayLike,
        cells: ArrayLike | None,
        atom_types: ArrayLike,
        fparam: ArrayLike | None = None,
        aparam: ArrayLike | None = None,
    ) -> np.ndarray:
        """Return the descriptor of every atom, [nf, N, D]; arguments as in `eval`."""
        frames = self._frames(coords, cells, atom_types, fparam, aparam)
        value = self._run_frames(frames, ["descriptor"])["descriptor"]
        num_atoms = np.asarray(atom_types).shape[-1]
        return value.reshape(len(frames.cell), num_atoms, value.shape[-1])

    def evaluate(
        self, batch: Any, outputs: Sequence[str] = ("energy", "force", "virial")
    ) -> dict[str, np.ndarray]:
        """Evaluate a deeptf.data.batch.Batch, whose frames may differ in size.

        Returns the named outputs: energy [F], force [N, 3], virial [F, 9], atom_energy [N],
        atom_virial [N, 9], descriptor [N, D].
        """
        fparam = batch.fparam if self.get_dim_fparam() else None
        aparam = batch.aparam if self.get_dim_aparam() else None
        try:
            frames = frames_of_batch(batch, self.get_type_map())
            return self._run_frames(self._with_parameters(frames, fparam, aparam), outputs)
        except ValueError as error:
            raise ValueError(with_origin(str(error), batch.origin)) from None

    def eval_pairs(
        self,
        row: ArrayLike,
        neighbor: ArrayLike,
        displacement: ArrayLike,
        atom_type: ArrayLike,
        fparam: ArrayLike | None = None,
        aparam: ArrayLike | None = None,
        outputs: Sequence[str] = ("energy", "force", "virial"),
    ) -> dict[str, np.ndarray]:
        """Evaluate one frame given by its pairs, as an MD engine has them.

        row [N + 1]: centre i owns the pairs row[i] to row[i + 1]; neighbor [P] from 0 to N_all - 1;
        displacement [P, 3] = r_neighbor - r_centre in A; atom_type [N_all]: the N centres, then
        ghosts. Pairs beyond the cut-off do no harm. Returns energy [1], force [N_all, 3],
        virial [1, 9], atom_energy [N], atom_virial [N_all, 9]; the force on a ghost is to be added
        to its atom.
        """
        types = np.ascontiguousarray(atom_type, np.int32)
        pairs = pairs_of_arrays(row, neighbor, displacement, len(types))
        check_displacements(pairs, types)
        num_centres = len(pairs.row) - 1
        frame_row = np.array([0, num_centres], np.int32)
        frames = Frames(np.zeros((len(types), 3)), np.zeros((1, 3, 3)), types, frame_row)
        check_frames(frames, self.get_type_map())
        frames = self._with_parameters(frames, fparam, aparam)
        result = self._empty(frames, _checked(outputs), len(types))
        self._run_blocks(frames, pairs, result)
        self._warn()
        return result

    def _frames(
        self,
        coords: ArrayLike,
        cells: ArrayLike | None,
        atom_types: ArrayLike,
        fparam: ArrayLike | None,
        aparam: ArrayLike | None,
    ) -> Frames:
        frames = frames_of_arrays(coords, cells, atom_types, self.get_type_map())
        return self._with_parameters(frames, fparam, aparam)

    def _with_parameters(
        self, frames: Frames, fparam: ArrayLike | None, aparam: ArrayLike | None
    ) -> Frames:
        return replace(
            frames,
            fparam=frame_parameters(fparam, self.get_dim_fparam(), len(frames.cell)),
            aparam=atom_parameters(aparam, self.get_dim_aparam(), frames.frame_row),
        )

    def _run_frames(self, frames: Frames, outputs: Sequence[str]) -> dict[str, np.ndarray]:
        """Evaluate frames: list the neighbours of a group of frames, then run block by block."""
        names = _checked(outputs)
        if len(frames.cell) and frames.frame_row[-1] <= DIRECT_ATOMS:
            result = self._run(names, self._feed(frames))
            self._warn()
            return result
        result = self._empty(frames, names, int(frames.frame_row[-1]))
        for first, last in frame_groups(frames.frame_row, LIST_ATOMS):
            group = frames.part(first, last)
            pairs = Pairs(**self._run(_PAIRS, self._feed(group), first))
            begin, end = frames.frame_row[first], frames.frame_row[last]
            view = {
                name: value[first:last] if name in _PER_FRAME else value[begin:end]
                for name, value in result.items()
            }
            self._run_blocks(group, pairs, view)
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
                if name in _PER_FRAME:
                    result[name][block.first_frame : block.last_frame] += value
                elif name in _PER_CENTRE:
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
        num_frames, num_centres = len(frames.cell), int(frames.frame_row[-1])
        shapes = {
            "energy": (num_frames,),
            "virial": (num_frames, 9),
            "force": (num_all, 3),
            "atom_virial": (num_all, 9),
            "atom_energy": (num_centres,),
        }
        if "descriptor" in names:
            width = self._graph.get_tensor_by_name("descriptor:0").shape[-1]
            shapes["descriptor"] = (num_centres, int(width))
        return {name: np.zeros(shapes[name]) for name in names}

    def _run(
        self, names: Sequence[str], feed: dict[str, np.ndarray], first_frame: int = 0
    ) -> dict[str, np.ndarray]:
        if self._session is None:
            raise ValueError(f"`DeepPot` must be open, got the closed one of {self.path}")
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

    def _warn(self) -> None:
        """Say once that there were pairs closer than the data of the model."""
        if self.outside and not self._warned:
            self._warned = True
            warnings.warn("; ".join(self.outside.lines()), OutsideWarning, stacklevel=4)


def _checked(outputs: Sequence[str]) -> list[str]:
    unknown = [name for name in outputs if name not in OUTPUTS]
    if unknown:
        raise ValueError(f"`outputs` must be among {', '.join(OUTPUTS)}, got {', '.join(unknown)}")
    return list(outputs)
