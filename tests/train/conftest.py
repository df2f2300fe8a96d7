"""Runs of the small input that tests only read: each is trained once."""

from __future__ import annotations

import contextlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from small_run import write_run

from deeptf.train.run import train


@pytest.fixture(scope="session")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Return the folders of finished runs by the changes of their input."""
    return {}


@pytest.fixture
def finished(
    runs: dict[str, Path], tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> Callable[..., Path]:
    """Return a function of changes: it puts a finished run of the small input into the folder of
    the test, what it printed in `log`, and returns the path of the input.
    """

    def place(changes: dict[str, Any] | None = None) -> Path:
        key = json.dumps(changes, sort_keys=True)
        if key not in runs:
            runs[key] = _run(tmp_path_factory.mktemp("run"), changes)
        shutil.copytree(runs[key], tmp_path, dirs_exist_ok=True)
        return tmp_path / "input.json"

    return place


def _run(folder: Path, changes: dict[str, Any] | None) -> Path:
    path = write_run(folder, changes)
    with pytest.MonkeyPatch.context() as patch, open(folder / "log", "w") as log:
        patch.chdir(folder)
        with contextlib.redirect_stdout(log):
            assert train(path) == 0
    return folder
