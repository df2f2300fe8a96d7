"""Use of a frozen model from Python: energies and forces, an ASE calculator, errors on data."""

from __future__ import annotations

from typing import Any


def __getattr__(name: str) -> Any:
    """Load DeepPot, and TensorFlow with it, on first use."""
    if name == "DeepPot":
        from deeptf.infer.deep_pot import DeepPot

        return DeepPot
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
