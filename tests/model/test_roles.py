"""Differences of settings by the role of their keys."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from deeptf.model.roles import (
    BEGINNING,
    FUNCTION,
    RUN,
    SHAPE,
    Difference,
    beginning,
    differences,
    function,
    run,
    with_function_of,
    with_values,
)


@dataclass(frozen=True)
class Part:
    type: ClassVar[str] = "part"
    size: int = 1
    name: str = function("a", lambda own: own.name.lower())
    fixed: bool = run(False)
    seed: int | None = beginning(None)


@dataclass(frozen=True)
class Other(Part):
    type: ClassVar[str] = "other"


@dataclass(frozen=True)
class Whole:
    part: Part = Part()
    cut: float = function(1.0)


def test_each_key_has_its_role() -> None:
    old, new = Whole(), Whole(Part(2, "b", True, 3), 2.0)
    assert differences(old, new, "model") == [
        Difference("model/part/size", SHAPE, 1, 2),
        Difference("model/part/name", FUNCTION, "a", "b"),
        Difference("model/part/fixed", RUN, False, True),
        Difference("model/part/seed", BEGINNING, None, 3),
        Difference("model/cut", FUNCTION, 1.0, 2.0),
    ]
    assert differences(old, old, "model") == []


def test_spellings_of_one_value_do_not_differ() -> None:
    assert differences(Part(name="a"), Part(name="A"), "model") == []
    assert with_function_of(Part(name="a"), Part(name="A")).name == "A"


def test_another_class_is_one_difference() -> None:
    found = differences(Whole(Part(3)), Whole(Other(4)), "model")
    assert found == [Difference("model/part/type", SHAPE, "part", "other")]


def test_only_the_function_is_carried_over() -> None:
    taken = with_function_of(Whole(), Whole(Part(2, "b", True, 3), 2.0))
    assert taken == Whole(Part(2, "a", True, 3), 1.0)


def test_all_fields_of_a_name_change() -> None:
    assert with_values(Whole(), cut=2.0, fixed=True) == Whole(Part(fixed=True), 2.0)
    assert with_values(Whole(Part(3)), other=1) == Whole(Part(3))


def test_a_difference_reads_as_in_the_input() -> None:
    assert str(Difference("model/sel", FUNCTION, (1, 2), None)) == "model/sel is null, was [1, 2]"
