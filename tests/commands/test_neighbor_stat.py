"""`deeptf neighbor-stat`: what it prints about a system, and what it refuses."""

import numpy as np
import pytest
from small_run import write_system

from deeptf.__main__ import main
from deeptf.data.neighbor_stat import neighbor_stat


def test_neighbor_stat(tmp_path, capsys):
    system = write_system(tmp_path / "system")
    assert main(["neighbor-stat", "-s", str(system), "-r", "3.5"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "6 frames of 1 systems"
    coord = np.load(system / "set.000" / "coord.npy").reshape(6, 6, 3)
    cell = np.load(system / "set.000" / "box.npy")[0].reshape(3, 3)
    shift = np.stack(np.meshgrid(*[(-1, 0, 1)] * 3), -1).reshape(-1, 3) @ cell
    r = np.linalg.norm(
        coord[:, None, :, None] + shift - coord[:, :, None, None], axis=-1
    )  # frame, centre, neighbour, image
    r[r == 0] = np.inf
    assert lines[1] == f"min_nbor_dist: {r.min():.6f} A"
    near = (r < 3.5).sum(axis=-1)
    most = [int(near[:, :, np.array(t)].sum(axis=-1).max()) for t in ([0, 3], [1, 2, 4, 5])]
    assert lines[2] == f"max_nbor_size: {most} within 3.5 A (A B)"
    assert main(["neighbor-stat", "-s", str(system), "-r", "3.5", "-t", "B", "A"]) == 0
    assert f"max_nbor_size: {most[::-1]} within 3.5 A (B A)" in capsys.readouterr().out


def test_neighbor_stat_of_types_without_names(tmp_path, capsys):
    system = write_system(tmp_path / "system")
    (system / "type_map.raw").unlink()
    assert main(["neighbor-stat", "-s", str(system), "-r", "3"]) == 0
    assert "within 3.0 A (Type_0 Type_1)" in capsys.readouterr().out


def test_what_it_refuses(tmp_path):
    system = str(write_system(tmp_path / "system"))
    with pytest.raises(ValueError, match="`rcut` must be positive"):
        neighbor_stat(system, -1.0)
    with pytest.raises(ValueError, match="'B'"):
        neighbor_stat(system, 3.0, ["A"])
