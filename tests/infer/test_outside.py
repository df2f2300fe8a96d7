"""Pairs of atoms closer than the data of a model, and displacements that are none."""

import warnings

import numpy as np
import pytest
from array_names import SHORTEST
from random_model import random_arrays
from small_run import write_system

import deeptf.infer.test as module
from deeptf.exchange import frozen
from deeptf.infer import DeepPot, backend_tensorflow
from deeptf.infer.evaluator import OutsideWarning
from deeptf.model.descriptor.se_e2_a import SeE2A
from deeptf.model.fitting.ener import EnerFitting
from deeptf.model.model import ModelConfig
from deeptf.model.term.standard import Standard
from deeptf.tf import tf

ATOMS = np.array([[0.0, 0, 0], [1.0, 0, 0], [0, 0, 9], [0, 1.1, 9], [5, 5, 5]])
TYPES = np.array([0, 1, 1, 1, 0])
LINES = [
    "1 pair of A-B closer than 1.280 A, where the data of the model end; closest 1.000 A",
    "1 pair of B-B closer than 1.280 A, where the data of the model end; closest 1.100 A",
]


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    """Return a model whose data end at 1.28 A."""
    descriptor = SeE2A((20, 20), 3.0, 1.0, neuron=(4, 8), axis_neuron=3)
    config = ModelConfig(Standard(descriptor, EnerFitting(neuron=(6, 6))), ("A", "B"))
    arrays = random_arrays(config, 1) | {SHORTEST: np.full((2, 2), 1.6)}
    path = tmp_path_factory.mktemp("outside") / "model.pb"
    frozen.write(config, arrays, path)
    return path


def evaluate(pot, atoms=ATOMS):
    return pot.eval(atoms.reshape(1, -1), None, TYPES[: len(atoms)])


@pytest.mark.parametrize(
    ("backend", "direct"), [("tensorflow", 512), ("tensorflow", 0), ("engine", 0)]
)
def test_they_are_a_warning_once_and_counted_always(path, backend, direct, monkeypatch):
    monkeypatch.setattr(backend_tensorflow, "DIRECT_ATOMS", direct)
    pot = DeepPot(path, memory=1 << 30 if direct else 1, backend=backend)
    with pot, warnings.catch_warnings():
        warnings.simplefilter("error")
        evaluate(pot, 2 * ATOMS)
        assert not pot.outside
        with pytest.raises(OutsideWarning) as told:
            evaluate(pot)
        assert [line.partition(": ")[0] for line in str(told.value).split("; 1 ")] == [
            LINES[0],
            LINES[1].removeprefix("1 "),
        ]
        evaluate(pot)
        np.testing.assert_array_equal(pot.outside.count, [[0, 2], [2, 4]])
        np.testing.assert_allclose(pot.outside.distance, [[np.inf, 1.0], [1.0, 1.1]])
        pot.eval_descriptor(ATOMS.reshape(1, -1), None, TYPES)
        assert pot.outside.count.sum() == 12


@pytest.mark.parametrize("backend", ["engine", "tensorflow"])
def test_pairs_of_an_engine_count_too(path, backend):
    with (
        DeepPot(path, backend=backend) as pot,
        pytest.warns(OutsideWarning, match="1 pair of A-B closer than 1.28"),
    ):
        pot.eval_pairs([0, 1], [1], [[0.0, 0, 1.2]], [0, 1])  # from one side only
    assert pot.outside.count.tolist() == [[0, 1], [0, 0]]


def test_calculator_warns_once(path):
    ase = pytest.importorskip("ase")
    from deeptf.infer.ase import DP

    atoms = ase.Atoms("HHeHeHeH", positions=ATOMS, calculator=DP(path, type_dict={"H": 0, "He": 1}))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for _ in range(3):
            atoms.rattle(1e-4)
            atoms.get_forces()
    assert [one.category for one in caught] == [OutsideWarning]
    assert caught[0].filename == __file__
    assert atoms.calc.pot.outside.count.sum() == 12


def test_the_command_test_says_it_at_the_end(path, tmp_path, capsys):
    coord = np.tile(ATOMS[:2].ravel(), (3, 3)) + np.repeat(np.arange(3) * 7.0, 6)
    box = np.tile((30 * np.eye(3)).ravel(), (3, 1))
    write_system(tmp_path / "data", frames=3, coord=coord, box=box)
    with warnings.catch_warnings():
        warnings.simplefilter("error", OutsideWarning)
        module.test(path, str(tmp_path / "data"))
    notes = [line for line in capsys.readouterr().out.splitlines() if line.startswith("note: ")]
    assert len(notes) == 2 and "6 pairs of A-B closer than 1.280 A" in notes[0]
    assert "3 pairs of B-B" in notes[1]


@pytest.mark.parametrize("wrong", [[0, 0, 0], [0, 9e-7, 0], [np.nan, 1, 1], [1, 1, np.inf]])
def test_displacements_that_are_none_are_refused_with_their_atoms(path, wrong):
    row, neighbor, types = [0, 1, 2, 4], [1, 0, 3, 0], [0, 1, 0, 1]
    displacement = np.ones((4, 3))
    displacement[2] = wrong
    message = (
        r"`displacement` must be finite and at least 1e-06 A long, got .* from atom 2 to atom 3"
    )
    with DeepPot(path, memory=1, backend="tensorflow") as pot:
        with pytest.raises(ValueError, match=message):
            pot.eval_pairs(row, neighbor, displacement, types)
        ghost = pot.eval_pairs(row, neighbor, displacement, [0, 1, 0, -1])  # that is no atom
        assert np.all(np.isfinite(ghost["force"]))
        feed = {"row:0": row, "neighbor:0": neighbor, "displacement:0": displacement}
        feed |= {"atom_type:0": types, "frame_row:0": [0, 3]}
        with pytest.raises(tf.errors.InvalidArgumentError, match="from atom 2 to atom 3"):
            pot._open["tensorflow"]._session.run("energy:0", feed)
