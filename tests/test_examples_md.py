"""The dynamics of the examples: what goes into LAMMPS, what comes out, and g(r)."""

import sys
from pathlib import Path

import numpy as np
import pytest

EXAMPLES = str(Path(__file__).parents[1] / "examples")
sys.path.insert(0, EXAMPLES)

from common import md  # noqa: E402

sys.path.remove(EXAMPLES)  # its folders must not stand for packages of their names

CELL = np.array([[6.0, 0, 0], [1.0, 5.0, 0], [-1.5, 0.5, 7.0]])


def test_a_crystal():
    """Neighbours in rock salt, of images too: 6 of the other kind at 2 A, 12 of the own at 2.83."""
    coord = 2.0 * np.array(list(np.ndindex(2, 2, 2)), float)
    types = coord.sum(1).astype(int) // 2 % 2
    found = {}
    for pair in ((0, 0), (0, 1), (1, 1)):
        curve = md.distribution(coord[None], 4 * np.eye(3)[None], types, pair, 3.0)
        edges = np.arange(len(curve) + 1) * md.BIN
        others = 4 - (pair[0] == pair[1])
        count = curve * 4 / 3 * np.pi * np.diff(edges**3) * others / 64
        found[pair] = [(edges[k], count[k]) for k in np.flatnonzero(count)]
    np.testing.assert_allclose(found[0, 1], [(2.0, 6)], atol=md.BIN)
    np.testing.assert_allclose(found[0, 0], [(2.8, 12)], atol=md.BIN)
    np.testing.assert_allclose(found[1, 1], [(2.8, 12)], atol=md.BIN)


def test_a_gas():
    rng = np.random.default_rng(0)
    coord = rng.uniform(size=(20, 100, 3)) @ CELL
    curve = md.distribution(coord, np.tile(CELL, (20, 1, 1)), np.zeros(100, int), (0, 0), 4.0)
    assert curve[20:].mean() == pytest.approx(1, abs=0.02)


def test_a_start_and_a_dump(tmp_path):
    """Distances stay where a cell is turned for LAMMPS, and the bounds of a dump give the cell."""
    rng = np.random.default_rng(1)
    turn = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    turn *= np.sign(np.linalg.det(turn))
    coord = rng.uniform(size=(5, 3)) @ CELL
    masses = {"O": 16.0, "H": 1.0}
    types = np.array([0, 1, 1, 0, 1])
    md.write_start(tmp_path / "start.data", coord @ turn, CELL @ turn, types, masses)
    lines = (tmp_path / "start.data").read_text().splitlines()
    rows = np.array([line.split() for line in lines[lines.index("Atoms # atomic") + 2 :]], float)
    np.testing.assert_allclose(rows[:, 2:], coord, atol=1e-9)
    assert (rows[:, 1] - 1).tolist() == types.tolist()
    assert lines[8] == "1.0000000000 -1.5000000000 0.5000000000 xy xz yz"
    bounds = "-1.5 7.0 1.0\n0.0 5.5 -1.5\n0.0 7.0 0.5\n"
    text = "ITEM: TIMESTEP\n0\nITEM: NUMBER OF ATOMS\n5\nITEM: BOX BOUNDS xy xz yz pp pp pp\n"
    table = "".join(f"{int(k)} {int(kind)} {x} {y} {z}\n" for k, kind, x, y, z in rows)
    (tmp_path / "dump").write_text(text + bounds + "ITEM: ATOMS id type x y z\n" + table)
    places, cells, kinds = md.read_dump(tmp_path / "dump")
    np.testing.assert_allclose(cells[0], CELL)
    np.testing.assert_allclose(places[0], rows[:, 2:])
    assert kinds.tolist() == types.tolist()


def test_the_drift_is_that_of_the_last_run(tmp_path):
    run = "   Step          Temp          PotEng         TotEng         Press     \n"
    first = run + "0 1 2 7 1\n10 1 2 9 1\nLoop time of 1\n"
    last = run + "10 1 2 5.0 1\n20 1 2 5.1 1\nWARNING: x\n30 1 2 5.2 1\nLoop time of 1\n"
    (tmp_path / "log").write_text(first + last)
    assert md.drift(tmp_path / "log", 10, 0.001) == pytest.approx(1000)
