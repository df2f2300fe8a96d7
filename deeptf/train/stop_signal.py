"""Signals that end a training run after its step: of batch systems, terminals and users.

A signal that is ignored when the run starts stays ignored: nohup does so with SIGHUP, a shell with
the SIGINT of what it starts in the background. A second Ctrl-C leaves at once, also while a
checkpoint is written: the one before is still there. Within a moment of the first one it counts as
the same, since launchers pass on what the terminal has sent already.
"""

from __future__ import annotations

import os
import signal
import time
from types import FrameType

MOMENT = 1.0  # s


class StopSignal:
    """Notes a signal, so that the loop can end after the step it is in.

    number : of the first signal, 0 before.
    """

    SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1, signal.SIGHUP)

    def __init__(self) -> None:
        self.number = 0
        self._interrupted = float("inf")  # time of the first Ctrl-C
        self._previous: dict[int, object] = {}
        self._terminals: list[int] = []

    def __enter__(self) -> StopSignal:
        self._terminals = [stream for stream in (1, 2) if os.isatty(stream)]
        for number in self.SIGNALS:
            handler = signal.getsignal(number)
            if handler not in (signal.SIG_IGN, None):  # None: one that is not Python's
                self._previous[number] = signal.signal(number, self._note)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler)

    def _note(self, number: int, _: FrameType | None) -> None:
        now = time.monotonic()
        if number == signal.SIGINT:
            if now - self._interrupted > MOMENT:
                raise KeyboardInterrupt
            self._interrupted = min(self._interrupted, now)
        if number == signal.SIGHUP:
            self._leave_terminal()
        self.number = self.number or number

    def _leave_terminal(self) -> None:
        """Drop output to a terminal that is gone: it would be an error before anything is saved."""
        for stream in self._terminals:
            try:
                os.write(stream, b"")
            except OSError:
                nowhere = os.open(os.devnull, os.O_WRONLY)
                os.dup2(nowhere, stream)
                os.close(nowhere)
