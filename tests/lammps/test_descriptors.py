"""Models of all descriptors in LAMMPS: energies and forces are those of DeepPot."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from lammps_runs import Lammps, crystal, read_dump, write_data
from random_model import random_arrays

from deeptf.exchange import frozen
from deeptf.infer.deep_pot import DeepPot
from deeptf.model.descriptor.dpa1 import SeAtten, SeAttenV2
from deeptf.model.descriptor.hybrid import Hybrid
from deeptf.model.descriptor.loc_frame import LocFrame
from deeptf.model.descriptor.se_a_ebd_v2 import SeAEbdV2
from deeptf.model.descriptor.se_e2_a import SeE2A
from deeptf.model.descriptor.se_e2_r import SeE2R
from deeptf.model.descriptor.se_e3 import SeE3
from deeptf.model.fitting.ener import EnerFitting
from deeptf.model.model import ModelConfig
from deeptf.model.pair_potential import Zbl
from deeptf.model.term.frozen import Frozen
from deeptf.model.term.linear_ener import LinearEner
from deeptf.model.term.part import Part
from deeptf.model.term.standard import Standard
from deeptf.model.type_embedding import TypeEmbedding

PLACES = {"sel": (12, 12), "rcut": 4.0, "rcut_smth": 1.0, "neuron": (4, 8)}
NEAR = {"sel": (8, 8), "rcut": 3.0, "rcut_smth": 0.5, "neuron": (3, 6)}
MIXED = {**PLACES, "sel": 24, "attn_layer": 0}
ATTENTION = {**MIXED, "attn": 5, "attn_layer": 2, "set_davg_zero": False}
DESCRIPTORS: dict[str, Any] = {
    "radial": SeE2R(**PLACES),
    "triples": SeE3(**NEAR),
    "triples, network": SeE3(**NEAR, embedding="network"),
    "gates": SeAEbdV2(**PLACES),
    "mixed": SeAtten(**MIXED),
    "smooth": SeAttenV2(**MIXED),
    "attention": SeAtten(**ATTENTION),
    "attention, smooth": SeAttenV2(**ATTENTION),
    "local frames": LocFrame((4, 3), (1, 2), (0, -3, 0, 0, -3, 1) * 2, rcut=4.0),
    "vectors of types": SeE2A(**PLACES),
    "wall": SeE2R(**PLACES),
    "blend": SeE2R(**PLACES),
    "sum": SeE2R(**PLACES),  # of a blend from a file and of one with a shorter cut-off
    "hybrid": Hybrid((SeE2A(**PLACES), Hybrid((SeE3(**NEAR), SeAtten(**ATTENTION))))),
}
BESIDE: dict[str, dict[str, Any]] = {  # the nets of a descriptor
    "wall": {"zbl": Zbl(1.0, 3.9)},
    "blend": {"use_srtab": "any.tab", "smin_alpha": 0.3, "sw_rmin": 1.8, "sw_rmax": 3.4},
}
ATOMS = crystal((4, 4, 5), tilt=0.3)
HEAD = """
units metal
newton {newton}
box tilt large
read_data atoms.data
mass * 10
neighbor 1.0 bin
compute energy all pe/atom pair
"""
EACH = """
pair_style deeptf {name}.pb
pair_coeff * *
dump 1 all custom 1 {name}.dump id x y z fx fy fz c_energy
dump_modify 1 format float %.17g
run 0
undump 1
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with atoms and a model of random weights of each descriptor."""
    folder = tmp_path_factory.mktemp("descriptors")
    write_data(ATOMS, folder / "atoms.data")
    for number, (name, descriptor) in enumerate(DESCRIPTORS.items()):
        section = TypeEmbedding((3,)) if name == "vectors of types" else None
        term = Standard(descriptor, EnerFitting(neuron=(6, 6)), section)
        if name == "sum":
            near = Standard(SeE2A(**NEAR), EnerFitting(neuron=(6, 6)))
            far, near = (Part(one, **BESIDE["blend"]) for one in (term, near))
            term = LinearEner((near, Part(Frozen("any.pb", far))), (0.7, -1.2))
        config = ModelConfig(term, ("C", "H"), **BESIDE.get(name, {}))
        frozen.write(config, random_arrays(config, number), folder / f"{number}.pb")
    return folder


@pytest.mark.parametrize("newton", ["on", "off"])
@pytest.mark.parametrize("ranks", [1, 2])
def test_same_as_deep_pot(ranks: int, newton: str, lammps: Lammps, folder: Path) -> None:
    """One run of LAMMPS takes a descriptor after the other."""
    script = HEAD.format(newton=newton)
    script += "".join(EACH.format(name=number) for number in range(len(DESCRIPTORS)))
    lammps.run(script, folder, ranks)
    for number, name in enumerate(DESCRIPTORS):
        (dump,) = read_dump(folder / f"{number}.dump")
        with DeepPot(folder / f"{number}.pb") as pot:
            coord = dump[:, 1:4].reshape(1, -1)
            _, force, _, energy, _ = pot.eval(coord, ATOMS.cell[None], ATOMS.type, atomic=True)
        np.testing.assert_allclose(dump[:, 4:7], force[0], rtol=0, atol=1e-9, err_msg=name)
        np.testing.assert_allclose(dump[:, 7], energy[0, :, 0], rtol=0, atol=1e-10, err_msg=name)
