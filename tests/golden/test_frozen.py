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


@pytest.fixture(params=[1, 2])
def format_number(request: pytest.FixtureRequest) -> int:
    return request.param


@pytest.fixture
def model_file(format_number: int, tmp_path: Path) -> Path:
    path = tmp_path / "model.pb"
    path.write_bytes(gzip.decompress((HERE / f"format_{format_number}.pb.gz").read_bytes()))
    return path


@pytest.mark.parametrize("backend", [None, "tensorflow"])
def test_results_stay(format_number: int, model_file: Path, backend: str | None) -> None:
    golden = np.load(HERE / f"format_{format_number}.npz")
    with DeepPot(model_file, backend=backend) as pot:
        assert pot.backend == ("engine" if format_number == 2 and not backend else "tensorflow")
        assert not pot.outside
        found = pot.eval(golden["coord"], golden["cell"], golden["type"])
    for name, value in zip(("energy", "force", "virial"), found, strict=True):
        np.testing.assert_allclose(value.ravel(), golden[name].ravel(), rtol=1e-12, atol=1e-12)


def test_arrays_can_be_read_to_train_on(format_number: int, model_file: Path) -> None:
    description, arrays = frozen.read_arrays(model_file)
    assert description["format"] == format_number
    assert description["type_map"] == ["A", "B"]
    assert NODES in arrays
    assert (RANGE in arrays) == (format_number > 1)  # else numbers of nodes are measured anew
