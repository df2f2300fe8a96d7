"""`compute deeptf/tensor/atom`: dipoles and polarizabilities of the atoms are those of Python."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from lammps_models import RCUT, write_model
from lammps_runs import Atoms, Lammps, crystal, read_dump, write_data

from deeptf.infer import DeepDipole, DeepPolar
from deeptf.model.fitting.dipole import DipoleFitting
from deeptf.model.fitting.polar import PolarFitting

ATOMS = crystal((4, 4, 4), tilt=0.1)
KINDS = {
    "dipole": (DeepDipole, DipoleFitting, {"sel_type": 0}),
    "polar": (DeepPolar, PolarFitting, {"fit_diag": False}),
}
SCRIPT = """
units {units}
read_data atoms.data
mass * 10
{before}
{pair}
velocity all create 3000 7
fix moves all nve
compute tensor {group} {style} {words}
dump first all custom 5 tensor.dump id x y z c_tensor[*]
dump_modify first format float %.16g
run 5
"""


@pytest.fixture(scope="module", params=KINDS)
def model(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory):
    opened, kind, given = KINDS[request.param]
    path = tmp_path_factory.mktemp("models") / "tensor.pb"
    with opened(write_model(path, kind=kind, **given)) as found:
        yield found


def script(**parts: str) -> str:
    given = {
        "units": "metal",
        "before": "",
        "pair": f"pair_style zero {RCUT}\npair_coeff * *",
        "group": "all",
        "style": "deeptf/tensor/atom",
        "words": "tensor.pb",
    }
    return SCRIPT.format(**given | parts)


def compare(model: DeepDipole | DeepPolar, folder: Path, types: np.ndarray, atoms: Atoms) -> None:
    for rows in read_dump(folder / "tensor.dump"):
        found = model.eval(rows[None, :, 1:4], atoms.cell[None], types)[0]
        assert np.abs(found).max() > 1e-3
        np.testing.assert_allclose(rows[:, 4:], found, rtol=0, atol=1e-11)


@pytest.mark.parametrize("ranks", [1, 2])
def test_tensors_are_those_of_python(model, ranks: int, lammps: Lammps, tmp_path: Path) -> None:
    write_data(ATOMS, tmp_path / "atoms.data")
    (tmp_path / "tensor.pb").symlink_to(model.path)
    lammps.run(script(style="deeptensor/atom"), tmp_path, ranks)
    compare(model, tmp_path, ATOMS.type, ATOMS)


def test_names_and_groups(lammps: Lammps, tmp_path: Path) -> None:
    """With types in another order, and zeros outside the group, whose atoms are seen all the same.

    The pair style is deeptf itself.
    """
    write_data(ATOMS, tmp_path / "atoms.data")
    write_model(tmp_path / "energy.pb")
    path = write_model(tmp_path / "tensor.pb", kind=DipoleFitting)
    pair = "pair_style deeptf energy.pb\npair_coeff * * B A"
    some = {"before": "group some id <= 20", "group": "some", "words": "tensor.pb B A"}
    lammps.run(script(pair=pair, **some), tmp_path)
    with DeepDipole(path) as model:
        for rows in read_dump(tmp_path / "tensor.dump"):
            found = model.eval(rows[None, :, 1:4], ATOMS.cell[None], 1 - ATOMS.type)[0]
            np.testing.assert_allclose(rows[:20, 4:], found[:20], rtol=0, atol=1e-11)
            assert not rows[20:, 4:].any()


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ({"words": ""}, "`compute deeptf/tensor/atom` must name a model, got none"),
        ({"words": "energy.pb"}, "must be one of dipoles or polarizabilities, got one that gives"),
        ({"words": "tensor.pb A C"}, "must name types of model tensor.pb (A B) or NULL, got C"),
        ({"words": "tensor.pb gpu"}, "`gpu` must be followed by auto, no or yes and nothing else"),
        ({"words": "tensor.pb gpu no A B"}, "and nothing else, got 3 words"),
        ({"words": "tensor.pb A B gpu maybe"}, "`gpu` must be auto, no or yes, got maybe"),
        ({"pair": "pair_style zero 3\npair_coeff * *"}, "a cut-off of at least 4.000000 between"),
        ({"pair": "pair_style deeptf tensor.pb"}, "must be one of energies, got one that gives"),
    ],
)
def test_messages(parts: dict[str, str], message: str, lammps: Lammps, tmp_path: Path) -> None:
    write_data(ATOMS, tmp_path / "atoms.data")
    write_model(tmp_path / "energy.pb")
    write_model(tmp_path / "tensor.pb", kind=DipoleFitting)
    assert message in lammps.message(script(**parts), tmp_path)
