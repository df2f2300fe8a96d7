"""Runs of descriptors whose nets know types by vectors: they learn, and go on bit for bit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from restarts import assert_goes_on
from small_run import write_run

from deeptf.infer.deep_pot import DeepPot
from deeptf.train.freeze import freeze
from deeptf.train.run import train

NETS = {"rcut": 3.5, "rcut_smth": 1.0, "neuron": [4, 8], "axis_neuron": 2}
MIXED = {**NETS, "sel": "auto", "attn_layer": 0}
KINDS: dict[str, dict[str, Any]] = {
    "se_e2_a": {**NETS, "type": "se_e2_a", "sel": [8, 16]},
    "se_a_ebd_v2": {**NETS, "type": "se_a_ebd_v2", "sel": [8, 16], "precision": "float32"},
    "concat": {**MIXED, "type": "dpa1"},
    "strip": {**MIXED, "type": "se_atten", "tebd_input_mode": "strip", "precision": "float32"},
    "smooth": {**MIXED, "type": "se_atten_v2"},
    "network": {**MIXED, "type": "se_atten_v2", "embedding": "network"},
}


@pytest.mark.parametrize("kind", KINDS)
def test_runs(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Mixed batches, a restart in the middle, and the frozen model gives what was learnt."""
    monkeypatch.chdir(tmp_path)
    changes = {
        "model/descriptor": KINDS[kind],
        "model/type_embedding": {"neuron": [2, 4], "resnet_dt": True, "precision": "float32"},
        "training/training_data/batch_size": "mixed:2",
        "training/numb_steps": 40,
        "training/save_freq": 20,
    }
    assert train(write_run(tmp_path, changes)) == 0
    errors = np.genfromtxt("lcurve.out", names=True)["rmse_f_trn"]
    assert errors[-3:].mean() < errors[:2].mean()
    assert_goes_on(tmp_path, 40)
    freeze(tmp_path, "frozen.pb")
    coord, box = (np.load(f"system/set.000/{name}.npy") for name in ("coord", "box"))
    found = {}
    for backend in ("engine", "tensorflow"):
        with DeepPot("frozen.pb", backend=backend) as pot:
            found[backend] = pot.eval(coord, box, [0, 1, 1, 0, 1, 1])[1]
    tolerance = 1e-4 if KINDS[kind].get("precision") == "float32" else 1e-10
    np.testing.assert_allclose(found["engine"], found["tensorflow"], atol=tolerance)
