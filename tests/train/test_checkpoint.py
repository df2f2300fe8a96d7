"""Checkpoints are complete or absent, and the newest is found."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import numpy as np
import pytest

from deeptf.train import checkpoint

ARRAYS = {"descriptor/a/matrix": np.arange(6.0).reshape(2, 3), "fitting/b": np.ones(2, np.float32)}


def save(folder: Path, step: int, keep: int = 5) -> Path:
    return checkpoint.save(folder / "model.ckpt", step, ARRAYS, {"input": {"a": 1}}, keep)


def test_what_is_saved_is_loaded(tmp_path: Path) -> None:
    path = save(tmp_path, 7)
    for location in (path, tmp_path, tmp_path / "model.ckpt"):
        state = checkpoint.load(location)
        assert state.path == path
        assert state.meta["step"] == 7 and state.meta["input"] == {"a": 1}
        assert set(state.arrays) == set(ARRAYS)
        for name, value in ARRAYS.items():
            np.testing.assert_array_equal(state.arrays[name], value)
            assert state.arrays[name].dtype == value.dtype


def test_the_newest_are_kept(tmp_path: Path) -> None:
    for step in (100, 9, 20, 1000):
        save(tmp_path, step, keep=2)
    assert sorted(p.name for p in tmp_path.glob("*.npz")) == [
        "model.ckpt-100.npz",
        "model.ckpt-1000.npz",
    ]
    assert checkpoint.find(tmp_path / "model.ckpt").name == "model.ckpt-1000.npz"
    assert (tmp_path / "checkpoint").read_text() == "model.ckpt-1000.npz\n"


def test_a_pointer_to_a_lost_file_is_not_trusted(tmp_path: Path) -> None:
    save(tmp_path, 1)
    (tmp_path / "checkpoint").write_text("model.ckpt-5.npz\n")
    assert checkpoint.find(tmp_path).name == "model.ckpt-1.npz"


def test_missing(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no checkpoint at .*it must be a folder"):
        checkpoint.load(tmp_path)
    with pytest.raises(FileNotFoundError, match="no checkpoint at"):
        checkpoint.load(tmp_path / "absent" / "model.ckpt")


@pytest.mark.parametrize("damage", ["truncate", "flip", "empty", "foreign"])
def test_damaged(damage: str, tmp_path: Path) -> None:
    path = save(tmp_path, 1)
    content = bytearray(path.read_bytes())
    if damage == "truncate":
        content = content[: len(content) // 2]
    elif damage == "flip":
        place = content.index(ARRAYS["descriptor/a/matrix"].tobytes())
        content[place + 9] ^= 1
    elif damage == "empty":
        content = bytearray()
    path.write_bytes(content)
    if damage == "foreign":
        np.savez(path, weights=np.ones(3))
    with pytest.raises(ValueError, match=r"checkpoint .*model\.ckpt-1\.npz must be a complete"):
        checkpoint.load(tmp_path)


def test_other_format(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpoint, "FORMAT", 99)
    save(tmp_path, 1)
    monkeypatch.undo()
    with pytest.raises(ValueError, match="must have format 1, got 99"):
        checkpoint.load(tmp_path)


def test_a_full_disk_leaves_the_previous_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = save(tmp_path, 1)

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match=r"model\.ckpt-2\.npz could not be written \(No space left"):
        save(tmp_path, 2, keep=1)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["checkpoint", first.name]
    assert checkpoint.load(tmp_path).meta["step"] == 1
