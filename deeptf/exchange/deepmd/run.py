"""Run the graph of a deepmd-kit model without deepmd-kit.

TensorFlow runs all of it but the ops that it does not know: those of geometry become inputs, whose
values the kinds of descriptors compute from what the graph gives them; deepmd-kit's gelu becomes
deeptf's, and look-ups in tables are written out (tabulate.py). float32 turns to float64, so that
rounding does not hide a difference between two models.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np

from deeptf.exchange.deepmd import names, tabulate
from deeptf.exchange.deepmd.geometry import Frame
from deeptf.exchange.deepmd.graph import DeepmdGraph
from deeptf.exchange.deepmd.kind import Evaluated, Part
from deeptf.exchange.deepmd.nodes import constant
from deeptf.exchange.deepmd.short_range import ShortRangeOps
from deeptf.exchange.deepmd.tabulate import Template, template_of, templates
from deeptf.model.network import ACTIVATIONS
from deeptf.tf import tf

WRITTEN_OUT = tabulate.OPS.union(names.GELU_OPS, names.GELU_GRAD_OPS)
HINTS = ("grad_a", "grad_b", "grad_x", "grad_y", "_class")  # attributes that change no value
FLOAT, DOUBLE = tf.float32.as_datatype_enum, tf.float64.as_datatype_enum
Feed = dict[str, np.ndarray]
Values = Callable[[Sequence[str]], list[np.ndarray]]


class OriginalModel:
    """The graph of a deepmd-kit model as a function of frames.

    part : the descriptor of the model.
    """

    def __init__(self, graph: DeepmdGraph, part: Part) -> None:
        self._leaves = part.leaves
        self._with_forces = self._leaves if names.FORCE in graph else []
        self._short_range = ShortRangeOps(graph)
        cut = {leaf.environment.name: leaf.kind.outputs for leaf in self._leaves}
        cut |= self._short_range.cut
        for leaf in self._with_forces:
            cut[leaf.force.name] = (DOUBLE,)
            if leaf.kind.virial:
                cut[leaf.virial.name] = (DOUBLE, DOUBLE)
        self._graph_def = runnable(graph.graph_def, cut)
        self.graph = imported(self._graph_def)
        self._names = {node.name for node in self._graph_def.node}
        self.outputs = [name for name in names.OUTPUTS if name in graph]

    def run(self, frame: Frame, num_types: int, on: tf.Session) -> dict[str, np.ndarray]:
        """Return the outputs of the graph by their names; `on` is a session on `self.graph`.

        Raises ValueError where the graph cannot be run, or where its ops of geometry get other
        values than its inputs and those of each other.
        """
        feed = self._feed(frame, num_types)

        def values(tensors: Sequence[str]) -> list[np.ndarray]:
            try:
                return on.run([self._tensor(name) for name in tensors], feed)
            except (tf.errors.OpError, ValueError) as error:
                raise ValueError(f"its graph cannot be run: {_reason(error)}") from error

        found = [self._run_environment(leaf, frame, feed, values) for leaf in self._leaves]
        num_atoms = len(frame.atom_type)
        for node in self._short_range.of_energy():
            self._run_short_range(node, frame, feed, values)
        for leaf, evaluated in zip(self._with_forces, found, strict=False):
            gradient, *given = values(leaf.force.input)
            _check_same(leaf.force, leaf.force.input[1:], given, evaluated.of_force())
            self._give(feed, leaf.force, [evaluated.force(gradient, num_atoms)])
            if not leaf.kind.virial:
                continue
            gradient, *given = values(leaf.virial.input)
            _check_same(leaf.virial, leaf.virial.input[1:], given, evaluated.of_virial())
            of_atom = evaluated.atom_virial(gradient, num_atoms)
            self._give(feed, leaf.virial, [of_atom.sum(axis=0), of_atom])
        for node in self._short_range.of_force():
            self._run_short_range(node, frame, feed, values)
        return dict(zip(self.outputs, values(self.outputs), strict=True))

    def _feed(self, frame: Frame, num_types: int) -> Feed:
        generator = np.random.default_rng(0)
        count = np.bincount(frame.atom_type[: frame.num_centres], minlength=num_types)
        feed = {
            "t_coord": generator.normal(size=3 * len(frame.atom_type)),
            "t_type": frame.atom_type,
            "t_natoms": np.array([frame.num_centres, len(frame.atom_type), *count], np.int32),
            "t_box": generator.normal(size=9),
            "t_mesh": np.zeros(6, np.int32),
            "t_fparam": frame.fparam.ravel(),
            "t_aparam": frame.aparam.ravel(),
        }
        return {f"{name}:0": value for name, value in feed.items() if name in self._names}

    def _run_environment(self, leaf: Part, frame: Frame, feed: Feed, values: Values) -> Evaluated:
        node, kind = leaf.environment, leaf.kind
        given = values(node.input)
        _check_same(node, node.input, given, [feed[f"{name}:0"] for name in kind.given])
        evaluated = kind.evaluated(leaf, frame, given[len(kind.given) :])
        self._give(feed, node, evaluated.outputs())
        return evaluated

    def _run_short_range(self, node: tf.NodeDef, frame: Frame, feed: Feed, values: Values) -> None:
        sizes = frame.num_centres, len(frame.atom_type)
        self._give(feed, node, self._short_range.evaluate(node, values(node.input), *sizes))

    def _give(self, feed: Feed, node: tf.NodeDef, outputs: Sequence[np.ndarray]) -> None:
        """Feed the outputs of an op that was cut out, as far as the graph needs them."""
        for index, value in enumerate(outputs):
            name = _cut_name(node.name, index)
            if name in self._names:
                feed[f"{name}:0"] = value.reshape(1, -1)

    def _tensor(self, name: str) -> str:
        """Return the name of a tensor in the runnable graph from that in the original."""
        node, _, index = name.partition(":")
        cut = _cut_name(node, int(index or 0))
        return f"{cut}:0" if cut in self._names else f"{node}:{index or 0}"


def imported(graph_def: tf.GraphDef) -> tf.Graph:
    """Return a graph with the nodes of `graph_def`; ValueError where they do not fit together."""
    with tf.Graph().as_default() as graph:
        try:
            tf.import_graph_def(graph_def, name="")
        except (ValueError, TypeError, tf.errors.OpError) as error:
            raise ValueError(f"its graph cannot be run: {_reason(error)}") from error
    return graph


def runnable(graph_def: tf.GraphDef, cut: Mapping[str, Sequence[int]]) -> tf.GraphDef:
    """Return a graph that TensorFlow knows, in float64.

    The outputs of the nodes `cut`, of these types, are placeholders; gelu and tables of deepmd-kit
    are written out.
    """
    result = tf.GraphDef(versions=graph_def.versions)
    written = {node.name: node.op for node in graph_def.node if node.op in WRITTEN_OUT}
    made = templates() if any(op in tabulate.OPS for op in written.values()) else {}
    made |= dict.fromkeys(names.GELU_OPS, _gelu()) | dict.fromkeys(
        names.GELU_GRAD_OPS, _gelu_grad()
    )
    described = {n.input[1].partition("/read")[0] for n in graph_def.node if n.op in tabulate.OPS}
    placeholders: dict[str, int] = {}
    for node in graph_def.node:
        if node.name in cut:
            placeholders |= _given_by(node, cut)
            continue
        new_nodes = [_doubled(node, tabulate.as_written if node.name in described else _double)]
        if node.name in written:
            new_nodes = _written_out(node, made[node.op])
        for new in new_nodes:
            for place, name in enumerate(new.input):
                source, _, index = name.partition(":")
                output = int(index or 0)
                if source in cut:
                    _check_output(name, output, len(cut[source]))
                    new.input[place] = _cut_name(source, output)
                    placeholders[new.input[place]] = cut[source][output]
                elif source in written and not name.startswith("^"):
                    _check_output(name, output, len(made[written[source]].results))
                    new.input[place] = _result_name(source, output)
            result.node.append(new)
    for name, dtype in placeholders.items():
        result.node.add(name=name, op="Placeholder").attr["dtype"].type = dtype
    return result


def _given_by(node: tf.NodeDef, cut: Mapping[str, Sequence[int]]) -> dict[str, int]:
    """Return the placeholders, with their types, for outputs of nodes `cut` that one of them has.

    Nothing else in the graph may read them.
    """
    found = {}
    for name in node.input:
        source, _, index = name.partition(":")
        if source in cut:
            output = int(index or 0)
            _check_output(name, output, len(cut[source]))
            found[_cut_name(source, output)] = cut[source][output]
    return found


def _check_output(name: str, output: int, number: int) -> None:
    if output >= number:
        raise ValueError(f"it must not need the tensor `{name}`, which its op does not give")


def _cut_name(node: str, index: int) -> str:
    return f"{node}/cut_{index}"


def _double(value: np.ndarray) -> np.ndarray:
    return value.astype(np.float64)


def _doubled(node: tf.NodeDef, double: Callable[[np.ndarray], np.ndarray]) -> tf.NodeDef:
    """Return the node with float64 in place of float32, without hints.

    double : what becomes of the value of a constant
    """
    result = tf.NodeDef()
    result.CopyFrom(node)
    for hint in HINTS:
        result.attr.pop(hint, None)
    for value in result.attr.values():
        if value.type == FLOAT:
            value.type = DOUBLE
    if node.op == "Const" and node.attr["dtype"].type == FLOAT:
        value = double(constant(node))
        result.attr["value"].tensor.CopyFrom(tf.make_tensor_proto(value))
    return result


def _result_name(node: str, index: int) -> str:
    """Return the name of a node that has an output of one that is written out."""
    return f"{node}/output_{index}" if index else node


def _written_out(node: tf.NodeDef, template: Template) -> Iterator[tf.NodeDef]:
    """Yield the nodes of a template in place of a node."""
    inputs = [piece.name for piece in template.graph.node if piece.op == "Placeholder"]
    place = {name: _result_name(node.name, k) for k, name in enumerate(template.results)}
    place |= dict(zip(inputs, node.input, strict=False))
    place |= {p.name: f"{node.name}/{p.name}" for p in template.graph.node if p.name not in place}
    for piece in template.graph.node:
        if piece.name not in inputs:
            new = tf.NodeDef()
            new.CopyFrom(piece)
            new.name = place[piece.name]
            new.attr.pop("_class", None)
            del new.input[:]
            for name in piece.input:
                source, colon, index = name.partition(":")
                new.input.append(place[source] + colon + index)
            yield new


def _gelu() -> Template:
    return template_of(1, lambda x: [ACTIVATIONS["gelu"](x)])


def _gelu_grad() -> Template:
    return template_of(2, lambda slope, x: tf.gradients(ACTIVATIONS["gelu"](x), x, slope))


def _check_same(
    node: tf.NodeDef,
    inputs: Sequence[str],
    given: Sequence[np.ndarray],
    expected: Sequence[np.ndarray],
) -> None:
    """Raise ValueError unless the inputs of a node are the expected ones; there may be more."""
    for name, value, wanted in zip(inputs, given, expected, strict=False):
        if not np.array_equal(value.ravel(), np.ravel(wanted)):
            raise ValueError(
                f"`{node.name}` (op {node.op}) must get the positions and neighbours as they are, "
                f"but its input `{name}` changes them"
            )


def _reason(error: Exception) -> str:
    """Return what TensorFlow says, without the history of the node and of its releases."""
    text = getattr(error, "message", str(error)).partition("\n\t [[")[0].rpartition("\n")[2]
    return text.rpartition("has failed with an error: ")[2].partition(" The binary trying")[0]
