"""What is wrong with data on disk."""

from __future__ import annotations


class DataError(ValueError):
    """Data on disk are wrong; the message names the file and, where it helps, frame and atom."""
