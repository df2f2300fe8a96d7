"""What long commands say of their steps."""

import pytest

from deeptf import progress
from deeptf.progress import PAUSE, Progress


@pytest.fixture
def now(monkeypatch):
    seconds = [0.0]
    monkeypatch.setattr(progress.time, "perf_counter", lambda: seconds[0])
    return seconds


def test_the_time_left_may_be_days(now, capsys):
    said = Progress(0, 1000)
    said.say(0, [])
    now[0] = 2000.0
    said.say(10, ["T 300 K"])
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "step       0 | starting | left ?"
    assert lines[1] == "step      10 | 200000.00 ms/step | left 2 days, 7:00:00 | T 300 K"


def test_lines_are_due_now_and_then(now):
    said = Progress(5, 10)
    assert said.due()
    said.say(5, [])
    assert not said.due()
    now[0] = PAUSE
    assert said.due()
