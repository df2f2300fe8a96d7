"""The descriptors of deepmd-kit that can be imported."""

from __future__ import annotations

from deeptf.exchange.deepmd_kind import Kind
from deeptf.exchange.deepmd_se_e2_a import SE_E2_A
from deeptf.exchange.deepmd_se_e2_r import SE_E2_R

KINDS: tuple[Kind, ...] = (SE_E2_A, SE_E2_R)
NAMES = " or ".join(kind.name for kind in KINDS)  # for messages
ENVIRONMENT_OPS = tuple(op for kind in KINDS for op in kind.environment)


def kind_of(op: str) -> Kind:
    """Return the kind that has an environment op."""
    return next(kind for kind in KINDS if op in kind.environment)
