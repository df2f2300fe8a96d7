"""A fitting net, a term, a property and a loss that register at run time, without another file.

Each is trained, frozen and tested by the commands' own functions.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
from small_run import INPUT, write_run, write_system

from deeptf import properties
from deeptf.exchange.compress import Data, compress
from deeptf.infer.deep_pot import DeepPot
from deeptf.infer.test import test as compare
from deeptf.loss import LOSSES
from deeptf.loss.labels import squared_errors
from deeptf.model.fitting import FITTINGS
from deeptf.model.fitting.fitted import Fitted
from deeptf.model.parameters import constant
from deeptf.model.term import TERMS
from deeptf.model.term.term import Needs, TermOutputs
from deeptf.properties import CENTRE, ENERGIES, PROPERTIES, Property
from deeptf.tf import tf
from deeptf.train.freeze import freeze
from deeptf.train.run import train

CHARGE = Property("charge", CENTRE, ("q",), "e", "charge", "toy_charge", key="q")


@dataclass(frozen=True)
class Linear:
    """E_i = w_t . D_i."""

    type: ClassVar[str] = "toy_linear"
    atom_bytes: ClassVar[int] = 0
    numb_fparam: ClassVar[int] = 0
    numb_aparam: ClassVar[int] = 0

    def check_types(self, num_types):
        pass

    def collectors(self, num_types):
        return []

    def first_arrays(self, found, type_map):
        return {}, []

    def build(self, described, inputs, pairs, parameters):
        width = int(described.descriptor.shape[1])
        types = int(pairs.atom_count.shape[0])
        weight = parameters.get("weight", (types, width), tf.float64, constant(0.1))
        slope = tf.repeat(weight, pairs.atom_count, axis=0)
        return Fitted(tf.reduce_sum(slope * described.descriptor, axis=1), slope)


@dataclass(frozen=True)
class Springs:
    """E_i = k/2 sum_j (rcut - r)^2 / 2 and charges q_i = c sum_j (rcut - r)."""

    type: ClassVar[str] = "toy_springs"
    rcut: float = 2.5

    def needs(self):
        return Needs(self.rcut)

    def gives(self, num_types):
        return [*ENERGIES, CHARGE]

    def check_types(self, num_types):
        pass

    def open_types(self):
        return 0

    def with_open_of(self, old):
        return self

    def collectors(self, num_types):
        return []

    def decide(self, found):
        return self, ["toy springs are ready"]

    def first_arrays(self, found, type_map):
        return {}, []

    def seen(self, found):
        return {}

    def extended(self, arrays, found):
        return {}, []

    def tables(self, parameters, num_types):
        return []

    def build(self, inputs, pairs, parameters):
        stiffness, share = (
            parameters.get(name, (), tf.float64, constant(value))
            for name, value in (("stiffness", 1.0), ("share", 0.1))
        )
        depth = tf.maximum(self.rcut - tf.norm(pairs.displacement, axis=1), 0.0)
        frame_atoms = tf.shape(inputs.row)[0] - 1
        energy = tf.math.unsorted_segment_sum(depth**2, pairs.centre, frame_atoms)
        charge = tf.math.unsorted_segment_sum(depth, pairs.centre, frame_atoms)
        energy, charge = (
            factor * tf.gather(value, pairs.atom_order)
            for factor, value in ((stiffness / 4, energy), (share, charge))
        )
        gradient = tf.gradients(energy, pairs.displacement)[0]
        return TermOutputs(energy, gradient, {CHARGE.name: charge})


@dataclass(frozen=True)
class ChargeLoss:
    """Mean square of the errors of charges and energies."""

    type: ClassVar[str] = "toy_charge"
    start_pref_q: float = 1.0

    def of_model(self, gives):
        return self

    def terms(self):
        return {"e": (properties.ENERGY,), CHARGE.key: (CHARGE,)}

    def columns(self):
        return [properties.ENERGY, CHARGE]

    def prefactors(self, rate_ratio):
        return np.array([1.0, self.start_pref_q * rate_ratio])

    def labels(self):
        return self.columns()

    def build(self, outputs, labels, inputs, prefactors):
        charge = (outputs.values["charge"] - labels.value["toy_charge"]) ** 2
        charge = tf.math.unsorted_segment_sum(charge, inputs.frame_of_atom, inputs.num_frames)
        energy = (outputs.values["energy"] - labels.value["energy"]) ** 2
        return prefactors[0] * energy + prefactors[1] * charge

    def errors(self, outputs, labels, inputs):
        return squared_errors(self.columns(), outputs, labels, inputs)


@pytest.fixture
def toys(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Return a folder in which the toys are known."""
    for registry, kind in ((FITTINGS, Linear), (TERMS, Springs), (LOSSES, ChargeLoss)):
        monkeypatch.setitem(registry, kind.type, kind)
    monkeypatch.setitem(PROPERTIES, CHARGE.name, CHARGE)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def check_force(pot: DeepPot, folder: Path) -> None:
    """Compare a force with the difference of energies."""
    coord = np.load(folder / "system/set.000/coord.npy")[:1]
    cell, types = np.load(folder / "system/set.000/box.npy")[:1], [0, 1, 1, 0, 1, 1]
    force = pot.eval(coord, cell, types)[1]
    step = np.zeros_like(coord)
    step[0, 4] = 1e-5
    ends = [pot.eval(coord + sign * step, cell, types)[0].item() for sign in (1, -1)]
    assert abs(force[0, 1, 1]) > 1e-3
    assert force[0, 1, 1] == pytest.approx((ends[1] - ends[0]) / 2e-5, rel=1e-6)


def test_a_fitting_net(toys: Path) -> None:
    assert train(write_run(toys, {"model/fitting_net": {"type": "toy_linear"}})) == 0
    freeze(".", "model.pb")
    with DeepPot("model.pb") as pot:
        check_force(pot, toys)


def test_a_term_with_a_property_and_a_loss_of_its_own(
    toys: Path, capsys: pytest.CaptureFixture
) -> None:
    depth = 0.3 + np.random.default_rng(1).uniform(size=(6, 6))
    write_system(toys / "system", toy_charge=depth)
    model = {"type": "toy_springs", "type_map": INPUT["model"]["type_map"]}
    path = write_run(toys, {"model": model, "loss": {"type": "toy_charge"}})
    assert train(path) == 0
    assert "toy springs are ready" in capsys.readouterr().out
    curve = Path("lcurve.out").read_text().splitlines()
    assert "rmse_q" in curve[0] and "rmse_f" not in curve[0]
    freeze(".", "model.pb")
    with DeepPot("model.pb") as pot:
        check_force(pot, toys)
    compare("model.pb", "system", detail="detail")
    line = [line for line in capsys.readouterr().out.splitlines() if "charge" in line]
    assert len(line) == 1 and line[0].endswith("  e")
    rows = np.loadtxt("detail.q.out")
    np.testing.assert_allclose(rows[:, 0], depth.ravel(), rtol=1e-12)
    trained = float(curve[-1].split()[curve[0].split().index("rmse_q_trn") - 1])
    assert 0 < trained < 1
    with pytest.raises(ValueError, match=r"model\.pb cannot be compressed: it must have embedding"):
        compress("model.pb", "new.pb", data=Data(["system"]))
