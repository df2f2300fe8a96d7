"""The table of errors: its rows, whose it is and what happens to other things in its place."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from deeptf.train.learning_curve import LearningCurve, curve_columns

COLUMNS = ["step", "rmse_trn", "lr"]


def write(path: Path, steps: tuple[int, ...], run: str = "a", **restart: tuple) -> LearningCurve:
    curve = LearningCurve(path, COLUMNS, run, **restart)
    for step in steps:
        curve.write(step, [1.0 / (step + 1)], 1e-3)
    return curve


def table(path: Path) -> np.ndarray:
    return np.genfromtxt(path, names=True)


def test_columns() -> None:
    names = curve_columns(["rmse", "rmse_e"], ["validation", "training"])
    assert names == ["step", "rmse_val", "rmse_trn", "rmse_e_val", "rmse_e_trn", "lr"]


def test_a_restart_keeps_the_rows_up_to_its_step(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "lcurve.out"
    write(path, (0, 10, 20))
    curve = LearningCurve(path, COLUMNS, "a", (10, "a"))
    curve.write(20, [np.nan], 1e-4)
    assert curve.notes == []
    rows = table(path)
    assert rows.dtype.names == ("step", "rmse_trn", "lr")
    assert rows["step"].tolist() == [0, 10, 20]
    assert rows["rmse_trn"][1] == pytest.approx(1 / 11, rel=1e-4)
    assert np.isnan(rows["rmse_trn"][-1]) and rows["lr"][-1] == 1e-4


def test_all_lines_have_the_same_number_of_words(tmp_path: Path) -> None:
    write(tmp_path / "lcurve.out", (0, 10))
    lines = (tmp_path / "lcurve.out").read_text().splitlines()
    assert [len(line.replace("#", "").split()) for line in lines] == [3, 3, 3, 3]


def test_the_table_of_another_run_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "lcurve.out"
    write(path, (0, 10))
    write(path, (0,), "b")
    curve = write(path, (0, 20), "c")
    assert curve.notes == [f"{path}, of another run, is kept as {path}.2"]
    assert [len(table(tmp_path / f"lcurve.out{end}")["step"].ravel()) for end in ("", ".1")] == [
        2,
        2,
    ]
    assert "run b" in Path(f"{path}.2").read_text()


def test_a_restart_does_not_take_the_rows_of_another_run(tmp_path: Path) -> None:
    path = tmp_path / "lcurve.out"
    write(path, (0, 10), "b")
    curve = write(path, (20,), "a", restart=(10, "a"))
    assert curve.notes == [f"{path}, of another run, is kept as {path}.1"]
    assert table(path)["step"].tolist() == 20


def test_rows_without_an_owner_go_on_with_checkpoints_without_one(tmp_path: Path) -> None:
    path = tmp_path / "lcurve.out"
    old = "#         step     rmse_trn           lr\n             0   1.0000e+00   1.0000e-03\n"
    for owner, kept in ((None, [0.0, 10.0]), ("a", [10.0])):
        path.write_text(old)
        write(path, (10,), restart=(5, owner))
        assert table(path)["step"].ravel().tolist() == kept


def test_new_columns_are_nan_in_old_rows(tmp_path: Path) -> None:
    path = tmp_path / "lcurve.out"
    write(path, (0, 10))
    columns = ["step", "rmse_val", "rmse_trn", "lr"]
    LearningCurve(path, columns, "a", (10, "a")).write(20, [1.0, 2.0], 1e-4)
    rows = table(path)
    assert np.isnan(rows["rmse_val"]).tolist() == [True, True, False]
    assert rows["rmse_trn"][[0, 2]].tolist() == [1.0, 2.0]
    assert [p.name for p in tmp_path.iterdir()] == ["lcurve.out"]


def test_columns_that_end_are_kept_in_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "lcurve.out"
    LearningCurve(path, ["step", "rmse_val", "rmse_trn", "lr"], "a").write(0, [3.0, 4.0], 1e-3)
    curve = write(path, (10,), restart=(5, "a"))
    assert curve.notes == [f"{path}, which has rmse_val too, is kept as {path}.1"]
    assert table(path)["rmse_trn"].tolist() == pytest.approx([4.0, 1 / 11], rel=1e-4)
    assert table(Path(f"{path}.1"))["rmse_val"] == 3.0


@pytest.mark.parametrize("line", ["  1", "a b c", "0.5 1 2", "nan 1 2", "1 2 3 4", "inf 1 2"])
def test_a_damaged_line_is_left_out(line: str, tmp_path: Path) -> None:
    path = tmp_path / "lcurve.out"
    write(path, (0, 10))
    with open(path, "a") as stream:
        stream.write(line)
    curve = write(path, (20,), restart=(10, "a"))
    assert curve.notes == [
        f"{path}, of which 1 lines are damaged and left out, is kept as {path}.1"
    ]
    assert table(path)["step"].tolist() == [0, 10, 20]


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00", b"a picture", b"# run a"])
def test_something_else_in_its_place_is_kept(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "lcurve.out"
    path.write_bytes(content)
    curve = write(path, (20,), restart=(10, "a"))
    assert curve.notes == [f"{path}, no table of a run, is kept as {path}.1"]
    assert Path(f"{path}.1").read_bytes() == content
    assert table(path)["step"] == 20


def test_a_folder_in_its_place(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="`disp_file` must be a file, got the folder"):
        LearningCurve(tmp_path, COLUMNS, "a")


def test_a_full_disk_is_told_with_the_name_of_the_table(tmp_path: Path) -> None:
    curve = write(tmp_path / "lcurve.out", (0,))
    (tmp_path / "lcurve.out").unlink()
    (tmp_path / "lcurve.out").symlink_to("/dev/full")
    with pytest.raises(OSError, match=r"lcurve.out could not be written \(No space left on device"):
        curve.write(1, [0.5], 1e-3)
