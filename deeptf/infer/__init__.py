"""Use of a frozen model from Python: energies and forces, an ASE calculator, errors on data."""

from __future__ import annotations

import importlib
from typing import Any

_HOMES = {
    "DeepPot": "deep_pot",
    "DeepDipole": "deep_tensor",
    "DeepPolar": "deep_tensor",
    "DeepDOS": "deep_dos",
    "Ensemble": "ensemble",
    "calc_model_devi": "ensemble",
}


def __getattr__(name: str) -> Any:
    """Load what is asked for on first use."""
    if name in _HOMES:
        return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
