"""The plan in a model file, evaluated in NumPy alone, gives what the graph gives."""

from __future__ import annotations

import gzip
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from physics_suite import PhysicsSuite
from plan import KERNELS, Plan
from plan_layers import ACTIVATIONS
from random_model import random_arrays

from deeptf.data.batch import rows_of
from deeptf.exchange import frozen
from deeptf.exchange.convert import convert
from deeptf.exchange.model_file import read_model
from deeptf.infer.deep_pot import DeepPot
from deeptf.model import neighbor_stages, network, short_range_stages, stages, tensor_stages
from deeptf.model.descriptor import DESCRIPTORS
from deeptf.model.descriptor.hybrid import Hybrid
from deeptf.model.descriptor.se_e2_a import SeE2A
from deeptf.model.descriptor.se_e2_r import SeE2R
from deeptf.model.descriptor.se_e3 import SeE3
from deeptf.model.fitting.ener import EnerFitting
from deeptf.model.model import ModelConfig
from deeptf.model.pair_potential import Zbl
from deeptf.model.term.frozen import Frozen
from deeptf.model.term.linear_ener import LinearEner
from deeptf.model.term.pairtab import PairTab
from deeptf.model.term.part import Part
from deeptf.model.term.standard import Standard
from deeptf.model.type_embedding import TypeEmbedding
from deeptf.tf import session, tf

GOLDEN = Path(__file__).parents[1] / "golden"

DESCRIPTOR = {
    "type": "se_e2_a",
    "sel": (5, 7),
    "rcut": 4.0,
    "rcut_smth": 1.0,
    "neuron": (3, 6, 6),
    "axis_neuron": 2,
}
FITTING = EnerFitting(neuron=(5, 5, 4))
ONE_SIDE = {"type_one_side": True}
NETWORK = {"embedding": "network"}
EXCLUDED = {"exclude_types": ((0, 1),)}
FLOAT32 = {"precision": "float32"}
PARAMETERS = {"numb_fparam": 2, "numb_aparam": 1}
RADIAL = {"type": "se_e2_r"}
TYPES = {"type_embedding": TypeEmbedding((3,))}  # of the model
MIXED = {"type": "se_atten", "sel": 12, "attn_layer": 0}
SMOOTH = {**MIXED, "type": "se_atten_v2"}
ATTENTION = {"attn_layer": 2, "attn": 5, "set_davg_zero": False}
GATES = {"type": "se_a_ebd_v2"}
TRIPLES = {"type": "se_e3"}
LOCAL = {
    "type": "loc_frame",
    "sel_a": (3, 2),
    "sel_r": (2, 1),
    "axis_rule": (0, -3, 0, 0, -3, 1) * 2,
}
INNER = Hybrid((SeE3((3, 4), 3.0, 0.5, (3, 6)), SeE2R((3, 4), 3.5, 0.5, (3,))))
HYBRID = {"type": "hybrid", "list": (SeE2A((5, 7), 4.0, 1.0, (3, 6)), INNER)}
CASES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "table": ({}, {}),
    "network": (NETWORK, {}),
    "one side": (ONE_SIDE, {}),
    "one side, network": (ONE_SIDE | NETWORK, {}),
    "excluded": (EXCLUDED, {}),
    "excluded, network": (EXCLUDED | NETWORK, {}),
    "excluded, one side, network": (EXCLUDED | ONE_SIDE | NETWORK, {}),
    "time steps": ({"resnet_dt": True}, {"resnet_dt": False}),
    "time steps, mean of zero, network": (
        {"resnet_dt": True, "set_davg_zero": True} | NETWORK,
        {},
    ),
    "activations": ({"activation_function": "Softplus"}, {"activation_function": "GELU"}),
    "activations, network": (NETWORK | {"activation_function": "relu6"}, {}),
    "isolated atoms, network": (NETWORK, {"atom_ener": (1.5, -2.0)}),
    "isolated atoms, parameters": ({}, {"atom_ener": (None, 0.5), **PARAMETERS}),
    "radial": (RADIAL, {}),
    "radial, network": (RADIAL | NETWORK, {"atom_ener": (1.5, None)}),
    "radial, excluded": (RADIAL | EXCLUDED, {}),
    "radial, excluded, one side": (RADIAL | EXCLUDED | ONE_SIDE, {"atom_ener": (1.5, None)}),
    "radial, excluded, one side, network": (RADIAL | EXCLUDED | ONE_SIDE | NETWORK, {}),
    "radial, vectors of types": (RADIAL | TYPES, {"atom_ener": (1.5, None), **PARAMETERS}),
    "vectors of types": (TYPES, {"atom_ener": (1.5, None)}),
    "vectors of types, one side, network": (TYPES | ONE_SIDE | NETWORK, {}),
    "vectors of types, excluded, network": (TYPES | EXCLUDED | NETWORK, {}),
    "mixed": (MIXED | {"set_davg_zero": False}, {}),
    "mixed, excluded, network": (MIXED | EXCLUDED | NETWORK | {"set_davg_zero": False}, {}),
    "stripped": (MIXED | {"tebd_input_mode": "strip"}, {}),
    "smooth": (SMOOTH, {"atom_ener": (1.5, None)}),
    "smooth, network": (SMOOTH | NETWORK | {"resnet_dt": True}, PARAMETERS),
    "gates, excluded": (GATES | EXCLUDED | ONE_SIDE, {}),
    "gates, network": (GATES | NETWORK, {}),
    "float32, smooth": (SMOOTH | FLOAT32, FLOAT32),
    "float32, gates, network": (GATES | NETWORK | FLOAT32, FLOAT32),
    "attention": (MIXED | ATTENTION, {"atom_ener": (1.5, None)}),
    "attention, excluded, mask": (MIXED | ATTENTION | EXCLUDED | {"attn_mask": True}, {}),
    "attention, smooth": (SMOOTH | ATTENTION | {"sel": 4}, {}),
    "attention, float32": (SMOOTH | ATTENTION | FLOAT32 | {"attn_dotr": False}, FLOAT32),
    "triples": (TRIPLES, {"atom_ener": (1.5, None)}),
    "triples, float32": (TRIPLES | FLOAT32, FLOAT32),
    "triples, network": (TRIPLES | NETWORK, {}),
    "triples, network, float32": (TRIPLES | NETWORK | FLOAT32, FLOAT32),
    "local frames": (LOCAL, {"atom_ener": (1.5, None)}),
    "local frames, float32": (LOCAL | {"sel_r": (0, 0)}, FLOAT32),
    "hybrid": (HYBRID, {"atom_ener": (1.5, None)}),
    "float32": (FLOAT32, FLOAT32),
    "float32, network": (FLOAT32 | NETWORK, FLOAT32),
    "float32 descriptor, radial, isolated atoms": (FLOAT32 | RADIAL, {"atom_ener": (1.5, None)}),
}


def written(path: Path, descriptor: dict[str, Any], fitting: dict[str, Any]) -> ModelConfig:
    """Write a model of random weights, with such changes of its parts."""
    settings = {**DESCRIPTOR, **descriptor}
    section = settings.pop("type_embedding", None)
    kind = DESCRIPTORS[settings.pop("type")]
    known = {field.name for field in fields(kind)}
    made = kind(**{name: value for name, value in settings.items() if name in known})
    term = Standard(made, replace(FITTING, **fitting), section)
    config = ModelConfig(term, ("A", "B"))
    frozen.write(config, random_arrays(config, 1), path)
    return config


def check(path: Path, config: ModelConfig, tolerance: float = 1e-10) -> None:
    """Assert that plan and graph of a file agree on two frames, one without a cell, and with an
    atom that is not there.
    """
    suite = PhysicsSuite()
    suite.config = config
    frames = [suite.frame(), suite.open_frame(1)]
    frames[1]["type"][2] = -1
    names = [name for name in ("fparam", "aparam") if frames[0][name].size]
    given = {name: np.stack([frame[name] for frame in frames]) for name in names}
    coord, cell, types = (np.stack([f[name] for f in frames]) for name in ("coord", "cell", "type"))
    with DeepPot(path) as pot:
        expected = pot.eval(coord.reshape(2, -1), cell.reshape(2, 9), types, atomic=True, **given)
    if "aparam" in given:
        given["aparam"] = given["aparam"].reshape(-1, given["aparam"].shape[-1])
    atoms = coord.reshape(-1, 3), cell, types.ravel(), rows_of([len(t) for t in types])
    found = Plan(path)(*atoms, **given)
    for name, value in zip(("energy", "force", "virial", "atom_energy"), expected, strict=False):
        scale = tolerance * max(1.0, np.max(np.abs(value)))
        np.testing.assert_allclose(found[name].ravel(), value.ravel(), rtol=0, atol=scale)


@pytest.mark.parametrize("name", CASES)
def test_the_plan_gives_what_the_graph_gives(name: str, tmp_path: Path) -> None:
    path = tmp_path / "model.pb"
    config = written(path, *CASES[name])
    check(path, config, 1e-5 if "float32" in name else 1e-10)


@pytest.mark.parametrize(
    "more",
    [
        {"use_srtab": "any.tab", "smin_alpha": 0.3, "sw_rmin": 1.8, "sw_rmax": 3.4},
        {"zbl": Zbl(1.5, 3.9)},
    ],
    ids=["blend", "wall"],
)
def test_models_with_energies_of_pairs(more: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / "model.pb"
    config = replace(written(path, {}, {}), type_map=("O", "H"), **more)
    frozen.write(config, random_arrays(config, 1), path)
    check(path, config)


def test_a_sum_by_its_plan(tmp_path: Path) -> None:
    """Of a part with a shorter cut-off, and of a table of pairs."""
    near = Part(Standard(SeE2R((3, 4), 3.5, 0.5, (3,)), FITTING))
    far = Part(Standard(SeE2A((5, 7), 4.0, 1.0, (3, 6)), FITTING))
    table = Part(PairTab("a.tab", 3.0))
    term = LinearEner((near, Part(LinearEner((far, table), (0.5, 2.0)))), (-1.5, 0.7))
    config = ModelConfig(term, ("A", "B"))
    frozen.write(config, random_arrays(config, 1), tmp_path / "model.pb")
    plan = read_model(tmp_path / "model.pb").metadata["plan"]
    assert [one["type"] for one in plan] == ["standard", "standard", "pairtab"]
    check(tmp_path / "model.pb", config)


def test_a_sum_of_parts_with_energies_of_pairs(tmp_path: Path) -> None:
    """Each in its part and by its weight, whatever it is and wherever it comes from."""
    blend = {"use_srtab": "any.tab", "smin_alpha": 0.3, "sw_rmin": 1.8, "sw_rmax": 3.1}
    near = Standard(SeE2R((3, 4), 3.5, 0.5, (3,)), FITTING)
    far = Standard(SeE2A((5, 7), 4.0, 1.0, (3, 6)), FITTING)
    parts = (
        Part(near, **blend),
        Part(far, zbl=Zbl(1.5, 3.9)),
        Part(Frozen("any.pb", Part(near, **blend, srtab_add_bias=False))),
    )
    config = ModelConfig(LinearEner(parts, (-1.5, 0.7, 2.0)), ("O", "H"))
    frozen.write(config, random_arrays(config, 1), tmp_path / "model.pb")
    plan = read_model(tmp_path / "model.pb").metadata["plan"]
    assert [one["type"] for one in plan] == ["standard", "standard", "short_range", "standard"]
    check(tmp_path / "model.pb", config)


def test_a_converted_model_by_its_plan(tmp_path: Path) -> None:
    """It gives the numbers of deepmd-kit."""
    golden = np.load(GOLDEN / "parameters.npz")
    (tmp_path / "old.pb").write_bytes(gzip.decompress((GOLDEN / "parameters.pb.gz").read_bytes()))
    convert(tmp_path / "old.pb", tmp_path / "new.pb")
    frames, atoms = len(golden["coord"]), len(golden["type"])
    found = Plan(tmp_path / "new.pb")(
        golden["coord"].reshape(-1, 3),
        golden["cell"].reshape(-1, 3, 3),
        np.tile(golden["type"], frames),
        rows_of([atoms] * frames),
        golden["fparam"],
        golden["aparam"].reshape(frames * atoms, -1),
    )
    for name in ("energy", "force", "virial", "atom_energy"):
        expected = golden[f"periodic_{name}"].ravel()
        scale = 1e-10 * max(1.0, np.max(np.abs(expected)))
        np.testing.assert_allclose(found[name].ravel(), expected, rtol=0, atol=scale)


def test_activation_functions() -> None:
    x = np.linspace(-8.0, 8.0, 50)  # none of them where a slope jumps
    with tf.Graph().as_default() as graph:
        at = tf.constant(x)
        values = {name: function(at) for name, function in network.ACTIVATIONS.items()}
        both = {name: (value, tf.gradients(value, at)[0]) for name, value in values.items()}
        with session(graph) as run:
            expected = run.run(both)
    assert set(ACTIVATIONS) == set(expected)
    for name, (value, slope) in expected.items():
        np.testing.assert_allclose(ACTIVATIONS[name][0](x), value, rtol=1e-12, atol=1e-14)
        np.testing.assert_allclose(ACTIVATIONS[name][1](x), slope, rtol=1e-12, atol=1e-14)


def test_all_kernels_are_evaluated() -> None:
    kinds = {
        getattr(kind, "kernel", None)
        for part in (stages, neighbor_stages, short_range_stages, tensor_stages)
        for kind in vars(part).values()
    } - {None}
    assert set(KERNELS) == kinds


def test_a_part_without_stages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As those that TensorFlow alone can run."""
    monkeypatch.delattr(EnerFitting, "plan")
    written(tmp_path / "model.pb", {}, {})
    assert read_model(tmp_path / "model.pb").metadata["plan"] is None


def test_the_constants_of_a_plan_are_in_the_file(tmp_path: Path) -> None:
    path = tmp_path / "model.pb"
    written(path, {}, {"atom_ener": (1.5, None), **PARAMETERS})
    model = read_model(path)
    named = model.metadata["constants"]
    for name, about in named.items():
        found = model.constant(name)
        assert found.dtype == about["type"] and list(found.shape) == about["shape"]
    assert set(strings(model.metadata["plan"])) - values(model.metadata["plan"]) <= set(named)
    assert set(model.arrays) < set(named)


def strings(plan: Any) -> set[str]:
    """Return the strings in a plan that may be names."""
    if isinstance(plan, str):
        return {plan} if "/" in plan else set()
    items = plan.values() if isinstance(plan, dict) else plan if isinstance(plan, list) else ()
    return {text for item in items for text in strings(item)}


def values(plan: list[dict[str, Any]]) -> set[str]:
    """Return the names of the values in a plan."""
    return {stage["gives"] for term in plan for stage in term["stages"]}
