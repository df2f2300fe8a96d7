"""The modifier in graphs of deepmd-kit: what is read of it, and graphs that contradict it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from deepmd_models import golden_graph, node_of, set_constant, write

from deeptf.exchange.convert import convert, read_foreign
from deeptf.exchange.deepmd.modifier import part_modifier
from deeptf.exchange.sources import read_frozen
from deeptf.model.model import MODIFIER
from deeptf.tf import tf

NAME = "kinds/dplr_ener"


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(golden_graph(NAME), tmp_path_factory.mktemp("models") / "old.pb")


def test_settings_and_arrays(source: Path, tmp_path: Path) -> None:
    found = read_foreign(source)
    modifier = found.config.modifier
    assert modifier.model_name.endswith("dplr_dw.pb")
    assert (modifier.model_charge_map, modifier.sys_charge_map) == ((-8.0,), (6.0, 1.0))
    assert (modifier.ewald_beta, modifier.ewald_h) == (0.4, 1.0)
    assert modifier.dipole_model.fitting_net.sel_type == (0,)
    assert {name.partition("/")[0] for name in found.arrays} == {MODIFIER, "descriptor", "fitting"}
    assert len(found.notes) == 2 and found.notes[1].startswith("model of dipoles: checked against")
    convert(source, tmp_path / "new.pb")
    config, arrays, notes = read_frozen(tmp_path / "new.pb")
    assert config == found.config and not notes
    assert arrays.keys() >= found.arrays.keys()


def test_graphs_without_one_stay_as_they_are() -> None:
    graph = golden_graph()
    assert part_modifier(graph) == (graph, None)


def test_types_stay_in_the_order_in_which_charges_are_given(tmp_path: Path) -> None:
    graph = golden_graph("kinds/polar_se_atten_v2")
    set_constant(graph, "model_attr/sel_type", np.array([1, 0], np.int32))
    found = read_foreign(write(graph, tmp_path / "old.pb"))
    assert found.config.term.fitting_net.sel_type == (1, 0)


def set_to(name: str, value: object) -> Callable[[tf.GraphDef], None]:
    return lambda graph: set_constant(graph, name, value)


def without(name: str) -> Callable[[tf.GraphDef], None]:
    return lambda graph: graph.node.remove(node_of(graph, name))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            set_to("modifier_attr/type", "other"),
            "`modifier_attr/type` must be dipole_charge, got o",
        ),
        (set_to("modifier_attr/type", [1.0]), "`modifier_attr/type` must be one string"),
        (set_to("modifier_attr/new", 1.0), "`modifier_attr/new` must be a key of a modifier"),
        (set_to("modifier_attr/ewald_h", "x"), "`modifier_attr/ewald_h` must be one number"),
        (set_to("modifier_attr/ewald_h", -1.0), "`ewald_h` must be positive, got -1.0"),
        (
            set_to("modifier_attr/sys_charge_map", "6 x"),
            "sys_charge_map` must be numbers, got '6 x",
        ),
        (set_to("modifier_attr/sys_charge_map", "6"), r"each of the 2 types, got \[6.0\]"),
        (set_to("modifier_attr/mdl_charge_map", "1 2"), "each of the 1 types with dipoles, got"),
        (without("modifier_attr/mdl_name"), "it must hold the constant `modifier_attr/mdl_name`"),
        (
            set_to("dipole_charge/model_attr/model_type", "polar"),
            "`dipole_charge/` must hold a model of dipoles, got one of polar",
        ),
        (set_to("dipole_charge/model_attr/tmap", "H O"), "its types have names already, H O"),
        (without("dipole_charge/model_attr/sel_type"), "constant `model_attr/sel_type`, but does"),
    ],
)
def test_contradictions(
    change: Callable[[tf.GraphDef], None], message: str, tmp_path: Path
) -> None:
    graph = golden_graph(NAME)
    change(graph)
    with pytest.raises(ValueError, match=message):
        convert(write(graph, tmp_path / "old.pb"), tmp_path / "new.pb")
    assert not (tmp_path / "new.pb").exists()
