"""What a long command tells of its steps: a bar on a terminal, plain lines in a file."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from datetime import timedelta

from deeptf.process import on_terminal

PAUSE = 1.0  # s


class Progress:
    """A bar on a terminal; in a file one line each time there is something to say.

    first_step, last_step : done already, and done at the end
    bar : whether there may be a bar
    """

    def __init__(self, first_step: int, last_step: int, bar: bool = True) -> None:
        self._first, self._last = first_step, last_step
        self._begin = time.perf_counter()
        self._mark: tuple[int, float] | None = None  # step and time of the last line
        self._bar = None
        if bar and on_terminal():
            from tqdm import tqdm

            self._bar = tqdm(total=last_step, initial=first_step, unit="step", dynamic_ncols=True)

    def advance(self) -> None:
        """Count one step."""
        if self._bar is not None:
            self._bar.update()

    def due(self) -> bool:
        """Return whether nothing has been said for PAUSE."""
        return self._mark is None or time.perf_counter() - self._mark[1] >= PAUSE

    def say(self, step: int, parts: Sequence[str]) -> None:
        """Print step, rate, time left and `parts`."""
        now = time.perf_counter()
        before, since = self._mark or (self._first, self._begin)
        steps, seconds = step - before, now - since
        self._mark = (step, now)
        rate = f"{1e3 * seconds / steps:.2f} ms/step" if steps else "starting"
        average = (now - self._begin) / max(step - self._first, 1)
        left = str(timedelta(seconds=round(average * (self._last - step))))
        begin = [f"step {step:7d}", rate, f"left {left if steps else '?'}"]
        self.message(" | ".join([*begin, *parts]))

    def message(self, text: str) -> None:
        """Print a line without disturbing the bar."""
        if self._bar is not None:
            self._bar.write(text, file=sys.stdout)
        else:
            print(text, flush=True)

    def close(self) -> None:
        """End the bar."""
        if self._bar is not None:
            self._bar.close()
