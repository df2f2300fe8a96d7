"""What is compared follows from properties.py and the outputs of a model; sums of errors."""

import numpy as np
import pytest

from deeptf.data.batch import Batch
from deeptf.data.comparison import Errors, compare, quantities
from deeptf.properties import (
    ATOM,
    CENTRE,
    FRAME,
    PROPERTIES,
    Property,
    labelled,
    register,
)

OUTPUTS = ("descriptor", "energy", "atom_energy", "force", "virial", "atom_virial")
MOMENT = Property(
    "moment",
    FRAME,
    ("dx", "dy", "dz"),
    "e A",
    "dipole moment of all",
    "moment",
    key="d",
    extensive=True,
)


@pytest.fixture
def moment(monkeypatch):
    monkeypatch.setitem(PROPERTIES, MOMENT.name, MOMENT)


def described(found):
    return [(one.suffix, one.title, one.unit, len(one.property.components)) for one in found]


def test_what_is_compared_of_an_energy_model():
    wanted = [
        ("e", "energy", "eV", 1),
        ("e_peratom", "energy per atom", "eV/atom", 1),
        ("f", "force", "eV/A", 3),
        ("v", "virial", "eV", 9),
        ("v_peratom", "virial per atom", "eV/atom", 9),
    ]
    assert described(quantities(labelled(OUTPUTS))) == wanted
    assert described(quantities(labelled(OUTPUTS, atomic=True))) == [
        *wanted,
        ("ae", "atomic energy", "eV", 1),
    ]


def test_what_is_compared_of_other_models(moment):
    found = quantities(labelled(("moment", "energy")))
    assert [one.suffix for one in found] == ["e", "e_peratom", "d", "d_peratom"]
    assert described(found[2:]) == [
        ("d", "dipole moment of all", "e A", 3),
        ("d_peratom", "dipole moment of all per atom", "e A/atom", 3),
    ]


def test_frames_with_the_label_are_compared(moment):
    batch = Batch(
        np.zeros((5, 3)),
        np.zeros((3, 3, 3)),
        np.zeros(5, int),
        np.array([0, 2, 3, 5]),
        labels={"moment": np.arange(9.0).reshape(3, 3), "force": np.ones((5, 3))},
        has={"moment": np.array([1.0, 0, 1]), "force": np.array([0.0, 1, 1])},
    )
    predicted = {"moment": np.ones((3, 3)), "force": 3 * np.ones((5, 3))}
    force, _, per_atom = quantities(labelled(("moment", "force")))
    label, prediction = compare(per_atom, batch, predicted)
    np.testing.assert_array_equal(label, [[0, 0.5, 1], [3, 3.5, 4]])
    np.testing.assert_array_equal(prediction, np.full((2, 3), 0.5))
    label, prediction = compare(force, batch, predicted)
    np.testing.assert_array_equal(prediction - label, np.full((3, 3), 2.0))


def test_sums_of_errors_and_their_table(moment):
    errors = Errors(quantities(labelled(("moment", "force"))), 3)
    errors["f"].add(np.array([3.0, -4.0]))
    more = Errors(errors.quantities, 2)
    more["f"].add(np.array([0.0, 0.0]))
    more["d"].add(np.array([-2.0]))
    errors.include(more)
    assert (errors["f"].count, errors["f"].mae, errors["f"].rmse) == (4, 1.75, 2.5)
    assert errors["f"].largest == 4.0 and errors["d_peratom"].largest == 0.0
    assert np.isnan(errors["d_peratom"].mae) and np.isnan(errors["d_peratom"].rmse)
    assert errors.lines("here") == [
        "here: 5 frames",
        "                                          MAE          RMSE",
        "  force                          1.750000e+00  2.500000e+00  eV/A",
        "  dipole moment of all           2.000000e+00  2.000000e+00  e A",
        "  dipole moment of all per atom     no labels",
    ]


def test_the_table_of_an_energy_model():
    errors = Errors(quantities(labelled(OUTPUTS)), 1)
    errors["e_peratom"].add(np.array([1.0]))
    assert errors.lines("a")[1:4] == [
        "                             MAE          RMSE",
        "  energy               no labels",
        "  energy per atom   1.000000e+00  1.000000e+00  eV/atom",
    ]


@pytest.mark.parametrize(
    ("new", "message"),
    [
        (Property("q", ATOM, ("q",), label="q"), r"`key` and `components` .* got '' and \('q',\)"),
        (Property("q", ATOM, (), label="q", key="q"), r"label must be given, got 'q' and \(\)"),
        (Property("q", CENTRE, ("q",), label="atomic_ener", key="q"), "which 'atom_energy' has"),
        (Property("force", CENTRE, ("q",), key="q"), "which 'force' has"),
    ],
)
def test_properties_that_cannot_be_told_apart(new, message):
    before = dict(PROPERTIES)
    with pytest.raises(ValueError, match=message):
        register(new)
    assert before == PROPERTIES


def test_a_property_registers_once(monkeypatch):
    monkeypatch.delitem(PROPERTIES, MOMENT.name, raising=False)
    for _ in range(2):
        register(MOMENT)
    assert PROPERTIES.pop(MOMENT.name) is MOMENT
