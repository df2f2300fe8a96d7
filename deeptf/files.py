"""Writing files so that nothing is lost: a file appears complete under its name or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any


@contextmanager
def replacing(path: str | Path, mode: str = "wb") -> Iterator[IO[Any]]:
    """Open a temporary file beside `path` and rename it to `path` once it is safely on the disk.

    When anything fails (a full disk, an interrupt), the temporary file is removed and a file that
    was at `path` before is still there. Raises OSError that names `path`.
    """
    path = Path(path)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(temporary, mode) as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(temporary, path)
    except OSError as error:
        if error.filename not in (None, str(temporary)):
            raise  # it is about another file that the caller was working on
        reason = error.strerror or str(error)
        raise OSError(
            error.errno,
            f"{path} could not be written ({reason}); files that were there before are kept",
        ) from error
    finally:
        temporary.unlink(missing_ok=True)
