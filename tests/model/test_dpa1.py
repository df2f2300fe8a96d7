"""DPA-1 and se_a_ebd_v2: the laws that every model obeys, and their formula by hand."""

from __future__ import annotations

import numpy as np
import pytest
from physics_suite import PhysicsSuite
from potentials import Potential
from random_model import random_arrays

from deeptf.config import load
from deeptf.data.statistics import Extremes, Found
from deeptf.input_file import ConfigError
from deeptf.model.descriptor.dpa1 import SeAtten, SeAttenV2
from deeptf.model.descriptor.se_a_ebd_v2 import SeAEbdV2
from deeptf.model.descriptor.se_e2_a import SeE2A
from deeptf.model.fitting.ener import EnerFitting
from deeptf.model.model import ModelConfig
from deeptf.model.switch import switch_over_distance
from deeptf.model.term.standard import Standard
from deeptf.model.type_embedding import TypeEmbedding

RCUT, RCUT_SMTH, TYPES = 4.0, 1.0, 3
SECTION = TypeEmbedding((3,))
SEL = {SeE2A: (5, 7, 6), SeAEbdV2: (5, 7, 6), SeAtten: 18, SeAttenV2: 18}


def model(kind: type, **descriptor: object) -> ModelConfig:
    settings = {"sel": SEL[kind], "rcut": RCUT, "rcut_smth": RCUT_SMTH, "neuron": (4, 8)}
    if kind in (SeAtten, SeAttenV2):
        settings["attn_layer"] = 0
    net = kind(**{**settings, "axis_neuron": 3, **descriptor})
    return ModelConfig(Standard(net, EnerFitting(neuron=(6, 6)), SECTION), ("A", "B", "C"))


class TestConcat(PhysicsSuite):
    config = model(SeAtten)


class TestStripped(PhysicsSuite):
    config = model(SeAtten, tebd_input_mode="strip", exclude_types=((0, 1), (2, 2)))


class TestSmooth(PhysicsSuite):
    """Mean values are not zero: places without a neighbour count."""

    config = model(SeAttenV2)


class TestSmoothNetwork(PhysicsSuite):
    config = model(SeAttenV2, embedding="network")


class TestGates(PhysicsSuite):
    config = model(SeAEbdV2, type_one_side=True, set_davg_zero=True)


class TestJoinedTypes(PhysicsSuite):
    config = model(SeE2A, exclude_types=((0, 1),))


def test_indices_of_a_virial_that_is_not_symmetric() -> None:
    """With the rows that deepmd-kit gives excluded pairs the energy changes when all is turned."""
    config = model(SeAttenV2, exclude_types=((0, 1),), excluded_have_mean=True)
    suite = TestSmooth()
    result = Potential(config, random_arrays(config, 1))([suite.frame()])
    virial = result["virial"].reshape(3, 3)
    assert np.abs(virial - virial.T).max() > 1e-6
    np.testing.assert_allclose(result["atom_virial"].sum(axis=0), virial.ravel(), atol=1e-12)


def net(arrays: dict[str, np.ndarray], name: str, x: np.ndarray) -> np.ndarray:
    """Return the values of a net of widths 4 and 8, [n, 8]."""
    for layer in (0, 1):
        weight = {k: arrays[f"descriptor/{name}/{layer}/{k}"] for k in ("matrix", "bias")}
        y = np.tanh(x @ weight["matrix"] + weight["bias"])
        x = y + {2: np.hstack([x, x]), 1: x}.get(y.shape[1] / x.shape[1], 0)
    return x


def place_sum(
    config: ModelConfig, arrays: dict[str, np.ndarray], x: float, row: np.ndarray, types: tuple
) -> np.ndarray:
    """Return R (x) G of one place, [4, 8]; the types are those of neighbour and centre."""
    own = config.term.descriptor
    vectors = np.tanh(arrays["type_embedding/0/matrix"])  # 3 types, width 3: a residual
    vectors = np.vstack([np.eye(3) + vectors, np.zeros(3)])
    mixed = isinstance(own, SeAtten)
    stripped = own.stripped if mixed else isinstance(own, SeAEbdV2)
    both = (mixed and stripped) or not own.type_one_side
    joined = np.concatenate([vectors[t] for t in (types if both else types[:1])])
    if not stripped:
        return np.outer(row, net(arrays, "embedding", np.concatenate([[x], joined])[None])[0])
    share = 1.0
    if own.smooth:
        mean, stddev = (arrays[f"descriptor/{k}"][types[1], 0] for k in ("mean", "stddev"))
        share = 1 - max(0.0, 1 - RCUT_SMTH * (x * stddev + mean)) ** 3
    gate = net(arrays, "gate", joined[None])[0]
    return np.outer(row, net(arrays, "embedding", np.array([[x]]))[0] * (1 + share * gate))


@pytest.mark.parametrize("embedding", ["table", "network"])
@pytest.mark.parametrize(
    ("kind", "settings"),
    [
        (SeAtten, {"set_davg_zero": False}),
        (SeAtten, {"set_davg_zero": False, "type_one_side": True, "exclude_types": ((0, 2),)}),
        (SeAtten, {"set_davg_zero": False, "stripped_type_embedding": True}),
        (SeAttenV2, {"exclude_types": ((0, 2),), "type_one_side": True}),
        (SeAEbdV2, {"exclude_types": ((0, 2),)}),
        (SeAEbdV2, {"type_one_side": True}),
        (SeE2A, {"exclude_types": ((0, 2),)}),
        (SeE2A, {"type_one_side": True}),
    ],
)
def test_the_formula(kind: type, settings: dict, embedding: str) -> None:
    """Every place counts, an empty one at s = 0: without a type, in se_e2_a with its own."""
    config = model(kind, embedding=embedding, **settings)
    own, arrays = config.term.descriptor, random_arrays(config, 4)
    coord = np.array([[0, 0, 0], [1.3, 0.2, 0], [0.1, 1.9, 0.4], [2.1, 2.0, -0.3], [0, 1, 1.5]])
    types = np.array([0, 1, 2, 0, 2], np.int32)
    frame = {"coord": coord, "cell": np.zeros((3, 3)), "type": types}
    found = Potential(config, arrays)([frame])["descriptor"]
    for i, centre in enumerate(types):
        mean, stddev = (arrays[f"descriptor/{k}"][centre] for k in ("mean", "stddev"))
        empty, total, seen = -mean / stddev, np.zeros((4, 8)), np.zeros(TYPES, int)
        for j in np.flatnonzero(np.arange(5) != i):
            x = coord[j] - coord[i]
            r = np.linalg.norm(x)
            if r < RCUT:
                seen[types[j]] += 1
                if not own.excludes(centre, types[j]):
                    s = switch_over_distance(np.array([r]), RCUT_SMTH, RCUT)[0]
                    row = (s * np.array([1, *x / r]) - mean) / stddev
                    total += place_sum(config, arrays, row[0], row, (types[j], centre))
        if isinstance(own.sel, int):
            absent = {TYPES: own.sel - seen.sum()}
        else:
            kinds = [t for t in range(TYPES) if not own.excludes(centre, t)]
            absent = {t: own.sel[t] - seen[t] for t in kinds}
            absent = {TYPES: sum(absent.values())} if own.mixed else absent
        for t, number in absent.items():
            total += number * place_sum(config, arrays, empty[0], empty, (t, centre))
        moments = total / own.places
        expected = (moments.T @ moments[:, :3]).ravel()
        tolerance = 1e-12 if embedding == "network" else 1e-6
        np.testing.assert_allclose(found[i], expected, atol=tolerance)


@pytest.mark.parametrize(
    ("kind", "pairs", "one_side", "embedding", "line"),
    [
        (SeAtten, 1900, False, "table", "embedding net: 9 tables, of pairs of types"),
        (SeAtten, 1700, False, "network", "embedding net: evaluated on all pairs, 1700 in a frame"),
        (SeAtten, 1700, True, "table", "embedding net: 3 tables, of types of neighbours"),
        (SeE2A, 1700, False, "network", "embedding net: evaluated on all pairs, 1700 in a frame"),
        (SeAttenV2, 10, False, None, ""),
        (SeAEbdV2, 10, False, None, ""),
    ],
)
def test_joined_vectors_make_tables_where_they_are_small(
    kind: type, pairs: int, one_side: bool, embedding: str | None, line: str
) -> None:
    """There is one for each pair of types or, with one side, for each type of neighbours."""
    term, extremes = model(kind, type_one_side=one_side).term, Extremes(TYPES, RCUT)
    row = np.concatenate([np.ones(9), [1, 1, 1, 3], [2 * pairs, 2]])
    decided, lines = term.decide(Found([], {extremes: row}, {}, TYPES))
    assert decided.descriptor.embedding == embedding
    assert [one for one in lines if "embedding" in one] == [
        one for one in lines if line and one.startswith(line)
    ]
    assert not line or len(lines) == 1


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("sel", 0, "`sel` must be at least 1, got 0"),
        ("tebd_input_mode", "both", '`tebd_input_mode` must be "concat" or "strip", got \'both\''),
        ("attn", 0, "`attn_layer` must be at least 0 and `attn` at least 1, got 0 and 0"),
    ],
)
def test_wrong_settings(key: str, value: object, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        load(SeAtten, {"attn_layer": 0, key: value})


def test_a_list_of_places_is_summed() -> None:
    assert load(SeAtten, {"attn_layer": 0, "sel": [20, 30]}).sel == 50
    assert load(SeAttenV2, {"attn_layer": 0}).stripped
