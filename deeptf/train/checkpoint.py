"""Checkpoints: one file PREFIX-STEP.npz with every array of a run, and a text file `checkpoint`
that names the newest.

The file is a NumPy archive; the entry `meta` is JSON (step, input, type map, ...). Beside the
model's arrays it holds the optimizer's state under OPTIMIZER and, where a run keeps them, averaged
weights under AVERAGE. It appears complete or not at all, and an older checkpoint is deleted only
after a newer one is on the disk.
"""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from deeptf.files import replacing

FORMAT = 1
OPTIMIZER = "optimizer/"
AVERAGE = "average/"


@dataclass(frozen=True)
class Checkpoint:
    """A checkpoint in memory: its file, its arrays by name and its description."""

    path: Path
    arrays: dict[str, np.ndarray]
    meta: dict[str, Any]

    def model_arrays(self) -> dict[str, np.ndarray]:
        """Return the arrays of the trained model: averaged weights in the place of the present
        ones.
        """
        model = {k: v for k, v in self.arrays.items() if not k.startswith((OPTIMIZER, AVERAGE))}
        average = {k: v for k, v in self.arrays.items() if k.startswith(AVERAGE)}
        return model | {name.removeprefix(AVERAGE): value for name, value in average.items()}


def save(
    prefix: str | Path, step: int, arrays: Mapping[str, np.ndarray], meta: dict[str, Any], keep: int
) -> Path:
    """Write PREFIX-STEP.npz, point `checkpoint` at it and keep the newest `keep` files.

    Raises OSError when the disk is full or not writable; older checkpoints are then untouched.
    """
    path = Path(f"{prefix}-{step}.npz")
    text = json.dumps({"format": FORMAT, "step": step, **meta})
    content = io.BytesIO()  # a zip file that cannot be written to the end leaves its own complaints
    np.savez(content, meta=np.array(text), **arrays)
    with replacing(path) as stream:
        stream.write(content.getbuffer())
    with replacing(path.parent / "checkpoint", "w") as stream:
        stream.write(f"{path.name}\n")
    for old in _numbered(Path(prefix))[:-keep]:
        if old != path:
            old.unlink(missing_ok=True)
    return path


def load(location: str | Path) -> Checkpoint:
    """Read a checkpoint given as file, prefix or folder.

    Raises FileNotFoundError where there is none and ValueError where the file is damaged or
    foreign.
    """
    path = find(location)
    try:
        with np.load(path, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
        meta = json.loads(str(arrays.pop("meta")))
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise ValueError(
            f"checkpoint {path} must be a complete deeptf checkpoint, "
            f"but reading it failed ({error}); give an older one of {path.parent}"
        ) from error
    if meta.get("format") != FORMAT:
        raise ValueError(
            f"checkpoint {path} must have format {FORMAT}, got {meta.get('format')}: "
            "it was written by another version of deeptf"
        )
    return Checkpoint(path, arrays, meta)


def find(location: str | Path) -> Path:
    """Return the file of the newest checkpoint of a folder or prefix, or the file itself."""
    location = Path(location)
    if location.is_file():
        return location
    if location.is_dir():
        pointer = location / "checkpoint"
        if pointer.is_file():
            path = location / pointer.read_text().strip()
            if path.is_file():
                return path
        candidates = sorted(location.glob("*-*.npz"), key=_step_of)
    else:
        candidates = _numbered(location)
    candidates = [path for path in candidates if _step_of(path) >= 0]
    if not candidates:
        raise FileNotFoundError(
            f"no checkpoint at {location}: it must be a folder with checkpoints, a file such as "
            "model.ckpt-1000.npz or a prefix such as model.ckpt"
        )
    return candidates[-1]


def _numbered(prefix: Path) -> list[Path]:
    """Files PREFIX-STEP.npz, oldest step first."""
    found = prefix.parent.glob(f"{prefix.name}-*.npz") if prefix.parent.is_dir() else []
    steps = [path for path in found if _step_of(path) >= 0]
    return sorted(steps, key=_step_of)


def _step_of(path: Path) -> int:
    match = re.search(r"-(\d+)\.npz$", path.name)
    return int(match.group(1)) if match else -1
