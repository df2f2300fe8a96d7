"""The descriptor se_e2_a of deepmd-kit (ops of today, of version 1 and of version 0)."""

from __future__ import annotations

from typing import Any

from deeptf.exchange.deepmd_kind import Kind
from deeptf.model.descriptor.se_e2_a import SeE2A


def _axis(width: int, last: int) -> dict[str, Any] | None:
    axis, rest = divmod(width, last)
    return {"axis_neuron": axis} if not rest and 1 <= axis <= last else None


SE_E2_A = Kind(
    SeE2A,
    environment=("ProdEnvMatA", "DescrptSeA", "DescrptNorot"),
    force=("ProdForceSeA", "ProdForceNorot"),
    virial=("ProdVirialSeA", "ProdVirialNorot"),
    sel="sel_a",
    rcut="rcut_r",
    rcut_smth="rcut_r_smth",
    fixed={"rcut_a": lambda value: value.f < 0, "sel_r": lambda value: not any(value.list.i)},
    sizes={"n_a_sel": sum, "n_r_sel": lambda sel: 0},
    further=_axis,
    must_be="times the axis neurons",
)
