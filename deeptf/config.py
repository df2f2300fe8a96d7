"""From JSON to frozen dataclasses: the fields of a class are the keys of its section of the input.

`load` checks types, fills defaults, chooses variants by the key `type` and names the path of
whatever is wrong ("model/descriptor/rcut"). Keys that begin with `_` are comments. Old spellings
and keys of other programs are listed in input_keys.py. It does not know what any key means.

A field that holds one of several classes has the metadata {"variants": {name: class}} and, where
the key `type` may be missing, "default_type"; one that is a tuple holds a list of such classes.
With "inline" the keys of that class stand in the same object as those of the class that has the
field. `dump` leaves a field with "sparse" out where it has its default.
"""

from __future__ import annotations

import dataclasses
import sys
import types
import typing
from collections.abc import Collection, Mapping
from typing import Any, TypeVar

from deeptf.input_file import ConfigError, Notices, entry, join, nearest, present_names, short
from deeptf.input_keys import (
    ACCEPTED_WITHOUT_EFFECT,
    ALIASES,
    KNOWN_TYPES,
    TYPE_ALIASES,
    UNSUPPORTED,
)

T = TypeVar("T")
ABSENT = object()
_OF_OTHERS = (UNSUPPORTED, ACCEPTED_WITHOUT_EFFECT)  # keys that are no fields here
WORDS = {int: "an integer", float: "a finite number", bool: "true or false", str: "a string"}
WORDS[type(None)] = "null"


def load(
    cls: type[T],
    data: Mapping[str, Any],
    path: str = "",
    notices: Notices | None = None,
    beside: Collection[str] = (),
) -> T:
    """Return an instance of the dataclass `cls` from a JSON object.

    path : place of the object in the input file, "" for the whole file; messages begin with it.
    notices : receives each key that is accepted but changes nothing.
    beside : further keys of the object, for messages; they are not in `data`.
    """
    if not isinstance(data, Mapping):
        raise ConfigError(f"{path or 'input'}: must be an object {{...}}, got {short(data)}")
    notices = Notices() if notices is None else notices
    fields = {field.name: field for field in dataclasses.fields(cls) if field.init}
    given = _outline(fields, present_names(data, path))
    hints = typing.get_type_hints(cls)
    values = {}
    for key, value in given.items():
        if key in fields:
            values[key] = _value(fields, key, hints[key], value, path, notices)
        else:
            _other_key(key, value, [*fields, *beside], path, notices)
    for name, field in fields.items():
        if name not in given:
            default = _missing_value(field, hints[name], join(path, name), notices)
            if default is not ABSENT:
                values[name] = default
    try:
        return cls(**values)
    except ConfigError:
        raise
    except ValueError as error:
        raise ConfigError(f"{path or 'input'}: {error}") from error


def load_variant(
    variants: Mapping[str, type],
    data: Mapping[str, Any],
    path: str,
    default_type: str | None = None,
    notices: Notices | None = None,
    beside: Collection[str] = (),
) -> Any:
    """Return an instance of the class that the key `type` of the object chooses; see `load`."""
    if not isinstance(data, Mapping):
        raise ConfigError(f"{path}: must be an object {{...}}, got {short(data)}")
    kind = data.get("type", default_type)
    names = ", ".join(sorted(variants))
    if kind is None:
        raise ConfigError(f"{join(path, 'type')}: must be one of {names}, got nothing; add it")
    name = TYPE_ALIASES.get(entry(path), {}).get(str(kind), kind)
    if not isinstance(name, str) or name not in variants:
        known = str(name) in KNOWN_TYPES.get(entry(path), ())
        hint = ", which deeptf does not support" if known else nearest(kind, variants)
        raise ConfigError(f"{join(path, 'type')}: must be one of {names}, got {short(kind)}{hint}")
    rest = {key: value for key, value in data.items() if key != "type"}
    _check_of_others(variants, name, rest, path)
    return load(variants[name], rest, path, notices, beside)


def _check_of_others(
    variants: Mapping[str, type], name: str, keys: Collection[str], path: str
) -> None:
    """Raise ConfigError for a key that other variants than `name` have."""
    fields = {kind: {f.name for f in dataclasses.fields(cls)} for kind, cls in variants.items()}
    for key in sorted(set(keys) - fields[name]):
        others = sorted(kind for kind, known in fields.items() if key in known)
        if others and not any(entry(path, key) in table for table in (ALIASES, *_OF_OTHERS)):
            raise ConfigError(
                f"{join(path, key)}: unknown key where the type is {name}, one of "
                f"{', '.join(others)}; remove it or choose that type"
            )


def dump(config: Any) -> dict[str, Any]:
    """Return the JSON object of `config`, with defaults written out; `load` undoes it."""
    kind = getattr(type(config), "type", None)
    result = {"type": kind} if isinstance(kind, str) else {}
    for field in dataclasses.fields(config):
        given = getattr(config, field.name)
        if field.init and not (field.metadata.get("sparse") and given == field.default):
            value = _dump_value(given)
            result |= value if field.metadata.get("inline") else {field.name: value}
    return result


def _dump_value(value: Any) -> Any:
    if dataclasses.is_dataclass(value):
        return dump(value)
    if isinstance(value, tuple):
        return [_dump_value(item) for item in value]
    return value


def _outline(fields: Mapping[str, dataclasses.Field], given: dict[str, Any]) -> dict[str, Any]:
    """Put keys that belong to an inline field into an object of its own."""
    for name, field in fields.items():
        if field.metadata.get("inline"):
            own = {key: value for key, value in given.items() if key in fields}
            return {**own, name: {k: v for k, v in given.items() if k not in fields}}
    return given


def _value(
    fields: Mapping[str, dataclasses.Field],
    key: str,
    hint: Any,
    value: Any,
    path: str,
    notices: Notices,
) -> Any:
    """Return the value of a field that is given."""
    field = fields[key]
    if not field.metadata.get("inline"):
        return _field_value(field, hint, value, join(path, key), notices)
    others = [name for name in fields if name != key]
    kind = field.metadata.get("default_type")
    return load_variant(field.metadata["variants"], value, path, kind, notices, others)


def _other_key(key: str, value: Any, fields: Collection[str], path: str, notices: Notices) -> None:
    """Judge a key that is no field: accepted without effect, at its harmless default, or wrong."""
    place, known = join(path, key), entry(path, key)
    if known in ACCEPTED_WITHOUT_EFFECT:
        notices.ignored[place] = ACCEPTED_WITHOUT_EFFECT[known]
        return
    if known in UNSUPPORTED:
        harmless, reason = UNSUPPORTED[known]
        if any(_is_harmless(value, default) for default in harmless):
            notices.defaults.append(place)
            return
        raise ConfigError(f"{place}: is not supported, got {short(value)}: {reason}")
    near = nearest(key, fields)
    names = "" if near else f"; known keys: {', '.join(sorted(fields))}"
    raise ConfigError(f"{place}: unknown key{near}{names}")


def _is_harmless(value: Any, default: Any) -> bool:
    """Return whether a value is a harmless one; of an object its keys that the latter has count."""
    if isinstance(value, Mapping) and default:
        return isinstance(default, Mapping) and all(
            _is_harmless(value.get(key, own), own) for key, own in default.items()
        )
    return type(value) is type(default) and value == default


def _field_value(
    field: dataclasses.Field, hint: Any, value: Any, path: str, notices: Notices
) -> Any:
    variants = field.metadata.get("variants")
    if variants is None or (value is None and type(None) in typing.get_args(hint)):
        return convert(hint, value, path, notices)
    kind = field.metadata.get("default_type")
    if typing.get_origin(hint) is not tuple:
        return load_variant(variants, value, path, kind, notices)
    if not isinstance(value, list):
        raise ConfigError(f"{path}: must be a list (an object {{...}} each), got {short(value)}")
    return tuple(
        load_variant(variants, item, f"{path}[{i}]", kind, notices) for i, item in enumerate(value)
    )


def _missing_value(field: dataclasses.Field, hint: Any, path: str, notices: Notices) -> Any:
    """Value of a field that is not given: ABSENT leaves it to the class."""
    has_default = (
        field.default is not dataclasses.MISSING or field.default_factory is not dataclasses.MISSING
    )
    if has_default:
        return ABSENT
    if "default_type" in field.metadata:
        return _field_value(field, hint, {}, path, notices)
    wanted = "an object {...}" if "variants" in field.metadata else describe(hint)
    raise ConfigError(f"{path}: must be {wanted}, got nothing; add this key")


def convert(hint: Any, value: Any, path: str, notices: Notices | None = None) -> Any:
    """Return `value` as the annotated type `hint`; ConfigError says what must be there."""
    if isinstance(hint, type) and dataclasses.is_dataclass(hint):
        return load(hint, value, path, notices)
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        return _convert_union(hint, arguments, value, path, notices)
    if origin is tuple and isinstance(value, (list, tuple)):
        return tuple(
            convert(arguments[0], item, f"{path}[{i}]", notices) for i, item in enumerate(value)
        )
    if origin is typing.Literal and value in arguments:
        return value
    if hint is float and type(value) in (int, float) and abs(value) <= sys.float_info.max:
        return float(value)
    if hint is int and type(value) is float and value.is_integer():
        return int(value)
    if hint in (int, bool, str, type(None)) and type(value) is hint:
        return value
    raise ConfigError(f"{path}: must be {describe(hint)}, got {short(value)}")


def _convert_union(
    hint: Any, members: tuple, value: Any, path: str, notices: Notices | None
) -> Any:
    for member in members:
        if dataclasses.is_dataclass(member) and isinstance(value, Mapping):
            return load(member, value, path, notices)
    errors = []
    for member in members:
        try:
            return convert(member, value, path, notices)
        except ConfigError as error:
            errors.append(error)
    inner = [error for error in errors if str(error).startswith(f"{path}[")]
    if len(inner) == 1:
        raise inner[0]
    raise ConfigError(f"{path}: must be {describe(hint)}, got {short(value)}")


def describe(hint: Any) -> str:
    """Name an annotated type in the words of a JSON user."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        return " or ".join(describe(member) for member in arguments)
    if origin is tuple:
        return f"a list ({describe(arguments[0])} each)"
    if origin is typing.Literal:
        return "one of " + ", ".join(repr(item) for item in arguments)
    return WORDS.get(hint, "an object {...}")
