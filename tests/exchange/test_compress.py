"""Compressed models: tables that keep the bound, whatever model they come from."""

from __future__ import annotations

import gzip
from pathlib import Path

import curve_twins
import numpy as np
import pytest
from array_names import SHORTEST
from exchange.deepmd_models import golden_graph, set_constant, write
from exchange.full_model import CLOSEST, RCUT, RCUT_SMTH, write_full
from small_run import write_system

from deeptf.exchange.compress import Data, compress
from deeptf.exchange.convert import convert
from deeptf.exchange.model_file import ModelFile, read_model
from deeptf.infer.backend import ENGINE, TENSORFLOW
from deeptf.infer.deep_pot import DeepPot
from deeptf.model.descriptor.se_e2_a import SeE2A
from deeptf.model.descriptor.se_e2_r import SeE2R
from deeptf.model.ranges import Argument

FORMAT_1 = Path(__file__).parents[1] / "golden" / "frozen" / "format_1.pb.gz"
PLACES = np.array([[i, j, k] for i in (0, 1) for j in (0, 1) for k in (0, 1)][:6]) * 2.6
COORD = (PLACES + np.random.default_rng(3).normal(0, 0.15, (4, 6, 3))).reshape(4, 18)
CELL = np.tile(5.2 * np.eye(3).ravel(), (4, 1))
TYPES = [0, 1, 1, 0, 1, 1]


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_full(tmp_path_factory.mktemp("full") / "full.pb")


def evaluated(path: Path, backend: str | None = None) -> list[np.ndarray]:
    """Return energies, forces and virials of frames."""
    with DeepPot(path, backend=backend) as potential:
        return list(potential.eval(COORD, CELL, TYPES))


def largest_difference(found: list[np.ndarray], expected: list[np.ndarray]) -> float:
    """Return the largest difference, relative to the largest value of its kind."""
    pairs = zip(found, expected, strict=True)
    return max(np.abs(a - b).max() / max(1.0, np.abs(b).max()) for a, b in pairs)


def error_of_slope(model: ModelFile, name: str, number: int, argument: Argument) -> float:
    """Return the largest error of dG/dr (1/A) of a net of centre 0 between its data's end and rcut.

    It is that of the table in the file against the layers in the file.
    """
    row, grid = (model.constant(f"descriptor/table{part}") for part in ("_row", "_grid"))
    distance = np.linspace(float(np.array(model.data_end, float)[0, 0]) + 1e-9, RCUT, 20_001)[:-1]
    x = argument.at(distance, 0)
    segments = len(grid) // 4
    part = slice(number * segments, (number + 1) * segments + 1)
    nodes = model.constant("descriptor/table").astype(np.float64)[:, :, :8]
    _, slope = curve_twins.curve(nodes, row[part], grid[part][:segments], x)
    value, exact = x[:, None], np.ones((len(x), 1))
    for layer in range(3):
        matrix, bias = (model.arrays[f"{name}/{layer}/{kind}"] for kind in ("matrix", "bias"))
        y = np.tanh(value @ matrix + bias)
        tangent = (exact @ matrix) * (1 - y * y)
        times = y.shape[1] // value.shape[1]
        if times in (1, 2):
            y, tangent = y + np.tile(value, times), tangent + np.tile(exact, times)
        value, exact = y, tangent
    of_distance = np.abs(np.gradient(x, distance))
    return float((np.abs(slope - exact).max(axis=1) * of_distance).max())


def test_tables_keep_the_bound(full: Path, tmp_path: Path) -> None:
    """And a tighter one has a smaller error of energies and forces."""
    exact, errors = evaluated(full), []
    for tolerance in (1e-3, 1e-7):
        path = tmp_path / f"{tolerance}.pb"
        lines = compress(full, path, tolerance=tolerance)
        model = read_model(path)
        statistics = (model.arrays[f"descriptor/{name}"][:, 0] for name in ("mean", "stddev"))
        argument = Argument(RCUT_SMTH, RCUT, *statistics)
        found = error_of_slope(model, "descriptor/embedding_0_0", 0, argument)
        assert 1e-3 * tolerance < found <= tolerance
        said = float(lines[2].split("dG/dr ")[1].split()[0])
        assert 0.5 * found <= said <= 1.05 * tolerance
        errors.append(largest_difference(evaluated(path), exact))
    assert errors[1] < 0.01 * errors[0] < 1e-3


@pytest.mark.parametrize("kind", [SeE2A, SeE2R])
def test_float32(kind: type, tmp_path: Path) -> None:
    full = write_full(tmp_path / "full.pb", kind)
    compress(full, tmp_path / "double.pb")
    compress(full, tmp_path / "single.pb", "float32")
    exact = evaluated(full)
    for backend in (ENGINE, TENSORFLOW):
        found = evaluated(tmp_path / "single.pb", backend)
        assert 1e-9 < largest_difference(found, exact) < 1e-5
    double, single = (read_model(tmp_path / f"{name}.pb") for name in ("double", "single"))
    assert len(single.content) < len(double.content)
    stages = {stage["kernel"]: stage for stage in single.metadata["plan"][0]["stages"]}
    assert stages["embedding_sum"]["precision"] == "float32"
    assert stages["fitting_net"]["precision"] == "float32"
    assert single.constant(stages["fitting_net"]["nets"][0][0]["matrix"]).dtype == np.float32


def test_close_nodes_do_not_harm_float32(full: Path, tmp_path: Path) -> None:
    exact = evaluated(full)
    for tolerance in (2e-5, 5e-7):
        compress(full, tmp_path / "new.pb", "float32", tolerance)
        for backend in (ENGINE, TENSORFLOW):
            assert largest_difference(evaluated(tmp_path / "new.pb", backend), exact) < 1e-5


def test_a_converted_model(tmp_path: Path) -> None:
    graph = golden_graph()
    set_constant(graph, "train_attr/min_nbor_dist", np.float64(2.0))
    convert(write(graph, tmp_path / "old.pb"), tmp_path / "full.pb")
    assert not read_model(tmp_path / "full.pb").tabulated
    lines = compress(tmp_path / "full.pb", tmp_path / "new.pb", tolerance=1e-7)
    model = read_model(tmp_path / "new.pb")
    assert model.tabulated and len(lines) == 4
    np.testing.assert_array_equal(model.arrays[SHORTEST], np.full((3, 3), 2.0))
    assert 1.4 < np.min(model.data_end) <= 1.6
    assert model.metadata["training_script"] is not None
    found, exact = (evaluated(tmp_path / f"{name}.pb") for name in ("new", "full"))
    assert largest_difference(found, exact) < 1e-6


def test_a_file_of_format_1(tmp_path: Path) -> None:
    old = tmp_path / "old.pb"
    old.write_bytes(gzip.decompress(FORMAT_1.read_bytes()))
    golden = np.load(FORMAT_1.with_name("format_1.npz"))
    compress(old, tmp_path / "new.pb")
    with DeepPot(tmp_path / "new.pb") as potential:
        atoms = golden["coord"].reshape(1, -1), golden["cell"].reshape(1, 9), golden["type"].ravel()
        force = potential.eval(*atoms)[1]
    np.testing.assert_allclose(force.ravel(), golden["force"].ravel(), rtol=0, atol=1e-4)
    assert read_model(tmp_path / "new.pb").metadata["plan"] is not None


def test_a_model_with_tables_is_compressed_anew(full: Path, tmp_path: Path) -> None:
    first, again, fine = (tmp_path / f"{name}.pb" for name in ("first", "again", "fine"))
    compress(full, first)
    compress(first, again)
    one, other = read_model(first), read_model(again)
    assert one.metadata == other.metadata
    for name in one.metadata["constants"]:
        np.testing.assert_array_equal(one.constant(name), other.constant(name))
    compress(first, fine, tolerance=1e-9)
    assert largest_difference(evaluated(fine), evaluated(full)) < 1e-7
    before = first.stat().st_size / 1e6
    assert compress(fine, again)[0].endswith(
        f": {before:.3f} MB, was {fine.stat().st_size / 1e6:.3f} MB"
    )


def test_the_range_of_the_data(full: Path, tmp_path: Path) -> None:
    """It is what the model knows; its training data may be closer, other data do not count."""
    new = tmp_path / "new.pb"
    system = str(write_system(tmp_path / "system"))

    def data_end(source: Path, data: Data) -> float:
        compress(source, new, data=data)
        return float(np.min(read_model(new).data_end))

    assert data_end(full, Data(others=[system])) == pytest.approx(0.8 * CLOSEST)
    close = COORD[:1] + 0.0
    close[0, :3] = close[0, 3:6] + [1.1, 0, 0]
    close = str(write_system(tmp_path / "close", frames=1, coord=close))
    assert data_end(full, Data(training=[close])) == pytest.approx(0.8 * 1.1)
    graph = golden_graph()
    set_constant(graph, "model_attr/tmap", "A B C")
    convert(write(graph, tmp_path / "old.pb"), tmp_path / "converted.pb")
    converted = tmp_path / "converted.pb"
    lines = compress(converted, new)
    np.testing.assert_array_equal(read_model(new).arrays[SHORTEST], np.ones((3, 3)))
    assert "taken to end at 0.800 A; --system or --training-script names data" in lines[1]
    assert 1.2 < data_end(converted, Data(others=[system])) < 2.0
    lines = compress(converted, new, data=Data(training=[system]))
    assert lines[1].startswith("atoms come as close as ") and lines[1].endswith("in 1 system")


@pytest.mark.parametrize("tolerance", [0.0, -1e-5, float("nan"), float("inf")])
def test_a_bound_that_is_none(tolerance: float, full: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"`tolerance` must be positive \(1/A\), got"):
        compress(full, tmp_path / "new.pb", tolerance=tolerance)


def test_the_input_is_not_overwritten(full: Path) -> None:
    before = full.read_bytes()
    with pytest.raises(ValueError, match="`output` must be another file than the source"):
        compress(full, full)
    assert full.read_bytes() == before


def test_nets_that_have_no_slope_everywhere(tmp_path: Path) -> None:
    source = write_full(tmp_path / "full.pb", activation_function="relu")
    with pytest.raises(ValueError, match=r"full\.pb cannot be compressed: .*derivatives jump"):
        compress(source, tmp_path / "new.pb")


def test_a_model_of_another_program(tmp_path: Path) -> None:
    source = write(golden_graph(), tmp_path / "old.pb")
    with pytest.raises(ValueError, match="convert it: `deeptf convert"):
        compress(source, tmp_path / "new.pb")
