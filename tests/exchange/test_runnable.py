"""Files of FORMAT 1: their graphs are made anew, with the tables that they have."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest
from plan import Plan
from small_run import write_run

from deeptf.config import load
from deeptf.exchange.model_file import FORMAT, read_model
from deeptf.exchange.runnable import runnable
from deeptf.infer.deep_pot import DeepPot
from deeptf.model.model import ModelConfig
from deeptf.model.parameters import Parameters
from deeptf.model.ranges import FAR
from deeptf.model.table_arrays import TABLE, TABLE_GRID
from deeptf.tf import tf
from deeptf.train.run import train

GOLDEN = Path(__file__).parents[1] / "golden" / "frozen"


@pytest.fixture
def model_file(tmp_path: Path) -> Path:
    path = tmp_path / "model.pb"
    path.write_bytes(gzip.decompress((GOLDEN / "format_1.pb.gz").read_bytes()))
    return path


def without(model_file: Path, name: str) -> None:
    """Take a node out of a file."""
    graph_def = tf.GraphDef.FromString(model_file.read_bytes())
    kept = [node for node in graph_def.node if node.name != name]
    assert len(kept) < len(graph_def.node)
    model_file.write_bytes(tf.GraphDef(node=kept).SerializeToString())


def test_the_table_stays(model_file: Path) -> None:
    """Nobody kept the range that its numbers of nodes belong to, so others would be found."""
    old = read_model(model_file).constant(f"descriptor/{TABLE}")
    renewed = runnable(read_model(model_file))
    assert renewed.metadata["format"] == FORMAT
    assert renewed.digest == read_model(model_file).digest
    np.testing.assert_array_equal(renewed.constant(f"descriptor/{TABLE}"), old)
    starts = renewed.constant(f"descriptor/{TABLE_GRID}")[:, 0].reshape(-1, FAR)
    config = load(ModelConfig, renewed.metadata["model"])
    with tf.Graph().as_default():
        curves = config.tables(Parameters(renewed.arrays))[0].curves
    np.testing.assert_allclose(starts, curves.ends[:, :FAR], rtol=1e-12)


def test_the_plan_gives_the_results_of_that_version(model_file: Path) -> None:
    golden = np.load(GOLDEN / "format_1.npz")
    model_file.write_bytes(runnable(read_model(model_file)).content)
    atoms = golden["coord"].reshape(-1, 3), golden["cell"].reshape(1, 3, 3), golden["type"].ravel()
    found = Plan(model_file)(*atoms, np.array([0, golden["type"].size]))
    for name in ("energy", "force", "virial"):
        np.testing.assert_allclose(found[name].ravel(), golden[name].ravel(), rtol=0, atol=1e-10)


def test_a_run_begins_with_its_arrays(
    model_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    settings = read_model(model_file).metadata["model"]
    changes = {f"model/{part}": settings[part] for part in ("descriptor", "fitting_net")}
    path = write_run(tmp_path, {**changes, "training/numb_steps": 2})
    assert train(path, init_frozen=model_file) == 0


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("stack", "its table cannot be read"),
        ("fitting/energy_bias", "`fitting/energy_bias` must be among the arrays of the model"),
    ],
)
def test_a_part_is_missing(model_file: Path, name: str, message: str) -> None:
    without(model_file, name)
    with pytest.raises(ValueError) as caught:
        DeepPot(model_file)
    assert f"`model_file` must hold a whole graph, got {model_file}" in str(caught.value)
    assert message in str(caught.value)


def test_a_constant_that_a_file_of_today_misses(model_file: Path) -> None:
    model_file.write_bytes(runnable(read_model(model_file)).content)
    without(model_file, "descriptor/sel")
    with pytest.raises(ValueError, match="must hold the constant descriptor/sel, got .*without it"):
        read_model(model_file).constant("descriptor/sel")
