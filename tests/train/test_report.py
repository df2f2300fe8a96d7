"""Errors of batches, and progress in words."""

from __future__ import annotations

import numpy as np
import pytest

from deeptf.properties import ATOM_DIPOLE, DIPOLE, ENERGY, FORCE, VIRIAL
from deeptf.train.report import names_of_columns, parts_of_errors, root_mean_squares
from deeptf.train.workers import Workers


def test_errors_of_several_batches() -> None:
    batches = [
        (np.array([4.0]), np.array([[1.0, 1], [6.0, 6], [0, 0]])),
        (np.array([2.0, 3.0]), np.array([[8.0, 2], [18.0, 6], [0, 0]])),
    ]
    columns = root_mean_squares(batches, [ENERGY, FORCE, VIRIAL], Workers())
    assert columns["rmse"] == pytest.approx(np.sqrt(3.0))
    assert columns["rmse_e"] == pytest.approx(np.sqrt(3.0))
    assert columns["rmse_f"] == pytest.approx(np.sqrt(2.0))
    assert np.isnan(columns["rmse_v"])  # no labels


def test_names_of_columns() -> None:
    line = names_of_columns([ENERGY, FORCE, VIRIAL])
    assert line == (
        "errors below are root mean squares: e energy per atom (eV), f force (eV/A), v virial per "
        "atom (eV)"
    )
    assert names_of_columns([ATOM_DIPOLE, DIPOLE]).endswith("lc atomic dipole, gl dipole per atom")


def test_errors_in_words() -> None:
    errors = {"training": {"rmse": 2.0, "rmse_e": 0.5, "rmse_f": np.nan}}
    assert parts_of_errors(errors) == ["training: e 5.000e-01"]
