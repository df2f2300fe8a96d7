"""Prefactors of the terms of a loss, which move with the learning rate.

A loss has fields start_pref_TERM and limit_pref_TERM:

    p(t) = p_limit (1 - lr/lr_0) + p_start lr/lr_0
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import numpy as np

START, LIMIT = "start_pref_", "limit_pref_"


def check_prefactors(loss: Any, *names: str) -> None:
    """Raise ValueError unless these fields, all by default, are at least 0 and one is above."""
    values = {name: getattr(loss, name) for name in names or vars(loss)}
    for name, value in values.items():
        if not value >= 0:
            raise ValueError(f"`{name}` must be at least 0, got {value}")
    if not any(values.values()):
        which = "both" if len(values) == 2 else "all of them"
        raise ValueError(f"`loss` must have a prefactor above 0, got 0 for {which}")


def prefactors_at(loss: Any, terms: Collection[str], rate_ratio: float) -> np.ndarray:
    """Return the prefactors of terms at `rate_ratio` times the first learning rate, [terms]."""
    start, limit = (
        np.array([getattr(loss, end + term) for term in terms]) for end in (START, LIMIT)
    )
    return limit * (1 - rate_ratio) + start * rate_ratio


def uses(loss: Any, term: str) -> bool:
    """Return whether a term ever has a prefactor."""
    return any(getattr(loss, end + term) > 0 for end in (START, LIMIT))
