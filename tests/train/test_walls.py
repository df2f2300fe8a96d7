"""Runs of models with walls and tables of pairs: start, restart, freezing, other types."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import twins
from restarts import assert_goes_on
from small_run import TYPES, write_elements, write_run, write_table

from deeptf.data.errors import DataError
from deeptf.exchange import frozen
from deeptf.exchange.compress import compress
from deeptf.infer.deep_pot import DeepPot
from deeptf.train import checkpoint
from deeptf.train.freeze import freeze
from deeptf.train.run import train
from deeptf.train.start import start

BLEND = {
    "model/use_srtab": "pairs.tab",
    "model/smin_alpha": 0.2,
    "model/sw_rmin": 1.8,
    "model/sw_rmax": 3.0,
}
WALL = {"model/zbl": {"rin": 1.0, "rout": 3.0}}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def forces(model: str, backend: str) -> np.ndarray:
    coord, box = (np.load(f"system/set.000/{name}.npy") for name in ("coord", "box"))
    with DeepPot(model, backend=backend) as pot:
        return pot.eval(coord, box, TYPES)[1]


@pytest.mark.parametrize(
    "changes", [BLEND, WALL, {**WALL, **{k: v for k, v in BLEND.items() if "srtab" not in k}}]
)
def test_runs(changes: dict[str, Any], folder: Path) -> None:
    """A restart in the middle is bit for bit, and the frozen model gives what was learnt."""
    write_table(folder / "pairs.tab")
    mixed = {"training/training_data/batch_size": "mixed:2"}
    assert train(write_elements(folder, {**changes, **mixed})) == 0
    (folder / "pairs.tab").unlink()  # its splines are in the checkpoint
    assert_goes_on(folder, 20)
    freeze(folder, "frozen.pb")
    found = forces("frozen.pb", "engine")
    np.testing.assert_allclose(found, forces("frozen.pb", "tensorflow"), atol=1e-10)
    compress("frozen.pb", "small.pb", tolerance=1e-4)
    np.testing.assert_allclose(forces("small.pb", "engine"), found, atol=1e-3)


def test_labels_hold_the_energies_of_a_wall(folder: Path, capsys: pytest.CaptureFixture) -> None:
    """The energy bias is fitted to what the wall leaves of them."""
    run = start(write_elements(folder, WALL))
    out = capsys.readouterr().out
    assert "without the wall up to 3.0 A: energy bias in eV: C -2.9" in out
    assert "note: the wall acts on labelled pairs, from 2.118 A on, and the nets learn to" in out
    energy = np.load("system/set.000/energy.npy")
    coord, box = (np.load(f"system/set.000/{name}.npy") for name in ("coord", "box"))
    types, number = np.array(TYPES, np.int32), [6.0, 1.0]
    walls = []
    for x, cell in zip(coord.reshape(-1, 6, 3), box.reshape(-1, 1, 3, 3), strict=True):
        pairs = twins.neighbor_pairs(x, cell, types, [0, 6], 3.0)
        order = twins.sort_pairs(*pairs, types, 2)
        wall = twins.pair_energies(
            lambda r, a, b: twins.zbl(r, number[a], number[b], 1.0, 3.0), order, types
        )
        walls.append(wall[0].sum())
    left = np.mean(energy - walls)
    assert np.abs(walls).max() > 0.01
    bias = run.values["fitting/energy_bias"]
    assert 2 * bias[0] + 4 * bias[1] == pytest.approx(left, abs=1e-9)


def test_a_wall_that_reaches_no_label_changes_no_bias(
    folder: Path, capsys: pytest.CaptureFixture
) -> None:
    start(write_elements(folder, {"model/zbl": {"rin": 1.0, "rout": 2.0}}))
    out = capsys.readouterr().out
    assert "without the wall" not in out and "note: the wall" not in out


def test_a_wall_at_freezing(folder: Path) -> None:
    train(write_elements(folder, {"training/numb_steps": 2}))
    freeze(folder, "plain.pb")
    freeze(folder, "wall.pb", (1.0, 2.0))
    description, arrays = frozen.read_arrays("wall.pb")
    assert description["model"]["zbl"] == {"rin": 1.0, "rout": 2.0}
    np.testing.assert_array_equal(arrays["short_range/atomic_number"], [6.0, 1.0])
    for backend in ("engine", "tensorflow"):
        plain, wall = (forces(name, backend) for name in ("plain.pb", "wall.pb"))
        np.testing.assert_array_equal(wall, plain)
    near = np.array([[0.0, 0, 0, 0.9, 0, 0]])
    found = {}
    for name in ("plain.pb", "wall.pb"):
        with DeepPot(name) as pot:
            found[name] = pot.eval(near, None, [0, 1])
    energy, force = (found["wall.pb"][k] - found["plain.pb"][k] for k in (0, 1))
    value, slope = twins.zbl(0.9, 6.0, 1.0, 1.0, 2.0)
    assert energy.item() == pytest.approx(value) and force[0, 1, 0] == pytest.approx(-slope)
    with pytest.raises(ValueError) as caught:
        freeze(folder, "no.pb", (1.0, 2.5))
    assert "ROUT of `--zbl` must be at most 2.1184 A, the shortest distance in" in str(caught.value)
    assert "got 2.5 A" in str(caught.value) and not Path("no.pb").exists()


def test_one_wall_is_enough(folder: Path) -> None:
    train(write_elements(folder, {**WALL, "training/numb_steps": 2}))
    with pytest.raises(ValueError, match="`--zbl` must go with a model without a wall, got one wi"):
        freeze(folder, "no.pb", (1.0, 2.0))


def test_names_of_no_elements(folder: Path) -> None:
    train(write_run(folder, {"training/numb_steps": 2}))
    with pytest.raises(ValueError, match="must have names of elements for a wall .* got A"):
        freeze(folder, "no.pb", (1.0, 2.0))
    with pytest.raises(ValueError, match="must have names of elements for a wall .* got A"):
        start(write_run(folder, WALL))


def test_tables_that_are_not_there(folder: Path) -> None:
    with pytest.raises(
        ValueError, match=r"pair table must be a text file, got pairs\.tab: no such"
    ):
        start(write_run(folder, BLEND))
    write_table(folder / "pairs.tab", 2.3)
    with pytest.raises(DataError) as caught:
        train(write_run(folder, BLEND))
    assert "A apart, closer than 2.3 A, where it begins" in str(caught.value)
    assert str(caught.value).startswith("system system: atoms ")


@pytest.mark.parametrize("more", [BLEND, WALL])
def test_other_types(more: dict[str, Any], folder: Path) -> None:
    """A table is that of the types which go on; a wall has the numbers of any elements."""
    write_table(folder / "pairs.tab")
    steps = {"training/numb_steps": 2}
    train(write_elements(folder, {**more, **steps}))
    arrays = checkpoint.load(folder).arrays
    Path("system/type_map.raw").write_text("H\nC\n")
    swapped = {**more, **steps, "model/type_map": ["H", "C"]}
    run = start(write_run(folder, swapped), finetune="model.ckpt")
    three = {**swapped, "model/type_map": ["H", "C", "O"], "model/descriptor/sel": [16, 8, 2]}
    if more is WALL:
        np.testing.assert_array_equal(run.values["short_range/atomic_number"], [1.0, 6.0])
        run = start(write_run(folder, three), finetune="model.ckpt")
        np.testing.assert_array_equal(run.values["short_range/atomic_number"], [1.0, 6.0, 8.0])
        return
    nodes = arrays["short_range/nodes"]
    np.testing.assert_array_equal(run.values["short_range/nodes"], nodes[::-1])
    with pytest.raises(ValueError, match=r"pair table pairs\.tab must have all types, but lacks"):
        start(write_run(folder, three), finetune="model.ckpt")


def test_a_table_alone(folder: Path) -> None:
    """It is frozen as it is and runs; there is nothing to train."""
    write_table(folder / "pairs.tab")
    model = {"type": "pairtab", "tab_file": "pairs.tab", "rcut": 3.5, "type_map": ["A", "B"]}
    path = write_run(folder, {})
    script = json.loads(path.read_text())
    path.write_text(json.dumps({**script, "model": model}))
    with pytest.raises(ValueError, match=r"got pairtab: `deeptf freeze -c .*input\.json` makes"):
        train(path)
    assert freeze(path, "table.pb") == path
    np.testing.assert_allclose(
        forces("table.pb", "engine"), forces("table.pb", "tensorflow"), atol=1e-12
    )
    near = np.array([[0.0, 0, 0, 9, 9, 9, 0.0, 0, 0, 0.4, 0, 0]]).reshape(2, 6)
    for backend in ("engine", "tensorflow"):
        with DeepPot("table.pb", backend=backend) as pot:
            with pytest.raises(ValueError) as caught:
                pot.eval(near, None, [0, 1])
            alone = pot.eval(near[:, :3], None, [0])[0]
        message = (
            "atoms [01] and [01] of frame 1 must be at a distance that the pair table has, got "
            "them 0.4 A apart, closer than 0.5 A, where it begins"
        )
        assert re.search(message, str(caught.value))
        np.testing.assert_array_equal(alone, 0)


@pytest.mark.parametrize(
    ("model", "zbl", "message"),
    [
        (
            {"descriptor": {"type": "se_e2_a", "sel": [4, 4]}},
            None,
            "must be the input of a model that nothing trains, such as pairtab, got standard",
        ),
        ({"type": "pairtab", "tab_file": "a", "rcut": 3.0}, None, "give the types in model/type"),
        (
            {"type": "pairtab", "tab_file": "a", "rcut": 3.0, "type_map": ["A"]},
            (1.0, 2.0),
            "must give model/zbl and not `--zbl`",
        ),
    ],
)
def test_inputs_that_cannot_be_frozen(model, zbl, message: str, folder: Path) -> None:
    Path("input.json").write_text(json.dumps({"model": model}))
    with pytest.raises(ValueError, match=message):
        freeze("input.json", "no.pb", zbl)
