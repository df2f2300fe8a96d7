"""Converting: the weights of a model frozen by deepmd-kit's TensorFlow backend become a deeptf
model.

Read are the constants of the GraphDef (.pb, or .pbtxt as text): statistics, weights and, where the
file has it, the training input. Supported: energy models with the descriptor se_e2_a and without
type embedding. Not supported: compressed models, whose embedding weights are gone.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
from google.protobuf import text_format
from google.protobuf.message import DecodeError

from deeptf import freeze
from deeptf.infer.model_file import METADATA_NODE
from deeptf.model.descriptor.se_e2_a import SeE2A
from deeptf.model.fitting.ener import EnerFitting
from deeptf.model.model import ModelConfig
from deeptf.model.parameters import Parameters
from deeptf.tf import session, tf

ENVIRONMENT_OPS = ("ProdEnvMatA", "DescrptSeA")
ACTIVATION_OPS = {
    "Tanh": "tanh",
    "Softplus": "softplus",
    "Sigmoid": "sigmoid",
    "Relu": "relu",
    "Relu6": "relu6",
    "Gelu": "gelu",
    "GeluCustom": "gelu",
}
PRECISION = {np.dtype(np.float64): "float64", np.dtype(np.float32): "float32"}


def convert(source: str | Path, output: str | Path) -> None:
    """Read a frozen deepmd-kit model and write it as a frozen deeptf model.

    Raises FileNotFoundError, or ValueError where the file is damaged or holds a model of another
    kind.
    """
    old = OldModel(read_graph(source), str(source))
    config = ModelConfig(_descriptor(old), _fitting(old), old.type_map)
    arrays = _arrays(old, config)
    freeze.write(config, arrays, output, training_script=old.script or None)


def read_graph(path: str | Path) -> tf.GraphDef:
    """Return the GraphDef in a .pb or .pbtxt file."""
    path = Path(path)
    content = path.read_bytes()
    graph = tf.GraphDef()
    try:
        if path.suffix == ".pbtxt":
            text_format.Parse(content, graph)
        else:
            graph.ParseFromString(content)
    except (DecodeError, text_format.ParseError, UnicodeDecodeError) as error:
        raise ValueError(
            f"{path} must be a frozen model (GraphDef), but reading it failed: {error}"
        ) from error
    return graph


class OldModel:
    """The constants of a deepmd-kit graph by name, with what follows from them."""

    def __init__(self, graph: tf.GraphDef, path: str) -> None:
        self.path = path
        self.nodes = {node.name: node for node in graph.node}
        self._check_kind()
        self.type_map = tuple(self.text("model_attr/tmap").split())
        script = self.text("train_attr/training_script", "{}")
        self.script: dict[str, Any] = json.loads(script)
        self.one_side = "filter_type_all/matrix_1_0" in self.nodes

    def array(self, name: str) -> np.ndarray:
        """Return a constant; raises ValueError when it is missing."""
        node = self.nodes.get(name)
        if node is None or node.op != "Const":
            raise ValueError(f"{self.path} must hold the constant `{name}`, but does not")
        return tf.make_ndarray(node.attr["value"].tensor)

    def text(self, name: str, default: str | None = None) -> str:
        """Return a string constant, or `default`."""
        if name not in self.nodes and default is not None:
            return default
        return self.array(name).item().decode()

    def given(self, section: str, key: str, default: Any) -> Any:
        """Return a key of model/section of the training input, or `default`."""
        return self.script.get("model", {}).get(section, {}).get(key, default)

    def environment(self) -> tf.NodeDef:
        """Return the node that computes the environment matrix: it holds rcut and sel."""
        for node in self.nodes.values():
            if node.op in ENVIRONMENT_OPS:
                return node
        raise ValueError(
            f"{self.path} must hold the descriptor se_e2_a "
            f"(an op {' or '.join(ENVIRONMENT_OPS)}), but does not"
        )

    def activation(self, scope: str) -> str:
        """Return the activation function used below a name scope."""
        for name, node in self.nodes.items():
            if name.startswith(scope) and node.op in ACTIVATION_OPS:
                return ACTIVATION_OPS[node.op]
        raise ValueError(f"{self.path}: the activation function of {scope} could not be recognised")

    def widths(self, pattern: str) -> list[int]:
        """Return the widths of the layers whose matrices are named pattern.format(layer)."""
        first = 0 if pattern.format(0) in self.nodes else 1
        widths = []
        while (name := pattern.format(first + len(widths))) in self.nodes:
            widths.append(self.array(name).shape[1])
        return widths

    def _check_kind(self) -> None:
        if METADATA_NODE in self.nodes:
            raise ValueError(f"{self.path} is a deeptf model already: use it as it is")
        if "model_attr/model_type" not in self.nodes:
            raise ValueError(
                f"{self.path} must be a model frozen by deepmd-kit, "
                "but it has no `model_attr/model_type`"
            )
        kind = self.text("model_attr/model_type")
        if kind != "ener":
            raise ValueError(f"{self.path} must be an energy model, got a model of `{kind}`")
        if self.text("model_type", "original_model") == "compressed_model":
            raise ValueError(
                f"{self.path} is compressed and holds tables instead of embedding weights: "
                "convert the model from before `dp compress`"
            )
        for name, what in (
            ("type_embed_net", "a type embedding"),
            ("attention_layer", "attention"),
        ):
            if any(node.startswith(name) for node in self.nodes):
                raise ValueError(f"{self.path} must be a plain se_e2_a model, but it uses {what}")


def _descriptor(old: OldModel) -> SeE2A:
    attributes = old.environment().attr
    scope = "filter_type_all" if old.one_side else "filter_type_0"
    first = next(n for n in old.nodes if re.fullmatch(rf"{scope}/matrix_1_\d+", n))
    index = first.rsplit("_", 1)[1]
    neuron = old.widths(f"{scope}/matrix_{{}}_{index}")
    conditions = int(old.array("fitting_attr/dfparam")) + int(old.array("fitting_attr/daparam"))
    inputs = old.array("layer_0_type_0/matrix").shape[0] - conditions
    return SeE2A(
        sel=tuple(int(n) for n in attributes["sel_a"].list.i),
        rcut=float(attributes["rcut_r"].f),
        rcut_smth=float(attributes["rcut_r_smth"].f),
        neuron=tuple(neuron),
        axis_neuron=inputs // neuron[-1],
        activation_function=old.given("descriptor", "activation_function", None)
        or old.activation(scope),
        resnet_dt=any(re.match(r"filter_type_\w+/idt_", name) for name in old.nodes),
        type_one_side=old.one_side,
        precision=PRECISION[old.array(first).dtype],
        exclude_types=tuple(map(tuple, old.given("descriptor", "exclude_types", ()))),
        embedding="network",  # the result equals the old model to the last digits
    )


def _fitting(old: OldModel) -> EnerFitting:
    return EnerFitting(
        numb_fparam=int(old.array("fitting_attr/dfparam")),
        numb_aparam=int(old.array("fitting_attr/daparam")),
        neuron=tuple(old.widths("layer_{}_type_0/matrix")),
        activation_function=old.given("fitting_net", "activation_function", None)
        or old.activation("layer_0_type_0"),
        precision=PRECISION[old.array("layer_0_type_0/matrix").dtype],
        resnet_dt=any(re.match(r"layer_\d+_type_\d+/idt", name) for name in old.nodes),
    )


def _arrays(old: OldModel, config: ModelConfig) -> dict[str, np.ndarray]:
    """Return the arrays of the deeptf model by their names."""
    num_types = config.num_types
    arrays = _statistics(old, config)
    for name in old.nodes:
        if match := re.fullmatch(r"filter_type_(all|\d+)/(matrix|bias|idt)_(\d+)_(\d+)", name):
            centre, kind, layer, neighbor = match.groups()
            target = f"descriptor/embedding_{centre}_{neighbor}/{int(layer) - 1}/{kind}"
        elif match := re.fullmatch(r"layer_(\d+)_type_(\d+)/(matrix|bias|idt)", name):
            target = f"fitting/type_{match[2]}/{match[1]}/{match[3]}"
        elif match := re.fullmatch(r"final_layer_type_(\d+)/(matrix|bias)", name):
            target = f"fitting/type_{match[1]}/last/{match[2]}"
        else:
            continue
        value = old.array(name)
        arrays[target] = value if target.endswith("matrix") else value.ravel()
    atom_ener = old.given("fitting_net", "atom_ener", ()) or ()
    for t in range(min(num_types, len(atom_ener))):
        if atom_ener[t] is not None:
            arrays["fitting/energy_bias"][t] -= _energy_of_zero_descriptor(config, arrays, t)
    return arrays


def _statistics(old: OldModel, config: ModelConfig) -> dict[str, np.ndarray]:
    num_types = config.num_types
    arrays = {}
    for source, target in (("t_avg", "mean"), ("t_std", "stddev")):
        rows = old.array(f"descrpt_attr/{source}").astype(np.float64).reshape(num_types, -1, 4)
        if not np.array_equal(rows, np.broadcast_to(rows[:, :1], rows.shape)):
            raise ValueError(
                f"{old.path}: `{source}` must be the same for every neighbour, but is not"
            )
        arrays[f"descriptor/{target}"] = rows[:, 0]
    bias = np.zeros(num_types)
    for name in ("fitting_attr/t_bias_atom_e", "model_attr/model_attr/t_out_bias"):
        if name in old.nodes:
            bias = bias + old.array(name).astype(np.float64).reshape(num_types)
    arrays["fitting/energy_bias"] = bias
    for name in ("fparam", "aparam"):
        if f"fitting_attr/t_{name}_avg" in old.nodes:
            arrays[f"fitting/{name}_mean"] = old.array(f"fitting_attr/t_{name}_avg").ravel()
            inverse = old.array(f"fitting_attr/t_{name}_istd").ravel()
            arrays[f"fitting/{name}_stddev"] = 1.0 / inverse
    return arrays


def _energy_of_zero_descriptor(
    config: ModelConfig, arrays: dict[str, np.ndarray], atom_type: int
) -> float:
    """Return N_t(0): with `atom_ener`, deepmd-kit subtracts it from the net of that type."""
    fitting = config.fitting_net
    if fitting.numb_fparam or fitting.numb_aparam:
        raise ValueError("`atom_ener` together with fparam or aparam cannot be converted")
    with tf.Graph().as_default():
        count = [int(t == atom_type) for t in range(config.num_types)]
        descriptor = tf.zeros([1, config.descriptor.width], tf.float64)
        values = {**arrays, "fitting/energy_bias": np.zeros(config.num_types)}
        parameters = Parameters(values, frozen=True)
        energy, _ = fitting.build(descriptor, count, None, None, parameters)
        with session() as run:
            return float(run.run(energy)[0])
