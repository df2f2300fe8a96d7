"""Kinds of descriptors of deepmd-kit: graphs and training inputs that contradict each other."""

import gzip
import json

import numpy as np
import pytest
from deepmd_models import GOLDEN, node_of, set_constant, write

from deeptf.exchange.compress import compress
from deeptf.exchange.convert import convert
from deeptf.exchange.deepmd.arrays import read_arrays
from deeptf.exchange.deepmd.fitting import fitting_arrays, fitting_settings
from deeptf.exchange.deepmd.graph import DeepmdGraph
from deeptf.exchange.deepmd.settings import DeepmdSettings
from deeptf.model.descriptor.se_e2_r import SeE2R
from deeptf.model.model import ModelConfig
from deeptf.model.term.standard import Standard
from deeptf.tf import tf
from deeptf.train.origin import read_origin

SCRIPT = "train_attr/training_script"
STRIPPED, TYPED, RADIAL_HYBRID = "se_a_ebd_v2", "se_e2_a_tebd", "hybrid_a_r"
ATTENTION, TRIPLES, COMPRESSED = "se_atten_l1_mask", "se_e3", "se_atten_v2_l0_compressed"
MASKED = "se_a_mask"


def kind(name):
    """Return the graph of a golden model of a kind."""
    content = gzip.decompress((GOLDEN / "kinds" / f"{name}.pb.gz").read_bytes())
    return tf.GraphDef.FromString(content)


def refusal(graph):
    with pytest.raises(ValueError) as caught:
        parts = DeepmdGraph(graph)
        read_arrays(DeepmdSettings(parts))
        parts.check_all_read()
    return str(caught.value)


def change_section(graph, change):
    """Change the section of the descriptor in the training input."""
    script = json.loads(DeepmdGraph(graph).text(SCRIPT))
    change(script["model"]["descriptor"])
    set_constant(graph, SCRIPT, json.dumps(script))
    return graph


@pytest.mark.parametrize(
    "name", [STRIPPED, TYPED, RADIAL_HYBRID, ATTENTION, TRIPLES, COMPRESSED, MASKED]
)
def test_kinds_as_they_are_are_read_to_the_last_constant(name):
    parts = DeepmdGraph(kind(name))
    read_arrays(DeepmdSettings(parts))
    parts.check_all_read()


@pytest.mark.parametrize(
    ("name", "key", "value", "message"),
    [
        (ATTENTION, "attn_layer", 2, "model/descriptor/attn_layer 2 in it and 1 in the graph"),
        (ATTENTION, "attn", 7, "model/descriptor/attn 7 in it and 12 in the graph"),
        (ATTENTION, "neuron", [4], "model/descriptor/neuron [4] in it and [4, 8, 16] in the graph"),
        (ATTENTION, "attn_dotr", 1, "model/descriptor/attn_dotr: must be true or false, got 1"),
        (ATTENTION, "exclude_types", [[0, 1]], "descriptor/exclude_types [[0, 1]] in it and [] in"),
        (ATTENTION, "axis_neuron", 2, "must take 32 numbers of the descriptor, got 48"),
        (TRIPLES, "neuron", [4], "model/descriptor/neuron [4] in it and [4, 8, 16] in the graph"),
        (TRIPLES, "exclude_types", [[0, 1]], "descriptor/exclude_types [[0, 1]] in it and [] in"),
        (MASKED, "sel", None, "must hold model/descriptor/sel, a list (an integer each)"),
        (MASKED, "sel", [4, 9], "`total_atom_num` of a plain se_a_mask model with 2 types, got i:"),
        (MASKED, "axis_neuron", 2, "model/descriptor/axis_neuron 2 in it and 3 in the graph"),
        (COMPRESSED, "neuron", None, "must hold model/descriptor/neuron, a list"),
        (COMPRESSED, "precision", 8, "model/descriptor/precision: must be a string, got 8"),
    ],
)
def test_training_inputs_of_other_models(name, key, value, message):
    def change(section):
        section[key] = value
        if value is None:
            del section[key]

    assert message in refusal(change_section(kind(name), change))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda parts: parts[0].pop("axis_neuron"), "must hold model/descriptor/axis_neuron, an"),
        (lambda parts: parts[0].update(axis_neuron=2), "must take 48 numbers, those of all parts"),
        (lambda parts: parts[1].update(type="se_e2_a"), "op ProdEnvMatR"),
        (lambda parts: parts.pop(), "op ProdEnvMatR"),
        (lambda parts: parts.append(parts[0]), "behind descrpt_attr_2/t_avg"),
        (
            lambda parts: parts[1].update(type="new"),
            "descriptor/type that deeptf can import (se_e2",
        ),
    ],
)
def test_other_parts_of_hybrid_descriptors(change, message):
    graph = change_section(kind(RADIAL_HYBRID), lambda section: change(section["list"]))
    assert message in refusal(graph)


def test_features_belong_to_kinds():
    """Vectors of types are foreign to a descriptor that is said to be without."""
    graph = change_section(kind(STRIPPED), lambda section: section.update(type="se_e2_a"))
    assert "got a stripped type embedding (filter_type_all/matrix_1_one_side_ebd)" in refusal(graph)


@pytest.mark.parametrize(
    ("name", "constant", "value", "message"),
    [
        (ATTENTION, "attention_layer_0/eye/ones", np.full(44, 2.0), "eye/ones` must hold ones"),
        (ATTENTION, "zeros", np.ones((1, 8)), "`zeros` must be 8 zeros, got others"),
        (MASKED, "zeros", np.ones((1, 9)), "`zeros`, the virial, must be zeros, but is not"),
        (
            COMPRESSED,
            "filter_type_all/embedding_lookup/params_0",
            np.zeros((4, 16)),
            "must have 3 or 9 rows of 16, got shape (4, 16)",
        ),
        (STRIPPED, "filter_type_all/matrix_1", np.zeros((2, 4)), "must have shape (1, 4)"),
    ],
)
def test_constants_that_contradict(name, constant, value, message):
    graph = kind(name)
    set_constant(graph, constant, value)
    assert message in refusal(graph)


def test_normalisation_of_older_releases():
    graph = kind(ATTENTION)
    for part in ("gamma", "beta"):
        old = f"attention_layer_0/layer_normalization/{part}"
        new = old.replace("normalization", "normalization_3")
        node_of(graph, old).name = new
        for node in graph.node:
            node.input[:] = [new if name == old else name for name in node.input]
    read_arrays(DeepmdSettings(DeepmdGraph(graph)))


def test_electron_configurations_as_types():
    graph = kind(TYPED)
    script = json.loads(DeepmdGraph(graph).text(SCRIPT))
    script["model"]["type_embedding"]["use_econf_tebd"] = True
    set_constant(graph, SCRIPT, json.dumps(script))
    assert "`use_econf_tebd` must be false, got true" in refusal(graph)


def test_a_compressed_model_has_no_nets_to_train_or_compress(tmp_path):
    new = tmp_path / "new.pb"
    notes = convert(write(kind(COMPRESSED), tmp_path / "old.pb"), new)
    assert notes[1].startswith("tables in place of nets: ")
    with pytest.raises(ValueError, match="must have embedding nets, but has tables in their place"):
        compress(new, tmp_path / "compressed.pb")
    with pytest.raises(ValueError, match="must have embedding nets to train on from it, but has"):
        read_origin(init_frozen=new)
    assert not (tmp_path / "compressed.pb").exists()


def test_an_output_that_an_op_does_not_have(tmp_path):
    graph = kind(COMPRESSED)
    reader = next(n for n in graph.node if "filter_type_all/TabulateFusionSeAtten" in n.input)
    reader.input[:] = [f"{name}:1" if "Tabulate" in name else name for name in reader.input]
    with pytest.raises(ValueError, match="must not need the tensor `filter_type_all/Tabulate"):
        convert(write(graph, tmp_path / "old.pb"), tmp_path / "new.pb")


def test_keys_that_older_releases_do_not_have():
    new = ("smooth_type_embedding", "ln_eps", "attn_dotr")
    graph = change_section(kind(ATTENTION), lambda section: [section.pop(key) for key in new])
    assert DeepmdSettings(DeepmdGraph(graph)).config.term.descriptor.attn_dotr


def test_a_fitting_net_without_hidden_layers():
    """It becomes one linear neuron, and a last layer that changes nothing."""
    graph = tf.GraphDef()
    set_constant(graph, "model_attr/model_type", "ener")
    weight, bias = np.array([[1.0], [2.0], [3.0]]), np.array([4.0])
    set_constant(graph, "final_layer_type_0/matrix", weight)
    set_constant(graph, "final_layer_type_0/bias", bias)
    parts = DeepmdGraph(graph)
    fitting = fitting_settings(parts, None, 1)
    assert (fitting.neuron, fitting.activation_function) == ((1,), "linear")
    config = ModelConfig(Standard(SeE2R(sel=(4,), neuron=(3,)), fitting), ("A",))
    _, arrays = fitting_arrays(parts, config, {})
    expected = {
        "type_0/0/matrix": weight,
        "type_0/0/bias": bias,
        "type_0/last/matrix": np.ones((1, 1)),
        "type_0/last/bias": np.zeros(1),
        "energy_bias": np.zeros(1),
    }
    assert arrays.keys() == expected.keys()
    for name, value in expected.items():
        np.testing.assert_array_equal(arrays[name], value)
