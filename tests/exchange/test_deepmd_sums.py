"""Sums of models of deepmd-kit: names of their parts, and parts without a training input."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from deepmd_models import GOLDEN, write

from deeptf.exchange.convert import convert
from deeptf.exchange.deepmd.script import NAME
from deeptf.exchange.deepmd.sums import _alone
from deeptf.exchange.frozen import read_arrays
from deeptf.tf import tf


@pytest.mark.parametrize(
    ("name", "alone"),
    [
        ("o_energy_model1", "o_energy"),
        ("filter_type_all_model1_0/matrix_1", "filter_type_all_0/matrix_1"),
        ("load_model1/o_energy", "o_energy"),
        ("load_model1/o_energy_model1", "o_energy_model1"),  # a part of a sum that is a part
        ("type_embed_net_model0/matrix_1", "type_embed_net/matrix_1"),  # of a part before it
        ("o_energy_model0", "o_energy_model0"),
    ],
)
def test_names_in_a_part(name: str, alone: str) -> None:
    assert _alone(name, 1) == alone


@pytest.mark.parametrize("kind", ["se_e3", "se_a_ebd_v2"])
def test_parts_without_a_training_input(kind: str, tmp_path: Path) -> None:
    """The ops are those of se_e2_a."""
    content = gzip.decompress((GOLDEN / "kinds" / f"{kind}.pb.gz").read_bytes())
    graph = tf.GraphDef.FromString(content)
    kept = tf.GraphDef(versions=graph.versions)
    kept.node.extend(node for node in graph.node if node.name != NAME)
    convert(write(kept, tmp_path / "old.pb"), tmp_path / "new.pb")
    description, _ = read_arrays(tmp_path / "new.pb")
    assert description["model"]["descriptor"]["type"] == kind


def test_a_part_that_is_a_frozen_model_stays_one(tmp_path: Path) -> None:
    """So a run that starts from the sum with the input of its training leaves it as it is."""
    content = gzip.decompress((GOLDEN / "kinds/linear_sum.pb.gz").read_bytes())
    (tmp_path / "old.pb").write_bytes(content)
    convert(tmp_path / "old.pb", tmp_path / "new.pb")
    first, second = read_arrays(tmp_path / "new.pb")[0]["model"]["models"]
    assert (first["type"], second["type"]) == ("standard", "frozen")
    assert second["model_file"].endswith("se_e2_r.pb")
    assert second["model"]["descriptor"]["type"] == "se_e2_r"
