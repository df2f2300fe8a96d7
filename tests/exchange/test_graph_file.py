"""Graphs are read without TensorFlow as TensorFlow reads them, and damaged ones are refused."""

from __future__ import annotations

import gzip
import struct
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from google.protobuf import text_format
from google.protobuf.message import DecodeError

from deeptf.exchange.graph_file import MOST_FILLED, Node, Tensor, read_nodes
from deeptf.tf import tf

GOLDEN = Path(__file__).parents[1] / "golden"
SHARED = Path(__file__).parents[3] / "shared" / "data" / "models"
FILES = sorted(
    path
    for folder in (GOLDEN, SHARED)
    for path in folder.rglob("*")
    if path.name.endswith((".pb", ".pb.gz", ".pbtxt"))
)
FIELDS = {"s": "s", "i": "i", "f": "f", "b": "b", "type": "type"}


def content_of(path: Path) -> bytes:
    """Return the binary graph in a file."""
    if path.suffix == ".pbtxt":
        return text_format.Parse(path.read_bytes(), tf.GraphDef()).SerializeToString()
    content = path.read_bytes()
    return gzip.decompress(content) if path.suffix == ".gz" else content


def plain(value: Any) -> Any:
    """Return what a reader of an AttrValue of TensorFlow has to give."""
    kind = value.WhichOneof("value")
    if kind == "list":
        found = [getattr(value.list, name) for name in ("s", "i", "f", "b")]
        found += [list(map(dtype_name, value.list.type)), list(map(shape_of, value.list.shape))]
        return next((list(values) for values in found if len(values)), [])
    if kind == "type":
        return dtype_name(value.type)
    if kind == "shape":
        return shape_of(value.shape)
    return getattr(value, kind) if kind else None


def dtype_name(number: int) -> str:
    return tf.as_dtype(number).name


def shape_of(shape: Any) -> tuple[int, ...] | None:
    return None if shape.unknown_rank else tuple(dim.size for dim in shape.dim)


def check_equal(content: bytes) -> None:
    """Assert that both readers give the same."""
    for found, expected in zip(
        read_nodes(content), tf.GraphDef.FromString(content).node, strict=True
    ):
        assert (found.name, found.op) == (expected.name, expected.op)
        assert list(found.inputs) == list(expected.input)
        assert set(found.attributes) == set(expected.attr)
        for key, value in expected.attr.items():
            if value.WhichOneof("value") == "tensor":
                array = tf.make_ndarray(value.tensor)
                np.testing.assert_array_equal(found.attributes[key].array(), array)
                assert found.attributes[key].array().dtype == array.dtype
            else:
                assert found.attributes[key] == plain(value), (found.name, key)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_real_files(path: Path) -> None:
    check_equal(content_of(path))


def varint(value: int) -> bytes:
    groups = [value >> shift & 0x7F for shift in range(0, 64, 7)]
    while len(groups) > 1 and not groups[-1]:
        groups.pop()
    return bytes([*(group | 0x80 for group in groups[:-1]), groups[-1]])


def field(number: int, value: int | float | bytes | str) -> bytes:
    """Return a field: a varint, a float32 or bytes."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    if isinstance(value, float):
        return varint(number << 3 | 5) + struct.pack("<f", value)
    value = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(value)) + value


def node(attribute: bytes, key: str = "value") -> bytes:
    """Return a graph of one constant with an attribute."""
    entry = field(5, field(1, key) + field(2, attribute))
    return field(1, field(1, "here") + field(2, "Const") + entry)


def constant(dtype: int, *parts: bytes, shape: tuple[int, ...] = ()) -> bytes:
    """Return a graph of one constant; parts : fields of its TensorProto."""
    dims = b"".join(field(2, field(1, n % (1 << 64))) for n in shape)
    return node(field(8, field(1, dtype) + field(2, dims) + b"".join(parts)))


def value_of(graph: bytes) -> Any:
    (found,) = read_nodes(graph)
    value = found.attributes["value"]
    return found.array() if isinstance(value, Tensor) else value


FLOAT, DOUBLE, INT32, STRING, INT64 = 1, 2, 3, 7, 9
MERGED = field(8, field(1, FLOAT)) + field(8, field(5, 2.5)) + field(8, field(2, b""))
GROUP = varint(77 << 3 | 3) + field(1, 5) + field(2, "x") + varint(77 << 3 | 4)
CASES = {
    "packed": (constant(FLOAT, field(5, struct.pack("<2f", 1, 2)), shape=(2,)), [1, 2]),
    "unpacked": (constant(FLOAT, field(5, 1.0), field(5, 2.0), shape=(2,)), [1, 2]),
    "both": (constant(INT32, field(7, 1), field(7, b"\x02\x03"), shape=(3,)), [1, 2, 3]),
    "splat": (constant(INT32, field(7, 7), shape=(2, 2)), [[7, 7], [7, 7]]),
    "last fills": (constant(INT32, field(7, b"\x01\x02"), shape=(4,)), [1, 2, 2, 2]),
    "no values": (constant(DOUBLE, shape=(2,)), [0, 0]),
    "no values of no elements": (constant(DOUBLE, shape=(0, 3)), np.zeros((0, 3))),
    "size 1": (constant(INT32, field(7, 4), shape=(1, 1)), [[4]]),
    "scalar": (constant(INT32, field(7, 4)), 4),
    "content": (constant(DOUBLE, field(4, np.arange(3.0).tobytes()), shape=(3,)), [0, 1, 2]),
    "strings": (constant(STRING, field(8, "a"), field(8, b"\xff"), shape=(2,)), [b"a", b"\xff"]),
    "splat of strings": (constant(STRING, field(8, "a"), shape=(2,)), [b"a", b"a"]),
    "bool": (constant(10, field(11, b"\x00\x01"), shape=(2,)), [False, True]),
    "half": (constant(19, field(13, 0x3C00), shape=(1,)), [1.0]),
    "negative": (constant(INT64, field(10, (1 << 64) - 5)), -5),
    "negative in 32 bits": (constant(INT32, field(7, (1 << 64) - 5)), -5),
    "merged": (node(MERGED), 2.5),
    "last of one": (node(field(3, 1) + field(3, 2)), 2),
    "last kind": (node(field(3, 1) + field(2, "text")), b"text"),
    "group": (GROUP + node(GROUP + field(3, 6)) + GROUP, 6),
    "unknown fields": (node(field(99, 1) + field(3, 6) + field(98, "x") + field(97, 1.0)), 6),
    "other wire type": (node(field(3, 6) + field(3, "x")), 6),
    "list": (node(field(1, field(3, b"\x01\x02") + field(3, 3))), [1, 2, 3]),
    "shape": (node(field(7, field(2, field(1, (1 << 64) - 1)) + field(2, b""))), (-1, 0)),
    "no rank": (node(field(7, field(3, 1))), None),
}


@pytest.mark.parametrize("name", CASES)
def test_forms(name: str) -> None:
    graph, expected = CASES[name]
    found = value_of(graph)
    if isinstance(found, np.ndarray):
        assert found.tolist() == np.array(expected).tolist() and not found.flags.writeable
    else:
        assert found == expected
    check_equal(graph)


def test_bfloat16() -> None:
    assert value_of(constant(14, field(13, 0x4020), shape=(2,))).tolist() == [2.5, 2.5]


def test_strings_without_values() -> None:
    assert value_of(constant(STRING, shape=(1,))).tolist() == [b""]


def test_no_graph() -> None:
    assert read_nodes(b"") == []
    assert read_nodes(field(1, b"")) == [Node("", "", (), {})]


NESTED = varint(7 << 3 | 3)
DAMAGED = {
    "without an end": (b"\x0a" + b"\xff" * 11, "must have a whole number of at most 10 bytes"),
    "cut": (b"\x0a\xff", "got one without an end"),
    "more than 64 bits": (b"\x0a" + b"\xff" * 9 + b"\x7f", "a number of at most 64 bits at byte 1"),
    "beyond the end": (b"\x0a\x05abc", "must have 5 bytes at byte 2 of the file, got only 3"),
    "absurd length": (field(1, b"")[:1] + varint((1 << 64) - 1), "got only 0"),
    "field 0": (b"\x02\x00", "must have a field at byte 0 of the file, got the number 0"),
    "wire type": (b"\x0e\x00", "got the wire type 6 of field 1"),
    "end of no group": (b"\x0c", "got the wire type 4 of field 1"),
    "end of another group": (b"\x0b\x14", "got the wire type 4 of field 2"),
    "group without an end": (b"\x0b", "must have the end of group 1 at byte 1"),
    "deep groups": (NESTED * 100_000, "got the wire type 3 of field 7"),
    "no text": (field(1, field(1, b"\xff")), "must have UTF-8 text at byte 4"),
}


@pytest.mark.parametrize("name", DAMAGED)
def test_damaged_graphs(name: str) -> None:
    content, message = DAMAGED[name]
    with pytest.raises(ValueError) as caught:
        read_nodes(content)
    assert message in str(caught.value)


DAMAGED_TENSORS = {
    "negative": (constant(INT32, field(7, 1), shape=(-1,)), "a sensible shape, got (-1,)"),
    "no elements times too many": (constant(INT32, shape=(0, 1 << 62)), "a sensible shape"),
    "overflow": (constant(INT32, field(7, 1), shape=(1 << 30,) * 3), "must have 12379"),
    "gigabytes": (constant(DOUBLE, shape=(MOST_FILLED + 1,)), f"have {MOST_FILLED + 1} elements"),
    "dimensions": (constant(INT32, field(7, 1), shape=(1,) * 65), "a sensible shape"),
    "too many": (constant(INT32, field(7, b"\x01\x02"), shape=(1,)), "1 elements, got 2 of them"),
    "half a number": (constant(FLOAT, field(5, b"abcdef"), shape=(1,)), "numbers of 4 bytes"),
    "half a complex": (constant(8, field(9, 1.0), shape=(1,)), "must have complex numbers"),
    "content too short": (
        constant(DOUBLE, field(4, bytes(8)), shape=(2,)),
        "2 elements, got 1 of them",
    ),
    "content cut": (
        constant(DOUBLE, field(4, bytes(15)), shape=(2,)),
        "elements of 8 bytes, got 7 bytes more",
    ),
    "content of strings": (constant(STRING, field(4, b"ab")), "strings one by one"),
    "type": (constant(99, field(7, 1)), "a type of numbers or strings, got type 99"),
    "no array": (node(field(3, 1)), "`here` must hold an array, got none"),
}


@pytest.mark.parametrize("name", DAMAGED_TENSORS)
def test_damaged_constants(name: str) -> None:
    graph, message = DAMAGED_TENSORS[name]
    (found,) = read_nodes(graph)
    with pytest.raises(ValueError) as caught:
        found.array()
    assert message in str(caught.value) and "`here`" in str(caught.value)


@pytest.mark.parametrize("repeated", [field(2, "x"), field(3, 1), field(8, b""), field(1, b"")])
def test_time_goes_with_the_size(repeated: bytes) -> None:
    start = time.process_time()
    read_nodes(node(repeated * 50_000))
    assert time.process_time() - start < 5  # s; with the square of the number it takes minutes


def mutated(content: bytes, generator: np.random.Generator) -> bytes:
    """Return some nodes of a graph with a few bytes changed, inserted or left out."""
    graph = tf.GraphDef.FromString(content)
    few = tf.GraphDef()
    few.node.extend(graph.node[i] for i in generator.choice(len(graph.node), 8, replace=False))
    data = bytearray(few.SerializeToString())
    for _ in range(generator.integers(1, 4)):
        at = int(generator.integers(len(data)))
        match generator.integers(4):
            case 0:
                data[at] = generator.integers(256)
            case 1:
                del data[at : at + generator.integers(1, 9)]
            case 2:
                data[at:at] = generator.choice([0, 1, 10, 18, 127, 128, 255], 3).tolist()
            case 3:
                del data[max(at, 9) :]
    return bytes(data)


def test_mutations() -> None:
    content = content_of(GOLDEN / "frozen" / "format_1.pb.gz")
    generator = np.random.default_rng(0)
    accepted = 0
    for _ in range(500):
        damaged = mutated(content, generator)
        names, message = None, ""
        try:
            names = [found.name for found in read_nodes(damaged)]
        except ValueError as error:
            message = str(error)
            assert "of the file" in message
        try:
            expected = [found.name for found in tf.GraphDef.FromString(damaged).node]
        except DecodeError:
            continue
        assert names == expected or "64 bits" in message
        accepted += 1
    assert 10 < accepted < 490
