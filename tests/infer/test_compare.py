"""Differences of two models on systems."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import toy
from small_run import write_system

from deeptf.infer import DeepPot
from deeptf.infer import compare as module
from deeptf.infer.compare import compare


def test_differences_are_those_of_energies_and_forces(
    toy_file: Path, network_file: Path, tmp_path: Path
) -> None:
    """Of a system without labels; virtual atoms do not count."""
    system = write_system(tmp_path / "system", frames=3)
    for label in ("energy", "force", "virial"):
        (system / "set.000" / f"{label}.npy").unlink()
    coord, cell = (np.load(system / "set.000" / f"{name}.npy") for name in ("coord", "box"))
    with DeepPot(toy_file) as one, DeepPot(network_file) as other:
        before, after = (pot.eval(coord, cell, [0, 1, 1, 0, 1, 1]) for pot in (one, other))
    energy, force, virial = (b - a for a, b in zip(before, after, strict=True))
    lines = compare(toy_file, network_file, str(system))
    assert lines[0] == f"differences from {toy_file}, 3 frames of 1 system"
    for line, difference in zip(lines[2:5], (energy / 6, force, virial / 6), strict=True):
        largest, rms = map(float, re.findall(r"\d\.\d{6}e.\d\d", line))
        np.testing.assert_allclose(largest, np.abs(difference).max(), rtol=1e-5)
        np.testing.assert_allclose(rms, np.sqrt((difference**2).mean()), rtol=1e-5)


def test_a_model_and_itself(toy_file: Path, tmp_path: Path) -> None:
    lines = compare(toy_file, toy_file, [str(write_system(tmp_path / "system"))])
    assert len(lines) == 5
    assert all(re.findall(r"\d\.\d{6}e.\d\d", line) == ["0.000000e+00"] * 2 for line in lines[2:])


def test_pairs_outside_the_range_are_told(network_file: Path, tmp_path: Path) -> None:
    close = np.array([[0, 0, 0, 0.3, 0, 0, *range(2, 14)]], float)
    system = write_system(tmp_path / "system", frames=1, coord=close)
    lines = compare(network_file, network_file, str(system))
    assert any(re.match(r"note: 1 pair of A-B closer than .* closest 0.300 A", x) for x in lines)


def test_large_systems_are_sampled(toy_file: Path, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(module, "MOST_FRAMES", 4)
    coords, *_ = toy.random_frames(9, 6)
    system = write_system(tmp_path / "system", frames=9, coord=coords)
    assert " 3 frames of 1 system" in compare(toy_file, toy_file, str(system))[0]
