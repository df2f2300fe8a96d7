"""The learning curve file and the errors in it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from deeptf.train import report
from deeptf.train.report import Errors, LearningCurve, Progress
from deeptf.train.workers import Workers


def test_errors_of_several_batches() -> None:
    errors = Errors()
    errors.add(np.array([4.0]), np.array([[1.0, 1], [6.0, 6], [0, 0]]))
    errors.add(np.array([2.0, 3.0]), np.array([[8.0, 2], [18.0, 6], [0, 0]]))
    columns = errors.columns(Workers(), with_virial=True)
    assert columns["rmse"] == pytest.approx(np.sqrt(3.0))
    assert columns["rmse_e"] == pytest.approx(np.sqrt(3.0))
    assert columns["rmse_f"] == pytest.approx(np.sqrt(2.0))
    assert np.isnan(columns["rmse_v"])  # no labels
    assert "rmse_v" not in errors.columns(Workers(), with_virial=False)


def test_a_restart_keeps_the_rows_up_to_its_step(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "lcurve.out"
    curve = LearningCurve(path, ["step", "rmse_trn", "lr"], None)
    for step in (0, 10, 20):
        curve.write(step, [1.0 / (step + 1)], 1e-3)
    LearningCurve(path, ["step", "rmse_trn", "lr"], 10).write(20, [np.nan], 1e-4)
    rows = np.genfromtxt(path, names=True)
    assert rows.dtype.names == ("step", "rmse_trn", "lr")
    assert rows["step"].tolist() == [0, 10, 20]
    assert np.isnan(rows["rmse_trn"][-1]) and rows["lr"][-1] == 1e-4


def test_a_new_run_begins_a_new_file(tmp_path: Path) -> None:
    path = tmp_path / "lcurve.out"
    for _ in range(2):
        LearningCurve(path, ["step", "rmse_trn", "lr"], None).write(0, [1.0], 1e-3)
    assert len(path.read_text().splitlines()) == 2


def test_the_time_left_may_be_days(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    now = [0.0]
    monkeypatch.setattr(report.time, "perf_counter", lambda: now[0])
    progress = Progress(0, 1000)
    progress.say(0, {})
    now[0] = 2000.0
    progress.say(10, {"training": {"rmse": 2.0, "rmse_e": 0.5, "rmse_f": np.nan}})
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "step       0 | starting | left ?"
    assert "200000.00 ms/step | left 2 days, 7:00:00 | training: e 5.000e-01 f nan" in lines[1]
