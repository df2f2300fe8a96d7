"""The input of the training, if a file has it (`train_attr/training_script`)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from deeptf.exchange.deepmd.graph import DeepmdGraph

NAME = "train_attr/training_script"


def training_script(graph: DeepmdGraph) -> dict[str, Any] | None:
    """Return the input of the training; ValueError where it is not JSON."""
    return parsed(graph.text(NAME, "null"))


def parsed(text: str | bytes) -> Any:
    """Return what the text of such a node says; ValueError where it is not JSON."""
    try:
        return json.loads(text)
    except (ValueError, TypeError, RecursionError) as error:
        raise ValueError(f"`{NAME}` must be JSON, but is not: {error}") from error


def section_of(script: Any, *keys: str) -> Mapping[str, Any] | None:
    """Return a section of the input, or None where it is not there."""
    for key in keys:
        script = script.get(key) if isinstance(script, Mapping) else None
    return script if isinstance(script, Mapping) else None
