"""The whole suite runs in two processes, each file in one of them; single files run in one."""

from __future__ import annotations

import pytest

PROCESSES = 2


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> None:
    """Ask pytest-xdist for processes where it is installed and the user has not said how many."""
    whole = config.args == config.getini("testpaths")
    if whole and config.pluginmanager.hasplugin("xdist") and config.option.numprocesses is None:
        config.option.numprocesses = PROCESSES
        config.option.dist = "loadfile"
