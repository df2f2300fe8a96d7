"""The whole suite runs in two processes, each file in one of them; single files run in one."""

from __future__ import annotations

import pytest

PROCESSES = 2


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> None:
    """Ask pytest-xdist for processes where it is installed and the user has not said how many."""
    whole = config.args == config.getini("testpaths")
    worker = hasattr(config, "workerinput")  # a process that was asked for must not ask for more
    if worker or not whole or not config.pluginmanager.hasplugin("xdist"):
        return
    if config.option.numprocesses is None:
        config.option.numprocesses = PROCESSES
        config.option.dist = "loadfile"
