"""Models frozen by deepmd-kit 3.2.0, converted, give its energies, forces and virials (made by
make_peer_models.py and make_peer_sums.py).
"""

from __future__ import annotations

import gzip
import itertools
from pathlib import Path

import numpy as np
import pytest

from deeptf.exchange.convert import convert
from deeptf.exchange.model_file import read_model
from deeptf.infer.backend import ENGINE, TENSORFLOW
from deeptf.infer.deep_pot import DeepPot

HERE = Path(__file__).parent
TOLERANCES = {"float32": 2e-6, "compressed": 1e-8}
OTHER_SHARES = ("sum_of_blends",)  # both atoms have half of the virial of a pair of a table
TENSORFLOW_ALONE = ("attention", "compressed")  # excluded pairs have the mean
SHARED = HERE.parents[2] / "shared" / "data" / "models"
NAMES = sorted(path.name.removesuffix(".pb.gz") for path in HERE.glob("*.pb.gz"))
SIX_ATOMS = np.array(
    """12.83 2.56 2.18  12.09 2.87 2.74  00.25 3.32 1.68  3.36 3.00 1.81  3.51 2.51 2.60  4.27 3.22
    1.56""".split(),
    float,
)
# deepmd-kit 3.2.0, CPU: energy with and without the cell, max |force|, trace of the virial.
PUBLISHED = {
    "deeppot": (-930.969183478772, -930.135831631939, 0.8405844664, -3.1130207803),
    "deeppot-1": (-931.116717943713, -930.093555992783, 1.7756153132, -7.8226647677),
    "deeppot-r": (-933.623644249245, -933.635565226665, 0.0085745631, 0.0528826695),
    "se_atten_no_atten_1": (-938.085737575474, -938.849602490962, 0.8758872683, 4.9219794827),
}
DIGITS = 5e-11  # that force and virial are rounded to


def unpacked(name: str, folder: Path) -> Path:
    """Return the deepmd-kit model as a .pb file."""
    path = folder / f"{name}.pb"
    path.write_bytes(gzip.decompress((HERE / f"{name}.pb.gz").read_bytes()))
    return path


@pytest.mark.parametrize("name", NAMES)
def test_made_models(name: str, tmp_path: Path) -> None:
    golden = np.load(HERE / f"{name}.npz")
    convert(unpacked(name, tmp_path), tmp_path / "new.pb")
    conditions = {key: golden[key] for key in ("fparam", "aparam") if key in golden}
    tolerance = TOLERANCES.get(name, 1e-11)
    labels = ("energy", "force", "virial", "atom_energy", "atom_virial")
    native = read_model(tmp_path / "new.pb").metadata["plan"] is not None
    backends = (ENGINE, TENSORFLOW) if native else (TENSORFLOW,)
    assert native == (name not in TENSORFLOW_ALONE)
    for backend, boundary in itertools.product(backends, ("periodic", "open")):
        cell = golden["cell"] if boundary == "periodic" else None
        with DeepPot(tmp_path / "new.pb", backend=backend) as potential:
            found = potential.eval(golden["coord"], cell, golden["type"], atomic=True, **conditions)
        for label, value in zip(labels, found, strict=True):
            if name in OTHER_SHARES and label == "atom_virial":
                continue
            key = f"{boundary}_{label}"
            expected = golden[key].reshape(value.shape)
            atol = tolerance * max(1.0, np.max(np.abs(expected)))
            np.testing.assert_allclose(value, expected, rtol=0, atol=atol, err_msg=key)


def test_a_sum_whose_parts_have_tables(tmp_path: Path) -> None:
    """A part from a file has no training input, so its graph tells whether it adds the bias."""
    convert(unpacked("sum_of_blends", tmp_path), tmp_path / "new.pb")
    model = read_model(tmp_path / "new.pb").metadata["model"]
    assert model["weights"] == [0.7, -0.4, 1.5]
    first, second, third = model["models"]
    assert first["use_srtab"] == "pairs.tab" and "srtab_add_bias" not in first  # true
    assert "use_srtab" not in second
    assert third["type"] == "frozen"
    inside = third["model"]
    assert inside["srtab_add_bias"] is False and inside["smin_alpha"] == float(np.float32(0.4))


@pytest.mark.parametrize("name", sorted(PUBLISHED))
def test_published_models(name: str, tmp_path: Path) -> None:
    source = SHARED / f"{name}.pbtxt"
    if not source.is_file():
        pytest.skip(f"{name}.pbtxt is not in a folder `shared` beside the checkout")
    convert(source, tmp_path / "new.pb")
    periodic, alone, force, trace = PUBLISHED[name]
    types = [0, 1, 1, 0, 1, 1]
    with DeepPot(tmp_path / "new.pb") as potential:
        assert potential.get_type_map() == ["O", "H"]
        e, f, v = potential.eval(SIX_ATOMS[None], np.eye(3).reshape(1, 9) * 13, types)
        assert e[0, 0] == pytest.approx(periodic, rel=1e-9)
        assert np.max(np.abs(f)) == pytest.approx(force, rel=1e-9, abs=DIGITS)
        assert v[0, ::4].sum() == pytest.approx(trace, rel=1e-9, abs=DIGITS)
        assert potential.eval(SIX_ATOMS[None], None, types)[0][0, 0] == pytest.approx(
            alone, rel=1e-9
        )


def test_a_published_model_with_a_fitting_net_of_one_layer(tmp_path: Path) -> None:
    """Its own numbers of six atoms leave out neighbours beyond `sel`, which deeptf does not."""
    source = SHARED / "se_e2_a_tebd.pbtxt"
    if not source.is_file():
        pytest.skip("se_e2_a_tebd.pbtxt is not in a folder `shared` beside the checkout")
    assert convert(source, tmp_path / "new.pb")[0].startswith("checked against the original graph")
