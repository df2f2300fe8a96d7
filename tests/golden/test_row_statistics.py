"""Mean and spread of environment rows are those of deepmd-kit, for the systems that it has seen."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from deeptf.data.survey import collect
from deeptf.data.system import System
from deeptf.model.descriptor.row_sums import RowSums

KINDS = Path(__file__).parents[3] / "shared" / "data" / "models" / "kinds"
NAMES = ("polar", "se_e2_a", "se_e2_r_oneside_excl", "se_e3", "se_atten_l1_davg_excl")


@pytest.mark.skipif(
    not KINDS.exists(), reason="the golden kinds are not in a folder `shared` beside the checkout"
)
@pytest.mark.parametrize("name", NAMES)
def test_statistics(name: str) -> None:
    golden = np.load(KINDS / "stats.npz")
    model = json.loads((KINDS / f"{name}.json").read_text())["model"]
    own, types = model["descriptor"], model["type_map"]
    rcut, rcut_smth = (float(np.float32(own[key])) for key in ("rcut", "rcut_smth"))
    excluded = tuple(tuple(pair) for pair in own.get("exclude_types", ()))
    sums = RowSums(len(types), rcut, rcut_smth, excluded)
    row = collect([System(KINDS / "data" / str(golden[f"{name}/system"]), types)], [sums])[sums]
    places = np.ravel(own["sel"])
    found = sums.normalisation(row, places, own.get("set_davg_zero") is True)
    for value, key in zip(found, ("t_avg", "t_std"), strict=True):
        expected = golden[f"{name}/{key}"].reshape(len(types), places.sum(), -1)[:, 0]
        np.testing.assert_allclose(value[:, : expected.shape[1]], expected, rtol=1e-12)
