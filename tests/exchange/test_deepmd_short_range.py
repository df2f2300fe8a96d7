"""Tables of pair energies of deepmd-kit: what is wrong with one is said, or found by comparison."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import numpy as np
import pytest
from deepmd_models import GOLDEN, node_of, set_constant, write

from deeptf.exchange import frozen
from deeptf.exchange.compress import compress
from deeptf.exchange.convert import convert
from deeptf.exchange.deepmd.graph import DeepmdGraph
from deeptf.infer.deep_pot import DeepPot
from deeptf.tf import tf

INFO, DATA, SCRIPT = (
    "model_attr/t_tab_info",
    "model_attr/t_tab_data",
    "train_attr/training_script",
)
NAME = "srtab_nobias"


def original() -> tf.GraphDef:
    content = gzip.decompress((GOLDEN / "kinds" / f"{NAME}.pb.gz").read_bytes())
    return tf.GraphDef.FromString(content)


def refusal(graph: tf.GraphDef, folder: Path) -> str:
    with pytest.raises(ValueError) as caught:
        convert(write(graph, folder / "old.pb"), folder / "new.pb")
    return str(caught.value)


@pytest.mark.parametrize("value", [[0.02, 0.02, 199.0, 3.0], [0.02, -0.02, 199.0, 2.0]])
def test_numbers_about_a_table(value: list[float], tmp_path: Path) -> None:
    graph = original()
    set_constant(graph, INFO, np.array(value))
    message = f"`{INFO}` must have a positive step and intervals of 2 types, got {value}"
    assert message in refusal(graph, tmp_path)


def test_tables_that_are_no_smooth_cubics(tmp_path: Path) -> None:
    graph = original()
    data = DeepmdGraph(graph).array(DATA).copy()
    first = data.reshape(2, 2, -1, 4)
    first[0, 0, 7, 3] += 1.0
    set_constant(graph, DATA, data)
    assert f"`{DATA}` must be cubics that go on smoothly, but is not" in refusal(graph, tmp_path)
    first[0, 1, 7, 3] += 1.0
    set_constant(graph, DATA, data)
    assert f"`{DATA}` must be the same for both orders of two types" in refusal(graph, tmp_path)


def test_what_the_training_input_says_is_compared(tmp_path: Path) -> None:
    """The graph alone shows whether a bias is added."""
    graph = original()
    script = json.loads(DeepmdGraph(graph).text(SCRIPT))
    script["model"]["srtab_add_bias"] = True
    set_constant(graph, SCRIPT, json.dumps(script))
    assert "but its graph computes something else" in refusal(graph, tmp_path)


def test_the_lengths_are_those_of_the_op(tmp_path: Path) -> None:
    graph = original()
    node_of(graph, "SoftMinSwitch").attr["alpha"].f = 0.25
    convert(write(graph, tmp_path / "old.pb"), tmp_path / "new.pb")
    description, arrays = frozen.read_arrays(tmp_path / "new.pb")
    model = description["model"]
    assert model["smin_alpha"] == 0.25 and model["sw_rmax"] == float(np.float32(1.4))
    assert model["srtab_add_bias"] is False and model["use_srtab"] == "data/zbl.tab"
    assert arrays["short_range/nodes"].shape == (3, 200, 2)


def test_a_compressed_one_gives_nearly_the_same(tmp_path: Path) -> None:
    golden = np.load(GOLDEN / "kinds" / f"{NAME}.npz")
    convert(write(original(), tmp_path / "old.pb"), tmp_path / "new.pb")
    compress(tmp_path / "new.pb", tmp_path / "small.pb")
    with DeepPot(tmp_path / "small.pb") as pot:
        force = pot.eval(golden["coord"].reshape(1, -1), golden["cell"], golden["types"])[1]
    np.testing.assert_allclose(force, golden["force"].reshape(force.shape), atol=2e-4)
