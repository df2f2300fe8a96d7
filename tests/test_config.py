"""The loader from JSON to dataclasses, on classes of its own: values, defaults, every error."""

import dataclasses
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

import pytest

from deeptf.config import dump, load, load_variant
from deeptf.input_file import ConfigError, Notices, read_json


@dataclass(frozen=True)
class Circle:
    type: ClassVar[str] = "circle"
    radius: float
    label: str | None = None

    def __post_init__(self) -> None:
        if self.radius <= 0:
            raise ValueError(f"`radius` must be positive, got {self.radius}")


@dataclass(frozen=True)
class Square:
    type: ClassVar[str] = "square"
    side: float = 1.0


SHAPES = {"circle": Circle, "square": Square}


@dataclass(frozen=True)
class Inner:
    count: int
    pairs: tuple[tuple[int, ...], ...] = ()


@dataclass(frozen=True)
class Outer:
    inner: Inner
    shape: Any = field(metadata={"variants": SHAPES, "default_type": "square"})
    other: Circle | None = field(default=None, metadata={"variants": SHAPES})
    maybe: Inner | None = None
    widths: tuple[int, ...] | str = "auto"
    flag: bool = False
    mode: Literal["fast", "exact"] = "exact"
    optional: tuple[float | None, ...] = ()
    trainable: bool | tuple[bool, ...] = True


def test_values_and_defaults():
    got = load(
        Outer,
        {
            "_comment": ["anything"],
            "inner": {"count": 3, "pairs": [[0, 1], [1, 1]], "_": 0},
            "shape": {"type": "circle", "radius": 2},
            "widths": [1, 2],
            "optional": [1, None, 2.5],
            "trainable": [True, False],
        },
    )
    assert got.inner == Inner(3, ((0, 1), (1, 1)))
    assert got.shape == Circle(2.0)
    assert isinstance(got.shape.radius, float)
    assert (got.widths, got.flag, got.mode, got.maybe) == ((1, 2), False, "exact", None)
    assert (got.optional, got.trainable) == ((1.0, None, 2.5), (True, False))


def test_what_may_be_left_out_or_null():
    assert load(Outer, {"inner": {"count": 1}}).shape == Square()
    assert load(Outer, {"inner": {"count": 1}, "shape": {"side": 3}}).shape == Square(3.0)
    assert load(Outer, {"inner": {"count": 1}, "other": None, "maybe": None}).other is None
    assert load(Outer, {"inner": {"count": 1}, "maybe": {"count": 2}}).maybe == Inner(2)
    assert load(Outer, {"inner": {"count": 1e3}}).inner.count == 1000


def test_dump_is_undone_by_load():
    got = load(Outer, {"inner": {"count": 3}, "shape": {"type": "circle", "radius": 2}})
    written = dump(got)
    assert written["shape"] == {"type": "circle", "radius": 2.0, "label": None}
    assert written["widths"] == "auto"
    assert written["trainable"] is True
    assert set(written) == {each.name for each in dataclasses.fields(Outer)}
    assert load(Outer, written) == got


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"inner": {}}, "inner/count: must be an integer, got nothing; add this key"),
        ({"inner": {"count": 1.5}}, "inner/count: must be an integer, got 1.5"),
        ({"inner": {"count": True}}, "inner/count: must be an integer, got true"),
        ({"inner": {"count": "3"}}, 'inner/count: must be an integer, got "3"'),
        ({"inner": {"count": None}}, "inner/count: must be an integer, got null"),
        ({"inner": []}, r"inner: must be an object {...}, got []"),
        (
            {"inner": {"count": 1, "pairs": [[0, "x"]]}},
            'inner/pairs[0][1]: must be an integer, got "x"',
        ),
        (
            {"inner": {"count": 1, "pairs": 3}},
            "inner/pairs: must be a list (a list (an integer each)",
        ),
        ({"inner": {"cuont": 1}}, "inner/cuont: unknown key; did you mean 'count'?"),
        ({"inner": {"count": 1, "zzz": 1}}, "inner/zzz: unknown key; known keys: count, pairs"),
        ({"widths": 3}, "widths: must be a list (an integer each) or a string, got 3"),
        ({"widths": [1, 2.5]}, "widths[1]: must be an integer, got 2.5"),
        ({"flag": 1}, "flag: must be true or false, got 1"),
        ({"mode": "quick"}, "mode: must be one of 'fast', 'exact', got \"quick\""),
        ({"optional": [True]}, "optional[0]: must be a finite number or null, got true"),
        ({"shape": {"side": float("nan")}}, "shape/side: must be a finite number, got NaN"),
        ({"shape": {"side": float("inf")}}, "shape/side: must be a finite number, got Infinity"),
        ({"shape": {"side": 10**400}}, "shape/side: must be a finite number, got 1000"),
        ({"shape": {"type": "circle"}}, "shape/radius: must be a finite number, got nothing"),
        ({"shape": {"type": "circle", "radius": -1}}, "shape: `radius` must be positive, got -1.0"),
        (
            {"shape": {"type": "squared"}},
            'shape/type: must be one of circle, square, got "squared"',
        ),
        ({"shape": {"type": "squared"}}, "; did you mean 'square'?"),
        ({"shape": {"type": ["circle"]}}, "shape/type: must be one of circle, square"),
        ({"shape": 3}, "shape: must be an object {...}, got 3"),
        ({"other": {}}, "other/type: must be one of circle, square, got nothing; add it"),
        ({"maybe": {"count": "x"}}, 'maybe/count: must be an integer, got "x"'),
    ],
)
def test_errors_name_the_place(change, message):
    with pytest.raises(ConfigError) as caught:
        load(Outer, {"inner": {"count": 1}, **change})
    assert message in str(caught.value)


def test_errors_of_a_part_name_its_path():
    with pytest.raises(ConfigError, match=r"^model/shape/radius: must be a finite number"):
        load_variant(SHAPES, {"type": "circle", "radius": "x"}, "model/shape")
    with pytest.raises(ConfigError, match=r"^input: must be an object"):
        load(Outer, [1])


def test_long_values_are_cut():
    with pytest.raises(ConfigError) as caught:
        load(Outer, {"inner": {"count": list(range(1000))}})
    assert len(str(caught.value)) < 150


def test_notices_become_lines():
    notices = Notices({"a/b": "it has no use"}, ["c", "d"])
    assert notices.lines() == [
        "a/b: accepted without effect, it has no use",
        "accepted at the only value that deeptf supports: c, d",
    ]
    assert Notices().lines() == []


def test_read_json(tmp_path):
    path = tmp_path / "input.json"
    path.write_text('{"a": {"_": 1, "_": 2, "b": [1, 2.5, null]}}')
    assert read_json(path)["a"]["b"] == [1, 2.5, None]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b'{"a": 1,}', r"must be valid JSON, got an error in line 1, column"),
        (b'{"a": [1, 2,\n]}', r"in line \d, column \d+: (a comma before \]; remove it|.*comma)"),
        (b'{"a": 1 # one\n}', r'column 9: comments are keys that begin with "_"'),
        (b'{"a": 1, "a": 2}', r"key 'a' must be given once in an object, got it twice"),
        (b"[1]", r"must hold a JSON object \{...\}, got \[1\]"),
        (b"{\xff}", r"must be JSON in UTF-8, got other bytes at byte 1; model files"),
        (b"\n", r"must be a JSON object \{...\}, got an empty file"),
    ],
)
def test_files_that_cannot_be_read(tmp_path, text, message):
    path = tmp_path / "input.json"
    path.write_bytes(text)
    with pytest.raises(ConfigError, match=message) as caught:
        read_json(path)
    assert str(path) in str(caught.value)


def test_missing_file(tmp_path):
    with pytest.raises(ConfigError, match=r"nothing.json must be readable, got: No such file"):
        read_json(tmp_path / "nothing.json")


def test_a_key_of_another_type_of_the_same_section() -> None:
    message = "shape/side: unknown key where the type is circle, one of square; remove it"
    with pytest.raises(ConfigError, match=message):
        load_variant(SHAPES, {"type": "circle", "radius": 1.0, "side": 2.0}, "shape")
