"""Runs of several workers for tests: the launchers, and where a test is skipped without them."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

PATIENCE = 60  # s from the end of one worker to that of all
LONGEST = 180  # s of a run


def launcher(name: str, workers: int = 2) -> list[str]:
    """Return the command that starts workers by Gloo or MPI; skips where it is not installed."""
    found = importlib.util.find_spec("horovod")
    if found is None or found.origin is None:  # a folder of that name is not the package
        pytest.skip("Horovod is not installed: examples/horovod/install.sh")
    if name == "gloo":
        program = Path(sys.executable).with_name("horovodrun")
        return [str(program), "--gloo", "-np", str(workers)]
    if shutil.which("mpirun") is None:
        pytest.skip("Open MPI is not installed: apt-get install openmpi-bin libopenmpi-dev")
    return ["mpirun", "--allow-run-as-root", "--oversubscribe", "-np", str(workers)]


def environment() -> dict[str, str]:
    """Return this environment without what a launcher around pytest would have set."""
    return {k: v for k, v in os.environ.items() if not k.startswith(("HOROVOD_", "OMPI_"))}


def run(name: str, *arguments: object, cwd: Path, workers: int = 2) -> subprocess.CompletedProcess:
    """Run a Python command line on several workers to its end."""
    command = [*launcher(name, workers), sys.executable, *map(str, arguments)]
    return subprocess.run(
        command, cwd=cwd, env=environment(), capture_output=True, text=True, timeout=LONGEST
    )


def train(name: str, *arguments: object, cwd: Path, workers: int = 2) -> str:
    """Train to the end; return what was printed."""
    done = run(name, "-m", "deeptf", "train", *arguments, cwd=cwd, workers=workers)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


class Running:
    """A training run of two workers that a test ends; nothing of it runs after the context.

    program : what Python runs as `deeptf`.
    """

    def __init__(self, name: str, cwd: Path, *program: str) -> None:
        python = [sys.executable, *(program or ("-m",))]
        command = [*launcher(name), *python, "deeptf", "train", "input.json"]
        self._cwd = cwd
        self._log = cwd / "log"
        with open(self._log, "w") as log:
            self._process = subprocess.Popen(
                command, cwd=cwd, env=environment(), stdout=log, stderr=log
            )

    def __enter__(self) -> Running:
        return self

    def __exit__(self, *_: object) -> None:
        for rank in (0, 1):
            with contextlib.suppress(AssertionError, ProcessLookupError):
                self.send(signal.SIGKILL, rank)
        self._process.kill()
        self._process.wait()

    def wait_for(self, text: str, times: int = 1) -> None:
        """Wait until `text` is in the output so often."""
        end = time.monotonic() + LONGEST
        while self.output().count(text) < times:
            assert self._process.poll() is None, self.output()
            assert time.monotonic() < end, self.output()
            time.sleep(0.05)

    def send(self, number: signal.Signals, rank: int) -> None:
        """Send a signal to one worker."""
        os.kill(self._worker(rank), number)

    def end(self) -> int:
        """Return the exit status; fails where the run goes on."""
        return self._process.wait(PATIENCE)

    def output(self) -> str:
        """Return what was printed so far."""
        return self._log.read_text()

    def _worker(self, rank: int) -> int:
        names = (f"HOROVOD_RANK={rank}", f"OMPI_COMM_WORLD_RANK={rank}")
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                ours = Path(os.readlink(folder / "cwd")) == self._cwd
                words = (folder / "cmdline").read_bytes().split(b"\0")
                variables = (folder / "environ").read_bytes().decode(errors="replace").split("\0")
            except OSError:
                continue
            if ours and b"deeptf" in words and words[0] == sys.executable.encode():
                if any(name in variables for name in names):
                    return int(folder.name)
        raise AssertionError(f"no worker of rank {rank} runs")
