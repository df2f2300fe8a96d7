"""Ranges of tables: where the data end and where the nodes end, and what is said of pairs below."""

from __future__ import annotations

import json

import numpy as np
import pytest
from array_names import NODES, RANGE, SHORTEST
from potentials import Potential
from random_model import random_arrays

from deeptf.exchange import frozen
from deeptf.exchange.model_file import METADATA_NODE
from deeptf.model.descriptor.se_e2_a import SeE2A
from deeptf.model.fitting.ener import EnerFitting
from deeptf.model.model import ModelConfig
from deeptf.model.outside import OutsidePairs
from deeptf.model.parameters import Parameters
from deeptf.model.ranges import FAR, NEAREST, SAFETY, SEGMENTS, Argument, curves_of
from deeptf.model.switch import switch_over_distance
from deeptf.model.table import measured_arrays
from deeptf.model.term.standard import Standard

ARGUMENT = Argument(1.0, 4.0, np.array([0.05, 0.08]), np.array([0.2, 0.3]))
SHORT = np.array([[2.4, 0.9], [0.9, 1.5]])


def model(embedding: str = "table", **descriptor: object) -> ModelConfig:
    settings = {"sel": (20, 20), "rcut": 4.0, "rcut_smth": 1.0, "neuron": (5, 10)}
    net = SeE2A(**settings, axis_neuron=4, embedding=embedding, **descriptor)
    return ModelConfig(Standard(net, EnerFitting(neuron=(8, 8))), ("A", "B"))


def pair(distance: float, types: tuple[int, int] = (0, 1)) -> dict[str, np.ndarray]:
    coord = np.array([[0.0, 0, 0], [distance, 0, 0]])
    return {"coord": coord, "cell": np.zeros((3, 3)), "type": np.array(types, np.int32)}


def test_a_net_of_its_own_for_every_pair_of_types() -> None:
    curve = np.array([[0, 2], [1, 3]])  # neighbour type first
    curves = curves_of("abcd", curve, ARGUMENT, SHORT)
    np.testing.assert_allclose(curves.data_end, SAFETY * SHORT, rtol=1e-12)
    np.testing.assert_allclose(curves.table_end, NEAREST, rtol=1e-12)
    for net, (centre, neighbor) in enumerate(((0, 0), (0, 1), (1, 0), (1, 1))):
        ends = [4.0, SAFETY * SHORT[centre, neighbor], NEAREST]
        s = switch_over_distance(np.array(ends), 1.0, 4.0)
        want = (s - ARGUMENT.mean[centre]) / ARGUMENT.stddev[centre]
        np.testing.assert_allclose(curves.range[net], want, rtol=1e-12, atol=1e-12)
        widths = np.diff(curves.ends[net])
        np.testing.assert_allclose(widths[:FAR], widths[0], rtol=1e-9)
        np.testing.assert_allclose(widths[FAR:], widths[-1], rtol=1e-9)
        assert np.all(widths > 0) and len(widths) == SEGMENTS


def test_one_net_for_all_centres_and_one_left_out() -> None:
    curve = np.array([[0, 0], [1, -1]])
    curves = curves_of("ab", curve, ARGUMENT, SHORT)
    argument = max(ARGUMENT.at(SAFETY * SHORT[c, 0], c) for c in (0, 1))
    assert curves.range[0, 1] == argument
    for centre in (0, 1):  # one of them is nearer than its own data, as far as the other knows
        assert ARGUMENT.at(curves.data_end[centre, 0], centre) == pytest.approx(argument)
    assert curves.data_end[0, 0] < SAFETY * SHORT[0, 0]
    assert np.isnan(curves.data_end[1, 1]) and np.isnan(curves.table_end[1, 1])


def test_short_distances_and_short_cut_offs_leave_ranges() -> None:
    curves = curves_of(["a"], np.zeros((1, 1), int), ARGUMENT, np.array([[0.1]]))
    assert curves.table_end[0, 0] == pytest.approx(SAFETY * 0.05)
    curves = curves_of(["a"], np.zeros((1, 1), int), ARGUMENT, np.array([[9.0]]))
    assert curves.data_end[0, 0] == pytest.approx(SAFETY * 4.0)


@pytest.mark.parametrize("value", [np.inf, np.nan, 0.0, -1.0])
def test_distances_that_are_none(value: float) -> None:
    shortest = np.array([[2.0, 1.0], [value, 1.0]])
    with pytest.raises(ValueError, match=rf"must hold positive distances in A, got {value} for "):
        curves_of("ab", np.array([[0, 0], [1, 1]]), ARGUMENT, shortest)


@pytest.mark.parametrize("types", [(0, 1), (1, 1)])
def test_below_the_data_a_table_equals_its_nets(types: tuple[int, int]) -> None:
    arrays = random_arrays(model(), 2) | {SHORTEST: np.full((2, 2), 2.0)}
    table, network = (Potential(model(kind), arrays) for kind in ("table", "network"))
    for distance in (1.7, 1.5, 1.0, 0.5, 0.21):
        found, exact = (potential([pair(distance, types)]) for potential in (table, network))
        assert found["energy"] == pytest.approx(exact["energy"], abs=1e-4)
        np.testing.assert_allclose(found["force"], exact["force"], rtol=1e-4, atol=3e-3)


def test_a_table_goes_on_smoothly_where_the_data_and_where_the_nodes_end() -> None:
    arrays = random_arrays(model(), 2) | {SHORTEST: np.full((2, 2), 1.6)}
    potential = Potential(model(), arrays)
    for distance in (SAFETY * 1.6, NEAREST, 0.15):
        ends = [potential.energy(pair(distance + step)) for step in (-1e-6, 1e-6)]
        force = potential([pair(distance)])["force"]
        assert force[1, 0] == pytest.approx(-(ends[1] - ends[0]) / 2e-6, rel=1e-4)


def test_numbers_of_nodes_belong_to_a_range() -> None:
    config = model()
    first = random_arrays(config, 2) | {SHORTEST: np.full((2, 2), 2.0)}
    first = measured_arrays(config.tables, first)
    assert config.tables(Parameters(first))[0].measured
    again = measured_arrays(config.tables, first)
    np.testing.assert_array_equal(again[NODES], first[NODES])
    moved = measured_arrays(config.tables, first | {SHORTEST: np.full((2, 2), 0.8)})
    assert np.all(moved[RANGE][:, 1] > first[RANGE][:, 1])
    assert moved[NODES][:, :FAR].sum() > first[NODES][:, :FAR].sum()
    for missing in (NODES, RANGE):
        fewer = {name: value for name, value in first.items() if name != missing}
        assert not config.tables(Parameters(fewer))[0].measured
    assert not config.tables(Parameters(first | {NODES: first[NODES][:, 1:]}))[0].measured


def test_a_frozen_model_tells_its_ranges() -> None:
    config = model(exclude_types=((1, 1),))
    arrays = random_arrays(config, 2) | {SHORTEST: SHORT}
    nodes = {node.name: node for node in frozen.build(config, arrays).node}
    text = nodes[METADATA_NODE].attr["value"].tensor.string_val[0]
    ranges = json.loads(text)["table_range"]
    np.testing.assert_allclose(ranges["data"][0], SAFETY * SHORT[0], rtol=1e-12)
    np.testing.assert_allclose(ranges["table"][0], NEAREST, rtol=1e-12)
    assert ranges["data"][1][1] is None and ranges["table"][1][1] is None
    network = model("network", exclude_types=((1, 1),))
    plain = {node.name: node for node in frozen.build(network, arrays).node}
    assert SHORTEST in plain and "outside_count" not in plain
    text = plain[METADATA_NODE].attr["value"].tensor.string_val[0]
    assert json.loads(text)["table_range"] is None


def test_a_frozen_model_counts_pairs_below_the_data() -> None:
    config = model()
    potential = Potential(config, random_arrays(config, 2) | {SHORTEST: SHORT})
    coord = np.array([[0.0, 0, 0], [0, 0, 0.7], [0, 0, 20], [0, 1.0, 20], [0.6, 1.0, 20]])
    frames = [
        {"coord": coord, "cell": np.zeros((3, 3)), "type": np.array([0, 1, 1, 1, 0], np.int32)},
        pair(1.93, (0, 0)),  # above 0.8 x 2.4
        {**pair(1.0), "coord": np.array([[0.0, 0, 0], [50, 0, 0]])},  # no pair at all
    ]
    feed = {
        "coord:0": np.concatenate([frame["coord"] for frame in frames]),
        "cell:0": np.stack([frame["cell"] for frame in frames]),
        "atom_type:0": np.concatenate([frame["type"] for frame in frames]),
        "frame_row:0": np.array([0, 5, 7, 9], np.int32),
    }
    result = potential.run(feed, ("outside_count", "outside_distance"))
    count, distance = result["outside_count"], result["outside_distance"]
    np.testing.assert_array_equal(count, [[0, 2], [2, 2]])
    np.testing.assert_allclose(distance, [[np.inf, 0.6], [0.6, 1.0]])
    only = potential.run({**feed, "coord:0": np.arange(27.0).reshape(9, 3) * 40}, tuple(result))
    assert not only["outside_count"].any() and np.all(only["outside_distance"] == np.inf)


class TwoWorkers:
    """Two processes with the same findings, of which this is one."""

    size = 2

    def __init__(self, rank: int, other: np.ndarray | None = None) -> None:
        self.rank = rank
        self.other = other

    def sum(self, values: np.ndarray) -> np.ndarray:
        """Return the sum with what the other worker gives, or keep what this one does."""
        if self.other is None:
            self.other = values.copy()
            return values
        return values + self.other


def test_pairs_are_told_once_in_both_directions() -> None:
    outside = OutsidePairs(["O", "H"], [[None, 0.712], [0.712, 1.2]])
    assert not outside and outside.lines() == []
    outside.add(np.array([[0, 11], [12, 0]]), np.array([[np.inf, 0.6], [0.55, np.inf]]))
    outside.add(np.array([[0, 1], [0, 2]]), np.array([[np.inf, 0.7], [np.inf, 1.1]]))
    ending = "where the data of the model end; closest"
    assert outside.lines() == [
        f"12 pairs of O-H closer than 0.712 A, {ending} 0.550 A: the model knows nothing there",
        f"1 pair of H-H closer than 1.200 A, {ending} 1.100 A: the model knows nothing there",
    ]


def test_pairs_of_all_workers() -> None:
    first, second = (OutsidePairs("A", [[1.0]]) for _ in range(2))
    first.add(np.array([[2]]), np.array([[0.9]]))
    second.add(np.array([[4]]), np.array([[0.7]]))
    one = TwoWorkers(0)
    first.of_all(one)
    together = second.of_all(TwoWorkers(1, one.other))
    assert together.count == 6 and together.distance == 0.7 and second.count == 4
