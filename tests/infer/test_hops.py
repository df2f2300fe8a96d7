"""A model whose energy of an atom depends on atoms two cut-offs away, in blocks and domains."""

from dataclasses import replace

import numpy as np
import pytest
from message import Message
from toy import random_frames

import deeptf.infer.backend_tensorflow as backend_tensorflow
from deeptf.config import load
from deeptf.data.batch import Batch, Pairs, rows_of
from deeptf.exchange import frozen
from deeptf.infer import DeepPot
from deeptf.infer.blocks import block_atoms, blocks, further_centres, with_further
from deeptf.infer.inputs import check_reach
from deeptf.model.model import ModelConfig
from deeptf.model.term import TERMS

OUTPUTS = ("energy", "force", "virial", "atom_energy", "atom_virial")
MEMORY = [1, 3_000, 20_000, 60_000, 1 << 30]  # bytes; 240 a pair and an atom


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    TERMS[Message.type] = Message
    config = load(ModelConfig, {"type": "message", "rcut": 2.5, "type_map": ["A", "B"]})
    path = tmp_path_factory.mktemp("hops") / "model.pb"
    frozen.write(config, {}, path)
    yield path
    del TERMS[Message.type]


@pytest.fixture
def pot(path):
    with DeepPot(path, threads=1) as pot:
        yield pot


def batch_of(*frames):
    """Return frames (coords [N, 3], cell [3, 3], types [N]) as a batch."""
    coord, cell, types = zip(*frames, strict=True)
    return Batch(
        np.concatenate(coord), np.stack(cell), np.concatenate(types), rows_of([*map(len, types)])
    )


def frame(num_atoms, seed):
    coords, cells, types = random_frames(1, num_atoms, seed, cell=5.0)
    return coords.reshape(-1, 3), cells.reshape(3, 3), types[0]


def long_frame():
    """Return 40 atoms in a cell of 17 A by 3.4 A by 3.4 A, two of them virtual."""
    grid = np.stack(np.meshgrid(np.arange(10), [0, 1], [0, 1], indexing="ij"), -1).reshape(-1, 3)
    rng = np.random.default_rng(5)
    types = rng.integers(0, 2, 40)
    types[[3, 30]] = -1
    order = rng.permutation(40)
    coord = 1.7 * grid[order] + rng.uniform(-0.2, 0.2, (40, 3))
    return coord, np.diag([17.0, 3.4, 3.4]), types


def frames_of_all_kinds():
    """Return a frame with a cell, two without, one of a single atom, and one with virtual ones."""
    first, second, third = frame(27, 1), frame(18, 2), frame(20, 3)
    third[2][[4, 11]] = -1
    none = np.zeros((3, 3))
    return batch_of(first, (second[0], none, second[2]), (np.zeros((1, 3)), none, [0]), third)


def close(found, wanted, names=OUTPUTS):
    for name in names:
        np.testing.assert_allclose(found[name], wanted[name], rtol=1e-12, atol=1e-11)


def in_blocks(pot, monkeypatch, memory, list_atoms=1 << 20):
    monkeypatch.setattr(backend_tensorflow, "DIRECT_ATOMS", 0)
    monkeypatch.setattr(backend_tensorflow, "LIST_ATOMS", list_atoms)
    monkeypatch.setattr(pot._settings, "memory", memory)


def test_the_model_says_what_it_needs(pot):
    assert (pot.get_hops(), pot.get_rcut()) == (2, 2.5)
    assert {*pot.get_outputs()} == {*OUTPUTS}


@pytest.mark.parametrize("memory", MEMORY)
def test_one_frame_in_blocks(pot, monkeypatch, memory):
    for cell in (frame(27, 1)[1], np.zeros((3, 3))):
        coord, _, types = frame(27, 1)
        one = batch_of((coord, cell, types))
        wanted = pot.evaluate(one, OUTPUTS)
        assert np.abs(wanted["force"]).max() > 0.1  # eV/A
        in_blocks(pot, monkeypatch, memory)
        close(pot.evaluate(one, OUTPUTS), wanted)
        monkeypatch.undo()


@pytest.mark.parametrize("memory", MEMORY)
@pytest.mark.parametrize("list_atoms", [1, 40, 1 << 20])
def test_several_frames_in_blocks(pot, monkeypatch, memory, list_atoms):
    batch = frames_of_all_kinds()
    wanted = pot.evaluate(batch, OUTPUTS)
    in_blocks(pot, monkeypatch, memory, list_atoms)
    close(pot.evaluate(batch, OUTPUTS), wanted)


def test_force_is_the_derivative(pot, monkeypatch):
    """The forces of atoms beyond the owned ones and their neighbours are there too."""
    batch = batch_of(frame(12, 4))
    in_blocks(pot, monkeypatch, 1)
    force = pot.evaluate(batch)["force"]
    for atom, axis in ((0, 0), (7, 2)):
        energy = []
        for step in (1e-5, -1e-5):
            coord = batch.coord.copy()
            coord[atom, axis] += step
            energy.append(pot.evaluate(replace(batch, coord=coord))["energy"][0])
        assert -(energy[0] - energy[1]) / 2e-5 == pytest.approx(force[atom, axis], abs=1e-7)


def domain(pairs, types, owned, hops=2):
    """Return what one process of an MD engine has: eval_pairs' arguments, and its atoms."""
    centres = np.isin(np.arange(len(types)), owned)
    for _ in range(hops - 1):
        source = np.repeat(np.arange(len(types)), np.diff(pairs.row))
        centres[pairs.neighbor[centres[source]]] = True
    further = np.setdiff1d(np.flatnonzero(centres), owned)
    order = np.concatenate([owned, further])
    parts = [slice(pairs.row[i], pairs.row[i + 1]) for i in order]
    neighbor = np.concatenate([pairs.neighbor[part] for part in parts])
    ghosts = np.setdiff1d(neighbor, order)
    atoms = np.concatenate([order, ghosts])
    place = np.zeros(len(types), int)
    place[atoms] = np.arange(len(atoms))
    given = {
        "row": rows_of([part.stop - part.start for part in parts]),
        "neighbor": place[neighbor],
        "displacement": np.concatenate([pairs.displacement[part] for part in parts]),
        "atom_type": types[atoms],
        "num_owned": len(owned),
    }
    return given, atoms


def pairs_of(pot, batch):
    return pot._open["tensorflow"]._list_pairs(batch.part(0, batch.num_frames), 0)


@pytest.mark.parametrize("memory", MEMORY)
def test_two_domains_are_one_frame(pot, memory):
    coord, cell, types = long_frame()
    whole = batch_of((coord, cell, types))
    wanted = pot.evaluate(whole, OUTPUTS)
    pairs = pairs_of(pot, whole)
    pot._settings.memory = memory
    total = {name: np.zeros_like(value) for name, value in wanted.items()}
    for side in (coord[:, 0] < 7.6, coord[:, 0] >= 7.6):
        given, atoms = domain(pairs, types, np.flatnonzero(side))
        found = pot.eval_pairs(**given, outputs=OUTPUTS)
        n, centres = given["num_owned"], len(given["row"]) - 1
        assert n < centres < len(atoms)
        assert not found["atom_energy"][n:].any()
        for name in ("energy", "virial"):
            total[name] += found[name]
        total["atom_energy"][atoms[:n]] = found["atom_energy"][:n]
        for name in ("force", "atom_virial"):
            np.add.at(total[name], atoms, found[name])
    close(total, wanted)


def test_domain_without_its_further_centres(pot):
    coord, cell, types = long_frame()
    pairs = pairs_of(pot, batch_of((coord, cell, types)))
    given, atoms = domain(pairs, types, np.flatnonzero(coord[:, 0] < 7.6), hops=1)
    message = r"pairs of all atoms up to 1 steps .* the \d+ centres .* got none of atom \d+, 1 away"
    with pytest.raises(ValueError, match=message):
        pot.eval_pairs(**given)
    far = given["displacement"].copy()
    far[given["neighbor"] >= given["num_owned"]] = [0, 0, 2.6]  # beyond the cut-off: no step
    pot.eval_pairs(**{**given, "displacement": far})


def test_empty_domain(pot):
    found = pot.eval_pairs([0, 1], [1], [[0.0, 0, 1]], [0, 0], num_owned=0)
    assert all(not value.any() for value in found.values())


def chain(num_atoms):
    """Return the pairs of atoms in a row, each with the ones beside it."""
    neighbors = [[j for j in (i - 1, i + 1) if 0 <= j < num_atoms] for i in range(num_atoms)]
    neighbor = np.concatenate(neighbors)
    row = rows_of([*map(len, neighbors)])
    return Pairs(row, neighbor, np.arange(3.0 * len(neighbor)).reshape(-1, 3))


@pytest.mark.parametrize(
    ("hops", "further", "ghosts"),
    [(1, [], [3, 6]), (2, [3, 6], [2, 7]), (4, [1, 2, 3, 6, 7, 8], [0, 9])],
)
def test_atoms_of_a_block(hops, further, ghosts):
    pairs = chain(10)
    found = further_centres(pairs, 4, 6, hops)
    assert found.tolist() == further
    (block,) = [b for b in blocks(np.arange(11), np.array([0, 10]), 2) if b.first == 4]
    atoms, part = block_atoms(pairs, block, found, 10)
    assert atoms.tolist() == [4, 5, *further, *ghosts]
    for place, atom in enumerate([4, 5, *further]):
        own = slice(part.row[place], part.row[place + 1])
        true = slice(pairs.row[atom], pairs.row[atom + 1])
        np.testing.assert_array_equal(atoms[part.neighbor[own]], pairs.neighbor[true])
        np.testing.assert_array_equal(part.displacement[own], pairs.displacement[true])
    assert part.row[-1] == len(part.neighbor)


@pytest.mark.parametrize("limit", [1, 8, 14, 100])
def test_blocks_are_halved_until_their_further_centres_fit(limit):
    size = np.arange(33)
    covered = []
    for whole in blocks(size, np.array([0, 32]), limit):
        for block, further in with_further(whole, chain(32), 3, size, limit):
            covered += range(block.first, block.last)
            number = block.last - block.first
            assert number + len(further) <= limit or number == 1
    assert covered == list(range(32))


def test_no_step_is_sought_where_nothing_new_is_reached():
    pairs = Pairs(np.arange(11), np.append(np.arange(1, 10), 8), np.ones((10, 3)))
    assert further_centres(pairs, 4, 6, hops=1 << 40).tolist() == [6, 7, 8, 9]
    check_reach(pairs, np.zeros(10, int), 6, 3.0, hops=1 << 40)
