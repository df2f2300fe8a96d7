"""Which kinds of descriptors a graph has, with their parts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from deeptf.exchange.deepmd.graph import DeepmdGraph
from deeptf.exchange.deepmd.kind import SECTION, Kind, Part
from deeptf.exchange.deepmd.kinds import KINDS
from deeptf.exchange.deepmd.script import NAME, section_of

TYPES = {name: kind for kind in KINDS for name in kind.types}
Section = Mapping[str, Any]


def kinds_in(graph: DeepmdGraph, section: Section) -> list[Kind]:
    """Return the kinds of a descriptor and its parts, as far as they are known.

    section : of it in the training input; where it names no type, the ops of the graph decide.
    """
    if "type" not in section:
        return _from_graph(graph)
    kind = TYPES.get(str(section["type"]))
    if kind is None:
        return []
    return [kind, *(one for inner in _inner(kind, section) for one in kinds_in(graph, inner))]


def part_of(graph: DeepmdGraph, section: Section, num_types: int, suffix: str = "") -> Part:
    """Return the descriptor of a graph, or with a suffix a part of it.

    Raises ValueError where its kind is unknown.
    """
    if "type" not in section:
        kinds = _from_graph(graph)
        if len(kinds) != 1 or suffix:
            graph.only(tuple(op for kind in KINDS if kind.from_graph for op in kind.environment))
        return Part(graph, kinds[0], num_types)
    name = section["type"]
    kind = TYPES.get(str(name))
    if kind is None:
        known = ", ".join(kind.types[0] for kind in KINDS)
        raise ValueError(
            f"`{NAME}` must have {SECTION}/type that deeptf can import ({known}), got {name!r}"
        )
    parts = tuple(
        part_of(graph, inner, num_types, f"{suffix}_{k}")
        for k, inner in enumerate(_inner(kind, section))
    )
    return Part(graph, kind, num_types, suffix, section, parts=parts)


def descriptor_section(graph: DeepmdGraph, script: Any) -> Section:
    """Return the section of the descriptor in a training input; without one, what a graph shows.

    It is empty where the ops of the graph decide.
    """
    section = section_of(script, "model", "descriptor") or {}
    if section:
        return section
    marked = [kind for kind in _present(graph) if kind.marks & graph.nodes.keys()]
    return {"type": marked[0].types[0]} if marked else {}


def _from_graph(graph: DeepmdGraph) -> list[Kind]:
    return [kind for kind in _present(graph) if kind.from_graph]


def _present(graph: DeepmdGraph) -> list[Kind]:
    """Return the kinds whose environment op a graph has."""
    ops = {node.op for node in graph.graph_def.node}
    return [kind for kind in KINDS if ops & set(kind.environment)]


def _inner(kind: Kind, section: Section) -> Iterator[Section]:
    """Yield the sections of the parts of a descriptor that is made of parts."""
    if kind.of_parts:
        found = section.get("list")
        for inner in found if isinstance(found, list) else []:
            yield inner if isinstance(inner, Mapping) else {}
