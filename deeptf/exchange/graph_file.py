"""Graphs in files, read without TensorFlow: GraphDef in protobuf's wire format.

    GraphDef          1 node
    NodeDef           1 name   2 op   3 input   5 attr: 1 key, 2 AttrValue
    AttrValue         one of 1 list   2 s   3 i   4 f   5 b   6 type   7 shape   8 tensor
    ListValue         2 s   3 i   4 f   5 b   6 type   7 shape
    TensorShapeProto  2 dim: 1 size   3 unknown_rank
    TensorProto       1 dtype   2 tensor_shape   4 tensor_content   5 to 17 values, by type

Of a scalar the last value counts, and repeated numbers may be packed or not. Everything else
(devices, functions, fields of later versions) is skipped. Damaged files raise ValueError with the
byte, and only a constant may take more memory than the file has bytes (MOST_FILLED).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from deeptf.exchange.protobuf import BYTES, FIXED32, VARINT, Span, Value, Wire, spans_of

MOST_DIMENSIONS = 32
MOST_FILLED = 1 << 26  # elements of a constant whose value stands for all of them

# Number of a type in TensorFlow -> name, field of its values. bfloat16 is given as float32.
TYPES: dict[int, tuple[str, int]] = {
    1: ("float32", 5),
    2: ("float64", 6),
    3: ("int32", 7),
    4: ("uint8", 7),
    5: ("int16", 7),
    6: ("int8", 7),
    7: ("string", 8),
    8: ("complex64", 9),
    9: ("int64", 10),
    10: ("bool", 11),
    14: ("bfloat16", 13),
    17: ("uint16", 7),
    18: ("complex128", 12),
    19: ("float16", 13),
    22: ("uint32", 16),
    23: ("uint64", 17),
}
# Fields of an AttrValue -> wire type; those of them that are messages.
ATTRIBUTES = dict.fromkeys((1, 2, 7, 8, 9, 10), BYTES) | {
    3: VARINT,
    4: FIXED32,
    5: VARINT,
    6: VARINT,
}
MESSAGES = (1, 7, 8, 10)
OF_BYTES = {5: "<f4", 6: "<f8", 9: "<c8", 12: "<c16"}  # fields whose values are no varints


@dataclass(frozen=True)
class Node:
    """A node of a graph.

    Its attributes are numbers, bytes, names of types, shapes (tuples; -1 is unknown, None has no
    rank), Tensors, or lists of those.
    """

    name: str
    op: str
    inputs: tuple[str, ...]
    attributes: Mapping[str, Any]

    def array(self) -> np.ndarray:
        """Return the value of a constant, read-only; ValueError where it has none or is damaged."""
        tensor = self.attributes.get("value")
        if not isinstance(tensor, Tensor):
            raise ValueError(f"the node `{self.name}` must hold an array, got none")
        try:
            return tensor.array()
        except ValueError as error:
            raise ValueError(f"the constant `{self.name}` is damaged: {error}") from error


def read_nodes(content: bytes) -> list[Node]:
    """Return the nodes of a GraphDef; ValueError where it is damaged."""
    wire = Wire(content)
    nodes = wire.message([(0, len(content))]).get(1, [])
    return [_node(wire, span) for kind, span in nodes if kind == BYTES]


class Tensor:
    """A TensorProto whose numbers have not been looked at yet."""

    def __init__(self, wire: Wire, spans: Sequence[Span]) -> None:
        self._wire = wire
        self._fields = wire.message(spans)
        self._place = spans[-1][0]
        number = wire.last(self._fields, 1, VARINT, 0)
        self.type, self._values = TYPES.get(number, (f"type {number}", 0))
        self.shape = _shape(wire, spans_of(self._fields.get(2, [])))

    def array(self) -> np.ndarray:
        """Return the numbers, or for strings objects of type bytes; read-only."""
        size = self._size()
        content = self._wire.last(self._fields, 4, BYTES, (0, 0))
        if content[0] < content[1]:
            found = self._of_content(content)
            if len(found) != size:
                raise self._damaged(f"{size} elements", f"{len(found)} of them")
        else:
            found = self._filled(size)
        found = found.reshape(self.shape)
        found.flags.writeable = False
        return found

    def _size(self) -> int:
        """Return the number of elements."""
        if not self._values:
            raise self._damaged("a type of numbers or strings", self.type)
        shape = self.shape
        known = shape is not None and len(shape) <= MOST_DIMENSIONS
        if not known or not all(0 <= length < 1 << 31 for length in shape):
            raise self._damaged("a sensible shape", shape)
        return math.prod(shape)

    def _of_content(self, content: Span) -> np.ndarray:
        if self.type == "string":
            raise self._damaged("strings one by one", "all in one")
        dtype = np.dtype("<u2" if self.type == "bfloat16" else self.type)
        number, rest = divmod(content[1] - content[0], dtype.itemsize)
        if rest:
            raise self._damaged(f"elements of {dtype.itemsize} bytes", f"{rest} bytes more")
        return self._meant(np.frombuffer(self._wire.data, dtype, number, content[0]))

    def _filled(self, size: int) -> np.ndarray:
        """Return the values by type; the last one, or zero, stands for all that are not there."""
        values = self._fields.get(self._values, [])
        if self.type == "string":
            texts = [self._wire.data[slice(*span)] for span in spans_of(values)]
            found = np.array([*texts, b""], object)[: len(texts)]
        elif self._values in OF_BYTES:
            found = self._wire.of_bytes(values, OF_BYTES[self._values])
        else:
            found = self._meant(self._wire.varints(values))
        missing = size - len(found)
        if missing < 0 or missing > MOST_FILLED:
            raise self._damaged(f"{size} elements", f"{len(found)} of them")
        zero = np.array([b""], object) if self.type == "string" else np.zeros(1, found.dtype)
        last = found[-1:] if len(found) else zero
        return np.concatenate([found, np.repeat(last, missing)]) if missing else found

    def _meant(self, numbers: np.ndarray) -> np.ndarray:
        """Return the numbers of a type from its bits or varints."""
        if self.type == "bfloat16":
            return (numbers.astype(np.uint32) << 16).view(np.float32)
        if self.type == "float16" and numbers.dtype != np.float16:
            return numbers.astype(np.uint16).view(np.float16)
        return numbers.astype(self.type, copy=False)

    def _damaged(self, wanted: str, found: object) -> ValueError:
        return ValueError(
            f"a tensor must have {wanted}, got {found}, at byte {self._place} of the file"
        )


def _node(wire: Wire, span: Span) -> Node:
    fields = wire.message([span])
    name, op = (wire.text(wire.last(fields, number, BYTES, (0, 0))) for number in (1, 2))
    inputs = tuple(wire.text(place) for place in spans_of(fields.get(3, [])))
    attributes = {}
    for place in spans_of(fields.get(5, [])):
        entry = wire.message([place])
        key = wire.text(wire.last(entry, 1, BYTES, (0, 0)))
        attributes[key] = _attribute(wire, spans_of(entry.get(2, [])))
    return Node(name, op, inputs, attributes)


def _attribute(wire: Wire, spans: Sequence[Span]) -> Any:
    """Return an AttrValue: what comes last counts, and a message merges with those before it."""
    last, values = 0, []
    for number, kind, value in wire.fields(spans):
        if kind == ATTRIBUTES.get(number):
            if number != last or number not in MESSAGES:
                values = []
            values.append((kind, value))
            last = number
    if last == 1:
        return _list(wire, spans_of(values))
    if last == 7:
        return _shape(wire, spans_of(values))
    if last == 8:
        return Tensor(wire, spans_of(values))
    return _scalars(wire, last, values)[0] if 2 <= last <= 6 else None


def _list(wire: Wire, spans: Sequence[Span]) -> list[Any]:
    """Return a ListValue: its values of the first kind that it has."""
    fields = wire.message(spans)
    for number in range(2, 7):
        if number in fields:
            return _scalars(wire, number, fields[number])
    return [_shape(wire, [span]) for span in spans_of(fields.get(7, []))]


def _scalars(wire: Wire, number: int, values: Sequence[Value]) -> list[Any]:
    """Return bytes, integers, floats, flags or names of types by the field of an AttrValue."""
    if number == 2:
        return [wire.data[slice(*span)] for span in spans_of(values)]
    if number == 4:
        return wire.of_bytes(values, "<f4").tolist()
    found = wire.varints(values)
    if number == 6:
        return [TYPES.get(n, (f"type {n}", 0))[0] for n in found.tolist()]
    return found.astype(bool if number == 5 else np.int64).tolist()


def _shape(wire: Wire, spans: Sequence[Span]) -> tuple[int, ...] | None:
    fields = wire.message(spans)
    sizes = [
        wire.last(wire.message([span]), 1, VARINT, 0) for span in spans_of(fields.get(2, []))
    ]  # as uint64
    if wire.last(fields, 3, VARINT, 0):
        return None
    return tuple(np.array(sizes, np.uint64).astype(np.int64).tolist())
