"""The descriptor se_e2_r of deepmd-kit."""

from __future__ import annotations

from deeptf.exchange.deepmd_kind import Kind
from deeptf.model.descriptor.se_e2_r import SeE2R

SE_E2_R = Kind(
    SeE2R,
    environment=("ProdEnvMatR", "DescrptSeR"),
    force=("ProdForceSeR",),
    virial=("ProdVirialSeR",),
    sel="sel",
    rcut="rcut",
    rcut_smth="rcut_smth",
    fixed={},
    sizes={},
    ops=frozenset({"BroadcastTo", "DynamicStitch", "FloorDiv", "Mean", "Prod", "Range"}),
)
