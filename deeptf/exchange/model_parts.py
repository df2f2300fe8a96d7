"""Models from files as parts of others (`frozen`): their settings for an input, and their arrays.

A file is a frozen model of deeptf, or one of deepmd-kit, which is converted on the way.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from deeptf.config import dump
from deeptf.exchange.sources import read_frozen
from deeptf.input_file import ConfigError
from deeptf.model.model import ModelConfig
from deeptf.model.scopes import Arrays, in_numbered_scopes
from deeptf.model.term.frozen import Frozen
from deeptf.model.term.linear_ener import LinearEner


def with_settings(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return an input whose models from files have their settings, and whose types have names.

    Raises ConfigError where a file is no model of energies, or has other types.
    """
    section = data.get("model")
    if not isinstance(section, Mapping):
        return dict(data)
    type_map = section.get("type_map")
    found = _with_settings(section, "model", names := [] if type_map is None else [type_map])
    if names:
        found["type_map"] = names[0]
    return {**data, "model": found}


def arrays_of(term: Any) -> Arrays:
    """Return the arrays of a term, or of its parts, that come from files."""
    if isinstance(term, LinearEner):
        return in_numbered_scopes(arrays_of(part.term) for part in term.models)
    return _read(term.model_file)[1] if isinstance(term, Frozen) else {}


def _with_settings(
    section: Mapping[str, Any], place: str, names: list[Sequence[str]]
) -> dict[str, Any]:
    """Return a section with those of files in it; their types must be, or become, names[0]."""
    found = dict(section)
    given = isinstance(found.get("model_file"), str) and "model" not in found
    if found.get("type") == Frozen.type and given:
        config, _ = _read(found["model_file"], f"{place}/model_file")
        if names and list(names[0]) != list(config.type_map):
            raise ConfigError(
                f"{place}/model_file: must be a model of the types {' '.join(names[0])}, got "
                f"{found['model_file']} with {' '.join(config.type_map)}"
            )
        names[:] = [list(config.type_map)]
        found["model"] = dump(config.part)
    parts = found.get("models")
    if isinstance(parts, list):
        found["models"] = [
            _with_settings(_without_types(part, names), f"{place}/models[{k}]", names)
            if isinstance(part, Mapping)
            else part
            for k, part in enumerate(parts)
        ]
    return found


def _without_types(part: Mapping[str, Any], names: list[Sequence[str]]) -> dict[str, Any]:
    """Return a part without the names of its types where these are those of the whole."""
    return {k: v for k, v in part.items() if k != "type_map" or list(names[:1]) != [v]}


def _read(path: str, place: str = "model_file") -> tuple[ModelConfig, Arrays]:
    """Return settings and arrays of the model in a file; ConfigError where it is none."""
    try:
        status = Path(path).stat() if Path(path).is_file() else None
        return _read_once(path, *((status.st_mtime_ns, status.st_size) if status else (0, 0)))
    except (OSError, ValueError) as error:
        raise ConfigError(
            f"{place}: must be a frozen model that can be a part, got {path}: {error}"
        ) from error


@lru_cache(maxsize=4)
def _read_once(path: str, time: int, size: int) -> tuple[ModelConfig, Arrays]:
    """Return them of the file that has this time and size: a run asks for both, one by one."""
    config, arrays, _ = read_frozen(path)
    if config.modifier is not None:
        raise ValueError(
            "it has charges beside its nets (modifier), which the whole model takes: give "
            "model/modifier, and here a model without them"
        )
    return config, arrays
