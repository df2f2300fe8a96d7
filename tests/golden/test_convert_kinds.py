"""Frozen models of all kinds of deepmd-kit 3.2.0 give its numbers."""

from __future__ import annotations

import gzip
from collections.abc import Iterable
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from deeptf.exchange.convert import convert
from deeptf.exchange.model_file import read_model
from deeptf.infer.backend import ENGINE, TENSORFLOW
from deeptf.infer.deep_dos import DeepDOS
from deeptf.infer.deep_pot import DeepPot
from deeptf.infer.deep_tensor import DeepDipole, DeepPolar

MODELS = Path(__file__).parents[3] / "shared" / "data" / "models"
KINDS = MODELS / "kinds"
NAMES = sorted(path.name.removesuffix(".pb.gz") for path in KINDS.glob("*.pb.gz"))
PLAIN = (
    "se_e2_a",
    "se_e2_a_act",
    "se_e2_a_oneside",
    "atom_ener",
    "se_e2_r",
    "se_e2_r_fparam_aparam",
    "se_e2_r_oneside_excl",
    "se_e2_r_tebd",
    "se_e2_a_tebd",
    "se_e2_a_tebd_oneside",
    "se_e3",
    "se_a_ebd_v2",
    "se_a_ebd_v2_twoside",
    "se_atten_l0",
    "se_atten_l1",
    "se_atten_l1_davg_excl",
    "se_atten_l1_mask",
    "se_atten_l1_smooth",
    "se_atten_l1_strip",
    "se_atten_l2",
    "se_atten_l2_nodotr",
    "se_atten_l2_strip_smooth",
    "se_atten_v2",
    "se_atten_v2_l0",
    "atom_ener_tebd",
    "float32",
    "hybrid_a_r",
    "hybrid_a_e3",
    "hybrid_a_atten",
    "loc_frame",
    "loc_frame_neg",
    "loc_frame_nn",
    "se_a_mask",
    "srtab",
    "srtab_nobias",
    "srtab_atom_ener",  # three types; lengths that float32 rounds, and the bias without atom_ener
    "linear_sum",
    "spin",
)
COMPRESSED = (
    "c_se_e2_a_compressed",
    "c_se_e2_a_oneside_compressed",
    "c_se_e2_r_compressed",
    "c_se_e3_compressed",
    "c_hybrid_compressed",
    "se_a_ebd_v2_compressed",
    "se_atten_v2_l0_compressed",
)
TENSORS = {
    "dipole": DeepDipole,
    "dipole_all": DeepDipole,
    "dipole_se_atten": DeepDipole,
    "hybrid_a_a_dipole": DeepDipole,
    "c_dipole_compressed": DeepDipole,
    "dplr_dw": DeepDipole,
    "polar": DeepPolar,
    "polar_full_scale": DeepPolar,
    "polar_se_atten_v2": DeepPolar,
}
TOLERANCES = {"float32": 1e-6}
# Golden files without virials of atoms, or with virials of pairs that both atoms share.
OTHER_SHARES = (
    "loc_frame",
    "loc_frame_neg",
    "loc_frame_nn",
    "srtab",
    "srtab_nobias",
    "srtab_atom_ener",
)
OWN = Path(__file__).parent / "kinds"  # a few of them
BESIDE = "the golden kinds are not in a folder `shared` beside the checkout"


def each(names: Iterable[str]) -> pytest.MarkDecorator:
    """Return the mark of a test of some models, slow for those that are not kept here."""
    marks = {name: () if (OWN / f"{name}.npz").is_file() else pytest.mark.slow for name in names}
    return pytest.mark.parametrize("name", [pytest.param(n, marks=marks[n]) for n in names])


def kept(name: str) -> Path:
    """Return the path of a golden file."""
    for folder in (OWN, KINDS):
        if (folder / name).is_file():
            return folder / name
    pytest.skip(BESIDE)


def unpacked(name: str, folder: Path) -> Path:
    path = folder / f"{name}.pb"
    path.write_bytes(gzip.decompress(kept(f"{name}.pb.gz").read_bytes()))
    return path


@each([*PLAIN, *COMPRESSED])
def test_models(name: str, tmp_path: Path) -> None:
    golden = np.load(kept(f"{name}.npz"))
    convert(unpacked(name, tmp_path), tmp_path / "new.pb")
    coord = golden["coord"].reshape(1, -1)
    given = {key: golden[key] for key in ("fparam", "aparam") if key in golden}
    cells = {"": golden["cell"].reshape(1, 9), "_nopbc": None}
    cells = {suffix: cell for suffix, cell in cells.items() if f"energy{suffix}" in golden}
    tolerance = TOLERANCES.get(name, 1e-9 if name in COMPRESSED else 1e-10)
    native = read_model(tmp_path / "new.pb").metadata["plan"] is not None
    backends = (ENGINE, TENSORFLOW) if native else (TENSORFLOW,)
    for backend, suffix in product(backends, cells):
        with DeepPot(tmp_path / "new.pb", backend=backend) as potential:
            found = potential.eval(coord, cells[suffix], golden["types"], atomic=True, **given)
        labels = ("energy", "force", "virial", "atom_energy", "atom_virial")
        for label, value in zip(labels, found, strict=True):
            if name in OTHER_SHARES and label == "atom_virial":
                continue
            expected = golden[label + suffix].reshape(value.shape)
            np.testing.assert_allclose(value, expected, rtol=0, atol=tolerance, err_msg=label)


def test_a_table_of_pairs_in_a_sum(tmp_path: Path) -> None:
    """By the types of both atoms, where deepmd-kit takes that of the centre alone."""
    golden = np.load(kept("linear_list.npz"))
    notes = convert(unpacked("linear_list", tmp_path), tmp_path / "new.pb")
    assert any("models[1]: its table holds energies by the types of both" in n for n in notes)
    for backend, suffix in product((ENGINE, TENSORFLOW), ("", "_nopbc")):
        cell = None if suffix else golden["cell"].reshape(1, 9)
        with DeepPot(tmp_path / "new.pb", backend=backend) as potential:
            found = potential.eval(golden["coord"].reshape(1, -1), cell, golden["types"], True)
        for label, value in (("energy", found[0]), ("atom_energy", found[3])):
            expected = golden[f"{label}_right{suffix}"].reshape(value.shape)
            np.testing.assert_allclose(value, expected, rtol=0, atol=1e-12)


@each(TENSORS)
def test_tensors(name: str, tmp_path: Path) -> None:
    golden, kind = np.load(kept(f"{name}.npz")), "polar" if "polar" in name else "dipole"
    convert(unpacked(name, tmp_path), tmp_path / "new.pb")
    coord = golden["coord"].reshape(1, -1)
    labels = f"global_{kind}", "full_force", "full_virial", f"atomic_{kind}", "full_atom_virial"
    with TENSORS[name](tmp_path / "new.pb") as model:
        for suffix, cell in {"": golden["cell"].reshape(1, 9), "_nopbc": None}.items():
            found = model.eval_full(coord, cell, golden["types"], atomic=True)
            for label, value in zip(labels, found, strict=True):
                if label + suffix in golden:  # some files were frozen without derivatives
                    expected = golden[label + suffix].reshape(value.shape)
                    tolerance = 1e-9 if "compressed" in name else 1e-12
                    np.testing.assert_allclose(value, expected, rtol=0, atol=tolerance)
            alone = model.eval(coord, cell, golden["types"])
            np.testing.assert_array_equal(alone, found[3])
        assert set(model.get_sel_type()) == set(golden["types"][np.abs(alone[0]).max(axis=1) > 0])


def test_long_range_of_dipoles(tmp_path: Path) -> None:
    golden = np.load(kept("dplr_ener.npz"))
    convert(unpacked("dplr_ener", tmp_path), tmp_path / "new.pb")
    given = golden["coord"].reshape(1, -1), golden["cell"].reshape(1, 9), golden["types"]
    labels = ("energy", "force", "virial", "atom_energy", "atom_virial")
    for backend in (ENGINE, TENSORFLOW):
        with DeepPot(tmp_path / "new.pb", backend=backend) as potential:
            found = potential.eval(*given, atomic=True)
            short = potential.eval(*given, atomic=True, skip_modifier=True)
        expected = {label: golden[label] for label in labels[:3]}
        expected |= {f"sr_{label}": golden[f"sr_{label}"] for label in labels}
        for (label, wanted), value in zip(expected.items(), (*found[:3], *short), strict=True):
            wanted = wanted.reshape(value.shape)
            np.testing.assert_allclose(value, wanted, rtol=0, atol=1e-11, err_msg=label)
        np.testing.assert_allclose(found[3].sum(), found[0].item(), rtol=1e-12)
        np.testing.assert_allclose(found[4].sum(axis=1), found[2], atol=1e-11)


def test_densities_of_states(tmp_path: Path) -> None:
    golden = np.load(kept("dos.npz"))
    convert(unpacked("dos", tmp_path), tmp_path / "new.pb")
    with DeepDOS(tmp_path / "new.pb") as model:
        for suffix, cell in {"": golden["cell"].reshape(1, 9), "_nopbc": None}.items():
            found = model.eval(golden["coord"].reshape(1, -1), cell, golden["types"], atomic=True)
            for label, value in zip(("dos", "atom_dos"), found, strict=True):
                expected = golden[label + suffix].reshape(value.shape)
                np.testing.assert_allclose(value, expected, rtol=0, atol=1e-12)
        assert model.get_numb_dos() == found[0].shape[-1]


def test_every_golden_model_has_a_test() -> None:
    tested = {*PLAIN, *COMPRESSED, *TENSORS, "dos", "dplr_ener", "linear_list"}
    assert set(NAMES) <= tested


@pytest.mark.skipif(not NAMES, reason=BESIDE)
def test_a_trained_model_in_float32(tmp_path: Path) -> None:
    golden = np.load(MODELS / "water_10k_float32_golden.npz")
    convert(MODELS / "water_10k_float32.pb", tmp_path / "new.pb")
    frames = MODELS.parent / "water" / "data_3"
    types = np.loadtxt(frames / "type.raw", int)
    coord, cell = (np.load(frames / "set.000" / f"{n}.npy")[:2] for n in ("coord", "box"))
    for backend in (ENGINE, TENSORFLOW):
        with DeepPot(tmp_path / "new.pb", backend=backend) as potential:
            found = potential.eval(coord, cell, types)
        for label, value in zip(("energy", "force", "virial"), found, strict=True):
            expected = golden[label].reshape(value.shape)
            tolerance = 1e-5 * np.max(np.abs(expected))
            np.testing.assert_allclose(value, expected, rtol=0, atol=tolerance, err_msg=label)
