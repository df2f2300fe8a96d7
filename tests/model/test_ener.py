"""The arrays of the fitting nets: their names, shapes, and which of them are trained."""

from __future__ import annotations

import numpy as np
import pytest

from deeptf.model.fitting.ener import EnerFitting
from deeptf.model.parameters import Parameters
from deeptf.tf import tf

SHAPES = {  # of a net with neurons 5, 5, 3 on 7 numbers; a layer that keeps the width has a step
    "0/matrix": (7, 5),
    "0/bias": (5,),
    "1/matrix": (5, 5),
    "1/bias": (5,),
    "1/idt": (5,),
    "2/matrix": (5, 3),
    "2/bias": (3,),
    "last/matrix": (3, 1),
    "last/bias": (1,),
}


def parameters_of(**settings: object) -> Parameters:
    """Return the parameters of nets for two types after they have been built."""
    with tf.Graph().as_default():
        parameters = Parameters({"fitting/energy_bias": np.zeros(2)}, seed=1)
        fitting = EnerFitting(neuron=(5, 5, 3), **settings)
        descriptor = tf.zeros([3, 7], tf.float64)
        fitting.nets(descriptor, tf.constant([1, 2]), None, None, parameters.scope("fitting"))
    return parameters


def test_shapes() -> None:
    found = {n: tuple(v.shape.as_list()) for n, v in parameters_of().variables.items()}
    nets = (EnerFitting().network_name(atom_type) for atom_type in (0, 1))
    assert found == {
        f"fitting/{net}/{name}": shape for net in nets for name, shape in SHAPES.items()
    }


def test_no_time_steps() -> None:
    names = parameters_of(resnet_dt=False).variables
    assert len(names) == 2 * (len(SHAPES) - 1) and not any(n.endswith("idt") for n in names)


@pytest.mark.parametrize(
    ("trainable", "trained"),
    [
        (True, {"0", "1", "2", "last"}),
        (False, set()),
        ((True, False, False, False), {"0"}),
        ((False, True, False, False), {"1"}),
        ((False, False, True, False), {"2"}),
        ((False, False, False, True), {"last"}),
    ],
)
def test_layers_that_are_trained(trainable: bool | tuple[bool, ...], trained: set[str]) -> None:
    parameters = parameters_of(trainable=trainable)
    layers = {name.split("/")[-2] for name in parameters.variables}
    fixed = {name.split("/")[-2] for name in parameters.constants if "type_" in name}
    assert layers == trained and fixed == {"0", "1", "2", "last"} - trained
