"""What the keys of the section `model` decide, where a run goes on from the arrays of another.

A field of a settings class has one of four roles, told by its metadata:

    shape      decides which arrays a model has and their shapes; the default
    function   the same arrays give another energy
    run        decides how a run moves or evaluates the arrays; the function is the same
    beginning  matters where arrays are made from nothing, and no longer

Nothing here knows what a key means.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from typing import Any, NamedTuple

SHAPE, FUNCTION, RUN, BEGINNING = "shape", "function", "run", "beginning"
Meaning = Callable[[Any], Any]  # of a key, from the object that has it: one for all its spellings


def shape(default: Any, meaning: Meaning | None = None) -> Any:
    """Return a field that decides which arrays there are, with what its values mean."""
    return dataclasses.field(default=default, metadata={"role": SHAPE, "meaning": meaning})


def function(default: Any, meaning: Meaning | None = None) -> Any:
    """Return a field whose value changes what the arrays give."""
    return dataclasses.field(default=default, metadata={"role": FUNCTION, "meaning": meaning})


def run(default: Any, meaning: Meaning | None = None) -> Any:
    """Return a field that decides how a run moves or evaluates the arrays."""
    return dataclasses.field(default=default, metadata={"role": RUN, "meaning": meaning})


def beginning(default: Any) -> Any:
    """Return a field that matters for a new model only."""
    return dataclasses.field(default=default, metadata={"role": BEGINNING})


class Difference(NamedTuple):
    """A key with two values."""

    place: str  # path of the key in the input file
    role: str
    old: Any
    new: Any

    def __str__(self) -> str:
        return f"{self.place} is {json.dumps(self.new)}, was {json.dumps(self.old)}"


def differences(old: Any, new: Any, place: str) -> list[Difference]:
    """Return the keys in which two settings objects differ, with those of the objects in them.

    place : path of both in the input file.
    """
    if type(old) is not type(new):
        kinds = (getattr(type(one), "type", type(one).__name__) for one in (old, new))
        return [Difference(f"{place}/type", SHAPE, *kinds)]
    found = []
    for field in dataclasses.fields(old):
        path = place if field.metadata.get("inline") else f"{place}/{field.name}"
        before, now = getattr(old, field.name), getattr(new, field.name)
        if dataclasses.is_dataclass(before):
            found += differences(before, now, path)
        elif _are_objects(before) and len(before) == len(now):
            for i, pair in enumerate(zip(before, now, strict=True)):
                found += differences(*pair, f"{path}[{i}]")
        elif _are_objects(before):
            found.append(Difference(f"number of objects in {path}", SHAPE, len(before), len(now)))
        elif before != now and _differ(field, old, new):  # one value may mean two, by other keys
            found.append(Difference(path, field.metadata.get("role", SHAPE), before, now))
    return found


def with_function_of(old: Any, new: Any) -> Any:
    """Return `new` with the values of `old` for all keys that change the function.

    Both are of the same classes.
    """
    changes = {}
    for field in dataclasses.fields(old):
        before, now = getattr(old, field.name), getattr(new, field.name)
        if dataclasses.is_dataclass(before):
            changes[field.name] = with_function_of(before, now)
        elif _are_objects(before):
            changes[field.name] = tuple(map(with_function_of, before, now))
        elif field.metadata.get("role") == FUNCTION and _differ(field, old, new):
            changes[field.name] = before
    return dataclasses.replace(new, **changes)


def with_values(settings: Any, **values: Any) -> Any:
    """Return settings with these values for the fields of their names, in objects in them too.

    Raises what the classes raise at values that they do not take.
    """
    changes = {}
    for field in dataclasses.fields(settings):
        value = getattr(settings, field.name)
        if dataclasses.is_dataclass(value):
            changes[field.name] = with_values(value, **values)
        elif _are_objects(value):
            changes[field.name] = tuple(with_values(one, **values) for one in value)
        elif field.name in values:
            changes[field.name] = values[field.name]
    return dataclasses.replace(settings, **changes)


def _are_objects(value: Any) -> bool:
    """Return whether a value is a list of settings objects."""
    return isinstance(value, tuple) and any(map(dataclasses.is_dataclass, value))


def _differ(field: dataclasses.Field, old: Any, new: Any) -> bool:
    meaning = field.metadata.get("meaning") or (lambda owner: getattr(owner, field.name))
    return meaning(old) != meaning(new)
