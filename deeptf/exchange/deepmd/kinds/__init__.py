"""The descriptors of deepmd-kit that can be imported, one file each."""

from __future__ import annotations

from deeptf.exchange.deepmd.kind import Kind
from deeptf.exchange.deepmd.kinds.se_e2_a import SeE2AKind
from deeptf.exchange.deepmd.kinds.se_e2_r import SeE2RKind

KINDS: tuple[Kind, ...] = (SeE2AKind(), SeE2RKind())
