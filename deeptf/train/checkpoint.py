"""Checkpoints: a file PREFIX-STEP.npz with every array of a run, and `checkpoint` names the last.

The file is a NumPy archive; the entry `meta` is JSON: step, input, and the identity `run` that all
files of a run share. Beside the model's arrays it holds the optimizer's state under OPTIMIZER and,
where a run keeps them, averaged weights under AVERAGE. It appears complete or not at all. Several
runs may write to one folder: `checkpoint` tells which is the last one, whatever the steps, and a
run deletes files of its own only, after a newer one is on the disk.

Formats: 2, and 1 of older versions, whose runs have no identity.
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

FORMAT = 2
READABLE = (1, 2)
REQUIRED = ("format", "step", "seed", "input")
OPTIMIZER = "optimizer/"
AVERAGE = "average/"
POINTER = "checkpoint"
FROZEN_MARK = b"deeptf_model"  # node of a frozen model
LONGEST_NAME = 4096  # bytes of the file POINTER
TENSORFLOW_MARK = "model_checkpoint_path"  # in such a file of TensorFlow
# RuntimeError: zip files that say to be encrypted or packed in another way.
DAMAGED = (OSError, ValueError, KeyError, EOFError, RuntimeError, MemoryError, zipfile.BadZipFile)


@dataclass(frozen=True)
class Checkpoint:
    """A checkpoint in memory: its file, its arrays by name and its description."""

    path: Path
    arrays: dict[str, np.ndarray]
    meta: dict[str, Any]

    def model_arrays(self) -> dict[str, np.ndarray]:
        """Return the arrays of the trained model, with averaged weights where there are some."""
        model = {k: v for k, v in self.arrays.items() if not k.startswith((OPTIMIZER, AVERAGE))}
        average = {k: v for k, v in self.arrays.items() if k.startswith(AVERAGE)}
        return model | {name.removeprefix(AVERAGE): value for name, value in average.items()}


class Series:
    """The checkpoints of one run; of its own files the `keep` that were written last stay.

    prefix : first part of the names; the folder may hold files of other runs.
    run : identity of the run.
    first : step from which the run goes on; files of later steps are not on its way any more.

    `notes` says what other runs have left at the same place.
    """

    def __init__(self, prefix: str | Path, run: str, keep: int, first: int = 0) -> None:
        self._prefix, self._run, self._keep = Path(prefix), run, keep
        own: list[Path] = []
        others: list[Path] = []
        for path in _numbered(self._prefix):
            (own if (_meta(path) or {}).get("run") == run else others).append(path)
        self.notes: list[str] = []
        if others:
            steps = f"{step_of(others[0])} to {step_of(others[-1])}"
            self.notes.append(
                f"{len(others)} checkpoints {prefix}-STEP.npz of other runs, of steps {steps}, are "
                "kept but where this run writes one of the same step; another `save_ckpt` keeps all"
            )
        self._own = sorted(own, key=lambda path: (step_of(path) <= first, step_of(path)))

    def save(self, step: int, arrays: Mapping[str, np.ndarray], meta: Mapping[str, Any]) -> Path:
        """Write PREFIX-STEP.npz, point `checkpoint` at it and delete what is not kept.

        Raises OSError when the disk is full or not writable; older checkpoints are then untouched.
        """
        path = self._prefix.with_name(f"{self._prefix.name}-{step}.npz")
        text = json.dumps({"format": FORMAT, "step": step, "run": self._run, **meta})
        content = io.BytesIO()  # a zip file that cannot be written to the end complains itself
        np.savez(content, meta=np.array(text), **arrays)
        with replacing(path) as stream:
            stream.write(content.getbuffer())
        with replacing(path.parent / POINTER, "w") as stream:
            stream.write(f"{path.name}\n")
        self._own = [*(old for old in self._own if old != path), path]
        for old in self._own[: -self._keep]:
            old.unlink(missing_ok=True)
        self._own = self._own[-self._keep :]
        return path


def load(location: str | Path) -> Checkpoint:
    """Read a checkpoint given as file, prefix or folder.

    Raises FileNotFoundError where there is none and ValueError where the file is damaged or
    foreign.
    """
    path = find(location)
    try:
        with _archive(path) as archive:
            arrays = {name: archive[name] for name in archive.files}
        meta = dict(json.loads(str(arrays.pop("meta"))))
    except DAMAGED as error:
        raise ValueError(
            f"checkpoint {path} must be a complete deeptf checkpoint, "
            f"but reading it failed ({error}); {_advice(path)}"
        ) from error
    if "format" in meta and meta["format"] not in READABLE:
        raise ValueError(
            f"checkpoint {path} must have format {FORMAT}, got {meta['format']}: "
            "it was written by another version of deeptf"
        )
    missing = [key for key in REQUIRED if key not in meta]
    if missing:
        raise ValueError(
            f"checkpoint {path} must be a complete deeptf checkpoint, but it does not tell its "
            f"{', '.join(missing)}; {_advice(path)}"
        )
    return Checkpoint(path, arrays, meta)


def find(location: str | Path) -> Path:
    """Return the file itself (`.npz` may be left out), or the last one of a folder or prefix.

    That is the one that `checkpoint` names, else the one with most steps of the run that wrote
    last.
    """
    location = Path(location)
    if location.is_file():
        return location
    complete = Path(f"{location}.npz")
    if step_of(complete) >= 0 and complete.is_file() and not location.is_dir():
        return complete
    folder = location if location.is_dir() else location.parent
    prefix = None if location.is_dir() else location.name
    named = _pointed(folder)
    if named is not None and prefix in (None, _prefix_of(named)):
        return named
    candidates = _numbered(location) if prefix else _all_numbered(folder)
    known = {path: meta for path in candidates if (meta := _meta(path)) is not None}
    if not known and candidates:
        return candidates[-1]  # damaged; reading it tells how
    if not known:
        raise FileNotFoundError(
            f"no checkpoint at {location}: it must be a folder with checkpoints, a file such as "
            f"model.ckpt-1000.npz or a prefix such as model.ckpt{_foreign(folder, prefix)}"
        )
    last = max(known, key=lambda path: path.stat().st_mtime_ns)
    run = known[last].get("run")
    return max((path for path in known if known[path].get("run") == run), key=step_of)


def step_of(path: Path) -> int:
    """Return the step in the name of a checkpoint, or -1 in another name."""
    match = re.search(r"-(\d+)\.npz$", path.name)
    return int(match.group(1)) if match else -1


def _prefix_of(path: Path) -> str:
    return path.name.removesuffix(f"-{step_of(path)}.npz")


def _pointed(folder: Path) -> Path | None:
    """Return the file that `checkpoint` names, where it names one that is there."""
    name = _pointer(folder).strip()
    if step_of(Path(name)) < 0 or Path(name).name != name or "\n" in name:
        return None  # of another program
    path = folder / name
    return path if path.is_file() else None


def _pointer(folder: Path) -> str:
    """Return the beginning of the file `checkpoint`; nothing where there is none."""
    try:
        with open(folder / POINTER, "rb") as stream:
            return stream.read(LONGEST_NAME).decode(errors="replace")
    except OSError:
        return ""


def _numbered(prefix: Path) -> list[Path]:
    """Files PREFIX-STEP.npz, oldest step first."""
    return [path for path in _all_numbered(prefix.parent) if _prefix_of(path) == prefix.name]


def _all_numbered(folder: Path) -> list[Path]:
    found = folder.iterdir() if folder.is_dir() else ()
    return sorted((path for path in found if step_of(path) >= 0), key=step_of)


def _meta(path: Path) -> dict[str, Any] | None:
    """Return the description in a checkpoint, or None where the file is damaged or another."""
    try:
        with _archive(path) as archive:
            meta = json.loads(str(archive["meta"]))
    except DAMAGED:
        return None
    return meta if isinstance(meta, dict) and "format" in meta else None


def _archive(path: Path) -> np.lib.npyio.NpzFile:
    if not zipfile.is_zipfile(path):
        raise ValueError("it is no NumPy archive, or a part of one")
    return np.load(path, allow_pickle=False)


def _advice(path: Path) -> str:
    """Return what to do in place of reading the file."""
    if FROZEN_MARK in path.read_bytes():
        return "it is a frozen model: a new run starts from its weights with --init-frz-model"
    return f"give an older one of {path.parent}"


def _foreign(folder: Path, prefix: str | None) -> str:
    """Return a hint where another program has left checkpoints at the place."""
    pattern = "*.index" if prefix is None else f"{prefix}*.index"
    if TENSORFLOW_MARK in _pointer(folder) or any(folder.glob(pattern)):
        return (
            ". What is there was written by another program; a model of deepmd-kit is taken over "
            "by freezing it there and `deeptf convert`"
        )
    return ""
