"""The descriptors of deepmd-kit that can be imported, one file each."""

from __future__ import annotations

from deeptf.exchange.deepmd.kind import Kind
from deeptf.exchange.deepmd.kinds.hybrid import HybridKind
from deeptf.exchange.deepmd.kinds.loc_frame import LocFrameKind
from deeptf.exchange.deepmd.kinds.se_a_ebd_v2 import SeAEbdV2Kind
from deeptf.exchange.deepmd.kinds.se_a_mask import SeAMaskKind
from deeptf.exchange.deepmd.kinds.se_atten import SeAttenKind, SeAttenV2Kind
from deeptf.exchange.deepmd.kinds.se_e2_a import SeE2AKind
from deeptf.exchange.deepmd.kinds.se_e2_r import SeE2RKind
from deeptf.exchange.deepmd.kinds.se_e3 import SeE3Kind

KINDS: tuple[Kind, ...] = (
    SeE2AKind(),
    SeE2RKind(),
    SeE3Kind(),
    SeAEbdV2Kind(),
    SeAttenKind(),
    SeAttenV2Kind(),
    LocFrameKind(),
    SeAMaskKind(),
    HybridKind(),
)
