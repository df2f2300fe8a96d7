"""DeepPot on the toy and on a network: layout, derivatives, blocks, pairs, closing."""

import numpy as np
import pytest
from toy import random_frames

import deeptf.infer.backend_tensorflow as backend_tensorflow
from deeptf.data.batch import Batch, Frames
from deeptf.infer import DeepPot
from deeptf.infer.backend import TENSORFLOW


def test_shapes_and_questions(pot):
    coords, cells, types = random_frames(3, 8)
    result = pot.eval(coords, cells, types, atomic=True)
    assert [a.shape for a in result] == [(3, 1), (3, 8, 3), (3, 9), (3, 8, 1), (3, 8, 9)]
    assert [len(pot.eval(coords, cells, types[0])), result[0].dtype] == [3, np.float64]
    assert np.abs(result[0]).min() > 0.1
    np.testing.assert_allclose(result[3].sum(axis=1), result[0])
    np.testing.assert_allclose(result[4].sum(axis=1), result[2], atol=1e-12)
    assert (pot.get_type_map(), pot.get_ntypes(), pot.get_rcut()) == (["A", "B"], 2, 3.0)
    assert (pot.get_dim_fparam(), pot.get_dim_aparam()) == (0, 0)
    assert pot.eval_descriptor(coords, cells, types).shape[:2] == (3, 8)


def test_other_layouts_give_the_same(pot):
    coords, cells, types = random_frames(2, 5)
    want = pot.eval(coords, cells, types)
    got = pot.eval(coords.reshape(2, 5, 3), cells.reshape(2, 3, 3), types)
    one = pot.eval(coords[0].reshape(5, 3), cells[0].reshape(3, 3), types[0])
    flat = pot.eval(coords[0].tolist(), cells[0].tolist(), types[0].tolist())
    mixed = pot.eval(coords[0], cells[0], types[:1], mixed_type=True)
    for a, b, c, *same in zip(want, got, one, flat, mixed, strict=True):
        np.testing.assert_array_equal(a, b)
        np.testing.assert_allclose(a[:1], c, rtol=1e-12, atol=1e-13)
        assert all(np.array_equal(c, d) and len(d) == 1 for d in same)
    with pytest.raises(ValueError, match=r"`atom_types` must have shape \[nf, N\], .* got \(5,\)"):
        pot.eval(coords[0], cells[0], types[0], mixed_type=True)


def test_no_frames(pot):
    result = pot.eval(np.zeros((0, 6)), np.zeros((0, 9)), [0, 1], atomic=True)
    assert [a.shape for a in result] == [(0, 1), (0, 2, 3), (0, 9), (0, 2, 1), (0, 2, 9)]


def test_force_and_virial_are_derivatives(pot):
    coords, cells, types = random_frames(1, 6)
    _, force, virial = pot.eval(coords, cells, types)
    step = 1e-5
    shifted = np.concatenate([coords + s * step * np.eye(18) for s in (1, -1)])
    energy = pot.eval(shifted, np.repeat(cells, 36, axis=0), types[0])[0].reshape(2, 18)
    np.testing.assert_allclose(-(energy[0] - energy[1]) / (2 * step), force.ravel(), atol=1e-8)
    for k in range(9):
        strain = np.zeros(9)
        strain[k] = step
        plus, minus = (np.eye(3) + s * strain.reshape(3, 3) for s in (1, -1))
        energy = [
            pot.eval(coords.reshape(-1, 3) @ m, cells.reshape(3, 3) @ m, types[0])[0].item()
            for m in (plus, minus)
        ]
        assert -(energy[0] - energy[1]) / (2 * step) == pytest.approx(virial[0, k], abs=1e-7)


def test_no_cell_is_a_cell_of_zeros(pot):
    coords, _, types = random_frames(2, 5)
    for a, b in zip(
        pot.eval(coords, None, types), pot.eval(coords, np.zeros((2, 9)), types), strict=True
    ):
        np.testing.assert_array_equal(a, b)


def test_virtual_atoms_give_nothing(pot):
    coords, cells, types = random_frames(2, 6)
    types[:, 5] = -1
    energy, force, virial, atom_energy, atom_virial = pot.eval(coords, cells, types, atomic=True)
    without = pot.eval(coords[:, :15], cells, types[:, :5])
    np.testing.assert_allclose(energy, without[0])
    np.testing.assert_allclose(force[:, :5], without[1])
    np.testing.assert_allclose(virial, without[2])
    for value in (force[:, 5], atom_energy[:, 5], atom_virial[:, 5]):
        assert not value.any()


@pytest.mark.parametrize("memory", [1, 20_000, 10**6])
@pytest.mark.parametrize("list_atoms", [1, 20, 10**6])
def test_blocks_give_the_same_as_one_run(model_file, monkeypatch, memory, list_atoms):
    coords, cells, types = random_frames(5, 9, seed=3)
    types[2, 4] = -1
    with DeepPot(model_file, backend=TENSORFLOW) as pot:
        want = pot.eval(coords, cells, types, atomic=True)
        descriptor = pot.eval_descriptor(coords, cells, types)
    monkeypatch.setattr(backend_tensorflow, "DIRECT_ATOMS", 0)
    monkeypatch.setattr(backend_tensorflow, "LIST_ATOMS", list_atoms)
    with DeepPot(model_file, threads=1, memory=memory, backend=TENSORFLOW) as pot:
        got = pot.eval(coords, cells, types, atomic=True)
        np.testing.assert_allclose(pot.eval_descriptor(coords, cells, types), descriptor)
    for a, b in zip(got, want, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-12)


def test_parameters_reach_their_atoms(parameter_file, monkeypatch):
    coords, cells, types = random_frames(3, 4)
    types[:, 3] = -1
    fparam = np.arange(6.0).reshape(3, 2)
    aparam = np.arange(12.0).reshape(3, 4)
    for direct in (512, 0):
        monkeypatch.setattr(backend_tensorflow, "DIRECT_ATOMS", direct)
        with DeepPot(parameter_file, memory=1) as pot:
            base = pot.eval(coords, cells, types, fparam=[0, 0], aparam=[0])[0][:, 0]
            by_frame = pot.eval(coords, cells, types, fparam=fparam, aparam=[0])[0][:, 0]
            by_atom = pot.eval(coords, cells, types, fparam=[0, 0], aparam=aparam)[0][:, 0]
            tiled = pot.eval(coords, cells, types, fparam=[0, 0], aparam=aparam[0])[0][:, 0]
        np.testing.assert_allclose(by_frame - base, 3 * fparam.sum(axis=1))
        np.testing.assert_allclose(by_atom - base, aparam[:, :3].sum(axis=1))
        np.testing.assert_allclose(tiled - base, aparam[0, :3].sum())


def test_blocks_with_parameters_of_a_network(network_parameter_file, monkeypatch):
    frames = random_frames(3, 6)
    given = {"fparam": np.arange(6.0).reshape(3, 2), "aparam": np.arange(18.0).reshape(3, 6)}
    with DeepPot(network_parameter_file, memory=1) as pot:
        want = pot.eval(*frames, **given)
        monkeypatch.setattr(backend_tensorflow, "DIRECT_ATOMS", 0)
        for a, b in zip(pot.eval(*frames, **given), want, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-12)


def test_batch_of_different_frames(pot, monkeypatch):
    sizes = [3, 7, 1, 5]
    frames = [random_frames(1, n, seed=n) for n in sizes]
    frames[1] = (frames[1][0], np.zeros((1, 9)), frames[1][2])
    batch = Batch(
        coord=np.concatenate([f[0].reshape(-1, 3) for f in frames]),
        cell=np.concatenate([f[1].reshape(-1, 3, 3) for f in frames]),
        atom_type=np.concatenate([f[2].ravel() for f in frames]),
        frame_row=np.cumsum([0, *sizes]),
    )
    want = [pot.eval(*f, atomic=True) for f in frames]
    names = ("energy", "force", "virial", "atom_energy", "atom_virial")
    assert [*pot.evaluate(batch)] == ["energy", "force", "virial"]
    for memory, direct in ((1 << 30, 512), (3000, 0)):
        monkeypatch.setattr(backend_tensorflow, "DIRECT_ATOMS", direct)
        monkeypatch.setattr(pot._settings, "memory", memory)
        got = pot.evaluate(batch, names)
        for k, name in enumerate(names):
            width = got[name].shape[1:]
            one = np.concatenate([w[k].reshape(-1, *width) for w in want])
            np.testing.assert_allclose(got[name], one, rtol=1e-12, atol=1e-12)


def graph_of(path):
    """Return what has the graph of a model."""
    return DeepPot(path, backend=TENSORFLOW)._open[TENSORFLOW]


def one_frame(coords, cells, types):
    num_atoms = types.shape[1]
    row = np.array([0, num_atoms], np.int32)
    return Frames(coords.reshape(-1, 3), cells.reshape(1, 3, 3), types[0], row)


def test_pairs_with_ghosts_give_the_same(pot):
    """Images become ghost atoms, as in an MD engine."""
    coords, cells, types = random_frames(1, 6)
    energy, force, virial, atom_energy, _ = pot.eval(coords, cells, types, atomic=True)
    pairs = graph_of(pot.path)._list_pairs(one_frame(coords, cells, types), 0)
    owner = np.append(np.arange(6), pairs.neighbor)  # every neighbour becomes a ghost of its own
    ghosts = 6 + np.arange(len(pairs.neighbor))
    for memory in (1 << 30, 1):
        pot._settings.memory = memory
        got = pot.eval_pairs(
            pairs.row,
            ghosts,
            pairs.displacement,
            types[0][owner],
            outputs=("energy", "force", "virial", "atom_energy"),
        )
        folded = np.zeros((6, 3))
        np.add.at(folded, owner, got["force"])
        np.testing.assert_allclose(got["energy"], energy[0])
        np.testing.assert_allclose(folded, force[0], atol=1e-12)
        np.testing.assert_allclose(got["virial"], virial, atol=1e-12)
        np.testing.assert_allclose(got["atom_energy"], atom_energy[0, :, 0])


def test_same_numbers_twice(pot):
    frames = random_frames(4, 9)
    for a, b in zip(pot.eval(*frames), pot.eval(*frames), strict=True):
        np.testing.assert_array_equal(a, b)


def test_closed(open_pot):
    with open_pot() as pot:
        pass
    pot.close()
    with pytest.raises(ValueError, match="must be open, got the closed one"):
        pot.eval(*random_frames(1, 2))


@pytest.mark.parametrize("backend", ["engine", "tensorflow"])
def test_centres_that_are_not_owned_count_nothing(network_file, backend):
    """The graph and the door of Python agree with pairs of the owned centres alone."""
    coords, cells, types = random_frames(1, 6)
    types[0, 1] = -1
    sums, shares = ["energy", "force", "virial", "atom_virial"], ["atom_energy"]
    shares += ["descriptor"] if backend == TENSORFLOW else []
    names = [*sums, *shares]
    with DeepPot(network_file, backend=backend) as pot:
        session = graph_of(network_file)
        pairs = session._list_pairs(one_frame(coords, cells, types), 0)
        given = {"row": pairs.row, "neighbor": pairs.neighbor, "displacement": pairs.displacement}
        feed = given | {"atom_type": types[0], "frame_row": [0, 6]}
        for owned in (0, 1, 4, 6):
            row = pairs.row[: owned + 1]
            alone = {k: value[: row[-1]] for k, value in given.items()} | {"row": row}
            want = pot.eval_pairs(**alone, atom_type=types[0], outputs=names)
            door = pot.eval_pairs(**given, atom_type=types[0], outputs=names, num_owned=owned)
            graph = session._run_graph(names, feed | {"num_owned": owned})
            for got in (door, graph):
                for name in sums:
                    np.testing.assert_allclose(got[name], want[name], rtol=1e-12, atol=1e-13)
                for name in shares:
                    np.testing.assert_allclose(got[name][:owned], want[name], rtol=1e-12)
                    assert not got[name][owned:].any()
        with pytest.raises(ValueError, match="num_owned"):
            session._run_graph(["energy"], feed | {"num_owned": 7})
