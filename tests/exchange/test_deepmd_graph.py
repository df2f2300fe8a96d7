"""The white list: every part that a plain energy model does not have is refused by name."""

import json

import numpy as np
import pytest
from array_names import SHORTEST
from deepmd_models import add_between, golden_graph, node_of, set_constant

from deeptf.exchange.deepmd.arrays import read_arrays
from deeptf.exchange.deepmd.graph import DeepmdGraph
from deeptf.exchange.deepmd.names import ATTRIBUTES
from deeptf.exchange.deepmd.settings import DeepmdSettings
from deeptf.tf import tf


def read(graph):
    """Read a graph as a model, without running it; return settings and arrays."""
    parts = DeepmdGraph(graph)
    config, arrays = read_arrays(DeepmdSettings(parts))
    parts.check_all_read()
    return config, arrays


def refusal(graph):
    """Read a graph that must be refused; return the message."""
    with pytest.raises(ValueError) as caught:
        read(graph)
    return str(caught.value)


def test_the_models_as_they_are_pass():
    config, arrays = read(golden_graph())
    assert config.num_types == 3 and len(arrays) == 3 + 3 * 4 + 3 * 4


@pytest.mark.parametrize(("distance", "known"), [(0.9, True), (0.0, False), (np.inf, False)])
def test_how_near_atoms_come_in_its_data(distance, known):
    graph = golden_graph()
    set_constant(graph, "train_attr/min_nbor_dist", np.float64(distance))
    arrays = read(graph)[1]
    assert (SHORTEST in arrays) == known
    if known:
        np.testing.assert_array_equal(arrays[SHORTEST], np.full((3, 3), distance))


@pytest.mark.parametrize(
    ("name", "value", "what"),
    [
        ("modifier_attr/type", "dipole_charge", "a dipole-charge modifier"),
        ("spin_attr/ntypes_spin", 1, "spin (spin_attr/ntypes_spin)"),
        ("model_attr/t_tab_info", [1.0], "the constant `model_attr/t_tab_info`, which the conv"),
        ("model_attr/sel_type", [0], "a tensor fitting"),
        ("fitting_attr/numb_dos", 3, "a density of states"),
        ("fitting_attr/aparam_nall", True, "a mask of atoms"),
        ("attention_layer_0/c_query/matrix", [[1.0]], "attention"),
        ("filter_type_all/matrix_1_0_1", [[1.0]], "the descriptor se_e3"),
        ("descrpt_attr_1/sel", [1], "a hybrid descriptor"),
        ("model_attr_model0/tmap", "A", "a sum of several models"),
        ("fitting_attr/anything", 1, "`fitting_attr/anything` (op Const), which no output needs"),
        ("anything", [1.0, 2.0], "`anything` (op Const), which no output needs"),
    ],
)
def test_foreign_constants(name, value, what):
    graph = golden_graph()
    set_constant(graph, name, value)
    message = refusal(graph)
    assert (
        message.startswith("it must be a model of a kind that deeptf has, got ") and what in message
    )


@pytest.mark.parametrize(
    ("op", "what"),
    [
        ("PairTab", "`new` (op PairTab), which no output needs"),
        ("SoftMinSwitch", "`new` (op SoftMinSwitch), which no output needs"),
        ("ProdEnvMatR", "got op ProdEnvMatR"),
        ("DynamicStitch", "op DynamicStitch"),
        ("ProdEnvMatAMix", "a descriptor of mixed types (se_atten) (op ProdEnvMatAMix)"),
        ("TabulateFusionSeA", "`new` (op TabulateFusionSeA), which no output needs"),
        ("Descrpt", "the descriptor loc_frame (op Descrpt)"),
        ("Switch", "control flow (op Switch)"),
        ("Less", "`new` (op Less), which no output needs"),
        ("PlaceholderWithDefault", "a default for an input"),
        ("Sin", "got op Sin"),
        ("Placeholder", "the input `new`"),
    ],
)
def test_foreign_ops(op, what):
    graph = golden_graph()
    graph.node.add(name="new", op=op)
    assert what in refusal(graph)


def test_a_foreign_output():
    graph = golden_graph()
    graph.node.add(name="o_new", op="Identity", input=["o_energy"])
    assert "the output `o_new`" in refusal(graph)


def test_a_function():
    graph = golden_graph()
    graph.library.function.add().signature.name = "anything"
    assert "function `anything`" in refusal(graph)


def test_many_foreign_parts_are_counted():
    graph = golden_graph()
    for k in range(8):
        graph.node.add(name=f"new_{k}", op=f"Op{k}")
    assert refusal(graph).endswith("op Op4 and 3 more")


def test_an_array_on_the_way_that_nobody_reads():
    graph = golden_graph()
    set_constant(graph, "extra", [1.0])
    add_between(graph, "o_energy", "Mul", "extra")
    assert "the constant `extra`, which the conversion does not know" in refusal(graph)


@pytest.mark.parametrize("name", ["descrpt_attr/new", "words"])
def test_a_description_on_the_way_that_nobody_reads(name):
    graph = golden_graph()
    set_constant(graph, name, 1 if "/" in name else "text")
    node_of(graph, "o_energy").input.append(f"^{name}")
    assert f"the constant `{name}`, which the conversion does not know" in refusal(graph)


@pytest.mark.parametrize("name", [name for name, reason in ATTRIBUTES.items() if reason != "read"])
def test_harmless_constants(name):
    graph = golden_graph()
    set_constant(graph, name, 1.0)
    DeepmdSettings(DeepmdGraph(graph))


@pytest.mark.parametrize(
    ("op", "attribute", "value", "found"),
    [
        ("ProdEnvMatA", "rcut_a", {"f": 3.0}, "f: 3"),
        ("ProdEnvMatA", "rcut_r", {"f": 4.5}, "f: 4.5"),
        ("ProdEnvMatA", "sel_r", {"list": {"i": [0, 2, 0]}}, "list { i: 0 i: 2 i: 0 }"),
        ("ProdEnvMatA", "sel_a", {"list": {"i": [4, 6]}}, "list { i: 4 i: 6 }"),
        ("ProdEnvMatA", "new", {"i": 1}, "i: 1"),
        ("ProdForceSeA", "n_a_sel", {"i": 14}, "i: 14"),
        ("ProdVirialSeA", "n_r_sel", {"i": 1}, "i: 1"),
    ],
)
def test_attributes_of_the_ops_of_geometry(op, attribute, value, found):
    graph = golden_graph()
    node = next(node for node in graph.node if node.op == op)
    node.attr[attribute].CopyFrom(tf.AttrValue(**value))
    message = refusal(graph)
    assert f"(op {op}) must have the attribute `{attribute}`" in message
    assert message.endswith(f"with 3 types, got {found}")


def test_a_type_without_places():
    graph = golden_graph()
    set_constant(graph, "descrpt_attr/sel", [4, 0, 5])
    next(node for node in graph.node if node.op == "ProdEnvMatA").attr["sel_a"].list.i[1] = 0
    assert "`sel` must be at least 1 for every type, got [4, 0, 5]" in refusal(graph)


def test_a_missing_attribute():
    graph = golden_graph()
    del next(node for node in graph.node if node.op == "ProdEnvMatA").attr["sel_r"]
    assert "must have the attribute `sel_r`" in refusal(graph)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        (
            "model_attr/model_type",
            "wfc",
            "a model of ener, dipole, polar, dos, got a model of `wfc`",
        ),
        ("model_attr/model_version", "2.0", "must be 1.0 or 1.1, got '2.0'"),
        ("model_attr/model_version", [1.0], "`model_attr/model_version` must be one string"),
        ("model_attr/model_type", b"\xff", "`model_attr/model_type` must be UTF-8 text"),
        ("model_attr/tmap", "A B", "`type_map` must name each of its 3 types, got A B"),
        ("descrpt_attr/ntypes", 2, "the attribute `sel_a` of a plain se_e2_a model with 2 types"),
        ("descrpt_attr/rcut", 6.0, "must have the attribute `rcut_r`"),
        ("descrpt_attr/sel", [4, 6, 6], "must have the attribute `sel_a`"),
        ("descrpt_attr/t_avg", [0.0], "`descrpt_attr/t_avg` must have shape (3, 60), got (1,)"),
        (
            "fitting_attr/daparam",
            1,
            "it must have the input `t_aparam`, since `fitting_attr/daparam`",
        ),
        ("layer_0_type_0/matrix", [[1.0]], "must take 4 times the axis neurons, and the param"),
        ("fitting_attr/t_bias_atom_e", [1.0, 2.0, float("nan")], "must hold finite numbers"),
        ("model_attr/model_attr/t_out_std", [1.0, 2.0, 1.0], "must be 1 for every type"),
        ("layer_0_type_1/matrix", [[1.0]], "`layer_0_type_1/matrix` must have shape (8, 4)"),
    ],
)
def test_contradictions(name, value, message):
    graph = golden_graph()
    set_constant(graph, name, value)
    assert message in refusal(graph)


def test_rows_that_differ_between_neighbours():
    graph = golden_graph()
    value = DeepmdGraph(graph).array("descrpt_attr/t_std").copy()
    value[1, 4] += 1e-3
    set_constant(graph, "descrpt_attr/t_std", value)
    assert "`descrpt_attr/t_std` must be the same for every neighbour" in refusal(graph)
    value[:] = 0.0
    set_constant(graph, "descrpt_attr/t_std", value)
    assert "`descrpt_attr/t_std` must be positive, got 0.0" in refusal(graph)


@pytest.mark.parametrize(
    ("removed", "message"),
    [
        ("model_attr/model_type", "it must be a model frozen by deepmd-kit"),
        ("descrpt_attr/ntypes", "it must hold the constant `descrpt_attr/ntypes`"),
        ("layer_0_type_1/bias", "the node `layer_0_type_1/bias` that `layer_0_type_1/bias/read` n"),
        ("o_force", "it must have the output `o_force`"),
    ],
)
def test_missing_nodes(removed, message):
    graph = golden_graph()
    graph.node.remove(node_of(graph, removed))
    assert message in refusal(graph)


def test_two_nodes_of_one_name():
    graph = golden_graph()
    graph.node.add().CopyFrom(node_of(graph, "o_energy"))
    assert "two nodes of one name" in refusal(graph)


def test_two_environments():
    graph = golden_graph()
    node = graph.node.add()
    node.CopyFrom(next(n for n in graph.node if n.op == "ProdEnvMatA"))
    node.name = "second"
    graph.node.add(name="sum", op="AddN", input=["second", "o_energy"])
    node_of(graph, "o_virial").input.append("^sum")
    assert "must hold one op ProdEnvMatA" in refusal(graph) and "got 2 of them" in refusal(graph)


@pytest.mark.parametrize("size", [-1, 1 << 40])
def test_a_damaged_shape(size):
    graph = golden_graph()
    tensor = node_of(graph, "layer_0_type_0/matrix").attr["value"].tensor
    tensor.tensor_shape.dim[0].size = size
    assert "`layer_0_type_0/matrix` must have a sensible shape" in refusal(graph)


def test_lost_numbers():
    graph = golden_graph()
    tensor = node_of(graph, "layer_0_type_0/matrix").attr["value"].tensor
    tensor.tensor_content = tensor.tensor_content[:-3]
    assert "`layer_0_type_0/matrix` must hold an array, but is damaged" in refusal(graph)


def with_script(change):
    """Return a graph whose training input is changed by `change(section of the descriptor)`."""
    graph = golden_graph()
    script = json.loads(DeepmdGraph(graph).text("train_attr/training_script"))
    change(script["model"]["descriptor"])
    set_constant(graph, "train_attr/training_script", json.dumps(script))
    return graph


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("type", "se_new", "descriptor/type that deeptf can import (se_e2_a, se_e2_r"),
        ("type", 7, "descriptor/type that deeptf can import (se_e2_a, se_e2_r"),
        ("type", "se_e2_r", "got op ProdEnvMatA"),
        ("neuron", [9], "got model/descriptor/neuron [9] in it and [2, 4] in the graph"),
        ("axis_neuron", 3, "got model/descriptor/axis_neuron 3 in it and 2 in the graph"),
        ("type_one_side", False, "model/descriptor/type_one_side False in it and True in"),
        ("exclude_types", [[1, 0]], "model/descriptor/exclude_types [[0, 1]] in it and [] in"),
    ],
)
def test_a_training_input_of_another_model(key, value, message):
    graph = with_script(lambda section: section.update({key: value}))
    assert message in refusal(graph)


def test_a_training_input_that_says_nothing():
    config, _ = read(with_script(lambda section: section.clear()))
    assert config.term.descriptor == read(golden_graph())[0].term.descriptor
