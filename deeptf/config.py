"""From JSON to frozen dataclasses: the fields of a class are the keys of its section of the input.

`load` checks types, fills defaults, chooses variants by the key `type` and names the path of
whatever is wrong ("model/descriptor/rcut"). Keys that begin with `_` are comments. Old spellings
and keys of other programs are listed in input_keys.py. It does not know what any key means.

A field that holds one of several classes has the metadata {"variants": {name: class}} and, where
the key `type` may be missing, "default_type". With "inline" the keys of that class stand in the
same object as those of the class that has the field.
"""

from __future__ import annotations

import dataclasses
import difflib
import json
import sys
import types
import typing
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, TypeVar

from deeptf.input_keys import (
    ACCEPTED_WITHOUT_EFFECT,
    ALIASES,
    KNOWN_TYPES,
    TYPE_ALIASES,
    UNSUPPORTED,
)

T = TypeVar("T")
ABSENT = object()
WORDS = {int: "an integer", float: "a finite number", bool: "true or false", str: "a string"}
WORDS[type(None)] = "null"


class ConfigError(ValueError):
    """The input is wrong; the message names the path, what must be there and what was found."""


@dataclasses.dataclass
class Notices:
    """What `load` accepted although it changes nothing."""

    ignored: dict[str, str] = dataclasses.field(default_factory=dict)  # place -> reason
    defaults: list[str] = dataclasses.field(default_factory=list)  # places

    def lines(self) -> list[str]:
        """Return the lines to show to the user."""
        result = [f"{place}: accepted without effect, {why}" for place, why in self.ignored.items()]
        if self.defaults:
            result.append(
                "accepted at the only value that deeptf supports: " + ", ".join(self.defaults)
            )
        return result


def read_json(path: str | Path) -> dict[str, Any]:
    """Return the object of a JSON file; ConfigError where it is missing, no JSON or ambiguous."""
    try:
        text = Path(path).read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(
            f"input file {path} must be readable, got: {error.strerror or error}; check the path"
        ) from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"input file {path} must be UTF-8 text, got: {error}") from error
    try:
        data = json.loads(text, object_pairs_hook=_unique_keys)
    except json.JSONDecodeError as error:
        raise ConfigError(
            f"input file {path} must be valid JSON, got an error in line {error.lineno}, "
            f"column {error.colno}: {error.msg}"
        ) from error
    except ConfigError as error:
        raise ConfigError(f"input file {path}: {error}") from error
    if not isinstance(data, dict):
        raise ConfigError(f"input file {path} must hold a JSON object {{...}}, got {_short(data)}")
    return data


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
        raise ConfigError(f"{path or 'input'}: must be an object {{...}}, got {_short(data)}")
    notices = Notices() if notices is None else notices
    fields = {field.name: field for field in dataclasses.fields(cls) if field.init}
    given = _outline(fields, _rename(data, path))
    hints = typing.get_type_hints(cls)
    values = {}
    for key, value in given.items():
        if key in fields:
            values[key] = _value(fields, key, hints[key], value, path, notices)
        else:
            _other_key(key, value, [*fields, *beside], path, notices)
    for name, field in fields.items():
        if name not in given:
            default = _missing_value(field, hints[name], _join(path, name), notices)
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
        raise ConfigError(f"{path}: must be an object {{...}}, got {_short(data)}")
    kind = data.get("type", default_type)
    names = ", ".join(sorted(variants))
    if kind is None:
        raise ConfigError(f"{_join(path, 'type')}: must be one of {names}, got nothing; add it")
    name = TYPE_ALIASES.get(path, {}).get(str(kind), kind)
    if not isinstance(name, str) or name not in variants:
        known = str(name) in KNOWN_TYPES.get(path, ())
        hint = ", which deeptf does not support" if known else _nearest(kind, variants)
        raise ConfigError(
            f"{_join(path, 'type')}: must be one of {names}, got {_short(kind)}{hint}"
        )
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
        if others and _join(path, key) not in ALIASES:
            raise ConfigError(
                f"{_join(path, key)}: unknown key where the type is {name}, one of "
                f"{', '.join(others)}; remove it or choose that type"
            )


def dump(config: Any) -> dict[str, Any]:
    """Return the JSON object of `config`, with every default written out; `load` undoes it."""
    kind = getattr(type(config), "type", None)
    result = {"type": kind} if isinstance(kind, str) else {}
    for field in dataclasses.fields(config):
        if field.init:
            value = _dump_value(getattr(config, field.name))
            result |= value if field.metadata.get("inline") else {field.name: value}
    return result


def _dump_value(value: Any) -> Any:
    if dataclasses.is_dataclass(value):
        return dump(value)
    if isinstance(value, tuple):
        return [_dump_value(item) for item in value]
    return value


def _rename(data: Mapping[str, Any], path: str) -> dict[str, Any]:
    """Drop comments and give old spellings their present name, which may lie one object deeper."""
    given: dict[str, Any] = {}
    moved: list[tuple[str, str, Any]] = []
    for key, value in data.items():
        if key.startswith("_"):
            continue
        name = ALIASES.get(_join(path, key), key)
        if name == key:
            given[key] = value
        else:
            moved.append((key, name, value))
    for key, name, value in moved:
        *sections, last = name.split("/")
        place = given
        for section in sections:
            inner = place.get(section)
            place[section] = dict(inner) if isinstance(inner, Mapping) else {}
            place = place[section]
        if last in place:
            raise ConfigError(
                f"{_join(path, key)}: must not be given beside {_join(path, name)}, "
                "its present name; remove one of them"
            )
        place[last] = value
    return given


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
        return _field_value(field, hint, value, _join(path, key), notices)
    others = [name for name in fields if name != key]
    kind = field.metadata.get("default_type")
    return load_variant(field.metadata["variants"], value, path, kind, notices, others)


def _other_key(key: str, value: Any, fields: Collection[str], path: str, notices: Notices) -> None:
    """Judge a key that is no field: accepted without effect, at its harmless default, or wrong."""
    place = _join(path, key)
    if place in ACCEPTED_WITHOUT_EFFECT:
        notices.ignored[place] = ACCEPTED_WITHOUT_EFFECT[place]
        return
    if place in UNSUPPORTED:
        harmless, reason = UNSUPPORTED[place]
        if any(type(value) is type(default) and value == default for default in harmless):
            notices.defaults.append(place)
            return
        raise ConfigError(f"{place}: is not supported, got {_short(value)}: {reason}")
    near = _nearest(key, fields)
    known = "" if near else f"; known keys: {', '.join(sorted(fields))}"
    raise ConfigError(f"{place}: unknown key{near}{known}")


def _field_value(
    field: dataclasses.Field, hint: Any, value: Any, path: str, notices: Notices
) -> Any:
    variants = field.metadata.get("variants")
    if variants is not None and not (value is None and type(None) in typing.get_args(hint)):
        return load_variant(variants, value, path, field.metadata.get("default_type"), notices)
    return convert(hint, value, path, notices)


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
    raise ConfigError(f"{path}: must be {describe(hint)}, got {_short(value)}")


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
    raise ConfigError(f"{path}: must be {describe(hint)}, got {_short(value)}")


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


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for key, value in pairs:
        if key in result and not key.startswith("_"):
            raise ConfigError(f"key {key!r} must be given once in an object, got it twice")
        result[key] = value
    return result


def _nearest(key: Any, names: Any) -> str:
    near = difflib.get_close_matches(str(key), list(names), 1)
    return f"; did you mean {near[0]!r}?" if near else ""


def _join(path: str, key: str) -> str:
    return f"{path}/{key}" if path else key


def _short(value: Any) -> str:
    text = json.dumps(value, default=repr)
    return text if len(text) <= 80 else text[:77] + "..."
