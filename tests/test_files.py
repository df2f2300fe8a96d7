"""A file is written completely or not at all."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from deeptf.files import replacing


def test_the_file_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "new" / "file"
    for content in ("one", "two"):
        with replacing(path, "w") as stream:
            stream.write(content)
        assert path.read_text() == content
    assert [p.name for p in path.parent.iterdir()] == ["file"]


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "No space left on device"), ValueError()])
def test_a_failure_leaves_the_old_file(tmp_path: Path, error: Exception) -> None:
    path = tmp_path / "file"
    path.write_text("old")
    with pytest.raises(type(error)), replacing(path) as stream:
        stream.write(b"new")
        raise error
    assert [p.name for p in tmp_path.iterdir()] == ["file"]
    assert path.read_text() == "old"


def test_the_message_names_the_file(tmp_path: Path) -> None:
    (tmp_path / "folder").write_text("a file where a folder must be")
    with pytest.raises(OSError, match="folder"), replacing(tmp_path / "folder" / "file"):
        pass
    with pytest.raises(OSError, match=r"file could not be written \(No space"):
        with replacing(tmp_path / "file"):
            raise OSError(errno.ENOSPC, "No space left on device")


def test_an_error_about_another_file_keeps_its_name(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError) as caught, replacing(tmp_path / "file"):
        open(tmp_path / "absent")
    assert caught.value.filename == str(tmp_path / "absent")
