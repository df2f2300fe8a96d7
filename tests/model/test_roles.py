"""Differences of settings by the role of their keys."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from deeptf.model.descriptor.dpa1 import SeAtten
from deeptf.model.descriptor.se_e2_a import SeE2A
from deeptf.model.fitting.dipole import DipoleFitting
from deeptf.model.model import ModelConfig
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
from deeptf.model.term.standard import Standard
from deeptf.model.type_embedding import TypeEmbedding


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


def test_types_with_tensors_in_other_words_do_not_differ() -> None:
    def model(*types: int, given: object = None) -> ModelConfig:
        fitting = DipoleFitting(neuron=(4,), sel_type=given or types or None)
        return ModelConfig(Standard(SeE2A(sel=(4, 4)), fitting), ("A", "B"))

    for same in (model(0, 1), model(1, 0)):
        assert differences(model(), same, "model") == []
    assert differences(model(1), model(given=1), "model") == []
    (found,) = differences(model(), model(1), "model")
    assert (found.place, found.old, found.new) == ("model/fitting_net/sel_type", (0, 1), (1,))


def test_vectors_of_types_that_are_there_in_any_case_do_not_differ() -> None:
    descriptor = SeAtten(sel=8, neuron=(4,), axis_neuron=2)
    linear = TypeEmbedding((8,), "linear", precision="float64")
    assert differences(Standard(descriptor), Standard(descriptor, type_embedding=linear), "") == []
    other = Standard(descriptor, type_embedding=TypeEmbedding((4,), "linear"))
    (found,) = differences(Standard(descriptor), other, "model")
    assert found.place == "model/type_embedding/neuron"
