"""Statistics of data and losses at the first step, as deepmd-kit 3.2.0 has them."""

from __future__ import annotations

import gzip
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from deeptf.config import load
from deeptf.data.statistics import Found
from deeptf.data.survey import collect
from deeptf.data.system import System
from deeptf.data.types import names_of
from deeptf.exchange.convert import convert
from deeptf.exchange.frozen import read_arrays
from deeptf.loss import LOSSES as LOSSES_OF
from deeptf.loss.labels import Labels
from deeptf.model.descriptor.loc_frame import LocFrame
from deeptf.model.model import ModelConfig
from deeptf.model.parameters import Parameters
from deeptf.model.roles import with_values
from deeptf.properties import Property
from deeptf.tf import session, tf
from deeptf.train.options import load_input

KINDS = Path(__file__).parents[3] / "shared" / "data" / "models" / "kinds"
STATISTICS = (
    "loc_frame",
    "se_atten_l1_davg_excl",
    "se_e2_a",
    "se_e2_r_fparam_aparam",
    "se_e2_r_oneside_excl",
    "se_e3",
    "polar",
    "polar_full_scale",
    "spin",
)
LOSSES = (  # in losses.json
    "0_dipole",
    "1_dipole",
    "2_polar_full_scale",
    "3_dos",
    "4_spin",
    "5_se_e2_a_oneside",
    "6_srtab",
)
NAMES = {
    "t_avg": "descriptor/mean",
    "t_std": "descriptor/stddev",
    "t_bias_atom_e": "fitting/energy_bias",
    "t_fparam_avg": "fitting/fparam_mean",
    "t_fparam_istd": "fitting/fparam_stddev",
    "t_aparam_avg": "fitting/aparam_mean",
    "t_aparam_istd": "fitting/aparam_stddev",
    "t_constant_matrix": "fitting/constant",
}
pytestmark = pytest.mark.skipif(
    not KINDS.is_dir(), reason="the golden kinds are not in a folder `shared` beside the checkout"
)


def as_rounded(config: ModelConfig) -> ModelConfig:
    """Return a model with the lengths that an op with float32 attributes has."""
    descriptor = config.term.descriptor
    if isinstance(descriptor, LocFrame):
        return config
    start = np.float32(descriptor.rcut_smth)
    rcut = float(start) + float(np.float32(descriptor.rcut) - start)
    return with_values(config, rcut_smth=float(start), rcut=rcut)


def system_of(name: str, config: ModelConfig, wanted: Sequence[Property] = ()) -> System:
    needs = config.needs()
    path, types = KINDS / "data" / Path(name).name, names_of(config.type_map)
    return System(path, types, needs.numb_fparam, needs.numb_aparam, wanted)


@pytest.mark.parametrize("name", STATISTICS)
def test_statistics(name: str) -> None:
    golden = np.load(KINDS / "stats.npz")
    script = json.loads((KINDS / f"{name}.json").read_text())
    config = as_rounded(load_input(script)[0].model)
    wanted = [row for row in config.gives() if row.label]
    systems = [system_of(str(golden[f"{name}/system"]), config, wanted)]
    rows = collect(systems, config.term.collectors(config.num_types))
    found = Found(systems, rows, rows, config.num_types, config.data_stat_protect)
    arrays, _ = config.term.first_arrays(found, config.type_map)
    for source, target in NAMES.items():
        if (key := f"{name}/{source}") in golden:
            value, expected = arrays[target], golden[key]
            value = 1.0 / value if source.endswith("istd") else value
            value = np.tile(value, expected.size // value.size)  # the same for each place
            np.testing.assert_allclose(value, expected, rtol=1e-10, atol=1e-10, err_msg=source)


@pytest.mark.slow
@pytest.mark.parametrize("name", LOSSES)
def test_losses(name: str, tmp_path: Path) -> None:
    golden: dict[str, Any] = json.loads((KINDS / "losses.json").read_text())[name]
    content = gzip.decompress((KINDS / f"{golden['model']}.pb.gz").read_bytes())
    (tmp_path / "old.pb").write_bytes(content)
    convert(tmp_path / "old.pb", tmp_path / "new.pb")
    metadata, arrays = read_arrays(tmp_path / "new.pb")
    config = load(ModelConfig, metadata["model"], "model")
    given = {k: v for k, v in golden["loss"].items() if k != "type"}
    loss = LOSSES_OF[golden["loss"]["type"]](**given).of_model(config.gives())
    system = system_of(golden["system"], config, loss.labels())
    batch = system.batch(range(system.num_frames))
    with tf.Graph().as_default() as graph:
        inputs, labels = config.inputs(), Labels.of(loss.labels())
        outputs = config.build(inputs, Parameters(arrays, frozen=True))
        prefactors = tf.constant(loss.prefactors(1.0))
        total = tf.reduce_mean(loss.build(outputs, labels, inputs, prefactors))
        errors = loss.errors(outputs, labels, inputs)
        names = ("coord", "cell", "atom_type", "frame_row")
        feed = {getattr(inputs, name): getattr(batch, name) for name in names}
        with session(graph) as run:
            total, errors = run.run([total, errors], feed | labels.feed(batch))
    expected = golden["first"]
    assert np.sqrt(total) == pytest.approx(expected["rmse"], rel=1e-7)  # of float32 prefactors
    columns = [expected[f"rmse_{row.key}"] for row in loss.columns()]
    np.testing.assert_allclose(np.sqrt(errors[:, 0] / errors[:, 1]), columns, rtol=1e-10)
