"""Settings of a deeptf model from the graph of a deepmd-kit model.

The graph alone decides: the training input in the file is not looked at, since it may be missing.

* Widths, precision and which nets exist follow from the weights, activation functions from the
  nodes behind the first bias of a net.
* Excluded pairs of types have no net (two-side) or a 0 in a matrix of zeros and ones (one-side).
* The op of the environment holds rcut and rcut_smth as float32 and subtracts them in float32:
  u = (r - r0) / w with r0 = float32(rcut_smth), w = float32(rcut - r0). The cut-off is r0 + w.
"""

from __future__ import annotations

import itertools
import re

import numpy as np

from deeptf.exchange import deepmd_names as names
from deeptf.exchange.deepmd_graph import DeepmdGraph
from deeptf.exchange.deepmd_kinds import ENVIRONMENT_OPS, kind_of
from deeptf.model.descriptor.type_nets import TypeNets
from deeptf.model.fitting.ener import EnerFitting
from deeptf.model.model import ModelConfig
from deeptf.model.term.standard import Standard
from deeptf.tf import tf

PRECISION = {np.dtype(np.float64): "float64", np.dtype(np.float32): "float32"}
ACTIVATION_OPS = {
    "Softplus": "softplus",
    "Relu": "relu",
    "Relu6": "relu6",
    **dict.fromkeys(names.GELU_OPS, "gelu"),
}


class DeepmdSettings:
    """The settings of a deepmd-kit model in terms of deeptf.

    type_map : names of the types; None takes those in the graph, or Type_0, Type_1, ... where it
        has none.

    Raises ValueError where something is missing, contradictory or of another kind.
    """

    def __init__(self, graph: DeepmdGraph, type_map: tuple[str, ...] | None = None) -> None:
        self.graph = graph
        self._check_kind()
        graph.check_parts()
        self._environment = graph.only(ENVIRONMENT_OPS)
        self._kind = kind_of(self._environment.op)
        self._sel = tuple(int(n) for n in self._environment.attr[self._kind.sel].list.i)
        self._num_types = int(graph.number("descrpt_attr/ntypes"))
        self._check_geometry()
        self._one_side = any(name.startswith("filter_type_all/matrix_1_") for name in graph.nodes)
        self._num_parameters = [self._number_of(kind) for kind in ("fparam", "aparam")]
        own_names = tuple(graph.text("model_attr/tmap", "").split())
        self.has_names = bool(own_names)
        type_map = self._choose_names(own_names, type_map)
        self.config = ModelConfig(Standard(self._descriptor(), self._fitting()), type_map)

    def _number_of(self, kind: str) -> int:
        """Return how many frame or atom parameters the fitting nets take."""
        size = int(self.graph.number(f"fitting_attr/d{kind}", 0))
        if size and f"t_{kind}" not in self.graph:
            raise ValueError(
                f"it must have the input `t_{kind}`, since `fitting_attr/d{kind}` is {size}, but "
                "does not (deeptf has no mask of atoms, use_aparam_as_mask)"
            )
        return size

    def _check_kind(self) -> None:
        kind = self.graph.text("model_attr/model_type")
        if kind != "ener":
            raise ValueError(f"it must be an energy model, got a model of `{kind}`")
        if self.graph.text("model_type", "original_model") == "compressed_model":
            raise ValueError(
                "it is compressed and holds tables instead of embedding weights: convert the model "
                "from before `dp compress`"
            )
        version = self.graph.text("model_attr/model_version", names.VERSIONS[0])
        if version not in names.VERSIONS:
            raise ValueError(
                f"`model_attr/model_version` must be {' or '.join(names.VERSIONS)}, got {version!r}"
            )

    def _check_geometry(self) -> None:
        """Check the attributes of the ops of geometry, and what else says the same."""
        node, kind, sel = self._environment, self._kind, self._sel
        self._check_keys(node, {kind.sel, kind.rcut, kind.rcut_smth, *kind.fixed})
        stated = self.graph.array("descrpt_attr/sel") if "descrpt_attr/sel" in self.graph else sel
        right = len(sel) == self._num_types and [*sel] == [*np.ravel(stated)]
        self._check_value(node, kind.sel, right)
        for key, is_right in kind.fixed.items():
            self._check_value(node, key, is_right(node.attr[key]))
        if min(sel) < 1:
            raise ValueError(
                f"`sel` must be at least 1 for every type, got {[*sel]}: it leaves out all "
                "neighbours of a type, deeptf none"
            )
        rcut = np.float32(self.graph.number("descrpt_attr/rcut"))
        self._check_value(node, kind.rcut, np.float32(node.attr[kind.rcut].f) == rcut)
        for ops in (kind.force, kind.virial):
            node = self.graph.only(ops)
            self._check_keys(node, set(kind.sizes))
            for key, size in kind.sizes.items():
                self._check_value(node, key, node.attr[key].i == size(sel))

    def _check_keys(self, node: tf.NodeDef, expected: set[str]) -> None:
        """Raise ValueError unless a node has these attributes and no other that matters."""
        given = {key for key in node.attr if key != "T" and not key.startswith("_")}
        for key in sorted(given ^ expected):
            self._check_value(node, key, False)

    def _check_value(self, node: tf.NodeDef, key: str, right: bool) -> None:
        if not right:
            value = " ".join(str(node.attr[key]).split()) if key in node.attr else "nothing"
            raise ValueError(
                f"`{node.name}` (op {node.op}) must have the attribute `{key}` of a plain "
                f"{self._kind.name} model with {self._num_types} types, got {value}"
            )

    def _choose_names(self, own: tuple[str, ...], given: tuple[str, ...] | None) -> tuple[str, ...]:
        if own and given and own != given:
            raise ValueError(
                f"its types have names already, {' '.join(own)}: `type_map` must be the same, "
                f"got {' '.join(given)}"
            )
        chosen = own or given or tuple(f"Type_{t}" for t in range(self._num_types))
        if len(chosen) != self._num_types:
            raise ValueError(
                f"`type_map` must name each of its {self._num_types} types, got {' '.join(chosen)}"
            )
        return chosen

    def _descriptor(self) -> TypeNets:
        attributes, kind = self._environment.attr, self._kind
        first = self._first_matrix()
        neuron = self._widths(first.replace("matrix_1", "matrix_{}"), 1)
        inputs = len(self.graph.array("layer_0_type_0/matrix"))
        further = kind.further(inputs - sum(self._num_parameters), neuron[-1])
        if further is None:
            raise ValueError(
                f"`layer_0_type_0/matrix` must take {neuron[-1]} {kind.must_be}, and "
                f"{sum(self._num_parameters)} parameters, got {inputs}"
            )
        rcut_smth = np.float32(attributes[kind.rcut_smth].f)
        return kind.settings(
            sel=self._sel,
            rcut=float(rcut_smth) + float(np.float32(attributes[kind.rcut].f) - rcut_smth),
            rcut_smth=float(rcut_smth),
            neuron=tuple(neuron),
            activation_function=self._activation(first.replace("matrix", "bias")),
            resnet_dt=any(re.match(r"filter_type_\w+/idt_", name) for name in self.graph.nodes),
            type_one_side=self._one_side,
            precision=self._precision(first),
            exclude_types=self._excluded_pairs(),
            embedding="network",  # the result equals the old model to the last digits
            **further,
        )

    def _fitting(self) -> EnerFitting:
        return EnerFitting(
            *self._num_parameters,
            neuron=tuple(self._widths("layer_{}_type_0/matrix", 0)),
            activation_function=self._activation("layer_0_type_0/bias"),
            precision=self._precision("layer_0_type_0/matrix"),
            resnet_dt=any(
                re.fullmatch(r"layer_\d+_type_\d+/idt", name) for name in self.graph.nodes
            ),
        )

    def _first_matrix(self) -> str:
        """Return the name of the first matrix of an embedding net."""
        for name in self.graph.nodes:
            if re.fullmatch(r"filter_type_(all|\d+)/matrix_1_\d+", name):
                return name
        raise ValueError("it must hold embedding nets (`filter_type_*/matrix_1_*`), but does not")

    def _widths(self, pattern: str, first: int) -> list[int]:
        """Return the widths of the layers whose matrices are named pattern.format(layer)."""
        widths = []
        while (name := pattern.format(first + len(widths))) in self.graph:
            widths.append(self.graph.array(name).shape[-1])
        return widths

    def _precision(self, name: str) -> str:
        dtype = self.graph.array(name).dtype
        if dtype not in PRECISION:
            raise ValueError(f"`{name}` must be float64 or float32, got {dtype}")
        return PRECISION[dtype]

    def _activation(self, bias: str) -> str:
        """Return the activation function behind the sum with this bias."""
        scope = bias.rpartition("/")[0] + "/"
        nodes = [node for node in self.graph.graph_def.node if node.name.startswith(scope)]
        added = {node.name for node in nodes if {bias, f"{bias}/read"} & set(node.input)}
        added -= {f"{bias}/read"}
        behind = {node.op for node in nodes if added & set(node.input)}
        for op, name in ACTIVATION_OPS.items():
            if op in behind:
                return name
        if "Sigmoid" in behind:
            return "silu" if "Mul" in behind else "sigmoid"
        if "Pow" in behind:
            cubic = {self.graph.array(n.name).item() for n in nodes if _is_double(n)}
            return "gelu" if 0.044715 in cubic else "gelu_tf"
        return "tanh" if "Tanh" in behind else "linear"

    def _excluded_pairs(self) -> tuple[tuple[int, int], ...]:
        pairs = itertools.combinations_with_replacement(range(self._num_types), 2)
        if not self._one_side:
            return tuple(
                (a, b) for a, b in pairs if f"filter_type_{a}/matrix_1_{b}" not in self.graph
            )
        used = self._exclusion_mask()
        return () if used is None else tuple((a, b) for a, b in pairs if not used[a, b])

    def _exclusion_mask(self) -> np.ndarray | None:
        """Return the matrix of zeros and ones that says which pairs of types count, if any."""
        shape = (self._num_types, self._num_types)
        for name in self.graph.constants_of_shape(shape):
            value = self.graph.array(name, shape)
            if not np.all((value == 0) | (value == 1)) or np.any(value != value.T):
                raise ValueError(f"`{name}` must say which pairs of types count, got other numbers")
            return value
        return None


def _is_double(node: tf.NodeDef) -> bool:
    """Return whether a node is a single number of type float64."""
    return (
        node.op == "Const"
        and node.attr["dtype"].type == tf.float64.as_datatype_enum
        and not node.attr["value"].tensor.tensor_shape.dim
    )
