"""A hash of the content of files, by which data are known again."""

from __future__ import annotations

import hashlib
from typing import Any, Protocol

READ_BYTES = 1 << 22  # of a file that are read at a time


class Digest(Protocol):
    """A hash of hashlib that takes bytes."""

    def update(self, data: Any, /) -> None:
        """Take bytes."""

    def hexdigest(self) -> str:
        """Return the hash."""


def new_digest() -> Digest:
    """Return an empty digest, of a method that takes one or two seconds for a GB."""
    return hashlib.blake2b(digest_size=16)
