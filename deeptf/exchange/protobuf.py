"""The wire format of protobuf, in plain Python: what a message holds, whatever it means.

A message is a list of spans of the file: one that comes several times is merged by reading its
spans one after the other. Groups are skipped, but must be well-formed. Whatever is not raises
ValueError with the byte of the file. Time and memory go with the size of the file, whatever the
numbers in it say.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

Span = tuple[int, int]  # first byte, end
Value = tuple[int, Any]  # wire type; number, or span of the bytes

VARINT, FIXED64, BYTES, GROUP, END_GROUP, FIXED32 = range(6)
FIXED = {FIXED64: 8, FIXED32: 4}
MOST_GROUPS = 100  # in each other


class Wire:
    """The bytes of a file, read within bounds."""

    def __init__(self, data: bytes) -> None:
        self.data = data

    def varint(self, at: int, end: int) -> tuple[int, int]:
        """Return the number at a byte and the byte behind it."""
        value = 0
        for place in range(at, min(end, at + 10)):
            byte = self.data[place]
            value |= (byte & 0x7F) << 7 * (place - at)
            if byte < 0x80:
                if value >> 64:
                    raise _damaged("a number of at most 64 bits", "a larger one", at)
                return value, place + 1
        raise _damaged("a whole number of at most 10 bytes", "one without an end", at)

    def fields(self, spans: Sequence[Span]) -> Iterator[tuple[int, int, Any]]:
        """Yield number, wire type and value of the fields of a message, without groups."""
        for at, end in spans:
            groups: list[int] = []
            while at < end:
                start = at
                key, at = self.varint(at, end)
                number, kind = key >> 3, key & 7
                if not 0 < number < 1 << 29:
                    raise _damaged("a field", f"the number {number}", start)
                value: Any = None
                if kind == VARINT:
                    value, at = self.varint(at, end)
                elif kind == BYTES or kind in FIXED:
                    length, at = self.varint(at, end) if kind == BYTES else (FIXED[kind], at)
                    if length > end - at:
                        raise _damaged(f"{length} bytes", f"only {end - at}", at)
                    value, at = (at, at + length), at + length
                elif kind == GROUP and len(groups) < MOST_GROUPS:
                    groups.append(number)
                    continue
                elif kind != END_GROUP or not groups or groups.pop() != number:
                    raise _damaged("a field", f"the wire type {kind} of field {number}", start)
                if not groups and kind != END_GROUP:
                    yield number, kind, value
            if groups:
                raise _damaged(f"the end of group {groups[-1]}", "none", end)

    def message(self, spans: Sequence[Span]) -> dict[int, list[Value]]:
        """Return the values of each field of a message in order."""
        found: dict[int, list[Value]] = {}
        for number, kind, value in self.fields(spans):
            found.setdefault(number, []).append((kind, value))
        return found

    def last(self, fields: Mapping[int, list[Value]], number: int, kind: int, default: Any) -> Any:
        """Return the last value of a scalar field."""
        return next((v for k, v in reversed(fields.get(number, [])) if k == kind), default)

    def text(self, span: Span) -> str:
        """Return a string."""
        try:
            return self.data[slice(*span)].decode()
        except UnicodeDecodeError:
            raise _damaged("UTF-8 text", "other bytes", span[0]) from None

    def varints(self, values: Sequence[Value]) -> np.ndarray:
        """Return repeated varints, packed or not, as uint64."""
        found = []
        for kind, value in values:
            if kind == VARINT:
                found.append(value)
            elif kind == BYTES:
                at, end = value
                while at < end:
                    number, at = self.varint(at, end)
                    found.append(number)
        return np.array(found, np.uint64)

    def of_bytes(self, values: Sequence[Value], dtype: str) -> np.ndarray:
        """Return repeated numbers of a fixed number of bytes, packed or not.

        A complex one is two of them.
        """
        size = np.dtype(dtype).itemsize // (2 if "c" in dtype else 1)
        spans = [span for kind, span in values if kind == BYTES or FIXED.get(kind) == size]
        for begin, end in spans:
            if (end - begin) % size:
                raise _damaged(f"numbers of {size} bytes", f"{end - begin} bytes", begin)
        whole = b"".join(self.data[begin:end] for begin, end in spans)
        if len(whole) % np.dtype(dtype).itemsize:
            raise _damaged("complex numbers", "half a one", spans[-1][0])
        return np.frombuffer(whole, dtype)


def spans_of(values: Sequence[Value]) -> list[Span]:
    """Return the spans of a repeated field of bytes or messages."""
    return [span for kind, span in values if kind == BYTES]


def _damaged(wanted: str, found: str, place: int) -> ValueError:
    return ValueError(f"a graph must have {wanted} at byte {place} of the file, got {found}")
