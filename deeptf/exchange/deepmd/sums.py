"""The graph of a sum of models (linear_ener) of deepmd-kit, cut into graphs of its parts.

The names of part k have the suffix `_model{k}`, or the prefix `load_model{k}/` where it is a frozen
model of its own; what describes the whole is there once. The outputs of the whole are weighted sums
of those of the parts.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from deeptf.exchange.deepmd import names
from deeptf.exchange.deepmd.nodes import constant, needed_by, renamed
from deeptf.exchange.deepmd.run import imported
from deeptf.exchange.deepmd.script import NAME, parsed, section_of
from deeptf.tf import session, tf

OUTPUTS = (*names.NEEDED_OUTPUTS["ener"], names.ATOM_VIRIAL)
SHARED = ("model_type", "model_attr/", "descrpt_attr/ntypes", "train_attr/min_nbor_dist")
CUT_OFFS = ("rcut", "rcut_r")  # attributes of ops that find neighbours
PARAMETERS = ("fparam", "aparam")
VECTORS = "type_embed_net"  # begins the names of what makes vectors of types


@dataclass(frozen=True)
class DeepmdSum:
    """The parts of a sum, each as the graph of a model, and their weights.

    files : of the parts that are frozen models of their own; None for others.
    """

    graphs: tuple[tf.GraphDef, ...]
    files: tuple[str | None, ...]
    weights: tuple[float, ...]
    script: Any  # the input of the training


def sum_of(graph_def: tf.GraphDef) -> DeepmdSum | None:
    """Return the parts of a graph that is a sum of models, None for another one.

    Raises ValueError where its outputs are not weighted sums of those of its parts, or where it
    holds something that belongs to none.
    """
    nodes = {node.name: node for node in graph_def.node}
    number = 0
    while all(f"{name}_model{number}" in nodes for name in OUTPUTS):
        number += 1
    if not number:
        return None
    script = parsed(constant(nodes[NAME]).item()) if NAME in nodes else None
    own = section_of(script, "model") or {}
    sections = own.get("models")
    sections = (
        sections if isinstance(sections, list) and len(sections) == number else [None] * number
    )
    shared = _shared(graph_def, own.get("type_map"))
    graphs, files, needed = [], [], set()
    for k, section in enumerate(sections):
        wanted = [f"{name}_model{k}" for name in (*OUTPUTS, names.DESCRIPTOR)]
        reached = needed_by(nodes, [name for name in wanted if name in nodes])
        graphs.append(_part(graph_def, reached, k, shared, section))
        files.append(_file(reached, k, section))
        needed |= reached
    tail = needed_by(nodes, OUTPUTS, needed)
    _check_rest(graph_def, needed | tail)
    return DeepmdSum(tuple(graphs), tuple(files), _weights(graph_def, tail, number), script)


def _shared(graph_def: tf.GraphDef, type_map: Any) -> list[tf.NodeDef]:
    """Return the nodes that describe every part, with the names of the types where it has none."""
    shared = [node for node in graph_def.node if node.name.startswith(SHARED)]
    known = [n for n in shared if n.name == "model_attr/tmap" and constant(n).item()]
    if not known and isinstance(type_map, list):
        shared = [node for node in shared if node.name != "model_attr/tmap"]
        shared.append(_constant("model_attr/tmap", " ".join(map(str, type_map)).encode()))
    return shared


def _part(
    graph_def: tf.GraphDef,
    reached: Collection[str],
    number: int,
    shared: Sequence[tf.NodeDef],
    section: Any,
) -> tf.GraphDef:
    """Return the graph of a part with the names that it would have alone."""
    part = tf.GraphDef(versions=graph_def.versions, library=graph_def.library)
    loaded = f"load_model{number}/"
    for node in graph_def.node:
        if node.name not in reached:
            continue
        if node.op == "Identity" and node.input[0].startswith(loaded) and "/" not in node.name:
            continue  # of an output, which has the name already
        part.node.append(renamed(node, lambda name: _alone(name, number)))
    there = {node.name for node in part.node}
    part.node.extend(node for node in shared if node.name not in there)
    if isinstance(section, Mapping) and section.get("type", "standard") != "frozen":
        part.node.append(_constant(NAME, json.dumps({"model": section}).encode()))
    part.node.extend(_attributes(part))
    return part


def _file(reached: Collection[str], number: int, section: Any) -> str | None:
    """Return the file of a part that is a frozen model, None for another part."""
    loaded = f"load_model{number}/"
    if not any(name.startswith(loaded) for name in reached):
        return None
    given = section.get("model_file") if isinstance(section, Mapping) else None
    return str(given or loaded.rstrip("/"))


def _alone(name: str, number: int) -> str:
    """Return the name of a tensor of a part as it would be alone."""
    loaded = f"load_model{number}/"
    if name.startswith(loaded):  # whose own parts have suffixes, if it is a sum
        return name.removeprefix(loaded)
    if name.startswith(VECTORS):  # a part without vectors of types gets those of one before it
        return re.sub(r"_model\d+(?=/)", "", name, count=1)
    return re.sub(rf"_model{number}(?=[/_:]|$)", "", name)


def _attributes(part: tf.GraphDef) -> Iterator[tf.NodeDef]:
    """Yield the constants of a part that stand for the whole alone: lengths and numbers."""
    finding = [node for node in part.node if "EnvMat" in node.op or node.op == "Descrpt"]
    lengths = [n.attr[key].f for n in finding for key in CUT_OFFS if key in n.attr]
    there = {node.name: node for node in part.node}
    if "descrpt_attr/rcut" not in there:
        yield _constant("descrpt_attr/rcut", np.array(max(lengths, default=0.0)))
    for kind in PARAMETERS:
        mean = there.get(f"fitting_attr/t_{kind}_avg")
        if mean is not None and f"fitting_attr/d{kind}" not in there:
            yield _constant(f"fitting_attr/d{kind}", np.array(constant(mean).size, np.int32))


def _constant(name: str, value: Any) -> tf.NodeDef:
    tensor = tf.make_tensor_proto(value)
    node = tf.NodeDef(name=name, op="Const")
    node.attr["dtype"].type = tensor.dtype
    node.attr["value"].tensor.CopyFrom(tensor)
    return node


def _check_rest(graph_def: tf.GraphDef, needed: Collection[str]) -> None:
    """Raise ValueError for a node that neither parts nor sums need and that describes nothing."""
    for node in graph_def.node:
        if node.name in needed or names.describes(node.name):
            continue
        plain = names.plain(re.sub(r"_model\d+(?=[/_]|$)", "", node.name))
        if plain not in names.ATTRIBUTES and plain not in names.OUTPUTS:
            raise ValueError(
                f"it must be a model of a kind that deeptf has, got `{node.name}` (op {node.op}), "
                "which no part of the sum needs"
            )


def _weights(graph_def: tf.GraphDef, tail: Collection[str], number: int) -> tuple[float, ...]:
    """Return the weights of the parts, found by evaluating the sums."""
    cut = tf.GraphDef(versions=graph_def.versions)
    for name in OUTPUTS:
        for k in range(number):
            node = cut.node.add(name=f"{name}_model{k}", op="Placeholder")
            node.attr["dtype"].type = tf.float64.as_datatype_enum
    for node in graph_def.node:
        if node.name in tail:
            cut.node.append(node)
            cut.node[-1].attr.pop("_class", None)
    with session(imported(cut)) as run:
        found = {name: _answers(run, name, number) for name in OUTPUTS}
    weights = found[names.ENERGY]
    for name, values in found.items():
        if values != weights:
            raise ValueError(
                f"`{name}` must be the sum of its parts with the weights of {names.ENERGY}, "
                f"{list(weights)}, got {list(values)}"
            )
    return weights


def _answers(run: tf.Session, name: str, number: int) -> tuple[float, ...]:
    """Return what an output of the whole is where that of one part is 1 and those of others 0."""
    found, shape = [], (1,) if name == names.ENERGY else (1, 1)
    for part in range(number):
        feed = {f"{name}_model{k}:0": np.full(shape, float(k == part)) for k in range(number)}
        try:
            found.append(float(run.run(f"{name}:0", feed).item()))
        except (tf.errors.OpError, ValueError, KeyError) as error:
            raise ValueError(f"`{name}` must be a sum of its parts, but is not: {error}") from error
    return tuple(found)
