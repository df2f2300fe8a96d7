"""Dipoles, polarizabilities and densities of states: they turn with the atoms, add up, and have
derivatives.
"""

from __future__ import annotations

from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from plan import Plan
from random_model import random_arrays
from scipy.spatial.transform import Rotation

from deeptf.exchange import frozen
from deeptf.infer import DeepDipole, DeepDOS, DeepPolar, DeepPot, engine
from deeptf.infer.backend import ENGINE, TENSORFLOW
from deeptf.model.descriptor.hybrid import Hybrid
from deeptf.model.descriptor.loc_frame import LocFrame
from deeptf.model.descriptor.se_e2_a import SeE2A
from deeptf.model.descriptor.se_e2_r import SeE2R
from deeptf.model.fitting.dipole import DipoleFitting
from deeptf.model.fitting.dos import DosFitting
from deeptf.model.fitting.polar import PolarFitting
from deeptf.model.model import ModelConfig
from deeptf.model.term.standard import Standard
from deeptf.model.type_embedding import TypeEmbedding

LENGTHS = {"rcut": 3.5, "rcut_smth": 1.0}
NET = {"sel": (6, 6), "neuron": (4, 6), "axis_neuron": 2, "embedding": "network", **LENGTHS}
TURN = Rotation.random(random_state=3).as_matrix()
TYPES = np.array([0, 1, 1, 0, 1])
COORD = np.random.default_rng(1).uniform(0, 3.0, (5, 3)) + np.arange(5)[:, None] * [0.9, 0, 0]
CELL = np.array([[7.0, 0, 0], [0.5, 6.0, 0], [0.2, -0.4, 6.5]])
KINDS = {
    "dipole": (DeepDipole, DipoleFitting, {"sel_type": (0,)}),
    "dipole of all": (DeepDipole, DipoleFitting, {}),
    "polar": (DeepPolar, PolarFitting, {"sel_type": 1, "scale": (1.5, 0.7)}),
    "polar in full": (DeepPolar, PolarFitting, {"fit_diag": False, "scale": 2.0}),
}


def config(fitting: Any, embedded: bool = False, descriptor: Any = None) -> ModelConfig:
    types = TypeEmbedding((2,)) if embedded else None
    return ModelConfig(Standard(descriptor or SeE2A(**NET), fitting, types), ("A", "B"))


def write(path: Path, model: ModelConfig) -> Path:
    frozen.write(model, random_arrays(model), path)
    return path


@pytest.fixture(scope="module", params=[*product(KINDS, [False]), ("polar", True)])
def model(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory):
    kind, embedded = request.param
    opened, fitting, given = KINDS[kind]
    folder = tmp_path_factory.mktemp("models")
    path = write(folder / "model.pb", config(fitting(neuron=(5, 5), **given), embedded))
    with opened(path) as found:
        yield found


def turned(tensor: np.ndarray) -> np.ndarray:
    """Return tensors [..., k], turned."""
    if tensor.shape[-1] == 3:
        return tensor @ TURN.T
    matrix = tensor.reshape(*tensor.shape[:-1], 3, 3)
    return (TURN @ matrix @ TURN.T).reshape(tensor.shape)


def test_tensors_turn_with_the_atoms(model):
    before = model.eval(COORD[None], CELL[None], TYPES)
    after = model.eval((COORD @ TURN.T)[None], (CELL @ TURN.T)[None], TYPES)
    assert np.abs(before).max() > 1e-3
    np.testing.assert_allclose(after, turned(before), atol=1e-12)


def test_tensors_of_atoms_add_up_and_others_have_none(model):
    whole, *_, of_atoms, _ = model.eval_full(COORD[None], CELL[None], TYPES, atomic=True)
    np.testing.assert_allclose(of_atoms.sum(axis=1), whole, atol=1e-13)
    np.testing.assert_array_equal(model.eval(COORD[None], CELL[None], TYPES, atomic=False), whole)
    chosen = model.get_sel_type() or [0, 1]
    assert (np.abs(of_atoms[0]).max(axis=1) > 0).tolist() == np.isin(TYPES, chosen).tolist()
    if model.output_dim == 9:
        matrix = of_atoms.reshape(-1, 3, 3)
        np.testing.assert_allclose(matrix, matrix.transpose(0, 2, 1), atol=1e-14)


def test_derivatives(model):
    _, force, virial, _, of_atoms = model.eval_full(COORD[None], CELL[None], TYPES, atomic=True)
    step, strain = np.zeros((5, 3)), np.zeros((3, 3))
    step[2, 1] = strain[1, 0] = 1e-5  # x moves by 1e-5 y

    def value(sign: int, moved: np.ndarray, strained: np.ndarray) -> np.ndarray:
        stretch = np.eye(3) + sign * strained
        coord, cell = (COORD + sign * moved) @ stretch, CELL @ stretch
        return model.eval(coord[None], cell[None], TYPES, atomic=False)[0]

    slope = (value(1, step, 0 * strain) - value(-1, step, 0 * strain)) / 2e-5
    np.testing.assert_allclose(force[0, :, 2, 1], -slope, rtol=1e-6, atol=1e-8)
    slope = (value(1, 0 * step, strain) - value(-1, 0 * step, strain)) / 2e-5
    np.testing.assert_allclose(virial[0, :, 1], -slope, rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(of_atoms.sum(axis=2), virial, atol=1e-12)
    np.testing.assert_allclose(force.sum(axis=2), 0, atol=1e-12)


def test_the_engine_gives_what_tensorflow_gives(model):
    """All of it, in blocks of any number of atoms, and of virtual atoms nothing."""
    assert model.backend == ENGINE
    coord, types = np.concatenate([COORD, COORD[:1] + 1.0]), np.append(TYPES, -1)
    with type(model)(model.path, backend=TENSORFLOW) as other:
        for given in ((COORD[None], CELL[None], TYPES), (coord[None], None, types)):
            pairs = zip(
                *(one.eval_full(*given, atomic=True) for one in (model, other)), strict=True
            )
            for found, wanted in pairs:
                np.testing.assert_allclose(found, wanted, rtol=1e-10, atol=1e-12)


def test_gradient_with_any_weights(model):
    """The engine gives that of sum_i w_i . t_i, which weights of each atom make of tensors."""
    width = model.output_dim
    weight = np.random.default_rng(4).normal(size=(len(TYPES), width))
    frames = {"coord": COORD, "cell": CELL, "type": TYPES.astype(np.int32)}
    arrays = {name: np.ascontiguousarray(value) for name, value in frames.items()}
    force, energy = np.zeros((len(TYPES), 3)), np.zeros(1)
    given = engine.FramesStruct(
        num_frames=1, num_atoms=len(TYPES), **{k: engine.address(v) for k, v in arrays.items()}
    )
    options = engine.Options(weight=engine.address(weight))
    results = engine.Results(energy=engine.address(energy), force=engine.address(force))
    native = engine.Model(model.path, Path(model.path).read_bytes())
    assert (native.property, native.width) == (model.main, width)
    engine.call("evaluate", native.handle, given, options, results)

    def weighted(coord: np.ndarray) -> float:
        return (model.eval(coord[None], CELL[None], TYPES)[0] * weight).sum()

    step = np.zeros((5, 3))
    step[3, 2] = 1e-5
    slope = (weighted(COORD + step) - weighted(COORD - step)) / 2e-5
    assert energy[0] == pytest.approx(weighted(COORD), rel=1e-12)
    np.testing.assert_allclose(force[3, 2], -slope, rtol=1e-6, atol=1e-8)
    twin = Plan(model.path)(COORD, CELL[None], TYPES, np.array([0, 5]), weight=weight)
    np.testing.assert_allclose(force, twin["force"], rtol=1e-9, atol=1e-11)
    np.testing.assert_allclose(energy, twin["energy"], rtol=1e-11)
    with pytest.raises(ValueError, match="where `weight` is NULL .* got one that gives `"):
        engine.call("evaluate", native.handle, given, engine.Options(), results)


@pytest.mark.parametrize("embedded", [False, True])
def test_densities_of_states_in_the_engine(embedded: bool, tmp_path: Path) -> None:
    fitting = DosFitting(neuron=(5, 5), numb_dos=4, numb_fparam=1, numb_aparam=2)
    path = write(tmp_path / "model.pb", config(fitting, embedded))
    parameters = {"fparam": [0.3], "aparam": np.arange(10.0) / 10}
    found = []
    for backend in (ENGINE, TENSORFLOW):
        with DeepDOS(path, backend=backend) as model:
            frame = COORD[None], CELL[None], TYPES
            found.append(model.eval(*frame, atomic=True, **parameters))
    for one, other in zip(*found, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-10, atol=1e-12)


def test_densities_of_states(tmp_path: Path) -> None:
    path = write(tmp_path / "model.pb", config(DosFitting(neuron=(5, 5), numb_dos=4)))
    with DeepDOS(path) as model:
        (whole,) = model.eval(COORD[None], CELL[None], TYPES)
        again, of_atoms = model.eval(COORD[None], CELL[None], TYPES, atomic=True)
        after = model.eval((COORD @ TURN.T)[None], (CELL @ TURN.T)[None], TYPES)[0]
        assert model.get_numb_dos() == model.numb_dos == 4
    assert whole.shape == (1, 4) and of_atoms.shape == (1, 5, 4)
    np.testing.assert_array_equal(again, whole)
    np.testing.assert_allclose(of_atoms.sum(axis=1), whole, atol=1e-13)
    np.testing.assert_allclose(after, whole, atol=1e-12)


def test_a_hybrid_has_the_axes_of_its_parts(tmp_path: Path) -> None:
    parts = Hybrid((SeE2A(**NET), SeE2A(**{**NET, "neuron": (3, 5)})))
    path = write(tmp_path / "model.pb", config(DipoleFitting(neuron=(5,)), descriptor=parts))
    with DeepDipole(path) as model:
        before = model.eval(COORD[None], CELL[None], TYPES)
        after = model.eval((COORD @ TURN.T)[None], (CELL @ TURN.T)[None], TYPES)
    np.testing.assert_allclose(after, turned(before), atol=1e-12)


def test_models_of_other_properties(tmp_path: Path) -> None:
    path = write(tmp_path / "model.pb", config(DipoleFitting(neuron=(5,))))
    for kind, main in ((DeepPot, "energy"), (DeepPolar, "polar"), (DeepDOS, "dos")):
        with pytest.raises(ValueError, match=f"a model that gives {main}, got .*, which gives dip"):
            kind(path)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: DipoleFitting(sel_type=(0, 0)), r"must hold different types.*, got \[0, 0\]"),
        (lambda: config(DipoleFitting(sel_type=2)), r"must hold types from 0 to 1, .* got \[2\]"),
        (lambda: config(PolarFitting(scale=(1.0,))), r"for each of the 2 types.*, got \[1.0\]"),
        (lambda: DosFitting(numb_dos=0), "`numb_dos` must be at least 1, got 0"),
        (
            lambda: config(DipoleFitting(), descriptor=SeE2R(sel=(4, 4), **LENGTHS)),
            "must be one that turns with the atoms .* got se_e2_r",
        ),
        (
            lambda: config(
                PolarFitting(),
                descriptor=Hybrid((SeE2A(**NET), SeE2R(sel=(4, 4), **LENGTHS))),
            ),
            "must be one that turns with the atoms .* got hybrid",
        ),
    ],
)
def test_settings_that_do_not_fit(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_local_frames_have_no_axes() -> None:
    frames = LocFrame(sel_a=(2, 2), sel_r=(0, 0), axis_rule=(0, 0, 0, 0, 1, 0) * 2, rcut=3.5)
    with pytest.raises(ValueError, match="got loc_frame"):
        config(DipoleFitting(), descriptor=frames)
