"""Writing files so that nothing is lost: a file appears complete under its name or not at all."""

from __future__ import annotations

import functools
import os
import re
import socket
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

# Of temporary files: the name of the file, the host and the process that writes it.
TEMPORARY = re.compile(r"\..+\.([0-9a-f]{8})-([1-9][0-9]{0,8})\.deeptf-tmp")
ABANDONED = 24 * 3600  # s after which nobody writes to a temporary file any more


@contextmanager
def replacing(path: str | Path, mode: str = "wb") -> Iterator[IO[Any]]:
    """Open a temporary file beside `path` and rename it to `path` once it is safely on the disk.

    When anything fails (a full disk, an interrupt), the temporary file is removed and a file that
    was at `path` before is still there. Temporary files that killed processes have left in the
    folder are removed. Raises OSError that names `path`.
    """
    path = Path(path)
    temporary = path.with_name(f".{path.name}.{_host()}-{os.getpid()}.deeptf-tmp")
    try:
        with naming(path, temporary):
            path.parent.mkdir(parents=True, exist_ok=True)
            with open(temporary, mode) as stream:
                _remove_abandoned(temporary)
                yield stream
                stream.flush()
                os.fsync(stream.fileno())
            os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def naming(path: Path, temporary: Path | None = None) -> Iterator[None]:
    """Let an OSError about the file that is written, or its temporary one, say what it is about."""
    try:
        yield
    except OSError as error:
        if error.filename not in (None, str(temporary), str(path)):
            raise  # it is about another file that the caller was working on
        reason = error.strerror or str(error)
        raise OSError(
            error.errno,
            f"{path} could not be written ({reason}); files that were there before are kept",
        ) from error


def refuse_same(source: str | Path, output: str | Path) -> None:
    """Raise ValueError where writing `output` would replace the file `source`."""
    if Path(output).exists() and Path(output).samefile(source):
        raise ValueError(f"`output` must be another file than the source {source}, got {output}")


@functools.cache
def _host() -> str:
    """Return what tells apart where process numbers count: host and, on Linux, namespace."""
    namespace = ""
    with suppress(OSError):
        namespace = os.readlink("/proc/self/ns/pid")
    return f"{zlib.crc32((socket.gethostname() + namespace).encode()):08x}"


def _remove_abandoned(own: Path) -> None:
    """Remove the temporary files beside this process's own one that nobody writes any more.

    A process of this host is asked for; what another host has left must be old.
    """
    now = own.stat().st_mtime  # by the clock of the file system
    with suppress(OSError):  # a folder that cannot be listed, a file that is gone
        for entry in os.scandir(own.parent):
            found = TEMPORARY.fullmatch(entry.name)
            if found is None or entry.name == own.name:
                continue
            host, process = found.groups()
            ended = host == _host() and not _runs(int(process))
            if ended or now - entry.stat().st_mtime > ABANDONED:
                os.unlink(entry.path)


def _runs(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True
