"""A file is written completely or not at all."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from deeptf import files
from deeptf.files import replacing


def test_the_file_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "new" / "file"
    for content in ("one", "two"):
        with replacing(path, "w") as stream:
            stream.write(content)
        assert path.read_text() == content
    assert [p.name for p in path.parent.iterdir()] == ["file"]


def test_the_content_is_on_the_disk_before_the_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = []
    for name in ("fsync", "replace"):
        act = getattr(os, name)
        monkeypatch.setattr(os, name, lambda *a, n=name, act=act: (done.append(n), act(*a)))
    with replacing(tmp_path / "file") as stream:
        stream.write(b"new")
    assert done == ["fsync", "replace"]


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


KILLED = """
import os, sys
from deeptf.files import replacing
with replacing(sys.argv[1], "w") as stream:
    stream.write("half")
    stream.flush()
    os.kill(os.getpid(), 9)
"""


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_what_a_killed_process_left_is_removed_by_the_next_one_that_writes(tmp_path: Path) -> None:
    killed = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path / "model-1")])
    assert killed.returncode == -signal.SIGKILL
    (left,) = names(tmp_path)
    assert left.startswith(".model-1.") and left.endswith(".deeptf-tmp")
    with replacing(tmp_path / "model-2", "w"):
        assert left not in names(tmp_path)
    assert names(tmp_path) == {"model-2"}


def test_what_somebody_may_still_write_stays(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(files, "_host", lambda: "0000000a")
    living = [f".a.0000000a-{process}.deeptf-tmp" for process in (1, os.getpid())]
    unknown = ".a.0000000b-999999999.deeptf-tmp"  # of another host
    others = [".a.tmp", "a.0000000a-999999999.deeptf-tmp", ".a.0000000a-0.deeptf-tmp"]
    for name in [*living, unknown, *others]:
        (tmp_path / name).write_text("")
    with replacing(tmp_path / "b"):
        pass
    assert names(tmp_path) == {*living, unknown, *others, "b"}


def test_what_is_a_day_old_is_removed(tmp_path: Path) -> None:
    paths = [tmp_path / f".a.{host}-1.deeptf-tmp" for host in ("0000000b", files._host())]
    for path in paths:
        path.write_text("")
        os.utime(path, (0, path.stat().st_mtime - 25 * 3600))
    with replacing(tmp_path / "b"):
        pass
    assert names(tmp_path) == {"b"}


def test_a_folder_that_cannot_be_listed(tmp_path: Path, monkeypatch) -> None:
    def refuse(_: Path) -> None:
        raise PermissionError

    monkeypatch.setattr(files.os, "scandir", refuse)
    with replacing(tmp_path / "b"):
        pass
    assert (tmp_path / "b").exists()
