"""A model that has the door for coordinates only: frames are evaluated whole."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest
from message import Message
from toy import random_frames

import deeptf.infer.backend_tensorflow as backend_tensorflow
from deeptf.config import load
from deeptf.exchange import frozen
from deeptf.infer import DeepPot
from deeptf.model.doors import COORDINATES
from deeptf.model.model import ModelConfig
from deeptf.model.term import TERMS
from deeptf.model.term.term import Needs, TermOutputs
from deeptf.tf import tf


@dataclass(frozen=True)
class Far(Message):
    """E_i = x_i V, with the volume V of the cell."""

    type: ClassVar[str] = "far"

    def needs(self):
        return Needs(self.rcut, doors=(COORDINATES,))

    def build(self, inputs, pairs, parameters):
        volume = tf.gather(tf.linalg.det(inputs.cell), inputs.frame_of_atom)
        energy = tf.gather(inputs.coord[:, 0] * volume, pairs.atom_order)
        return TermOutputs(energy, tf.zeros_like(pairs.displacement))


@pytest.fixture
def pot(tmp_path, monkeypatch):
    monkeypatch.setitem(TERMS, Far.type, Far)
    config = load(ModelConfig, {"type": "far", "rcut": 2.5, "type_map": ["A", "B"]})
    frozen.write(config, {}, tmp_path / "model.pb")
    with DeepPot(tmp_path / "model.pb", threads=1, memory=1) as opened:
        yield opened


@pytest.mark.parametrize("direct", [0, 12, 512])
def test_frames_are_evaluated_whole(pot, direct, monkeypatch):
    monkeypatch.setattr(backend_tensorflow, "DIRECT_ATOMS", direct)
    coords, cells, types = random_frames(5, 6, cell=5.0)
    volume = np.linalg.det(cells.reshape(-1, 3, 3))
    energy, force, _, atom_energy, _ = pot.eval(coords, cells, types, atomic=True)
    want = coords.reshape(5, 6, 3)[..., 0] * volume[:, None]
    np.testing.assert_allclose(atom_energy[..., 0], want, rtol=1e-12)
    np.testing.assert_allclose(energy[:, 0], want.sum(axis=1), rtol=1e-12)
    assert force.shape == (5, 6, 3)


def test_messages_count_frames_from_the_first(pot, monkeypatch):
    monkeypatch.setattr(backend_tensorflow, "DIRECT_ATOMS", 6)
    coords, cells, types = random_frames(3, 6, cell=5.0)
    coords = coords.reshape(3, 6, 3)
    coords[2, 1] = coords[2, 0]
    with pytest.raises(ValueError, match="atoms 0 and 1 of frame 2"):
        pot.eval(coords, cells, types)


def test_pairs_are_refused(pot):
    with pytest.raises(ValueError, match="must be given coordinates and cells, got pairs"):
        pot.eval_pairs([0, 0], [], np.zeros((0, 3)), [0])
