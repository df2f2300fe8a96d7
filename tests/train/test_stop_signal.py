"""Signals that end a run, in this process and in runs with a terminal."""

from __future__ import annotations

import os
import pty
import signal
import sys
import time
from pathlib import Path

import pytest
from small_run import write_run

from deeptf.train import checkpoint
from deeptf.train import stop_signal as module
from deeptf.train.stop_signal import StopSignal


@pytest.mark.parametrize("number", StopSignal.SIGNALS)
def test_the_first_signal_is_noted(number: signal.Signals) -> None:
    before = [signal.getsignal(each) for each in StopSignal.SIGNALS]
    with StopSignal() as stop:
        assert stop.number == 0
        os.kill(os.getpid(), number)
        os.kill(os.getpid(), signal.SIGTERM)
        assert stop.number == number
    assert [signal.getsignal(each) for each in StopSignal.SIGNALS] == before


@pytest.mark.parametrize("number", StopSignal.SIGNALS)
def test_what_is_ignored_stays_ignored(number: signal.Signals) -> None:
    before = signal.signal(number, signal.SIG_IGN)
    try:
        with StopSignal() as stop:
            os.kill(os.getpid(), number)
            assert stop.number == 0 and signal.getsignal(number) == signal.SIG_IGN
    finally:
        signal.signal(number, before)


def test_a_second_interrupt_leaves_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr(module.time, "monotonic", lambda: now)
    with StopSignal() as stop:
        for now in (7.0, 7.5):  # noqa: B007 the same one, passed on by a launcher
            os.kill(os.getpid(), signal.SIGINT)
        assert stop.number == signal.SIGINT
        now = 8.5
        os.kill(os.getpid(), signal.SIGTERM)
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)


def test_a_terminal_that_goes_away_stops_the_run_and_it_is_saved(tmp_path: Path) -> None:
    write_run(tmp_path, {"training/numb_steps": 100000, "training/save_freq": 10})
    process, terminal = pty.fork()
    if process == 0:
        os.chdir(tmp_path)
        os.execv(sys.executable, [sys.executable, "-m", "deeptf", "train", "input.json"])
    end = time.monotonic() + 60
    while not list(tmp_path.glob("model.ckpt-*.npz")) and time.monotonic() < end:
        os.read(terminal, 1 << 16)
    os.close(terminal)
    _, status = os.waitpid(process, 0)
    assert os.waitstatus_to_exitcode(status) == 128 + signal.SIGHUP
    written = checkpoint.load(tmp_path).meta["step"]
    rows = (tmp_path / "lcurve.out").read_text().splitlines()
    assert int(rows[-1].split()[0]) == written
