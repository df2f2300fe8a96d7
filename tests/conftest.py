"""The whole suite runs in two processes, each file in one of them; single files run in one.

With `--emulated LIBRARY` the ops use the GPU kernels in a library that runs them on the CPU
(op/core/cuda/emulation.h), where it has one. With `--emulated-engine LIBRARY` the engine is tested
on such kernels. With `--cuda` the CUDA kernels are compiled and tested, which takes some minutes.
Tests marked `slow` run with `--slow`.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

PROCESSES = 2
LABEL = "emulated"  # of the kernels, in tf/cuda/gpu.h


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--emulated LIBRARY`, `--emulated-engine LIBRARY`, `--cuda` and `--slow`."""
    parser.addoption("--slow", action="store_true", help="run tests that take long, too")
    parser.addoption("--cuda", action="store_true", help="compile and test CUDA kernels")
    parser.addoption("--emulated", metavar="LIBRARY", help="emulated GPU kernels that ops use")
    parser.addoption(
        "--emulated-engine", metavar="LIBRARY", help="emulated GPU kernels of the engine"
    )


def pytest_configure(config: pytest.Config) -> None:
    """Let all graphs choose the emulated kernels."""
    if not config.option.emulated:
        return
    from tensorflow.python.framework import kernels

    from deeptf.ops.library import library
    from deeptf.tf import tf

    library()
    tf.load_library(config.option.emulated)
    ops = {k.op: k.label for k in kernels.get_all_registered_kernels().kernel if k.label == LABEL}
    create = tf.Graph.__init__

    def created(graph: tf.Graph, *args: object, **keywords: object) -> None:
        create(graph, *args, **keywords)
        graph._op_to_kernel_label_map.update(ops)

    tf.Graph.__init__ = created


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


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what GPU kernels do not check, and what takes long and was not asked for."""
    if config.option.emulated:  # on which large cases take hours
        unwanted = "on_host", "slow"
        items[:] = [i for i in items if not any(map(i.get_closest_marker, unwanted))]
    asked = {"slow": config.option.slow, "cuda": config.option.cuda}
    for item in items:
        for name in asked:
            if item.get_closest_marker(name) and not asked[name]:
                item.add_marker(pytest.mark.skip(reason=f"takes long: pytest --{name}"))


@pytest.fixture
def emulated_engine(request: pytest.FixtureRequest) -> Path:
    """Return the engine's emulated library for GPUs; skips without."""
    given = request.config.option.emulated_engine
    if not given:
        pytest.skip("needs the emulated library of tests/engine/emulated.sh")
    return Path(given)


@pytest.fixture(autouse=True)
def no_thread_left() -> Iterator[None]:
    """Fail a test whose run goes on to prepare batches after its end."""
    before = set(threading.enumerate())
    yield
    left = [thread.name for thread in threading.enumerate() if thread not in before]
    assert "prefetch" not in left
