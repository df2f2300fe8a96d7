"""Runs of sums of models, some of whose parts come from files, from the input to the energies."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import numpy as np
import pytest
from small_run import INPUT, TYPES, changed_input, write_elements, write_run, write_table

from deeptf.config import load
from deeptf.exchange import frozen
from deeptf.exchange.compress import compress
from deeptf.exchange.convert import convert
from deeptf.exchange.frozen import read_arrays
from deeptf.infer.deep_pot import DeepPot
from deeptf.input_file import ConfigError
from deeptf.model.scopes import below
from deeptf.model.table_arrays import NODES
from deeptf.train import checkpoint
from deeptf.train.freeze import freeze
from deeptf.train.options import InputConfig, load_input
from deeptf.train.run import train
from deeptf.train.start import start

PART = {key: INPUT["model"][key] for key in ("descriptor", "fitting_net")}
RADIAL = {
    "descriptor": {"type": "se_e2_r", "sel": [8, 16], "rcut": 3.0, "neuron": [4]},
    "fitting_net": {"neuron": [6], "precision": "float32"},
}
GOLDEN = Path(__file__).parents[1] / "golden"
BASE = {"type": "frozen", "model_file": "base.pb"}


def written_sum(*parts: dict[str, object], **keys: object) -> Path:
    """Write an input whose model is the sum of these parts; return its path."""
    script = changed_input({"training/numb_steps": 6, "training/save_freq": 3})
    script["model"] = {"type": "linear_ener", "models": parts, "weights": "sum", **keys}
    Path("input.json").write_text(json.dumps(script))
    return Path("input.json")


def energies(path: str, backend: str | None = None) -> np.ndarray:
    """Return the energies of the frames of the system."""
    coord, cell = (np.load(f"system/set.000/{name}.npy") for name in ("coord", "box"))
    with DeepPot(path, backend=backend) as pot:
        return pot.eval(coord, cell, TYPES)[0]


@pytest.fixture
def base(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the path of a trained model, base.pb in the current folder."""
    monkeypatch.chdir(tmp_path)
    train(write_run(tmp_path, {"training/numb_steps": 3}))
    freeze(".", "base.pb")
    for path in tmp_path.glob("model.ckpt*"):
        path.unlink()
    return tmp_path / "base.pb"


def test_what_is_added_to_a_model_from_a_file(base: Path, capsys: pytest.CaptureFixture) -> None:
    path = written_sum(RADIAL, BASE)
    assert train(path) == 0
    assert "models[0]: energy bias in eV" in capsys.readouterr().out
    assert train(path, restart=".") == 0  # nothing is left to do
    freeze(".", "sum.pb")
    of_base, arrays = read_arrays("base.pb")[1], read_arrays("sum.pb")[1]
    own = below(arrays, "1")
    assert own.keys() == of_base.keys()
    for name, value in of_base.items():
        if not name.endswith(NODES):  # numbers of nodes are measured again
            np.testing.assert_array_equal(own[name], value)
    script = changed_input({"training/numb_steps": 6, "model": {**RADIAL, "type_map": ["A", "B"]}})
    radial = load(InputConfig, script).model
    frozen.write(radial, below(arrays, "0"), "radial.pb")
    parts = energies("radial.pb") + energies("base.pb")
    base.unlink()  # the sum has all of it
    np.testing.assert_allclose(energies("sum.pb"), parts, rtol=1e-8)
    assert checkpoint.load(".").meta["input"]["model"]["models"][1]["model"]["type"] == "standard"


def test_parts_share_the_energies_that_others_leave(
    base: Path, capsys: pytest.CaptureFixture
) -> None:
    """The first energies of a sum are the labels' mean, whatever parts from files and tables say.

    Biases of parts add up to what makes the mean over the frames of one composition right.
    """
    np.savetxt("pairs.tab", [[0.1 * k, *[40.0 / k] * 3] for k in range(1, 41)])
    table = {"type": "pairtab", "tab_file": "pairs.tab", "rcut": 3.0}
    run = start(written_sum(RADIAL, BASE, table, PART, weights=[0.5, 2.0, 1.5, 1.0]))
    out = capsys.readouterr().out
    assert "without the other parts: models[0]: energy bias in eV" in out
    assert out.count("models[3]: energy bias in eV") == 2
    script = json.loads(Path("input.json").read_text())
    script["model"] = {**table, "type_map": ["A", "B"]}
    Path("table.json").write_text(json.dumps(script))
    freeze("table.json", "table.pb")
    given = 2.0 * energies("base.pb") + 1.5 * energies("table.pb")
    assert np.abs(energies("table.pb")).min() > 1
    first, last = (run.values[f"{k}/fitting/energy_bias"] for k in (0, 3))
    composition = np.bincount(TYPES)
    biased = composition @ (0.5 * first + last)
    label = np.load("system/set.000/energy.npy").reshape(-1, 1)
    assert np.mean(given) + biased == pytest.approx(np.mean(label), abs=1e-8)


def test_a_mean_of_like_parts_keeps_its_biases(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.chdir(tmp_path)
    write_run(tmp_path)
    start(written_sum(PART, RADIAL, type_map=["A", "B"], weights="mean"))
    assert "without the other parts" not in capsys.readouterr().out


def test_a_part_may_be_a_compressed_model_of_deepmd_kit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write_run(tmp_path)
    (tmp_path / "system/type_map.raw").write_text("O\nH\n")
    packed = GOLDEN / "kinds/se_atten_v2_l0_compressed.pb.gz"
    Path("base.pb").write_bytes(gzip.decompress(packed.read_bytes()))
    path = written_sum(BASE, RADIAL, type_map=["O", "H"])
    assert train(path) == 0
    last = checkpoint.load(".").arrays
    train(path, restart="model.ckpt-3")
    for name, value in checkpoint.load(".").arrays.items():
        np.testing.assert_array_equal(value, last[name])
    freeze(".", "sum.pb")
    assert train(path, init_frozen="sum.pb") == 0  # there are tables, but of a part that stays
    convert("base.pb", "new.pb")
    with pytest.raises(ValueError, match="new.pb must have embedding nets to train on from it"):
        train(path, init_frozen="new.pb")


def test_parts_of_a_sum_all_train(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Training goes on from a checkpoint as if it had not stopped."""
    monkeypatch.chdir(tmp_path)
    write_run(tmp_path)
    path = written_sum(PART, PART, type_map=["A", "B"], weights=[0.5, 1.5])
    train(path)
    last = checkpoint.load(".").arrays
    train(path, restart="model.ckpt-3")
    again = checkpoint.load(".").arrays
    first = checkpoint.load("model.ckpt-3").arrays
    for name, value in last.items():
        np.testing.assert_array_equal(again[name], value)
    for number in (0, 1):
        name = f"{number}/fitting/type_0/0/matrix"
        assert not np.array_equal(first[name], last[name])


def test_a_mean_of_models_from_files_needs_no_training(base: Path) -> None:
    path = written_sum(BASE, BASE, weights=[0.25, 2.0])
    with pytest.raises(ValueError, match="`model/type` must be one of models that can be trained"):
        train(path)
    freeze(path, "mean.pb")
    np.testing.assert_allclose(energies("mean.pb"), 2.25 * energies("base.pb"), rtol=1e-12)


def test_parts_may_name_the_types_of_the_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    path = written_sum(PART, {**RADIAL, "type_map": ["A", "B"]}, type_map=["A", "B"])
    assert load_input(path)[0].model.type_map == ("A", "B")
    path = written_sum(PART, {**RADIAL, "type_map": ["B", "A"]}, type_map=["A", "B"])
    with pytest.raises(ConfigError, match=r"models\[1\]/type_map: is not supported, got"):
        load_input(path)


BLEND = {"use_srtab": "pairs.tab", "smin_alpha": 0.2, "sw_rmin": 1.8, "sw_rmax": 3.0}
WALL = {"zbl": {"rin": 1.0, "rout": 3.0}}


@pytest.fixture
def blended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the path of a trained model with a blend, and of its table, in the current folder."""
    monkeypatch.chdir(tmp_path)
    write_table(tmp_path / "pairs.tab")
    changes = {f"model/{key}": value for key, value in BLEND.items()}
    train(write_elements(tmp_path, {**changes, "training/numb_steps": 3}))
    freeze(".", "base.pb")
    for path in tmp_path.glob("model.ckpt*"):
        path.unlink()
    return tmp_path / "base.pb"


def test_blends_and_walls_of_parts(blended: Path, capsys: pytest.CaptureFixture) -> None:
    """A restart is bit for bit, and needs no files; parts of the frozen model add up to it."""
    path = written_sum(
        {**PART, **BLEND}, {**RADIAL, **WALL}, BASE, type_map=["C", "H"], weights=[0.8, -0.5, 1.0]
    )
    assert train(path) == 0
    said = capsys.readouterr().out
    assert "without the wall up to 3.0 A and the other parts: models[1]: energy bias in eV" in said
    last = checkpoint.load(".").arrays
    for name in ("pairs.tab", "model.ckpt-6.npz"):
        Path(name).unlink()
    train(path, restart="model.ckpt")
    again = checkpoint.load(".").arrays
    assert again.keys() == last.keys()
    for name, value in last.items():
        np.testing.assert_array_equal(again[name], value)
    freeze(".", "sum.pb")
    model, arrays = load_input(path)[0].model, read_arrays("sum.pb")[1]
    for number, part in enumerate(model.term.models):
        frozen.write(model.of(part), below(arrays, str(number)), f"part{number}.pb")
    parts = [energies(f"part{number}.pb") for number in range(3)]
    np.testing.assert_allclose(parts[2], energies("base.pb"), rtol=1e-8)
    expected = 0.8 * parts[0] - 0.5 * parts[1] + parts[2]
    for backend in ("engine", "tensorflow"):
        np.testing.assert_allclose(energies("sum.pb", backend), expected, rtol=1e-8)
    compress("sum.pb", "small.pb", tolerance=1e-4)
    np.testing.assert_allclose(energies("small.pb"), expected, atol=1e-3)


def test_lengths_of_a_blend_belong_to_the_weights(
    blended: Path, capsys: pytest.CaptureFixture
) -> None:
    """A restart refuses others, a new run takes the old ones and says so."""
    train(written_sum({**PART, **BLEND}, BASE))
    path = written_sum({**PART, **BLEND, "sw_rmax": 2.5}, BASE)
    with pytest.raises(ValueError, match=r"model/models\[0\]/sw_rmax must be 3\.0, got 2\.5"):
        start(path, restart=".")
    capsys.readouterr()
    run = start(path, init_model=".")
    assert run.config.model.term.models[0].sw_rmax == 3.0
    said = capsys.readouterr().out
    assert "note: model/models[0]/sw_rmax is 3.0 as in" in said and "not 2.5" in said


def test_parts_are_fitted_to_what_their_walls_leave(blended: Path) -> None:
    """They share the energy bias of one model with the same wall."""
    bias = "fitting/energy_bias"
    types = {"type_map": ["C", "H"]}
    walled = start(written_sum({**RADIAL, **WALL}, RADIAL, **types, weights="sum")).values
    alone = {}
    for name, wall in {"walled": WALL, "plain": {}}.items():
        changed = changed_input({"model": {**RADIAL, **wall, **types}})
        Path("input.json").write_text(json.dumps(changed))
        alone[name] = start("input.json").values[bias]
    shared = walled[f"0/{bias}"] + walled[f"1/{bias}"]
    np.testing.assert_allclose(shared, alone["walled"], rtol=1e-9)
    assert np.abs(alone["walled"] - alone["plain"]).max() > 1e-3


def test_other_types_of_parts(blended: Path) -> None:
    """Tables of parts are those of the types that go on; walls have the numbers of elements."""
    parts = {**RADIAL, **BLEND}, {**RADIAL, **WALL}
    train(written_sum(*parts, type_map=["C", "H"]))
    nodes = checkpoint.load(".").arrays["0/short_range/nodes"]
    Path("system/type_map.raw").write_text("H\nC\n")
    values = start(written_sum(*parts, type_map=["H", "C"]), finetune=".").values
    np.testing.assert_array_equal(values["0/short_range/nodes"], nodes[::-1])
    np.testing.assert_array_equal(values["1/short_range/atomic_number"], [1.0, 6.0])
    descriptor = {**RADIAL["descriptor"], "sel": [16, 8, 2]}
    three = ({**part, "descriptor": descriptor} for part in parts)
    with pytest.raises(ValueError, match=r"pair table pairs\.tab must have all types, but lacks"):
        start(written_sum(*three, type_map=["H", "C", "O"]), finetune=".")


def test_walls_at_freezing(blended: Path) -> None:
    """A wall beside a sum is one of the whole; there must be none in its parts."""
    train(written_sum(PART, RADIAL, type_map=["C", "H"]))
    freeze(".", "wall.pb", (0.5, 1.5))
    np.testing.assert_array_equal(
        read_arrays("wall.pb")[1]["short_range/atomic_number"], [6.0, 1.0]
    )
    for number, (parts, key) in enumerate(
        [((PART, {**RADIAL, **WALL}), "models[1]/zbl"), ((PART, BASE), "models[1]/use_srtab")]
    ):
        train(written_sum(*parts, type_map=["C", "H"]))
        with pytest.raises(ValueError) as caught:
            freeze(".", f"no{number}.pb", (0.5, 1.5))
        assert f"must go with a model without a wall, got one with {key}" in str(caught.value)


def test_a_model_from_a_file_alone(blended: Path) -> None:
    """It is that of the file, with its blend."""
    Path("one.json").write_text(json.dumps({"model": BASE}))
    freeze("one.json", "one.pb")
    for backend in ("engine", "tensorflow"):
        np.testing.assert_array_equal(energies("one.pb", backend), energies("base.pb", backend))


def test_errors_of_files(base: Path) -> None:
    path = written_sum(RADIAL, {**BASE, "model_file": "none.pb"})
    message = r"model/models\[1\]/model_file: .* none.pb: .* got no such file"
    with pytest.raises(ConfigError, match=message):
        load_input(path)
    path = written_sum(RADIAL, BASE, type_map=["B", "A"])
    with pytest.raises(ConfigError, match="must be a model of the types B A, got base.pb with A B"):
        load_input(path)
    Path("none.pb").write_bytes(b"no model")
    path = written_sum(RADIAL, {**BASE, "model_file": "none.pb"})
    with pytest.raises(ConfigError, match="must be a frozen model that can be a part, got none.pb"):
        load_input(path)
    content = gzip.decompress((GOLDEN / "kinds" / "dplr_ener.pb.gz").read_bytes())
    Path("charges.pb").write_bytes(content)
    path = written_sum(RADIAL, {**BASE, "model_file": "charges.pb"})
    with pytest.raises(ConfigError, match=r"it has charges .* the whole model takes: give model"):
        load_input(path)
