"""setup.py, which is the build backend, as a module."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).resolve().parents[1]


def load_setup() -> ModuleType:
    """Return a module of its own."""
    spec = importlib.util.spec_from_file_location("deeptf_setup", ROOT / "setup.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
