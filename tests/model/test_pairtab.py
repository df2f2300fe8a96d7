"""Tables of pair energies: the file, its way to the cut-off, and the model that is one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import twins
from physics_suite import PhysicsSuite

from deeptf.config import load
from deeptf.input_file import ConfigError
from deeptf.model.model import ModelConfig
from deeptf.model.pair_table import pair_places, read_pair_table, with_types
from deeptf.model.term.pairtab import PairTab


class TestPairTab(PhysicsSuite):
    config = ModelConfig(PairTab("any.tab", 4.0), ("A", "B"))


def write(path: Path, end: float = 3.0, step: float = 0.1, first: float = 0.5, **more) -> Path:
    r = np.arange(first, end + step / 2, step)
    shift = more.get("shift", 0.0)
    columns = [k * (np.exp(-r) - np.exp(-end)) + shift for k in (1.0, 2.0, 3.0)]
    np.savetxt(path, np.stack([r, *columns], axis=1), fmt="%.12f")
    return path


def value(arrays: dict[str, np.ndarray], r: float, rcut: float = 9.0) -> float:
    return twins.pair_table(r, arrays["nodes"][0], arrays["grid"], rcut)[0]


def test_a_table_that_ends_in_zeros_goes_on_with_them(tmp_path: Path) -> None:
    arrays, lines = read_pair_table(write(tmp_path / "t", step=0.1), 2, 4.03)
    assert lines == [] and arrays["nodes"].shape == (3, 37, 2)  # the point behind 4.03 A
    np.testing.assert_allclose(arrays["grid"], [0.5, 0.1])
    for r in (0.5, 0.77, 2.9, 3.0):
        assert abs(value(arrays, r) - np.exp(-r) + np.exp(-3)) < 2e-3
    np.testing.assert_allclose(arrays["nodes"][1:], arrays["nodes"][:1] * [[[2]], [[3]]], atol=1e-9)
    assert abs(value(arrays, 3.7)) < 1e-4 and np.all(arrays["nodes"][:, [0, -1], 1] == 0)


def test_a_table_that_ends_elsewhere_goes_down_to_zero(tmp_path: Path) -> None:
    path = write(tmp_path / "t", shift=0.4)
    arrays, lines = read_pair_table(path, 2, 4.03)
    assert lines == [f"note: pair table {path} ends at 3 A: cubics go on to 0 at the cut-off"]
    assert arrays["nodes"].shape == (3, 36, 2)  # to the point before 4.03 A
    np.testing.assert_allclose(arrays["nodes"][:, -1, 0], 0, atol=1e-15)
    values = [value(arrays, r) for r in np.linspace(3.0, 4.0, 11)]
    assert values[0] == pytest.approx(0.4) and np.all(np.diff(values) < 0)
    one, _ = read_pair_table(path, 2, 3.05)
    assert one["nodes"].shape == (3, 27, 2) and not one["nodes"][:, -1].any()


def test_a_table_that_is_cut_off_says_so(tmp_path: Path) -> None:
    path = write(tmp_path / "t")
    arrays, lines = read_pair_table(path, 2, 2.0)
    assert len(lines) == 1 and "is cut off at 2 A, where it is up to 0.256" in lines[0]
    assert arrays["nodes"].shape == (3, 26, 2)


def test_splines_are_level_at_both_ends_and_smooth(tmp_path: Path) -> None:
    arrays, _ = read_pair_table(write(tmp_path / "t"), 2, 3.0)
    nodes, h = arrays["nodes"][0], arrays["grid"][1]
    assert nodes[0, 1] == nodes[-1, 1] == 0
    bend = [
        (6 * (b[0] - a[0]) - 4 * a[1] - 2 * b[1], -6 * (b[0] - a[0]) + 2 * a[1] + 4 * b[1])
        for a, b in zip(nodes[:-1], nodes[1:], strict=True)
    ]  # second derivatives times h^2 at both ends of each interval
    np.testing.assert_allclose([b[1] for b in bend[:-1]], [b[0] for b in bend[1:]], atol=1e-9)
    assert h == pytest.approx(0.1)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("0.1 1 2 x\n", "must hold rows of numbers, but: "),
        (
            "0.1 1 2\n0.2 1 2\n",
            "rows of 4 numbers, r and u of each two of 2 types, got 2 of 3",
        ),
        ("0.1 1 2 3\n", "at least 2 rows of 4 numbers, .* got 1 of 4"),
        ("0.1 1 2 3\n0.2 1 nan 3\n", "finite numbers, got nan in row 1, column 2, both from 0"),
        (
            "0.1 1 2 3\n0.2 1 2 3\n0.35 1 2 3\n",
            "must have distances that rise by one step, got 0.2 and 0.35 in rows 1 and 2",
        ),
        ("0.2 1 2 3\n0.1 1 2 3\n", "rise by one step, got 0.2 and 0.1 in rows 0 and 1"),
        ("5 1 2 3\n6 1 2 3\n", "must begin at a distance from 0 to below the cut-off 4.0 A, got 5"),
    ],
)
def test_errors_of_files(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "bad.tab"
    path.write_text(text)
    with pytest.raises(ValueError, match=f"pair table {path} .*{message}"):
        read_pair_table(path, 2, 4.0)


@pytest.mark.parametrize(("name", "reason"), [("none", "no such file"), ("", "Is a directory")])
def test_files_that_cannot_be_read(tmp_path: Path, name: str, reason: str) -> None:
    path = tmp_path / name
    with pytest.raises(ValueError, match=f"must be a text file, got {path}: {reason}; check `use"):
        read_pair_table(path, 2, 4.0)


def test_other_types() -> None:
    nodes = np.arange(6.0)[:, None, None] * np.ones((1, 2, 2))
    found = with_types(nodes, 3, [2, 0])[:, 0, 0]
    place = pair_places(3)
    assert found.tolist() == [place[2, 2], place[2, 0], place[0, 0]] == [5, 2, 0]
    term = PairTab("t", 4.0)
    arrays = {"pair_table/nodes": nodes, "pair_table/grid": np.array([0.0, 1.0])}
    assert len(term.arrays_with_types(arrays, [2, 0], ("A", "B"))["pair_table/nodes"]) == 3
    with pytest.raises(ValueError, match="pair table t must have all types, but lacks new ones"):
        term.arrays_with_types(arrays, [2, None], ("A", "B"))


def test_errors_of_settings() -> None:
    with pytest.raises(ConfigError, match="model/tab_file: must be a string, got nothing"):
        load(ModelConfig, {"type": "pairtab", "rcut": 3.0}, "model")
    with pytest.raises(ConfigError, match="`rcut` must be positive, got 0.0"):
        load(ModelConfig, {"type": "pairtab", "tab_file": "a", "rcut": 0.0}, "model")
    config = load(ModelConfig, {"type": "pairtab", "tab_file": "a", "rcut": 3, "sel": 44}, "model")
    assert config.term == PairTab("a", 3.0, 44)
