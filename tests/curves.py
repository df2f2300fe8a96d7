"""Random curves and rows for the tests of embedding sums."""

import curve_twins
import numpy as np

from deeptf.ops.curve import CurveGrid, CurveTable, embedding_sum
from deeptf.tf import session, tf

TOLERANCE = {np.float32: 3e-5, np.float64: 1e-12}
ATOM_COUNT = np.array([3, 0, 2], np.int32)
CURVE = np.array([[0, 1, 2], [3, 0, -1], [1, 2, 4]], np.int32)  # shared, and one left out
NODES = (4, 2, 5, 7, 3)


def evaluate(tensors, threads=1):
    with session(tf.get_default_graph(), threads) as run:
        run.run(tf.global_variables_initializer())
        return run.run(tensors)


def padded(width, dtype):
    unit = 64 // np.dtype(dtype).itemsize
    return -(-width // unit) * unit


class Case:
    """Random rows of W columns, also beyond both ends of the grids, and a random table.

    The nodes are float64; the table that sums in float32 read is made of them.
    """

    def __init__(self, width, dtype=np.float64, seed=0, columns=4):
        rng = np.random.default_rng(seed)
        self.neighbor_count = rng.integers(0, 6, (5, 3)).astype(np.int32)
        self.neighbor_count[1] = 0
        self.pairs = int(self.neighbor_count.sum())
        self.rows = rng.normal(size=(self.pairs, columns))
        self.node_row = np.concatenate([[0], np.cumsum(NODES)]).astype(np.int32)
        starts = rng.uniform(-2, -1, len(NODES))
        self.grid = np.stack([starts, 3.0 / (np.array(NODES) - 1)], axis=1)
        self.dtype = dtype
        self.nodes = np.zeros((sum(NODES), 2, padded(width, np.float64)))
        self.nodes[:, :, :width] = rng.normal(size=(sum(NODES), 2, width))
        self.sel, self.empty = np.array([4.0, 2.0, 7.0]), rng.normal(size=(3, 3))
        self.needed_row = np.arange(sum(NODES) + 1, dtype=np.int32)
        self.width = width
        self.atom_count = ATOM_COUNT

    def curve_grid(self):
        return CurveGrid(self.node_row, self.grid)

    def table(self, nodes=None):
        nodes = self.nodes if nodes is None else nodes
        if self.dtype is np.float32:
            rows = curve_twins.intervals(nodes)[:, :, : self.width]
            nodes = np.zeros((*rows.shape[:2], padded(self.width, self.dtype)), self.dtype)
            nodes[:, :, : self.width] = rows
        return CurveTable(
            tf.convert_to_tensor(nodes), self.needed_row, self.curve_grid(), self.width
        )

    def layout(self, curve=CURVE):
        return curve, self.sel, self.empty, self.atom_count, self.neighbor_count

    def sum(self, rows=None, nodes=None, curve=CURVE):
        return self.sums(rows, self.table(nodes), curve).sum

    def sums(self, rows=None, table=None, curve=CURVE):
        rows, table = self.rows if rows is None else rows, table or self.table()
        return embedding_sum(rows, table, *self.layout(curve))

    def twin(self, rows, nodes):
        nodes = np.asarray(nodes, np.float64)[:, :, : self.width]
        return curve_twins.embedding_sum(rows, nodes, self.node_row, self.grid, *self.layout())

    def hold(self, needed):
        """Leave the nodes of the table that are needed, by a mask."""
        self.nodes = self.nodes[needed]
        self.needed_row = np.concatenate([[0], np.cumsum(needed)]).astype(np.int32)
