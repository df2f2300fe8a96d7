"""Check what a user gives to a model and lay it out as atoms of all frames, one after another.

Shapes: F frames, N atoms of all frames together. It knows the type names of a model, not its graph.
"""

from __future__ import annotations

from numbers import Integral

import numpy as np
from numpy.typing import ArrayLike

from deeptf.data.batch import Batch, Frames, Pairs

TOO_CLOSE = 1e-6  # A; atoms at this distance are one atom written twice
_LARGEST = np.iinfo(np.int32).max


def frames_of_arrays(
    coords: ArrayLike,
    cells: ArrayLike | None,
    atom_types: ArrayLike,
    type_map: list[str],
    mixed_type: bool = False,
) -> Frames:
    """Lay out frames of one size: coords [nf, 3N], cells [nf, 9] or None, types [N] or [nf, N].

    Coordinates [nf, N, 3], cells [nf, 3, 3], and one frame as [3N] or [N, 3] with a cell [9] or
    [3, 3] are taken as well. With `mixed_type` types must be [nf, N]. Raises ValueError.
    """
    types = _integers("atom_types", atom_types)
    if mixed_type and types.ndim != 2:
        raise ValueError(
            "`atom_types` must have shape [nf, N], the types of each frame, with `mixed_type`, "
            f"got {types.shape}"
        )
    if types.ndim not in (1, 2) or types.shape[-1] == 0:
        raise ValueError(f"`atom_types` must have shape [N] or [nf, N], got {types.shape}")
    num_atoms = types.shape[-1]
    coord = _floats("coords", coords)
    if coord.size % (3 * num_atoms) or not _is_layout(coord.shape, num_atoms):
        raise ValueError(
            f"`coords` must have shape [nf, {3 * num_atoms}] for the {num_atoms} atoms of "
            f"`atom_types`, got {coord.shape}"
        )
    num_frames = coord.size // (3 * num_atoms)
    if num_frames * num_atoms > _LARGEST:
        raise ValueError(
            f"`coords` must hold at most {_LARGEST} atoms at a time, got {num_frames * num_atoms}"
        )
    if types.ndim == 2 and len(types) != num_frames:
        raise ValueError(
            f"`atom_types` must have {num_frames} rows, one for each frame of `coords`, "
            f"got {len(types)}"
        )
    frames = Frames(
        coord.reshape(-1, 3),
        _cells(cells, num_frames),
        np.broadcast_to(types, (num_frames, num_atoms)).reshape(-1),
        np.arange(num_frames + 1, dtype=np.int32) * np.int32(num_atoms),
    )
    check_frames(frames, type_map)
    return frames


def frames_of_batch(batch: Batch, type_map: list[str]) -> Frames:
    """Take the frames of a deeptf.data.batch.Batch, which may differ in size and composition."""
    frames = Frames(
        _floats("coord", batch.coord),
        _floats("cell", batch.cell).reshape(-1, 3, 3),
        _integers("atom_type", batch.atom_type),
        _integers("frame_row", batch.frame_row),
    )
    check_frames(frames, type_map)
    return frames


def check_frames(frames: Frames, type_map: list[str]) -> None:
    """Raise ValueError, naming frame and atom, for an unknown type or a NaN."""
    types = frames.atom_type
    known = -1 <= types.min(initial=0) and types.max(initial=0) < len(type_map)
    if known and np.isfinite(frames.coord).all() and np.isfinite(frames.cell).all():
        return  # so that small frames in long runs lose no time
    wrong = np.flatnonzero((types < -1) | (types >= len(type_map)))
    if len(wrong):
        raise ValueError(
            f"`atom_types` must be from 0 to {len(type_map) - 1} (type_map {' '.join(type_map)}), "
            f"or -1 for no atom, got {types[wrong[0]]} for {_place(frames, wrong[0])}"
        )
    wrong = np.flatnonzero(~np.isfinite(frames.coord).all(axis=1))
    if len(wrong):
        raise ValueError(
            f"`coords` must be finite, got {frames.coord[wrong[0]].tolist()} "
            f"for {_place(frames, wrong[0])}"
        )
    wrong = np.flatnonzero(~np.isfinite(frames.cell).all(axis=(1, 2)))
    if len(wrong):
        raise ValueError(
            f"`cells` must be finite, got {frames.cell[wrong[0]].tolist()} for frame {wrong[0]}"
        )


def frame_parameters(value: ArrayLike | None, width: int, num_frames: int) -> np.ndarray | None:
    """Return fparam as [F, width]; one row stands for all frames. Raises ValueError."""
    if not _parameter_given("fparam", value, width):
        return None
    array = _finite("fparam", value)
    if array.size == width:
        return np.broadcast_to(array.reshape(1, width), (num_frames, width))
    if array.shape not in ((num_frames, width), (num_frames,)) or array.size != num_frames * width:
        raise ValueError(
            f"`fparam` must have shape [{num_frames}, {width}] or [{width}], got {array.shape}"
        )
    return array.reshape(num_frames, width)


def atom_parameters(
    value: ArrayLike | None, width: int, frame_row: np.ndarray
) -> np.ndarray | None:
    """Return aparam as [N, width]; rows of one frame stand for all, one row for every atom.

    Raises ValueError.
    """
    if not _parameter_given("aparam", value, width):
        return None
    array = _finite("aparam", value)
    total, num_frames = int(frame_row[-1]), len(frame_row) - 1
    if array.size == width:
        return np.broadcast_to(array.reshape(1, width), (total, width))
    if array.size == total * width:
        return array.reshape(total, width)
    if num_frames and array.size * num_frames == total * width:
        return np.tile(array.reshape(-1, width), (num_frames, 1))
    raise ValueError(
        f"`aparam` must hold {width} numbers for each of the {total} atoms, got {array.shape}"
    )


def types_of_all(atom_type: ArrayLike) -> np.ndarray:
    """Take the types of an MD engine's atoms and ghosts, [N_all]. Raises ValueError."""
    types = _integers("atom_type", atom_type)
    if types.ndim != 1:
        raise ValueError(f"`atom_type` must have shape [N_all], got {types.shape}")
    return types


def pairs_of_arrays(
    row: ArrayLike, neighbor: ArrayLike, displacement: ArrayLike, num_all: int
) -> Pairs:
    """Take the pairs of an MD engine whose atoms and ghosts are `num_all`. Raises ValueError."""
    row, neighbor = _integers("row", row), _integers("neighbor", neighbor)
    displacement = _floats("displacement", displacement)
    if row.ndim != 1 or not len(row) or row[0] != 0 or np.any(row[1:] < row[:-1]):
        raise ValueError(
            f"`row` must be [N + 1] numbers that begin with 0 and never fall, got {row}"
        )
    if neighbor.shape != (row[-1],) or displacement.size != 3 * row[-1]:
        raise ValueError(
            f"`neighbor` and `displacement` must hold the {row[-1]} pairs of `row`, "
            f"got {neighbor.shape} and {displacement.shape}"
        )
    if len(row) - 1 > num_all:
        raise ValueError(
            f"`atom_type` must hold the {len(row) - 1} centres of `row`, got {num_all} atoms"
        )
    if len(neighbor) and not 0 <= neighbor.min() <= neighbor.max() < num_all:
        raise ValueError(
            f"`neighbor` must be from 0 to {num_all - 1}, got {neighbor.min()} to {neighbor.max()}"
        )
    return Pairs(row, neighbor, displacement.reshape(-1, 3))


def number_owned(value: int | None, num_centres: int) -> int:
    """Return how many centres count, the first ones; all of them for None. Raises ValueError."""
    if value is None:
        return num_centres
    whole = isinstance(value, Integral) and not isinstance(value, bool)
    if not whole or not 0 <= value <= num_centres:
        raise ValueError(
            f"`num_owned` must be an integer from 0 to {num_centres}, the centres of `row`, "
            f"got {value!r}"
        )
    return int(value)


def check_reach(pairs: Pairs, types: np.ndarray, num_owned: int, rcut: float, hops: int) -> None:
    """Raise ValueError unless all real atoms up to hops - 1 steps from owned ones are centres.

    A step is a pair of real atoms closer than `rcut` in A.
    """
    if hops < 2:
        return
    num_centres = len(pairs.row) - 1
    centre = np.repeat(np.arange(num_centres), np.diff(pairs.row))
    step = (types[centre] >= 0) & (types[pairs.neighbor] >= 0)
    step &= np.sum(pairs.displacement**2, axis=1) < rcut**2
    reached = np.arange(num_centres) < num_owned
    for hop in range(1, hops):
        from_reached = step & reached[centre]
        missing = np.flatnonzero(from_reached & (pairs.neighbor >= num_centres))
        if len(missing):
            raise ValueError(
                f"`row` must have the pairs of all atoms up to {hops - 1} steps along pairs from "
                f"the {num_owned} centres whose energy counts, got none of atom "
                f"{pairs.neighbor[missing[0]]}, {hop} away: give the ghosts that are so near as "
                "further centres, with `num_owned`"
            )
        known = np.count_nonzero(reached)
        reached[pairs.neighbor[from_reached]] = True
        if np.count_nonzero(reached) == known:
            break


def check_displacements(pairs: Pairs, types: np.ndarray) -> None:
    """Raise ValueError for a displacement that is not finite or shorter than 1e-6 A.

    It names the atoms; those of virtual atoms do not count.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        apart = np.sum(pairs.displacement**2, axis=1) >= TOO_CLOSE**2
    apart &= np.isfinite(pairs.displacement).all(axis=1)
    if apart.all():
        return
    centre = np.repeat(np.arange(len(pairs.row) - 1), np.diff(pairs.row))
    wrong = np.flatnonzero(~apart & (types[centre] >= 0) & (types[pairs.neighbor] >= 0))
    if len(wrong):
        raise ValueError(
            f"`displacement` must be finite and at least {TOO_CLOSE:g} A long, got "
            f"{pairs.displacement[wrong[0]].tolist()} from atom {centre[wrong[0]]} to atom "
            f"{pairs.neighbor[wrong[0]]}"
        )


def _parameter_given(name: str, value: ArrayLike | None, width: int) -> bool:
    if width and value is None:
        raise ValueError(f"`{name}` must be given: the model takes {width} numbers in it")
    if value is not None and not width:
        raise ValueError(f"`{name}` must be left out: the model takes none")
    return width > 0


def _cells(cells: ArrayLike | None, num_frames: int) -> np.ndarray:
    if cells is None:
        return np.zeros((num_frames, 3, 3))
    array = _floats("cells", cells)
    shapes = [(num_frames, 9), (num_frames, 3, 3)]
    if num_frames == 1:
        shapes += [(9,), (3, 3)]
    if array.shape not in shapes:
        raise ValueError(f"`cells` must have shape [{num_frames}, 9], got {array.shape}")
    return array.reshape(num_frames, 3, 3)


def _is_layout(shape: tuple[int, ...], num_atoms: int) -> bool:
    one_frame = shape in ((3 * num_atoms,), (num_atoms, 3))
    return one_frame or (len(shape) > 1 and shape[1:] in ((3 * num_atoms,), (num_atoms, 3)))


def _array(name: str, value: ArrayLike) -> np.ndarray:
    try:
        return np.asarray(value)
    except ValueError as error:  # lists of different lengths
        raise ValueError(f"`{name}` must be an array of numbers, got a list: {error}") from None


def _floats(name: str, value: ArrayLike) -> np.ndarray:
    array = _array(name, value)
    if array.dtype.kind not in "iuf":
        raise ValueError(
            f"`{name}` must be an array of numbers, got {type(value).__name__} of {array.dtype}"
        )
    return np.ascontiguousarray(array, dtype=np.float64).reshape(array.shape)


def _finite(name: str, value: ArrayLike) -> np.ndarray:
    array = _floats(name, value)
    wrong = array[~np.isfinite(array)]
    if len(wrong):
        raise ValueError(f"`{name}` must be finite, got {wrong[0]}")
    return array


def _integers(name: str, value: ArrayLike) -> np.ndarray:
    """Return 32-bit integers; ValueError for other numbers, whole ones too, and for larger ones."""
    array = _array(name, value)
    if array.size and array.dtype.kind not in "iu":
        raise ValueError(f"`{name}` must hold integers, got {array.dtype}")
    wrong = array[(array < -_LARGEST) | (array > _LARGEST)]
    if len(wrong):
        raise ValueError(
            f"`{name}` must hold integers from {-_LARGEST} to {_LARGEST}, got {wrong[0]}"
        )
    return np.ascontiguousarray(array, dtype=np.int32).reshape(array.shape)


def _place(frames: Frames, atom: int) -> str:
    frame = int(np.searchsorted(frames.frame_row, atom, side="right")) - 1
    frame = min(frame, len(frames.cell) - 1)  # ghosts belong to the last frame
    return f"frame {frame}, atom {atom - frames.frame_row[frame]}"
