"""Frozen models of older versions go on working (made by frozen/make.py)."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest
from array_names import NODES, RANGE

from deeptf.exchange import frozen
from deeptf.infer.deep_pot import DeepPot

HERE = Path(__file__).parent / "frozen"


@pytest.fixture
def model_file(tmp_path: Path) -> Path:
    path = tmp_path / "model.pb"
    path.write_bytes(gzip.decompress((HERE / "format_1.pb.gz").read_bytes()))
    return path


def test_results_stay(model_file: Path) -> None:
    golden = np.load(HERE / "format_1.npz")
    with DeepPot(model_file) as pot:
        assert not pot.outside
        found = pot.eval(golden["coord"], golden["cell"], golden["type"])
    for name, value in zip(("energy", "force", "virial"), found, strict=True):
        np.testing.assert_allclose(value.ravel(), golden[name].ravel(), rtol=1e-12, atol=1e-12)


def test_arrays_can_be_read_to_train_on(model_file: Path) -> None:
    description, arrays = frozen.read_arrays(model_file)
    assert description["type_map"] == ["A", "B"]
    assert NODES in arrays and RANGE not in arrays  # numbers of nodes are measured anew
