"""What the ops of a graph say of wrong input, in terms of the frames that the user gave."""

from __future__ import annotations

import re
from collections.abc import Sequence


def op_message(text: str, first_frame: int = 0) -> str:
    """Return what an op says of its input, with the frame counted as the user counts it.

    TensorFlow puts the history of the node before the message and its name behind it, and that of
    an assertion in brackets.
    """
    text = text.partition("\n\t [[")[0].rpartition("\n")[2]
    text = re.sub(r"^assertion failed: \[(.*)\]$", r"\1", text)
    return re.sub(r"\bframe (\d+)", lambda m: f"frame {int(m[1]) + first_frame}", text)


def with_origin(message: str, origin: Sequence[tuple[str, int]]) -> str:
    """Return a message about a frame of a batch with the system and frame that it came from."""
    found = re.search(r"\bframe (\d+)", message)
    if found is None:
        return message
    path, frame = origin[int(found[1])]
    return f"{message}; that is frame {frame} of system {path}"
