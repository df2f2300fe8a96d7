"""The energy loss against its formula in NumPy, and its weight gradient against differences."""

from __future__ import annotations

import numpy as np
import pytest
from random_model import random_arrays

from deeptf.data.batch import Batch, rows_of
from deeptf.loss.energy import TERMS, EnergyLoss
from deeptf.loss.labels import Labels
from deeptf.model.descriptor.se_e2_a import SeE2A
from deeptf.model.fitting.ener import EnerFitting
from deeptf.model.model import ModelConfig
from deeptf.model.parameters import Parameters
from deeptf.model.term.standard import Standard
from deeptf.tf import assign, session, tf

LABELS = ("energy", "force", "virial", "atom_ener", "atom_pref")
PREFACTORS = np.array([0.7, 3.0, 0.2, 0.5, 1.3])
LOSS = EnergyLoss(start_pref_v=1.0, start_pref_ae=1.0, start_pref_pf=1.0)


def model(**descriptor: object) -> ModelConfig:
    settings = {"sel": (6, 9), "rcut": 3.5, "rcut_smth": 1.0, "neuron": (3, 6), "axis_neuron": 2}
    return ModelConfig(
        Standard(SeE2A(**{**settings, **descriptor}), EnerFitting(neuron=(5, 5))), ("A", "B")
    )


def batch(missing: tuple[str, ...] = ("force", "virial", "atom_pref")) -> Batch:
    """Return frames of five and three atoms, the second one without cell and some labels."""
    rng = np.random.default_rng(0)
    atoms, frames = 8, 2
    has = {label: np.ones(frames) for label in LABELS}
    for label in missing:
        has[label][1] = 0
    return Batch(
        coord=rng.uniform(0, 3.5, (atoms, 3)),
        cell=np.stack([np.eye(3) * 4.0, np.zeros((3, 3))]),
        atom_type=np.array([0, 1, 1, 0, 1, 1, 0, 1], np.int32),
        frame_row=rows_of([5, 3]),
        labels={
            "energy": rng.normal(size=frames),
            "force": rng.normal(size=(atoms, 3)),
            "virial": rng.normal(size=(frames, 9)),
            "atom_ener": rng.normal(size=atoms),
            "atom_pref": rng.uniform(size=atoms),
        },
        has=has,
        origin=(("a", 0), ("b", 0)),
    )


class Run:
    """Model and loss on one batch, with weights that can be set."""

    def __init__(self, config: ModelConfig, loss: EnergyLoss = LOSS) -> None:
        with tf.Graph().as_default() as graph:
            self.parameters = Parameters(random_arrays(config, 2))
            inputs, self.labels = config.inputs(), Labels.of(loss.labels())
            outputs = config.build(inputs, self.parameters)
            bound = (outputs, self.labels, inputs)
            self.loss = loss.build(*bound, tf.constant(PREFACTORS))
            self.errors = loss.errors(*bound)
            self.outputs = {
                name: outputs.values[name] for name in ("energy", "force", "virial", "atom_energy")
            }
            names = ("coord", "cell", "atom_type", "frame_row")
            self.feed = {getattr(inputs, name): getattr(batch(), name) for name in names}
            self.feed |= self.labels.feed(batch())
            variables = list(self.parameters.variables.values())
            total = tf.reduce_mean(self.loss)
            self.gradients = dict(
                zip(self.parameters.variables, tf.gradients(total, variables), strict=True)
            )
            self.session = session(graph)
            self.session.run(tf.global_variables_initializer())

    def __call__(self, fetch: object) -> object:
        return self.session.run(fetch, self.feed)


@pytest.fixture(scope="module")
def plain() -> Run:
    return Run(model())


@pytest.mark.parametrize("missing", [(), *((label,) for label in LABELS), tuple(LABELS)])
def test_loss_is_its_formula(plain: Run, missing: tuple[str, ...]) -> None:
    """A label that the second frame does not have takes its term alone out of the loss."""
    data = batch(missing)
    labels = data.labels
    feed = plain.feed | plain.labels.feed(data)
    loss, found = plain.session.run((plain.loss, plain.outputs), feed)
    for frame, atoms in enumerate((slice(0, 5), slice(5, 8))):
        n = atoms.stop - atoms.start
        force = (found["force"][atoms] - labels["force"][atoms]) ** 2
        terms = {
            ("energy",): (found["energy"][frame] - labels["energy"][frame]) ** 2 / n,
            ("force",): np.mean(force),
            ("virial",): np.mean((found["virial"][frame] - labels["virial"][frame]) ** 2) / n,
            ("atom_ener",): np.mean(
                (found["atom_energy"][atoms] - labels["atom_ener"][atoms]) ** 2
            ),
            ("force", "atom_pref"): np.mean(labels["atom_pref"][atoms, None] * force),
        }
        expected = sum(
            prefactor * term
            for prefactor, (needed, term) in zip(PREFACTORS, terms.items(), strict=True)
            if frame == 0 or not set(needed) & set(missing)
        )
        assert loss[frame] == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("missing", LABELS)
def test_errors_leave_out_frames_without_the_label(plain: Run, missing: str) -> None:
    data = batch((missing,))
    labels = data.labels
    errors, found = plain.session.run(
        (plain.errors, plain.outputs), plain.feed | plain.labels.feed(data)
    )
    errors = dict(zip([row.key for row in LOSS.columns()], errors, strict=True))
    frames = {name: slice(0, 1 if missing == name else 2) for name in LABELS}
    atoms = {name: slice(0, 5 if missing == name else 8) for name in LABELS}
    sizes = np.array([5, 3])
    force = (found["force"] - labels["force"]) ** 2
    weighted = atoms["atom_pref" if missing == "atom_pref" else "force"]
    squares = {
        "e": ((found["energy"] - labels["energy"]) / sizes)[frames["energy"]] ** 2,
        "ae": ((found["atom_energy"] - labels["atom_ener"]) ** 2)[atoms["atom_ener"]],
        "f": force[atoms["force"]],
        "v": (((found["virial"] - labels["virial"]) / sizes[:, None]) ** 2)[frames["virial"]],
        "pf": (labels["atom_pref"][:, None] * force)[weighted],
    }
    assert list(errors) == list(squares)
    for key, square in squares.items():
        expected = [square.sum(), square.size]
        np.testing.assert_allclose(errors[key], expected, rtol=1e-12, err_msg=key)


def test_terms_that_are_never_used_are_left_out() -> None:
    loss = EnergyLoss(start_pref_e=0.0, limit_pref_e=1.0, start_pref_f=1.0, limit_pref_f=0.0)
    run = Run(model(), loss)
    value = run.labels.value
    wrong = {value["virial"]: np.full((2, 9), np.inf), value["atom_ener"]: np.full(8, np.nan)}
    assert np.all(np.isfinite(run.session.run(run.loss, run.feed | wrong)))
    for label in (value["energy"], value["force"]):
        used = {label: np.full_like(run.feed[label], np.inf)}
        assert not np.all(np.isfinite(run.session.run(run.loss, run.feed | used)))


@pytest.mark.parametrize("descriptor", [{}, {"type_one_side": True}, {"resnet_dt": True}])
def test_weight_gradient_is_the_derivative(descriptor: dict) -> None:
    run = Run(model(**descriptor))
    gradients = run(run.gradients)
    rng = np.random.default_rng(1)
    scale = max(np.max(np.abs(g)) for g in gradients.values())
    for name, variable in run.parameters.variables.items():
        value = run.session.run(variable)
        place = tuple(rng.integers(n) for n in value.shape)
        step, losses = 1e-5, []
        for sign in (1, -1):
            moved = value.copy()
            moved[place] += sign * step
            assign(run.session, variable, moved)
            losses.append(np.mean(run(run.loss)))
        assign(run.session, variable, value)
        numeric = (losses[0] - losses[1]) / (2 * step)
        assert gradients[name][place] == pytest.approx(numeric, abs=1e-8 * scale), name


def test_prefactors_follow_the_rate() -> None:
    loss = EnergyLoss(start_pref_e=2.0, limit_pref_e=4.0, start_pref_f=10.0, limit_pref_f=0.0)
    assert dict(zip(TERMS, loss.prefactors(0.25), strict=True)) == {
        "e": 3.5,
        "f": 2.5,
        "v": 0.0,
        "ae": 0.0,
        "pf": 0.0,
    }


def test_wrong_prefactors() -> None:
    with pytest.raises(ValueError, match="`limit_pref_f` must be at least 0, got -1"):
        EnergyLoss(limit_pref_f=-1.0)
    zero = {f"{end}_pref_{term}": 0.0 for end in ("start", "limit") for term in ("e", "f")}
    with pytest.raises(ValueError, match="`loss` must have a prefactor above 0"):
        EnergyLoss(**zero)
