"""Checkpoints are complete or absent, and the newest is found."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path

import numpy as np
import pytest

from deeptf.train import checkpoint
from deeptf.train.checkpoint import Series

META = {"input": {"a": 1}, "seed": 3}
ARRAYS = {"descriptor/a/matrix": np.arange(6.0).reshape(2, 3), "fitting/b": np.ones(2, np.float32)}


def save(
    folder: Path, *steps: int, run: str = "a", keep: int = 5, prefix: str = "model.ckpt"
) -> Path:
    series = Series(folder / prefix, run, keep)
    return [series.save(step, ARRAYS, META) for step in steps][-1]


def names(folder: Path) -> list[str]:
    return [path.name for path in sorted(folder.glob("*.npz"), key=checkpoint.step_of)]


def test_what_is_saved_is_loaded(tmp_path: Path) -> None:
    path = save(tmp_path, 7)
    for location in (path, path.with_suffix(""), tmp_path, tmp_path / "model.ckpt"):
        state = checkpoint.load(location)
        assert state.path == path
        assert state.meta["step"] == 7 and state.meta["input"] == {"a": 1}
        assert set(state.arrays) == set(ARRAYS)
        for name, value in ARRAYS.items():
            np.testing.assert_array_equal(state.arrays[name], value)
            assert state.arrays[name].dtype == value.dtype


def test_the_newest_are_kept(tmp_path: Path) -> None:
    save(tmp_path, 9, 20, 100, 1000, keep=2)
    assert names(tmp_path) == ["model.ckpt-100.npz", "model.ckpt-1000.npz"]
    assert checkpoint.find(tmp_path / "model.ckpt").name == "model.ckpt-1000.npz"
    assert (tmp_path / "checkpoint").read_text() == "model.ckpt-1000.npz\n"


def test_a_run_deletes_its_own_files_only_and_the_last_written_is_the_newest(
    tmp_path: Path,
) -> None:
    save(tmp_path, 50, 60, 70, run="first", keep=3)
    save(tmp_path, 10, 20, 30, run="second", keep=2)
    assert names(tmp_path) == [f"model.ckpt-{n}.npz" for n in (20, 30, 50, 60, 70)]
    for location in (tmp_path, tmp_path / "model.ckpt"):
        assert checkpoint.find(location).name == "model.ckpt-30.npz"
    (tmp_path / "checkpoint").unlink()
    assert checkpoint.find(tmp_path).name == "model.ckpt-30.npz"
    note = Series(tmp_path / "model.ckpt", "second", 2).notes[0]
    assert "3 checkpoints" in note and "of steps 50 to 70" in note


def test_a_run_that_goes_on_deletes_what_it_left_first(tmp_path: Path) -> None:
    save(tmp_path, 10, 20, 30, 40)
    series = Series(tmp_path / "model.ckpt", "a", 3, first=20)
    assert series.notes == []
    series.save(25, ARRAYS, META)
    assert names(tmp_path) == [f"model.ckpt-{n}.npz" for n in (10, 20, 25)]


def test_the_file_written_last_comes_before_later_steps_of_its_run(tmp_path: Path) -> None:
    save(tmp_path, 10, 20, 30, 40)
    Series(tmp_path / "model.ckpt", "a", 9, first=20).save(25, ARRAYS, META)
    for location in (tmp_path, tmp_path / "model.ckpt"):
        assert checkpoint.find(location).name == "model.ckpt-25.npz"


def test_of_damaged_files_the_latest_is_told(tmp_path: Path) -> None:
    for step in (3, 20):
        (tmp_path / f"model.ckpt-{step}.npz").write_bytes(b"")
    with pytest.raises(ValueError, match="model.ckpt-20.npz must be a complete"):
        checkpoint.load(tmp_path)


def test_prefixes_share_a_folder(tmp_path: Path) -> None:
    save(tmp_path, 40, run="first", prefix="one")
    save(tmp_path, 30, run="second", prefix="two")
    assert checkpoint.find(tmp_path).name == "two-30.npz"
    assert checkpoint.find(tmp_path / "one").name == "one-40.npz"
    assert Series(tmp_path / "two", "third", 1).notes[0].startswith("1 checkpoints")


def test_other_archives_are_no_checkpoints(tmp_path: Path) -> None:
    save(tmp_path, 3)
    (tmp_path / "checkpoint").unlink()
    np.savez(tmp_path / "energies-2000.npz", energy=np.ones(3))
    (tmp_path / "list-3000.npz").write_bytes(b"")
    assert checkpoint.find(tmp_path).name == "model.ckpt-3.npz"


@pytest.mark.parametrize(
    "text",
    [
        'model_checkpoint_path: "model.ckpt-1000000"\n' * 1000,
        "../model.ckpt-3.npz\n",
        "\x00\xff",
        "",
    ],
)
def test_a_pointer_of_another_program(text: str, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    save(tmp_path, 3)
    save(folder, 1)
    (folder / "checkpoint").write_text(text)
    assert checkpoint.find(folder).name == "model.ckpt-1.npz"
    (folder / "model.ckpt-1.npz").unlink()
    with pytest.raises(FileNotFoundError, match="no checkpoint at") as caught:
        checkpoint.find(folder)
    assert ("`deeptf convert`" in str(caught.value)) == text.startswith("model_checkpoint_path")


def test_a_checkpoint_of_tensorflow(tmp_path: Path) -> None:
    (tmp_path / "model.ckpt-100.index").write_bytes(b"")
    with pytest.raises(FileNotFoundError, match=r"another program.*`deeptf convert`"):
        checkpoint.find(tmp_path / "model.ckpt-100")


def test_a_pointer_to_a_lost_file_is_not_trusted(tmp_path: Path) -> None:
    save(tmp_path, 1)
    (tmp_path / "checkpoint").write_text("model.ckpt-5.npz\n")
    assert checkpoint.find(tmp_path).name == "model.ckpt-1.npz"


def test_missing(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no checkpoint at .*it must be a folder"):
        checkpoint.load(tmp_path)
    with pytest.raises(FileNotFoundError, match="no checkpoint at"):
        checkpoint.load(tmp_path / "absent" / "model.ckpt")


@pytest.mark.parametrize("damage", ["truncate", "flip", "packing", "empty", "foreign"])
def test_damaged(damage: str, tmp_path: Path) -> None:
    path = save(tmp_path, 1)
    content = bytearray(path.read_bytes())
    if damage == "truncate":
        content = content[: len(content) // 2]
    elif damage == "flip":
        place = content.index(ARRAYS["descriptor/a/matrix"].tobytes())
        content[place + 9] ^= 1
    elif damage == "packing":
        content[content.rindex(b"PK\1\2") + 10] = 77
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
    with pytest.raises(ValueError, match="must have format 2, got 99"):
        checkpoint.load(tmp_path)


def test_a_full_disk_leaves_the_previous_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = save(tmp_path, 1)

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match=r"model\.ckpt-2\.npz could not be written \(No space left"):
        Series(tmp_path / "model.ckpt", "a", 1).save(2, ARRAYS, META)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["checkpoint", first.name]
    assert checkpoint.load(tmp_path).meta["step"] == 1


@pytest.mark.parametrize("key", ["seed", "input", "step"])
def test_an_incomplete_description(key: str, tmp_path: Path) -> None:
    path = save(tmp_path, 1)
    meta = {"format": 2, "step": 1, **META}
    del meta[key]
    np.savez(path, meta=np.array(json.dumps(meta)))
    with pytest.raises(ValueError, match=f"it does not tell its {key}; give an older one"):
        checkpoint.load(path)


def test_a_frozen_model_in_the_place_of_a_checkpoint(tmp_path: Path) -> None:
    path = tmp_path / "model.pb"
    path.write_bytes(b"\n\x1adeeptf_model")
    with pytest.raises(ValueError, match="with --init-frz-model"):
        checkpoint.load(path)
