"""The input file as JSON: reading it, present names for old keys, and words about its places.

A place is a path such as "model/descriptor/rcut". What keys mean is not known here.
"""

from __future__ import annotations

import dataclasses
import difflib
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from deeptf.input_keys import ALIASES


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


def _why(text: str, error: json.JSONDecodeError) -> str:
    """Return what is wrong with JSON, by the name of the usual mistakes."""
    before, at = text[: error.pos].rstrip(), text[error.pos : error.pos + 1]
    if at in ("}", "]") and before.endswith(","):
        return f"a comma before {at}; remove it"
    if at in ("#", "/"):
        return 'comments are keys that begin with "_"'
    return error.msg


def read_json(path: str | Path) -> dict[str, Any]:
    """Return the object of a JSON file; ConfigError where it is missing, no JSON or ambiguous."""
    try:
        text = Path(path).read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(
            f"input file {path} must be readable, got: {error.strerror or error}; check the path"
        ) from error
    except UnicodeDecodeError as error:
        raise ConfigError(
            f"input file {path} must be JSON in UTF-8, got other bytes at byte {error.start}; "
            "model files and checkpoints go behind an option of the command"
        ) from error
    if not text.strip():
        raise ConfigError(f"input file {path} must be a JSON object {{...}}, got an empty file")
    try:
        data = json.loads(text, object_pairs_hook=_unique_keys)
    except json.JSONDecodeError as error:
        raise ConfigError(
            f"input file {path} must be valid JSON, got an error in line {error.lineno}, "
            f"column {error.colno}: {_why(text, error)}"
        ) from error
    except ConfigError as error:
        raise ConfigError(f"input file {path}: {error}") from error
    if not isinstance(data, dict):
        raise ConfigError(f"input file {path} must hold a JSON object {{...}}, got {short(data)}")
    return data


def present_names(data: Mapping[str, Any], path: str) -> dict[str, Any]:
    """Drop comments and give old spellings their present name, which may lie one object deeper."""
    given: dict[str, Any] = {}
    moved: list[tuple[str, str, Any]] = []
    for key, value in data.items():
        if key.startswith("_"):
            continue
        name = ALIASES.get(entry(path, key), key)
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
                f"{join(path, key)}: must not be given beside {join(path, name)}, "
                "its present name; remove one of them"
            )
        place[last] = value
    return given


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for key, value in pairs:
        if key in result and not key.startswith("_"):
            raise ConfigError(f"key {key!r} must be given once in an object, got it twice")
        result[key] = value
    return result


def nearest(key: Any, names: Any) -> str:
    """Return words that propose the name most like a key, if one is."""
    near = difflib.get_close_matches(str(key), list(names), 1)
    return f"; did you mean {near[0]!r}?" if near else ""


def join(path: str, key: str) -> str:
    """Return the place of a key in the object at `path`."""
    return f"{path}/{key}" if path else key


def entry(path: str, key: str = "") -> str:
    """Return the place under which tables of keys have a key of the object at `path`.

    The objects of the lists "list" and "models" in an object have its keys
    (model/models[1]/descriptor/list[0]/rcut is model/descriptor/rcut).
    """
    place = re.sub(r"/(list|models)\[\d+\]", "", path)
    return join(place, key) if key else place


def short(value: Any) -> str:
    """Return a value as JSON, cut to a line."""
    text = json.dumps(value, default=repr)
    return text if len(text) <= 80 else text[:77] + "..."
