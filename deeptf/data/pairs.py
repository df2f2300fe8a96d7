"""Neighbour pairs of batches of data, by the same op that the model uses.

Frames that an op refuses (atoms on top of each other, ...) are named by system and frame, here and
in the steps of training.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from deeptf.data.batch import Batch, Pairs
from deeptf.data.errors import DataError
from deeptf.data.system import System
from deeptf.ops.messages import op_message
from deeptf.ops.pairs import neighbor_pairs, pairs_of_present
from deeptf.tf import session, tf


class PairFinder:
    """Finds all pairs closer than `rcut`; a context manager, since it holds a session.

    masked : aparam says which atoms are there; then all pairs of these, see pairs_of_present.
    """

    def __init__(self, rcut: float, masked: bool = False) -> None:
        with tf.Graph().as_default() as graph:
            self._inputs = {
                "coord": tf.placeholder(tf.float64, [None, 3]),
                "cell": tf.placeholder(tf.float64, [None, 3, 3]),
                "atom_type": tf.placeholder(tf.int32, [None]),
                "frame_row": tf.placeholder(tf.int32, [None]),
            }
            given = list(self._inputs.values())
            if masked:
                self._inputs["aparam"] = tf.placeholder(tf.float64, [None, 1])
                self._outputs = pairs_of_present(*given, self._inputs["aparam"])
            else:
                self._outputs = neighbor_pairs(*given, rcut)
        self._session = session(graph)

    def __enter__(self) -> PairFinder:
        return self

    def __exit__(self, *details: object) -> None:
        self._session.close()

    def __call__(self, batch: Batch) -> Pairs:
        """Return the pairs of a batch, or raise DataError that names the frame."""
        feed = {tensor: getattr(batch, name) for name, tensor in self._inputs.items()}
        with naming_frames(batch):
            return Pairs(*self._session.run(self._outputs, feed))


@contextmanager
def naming_frames(batch: Batch) -> Iterator[None]:
    """Turn what an op says of its input into a DataError that names system and frame."""
    try:
        yield
    except tf.errors.InvalidArgumentError as error:
        raise DataError(_explain(op_message(error.message), batch)) from error


def _explain(text: str, batch: Batch) -> str:
    """Return the message of the op with system and frame instead of the place in the batch.

    Atoms are counted as in the files, virtual ones included.
    """
    found = re.search(r"\bframe (\d+)", text)
    if found is None:
        path, frame = batch.origin[0]
        return f"system {path}, among frames {frame} to {batch.origin[-1][1]}: {text}"
    path, frame = batch.origin[int(found[1])]
    number = System(path).real_atoms(frame)

    def renumber(atoms: re.Match) -> str:
        return re.sub(r"\d+", lambda atom: str(number[int(atom[0])]), atoms[0])

    text = f"{text[: found.start()]}frame {frame}{text[found.end() :]}"
    return f"system {path}: " + re.sub(r"\batoms? \d+(?: and \d+)?", renumber, text)
