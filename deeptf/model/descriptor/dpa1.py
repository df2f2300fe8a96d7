"""Descriptor of DPA-1: one net for all types, gates or vectors of types, and attention.

Zhang et al., npj Comput. Mater. 10, 94 (2024), arXiv:2208.08236. Without attention, which is what
`attn_layer` 0 asks for, it is that of se_e2_a.py with the net of typed_net.py: the vectors of the
types (type_embedding.py) join s~ ("concat") or make gates on the net of s~ ("strip"), the latter
from both sides always. `sel` counts places of any type, and those without a neighbour have the
vector 0. In the smooth form gates fade out as p = 1 - (1 - rcut_smth s)^3 towards the cut-off. What
pairs of excluded types have is left out, also where mean values are not zero. In smooth models of
deepmd-kit their rows are then the mean value in all four columns (`excluded_have_mean`), which
changes when all is turned: not for new models.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from deeptf.data.statistics import Extremes, Found
from deeptf.model.descriptor.attention import AttentionSums
from deeptf.model.descriptor.described import Lines
from deeptf.model.descriptor.se_e2_a import SeE2A
from deeptf.model.descriptor.type_net_settings import PAIR_COPIES, ROWS
from deeptf.model.descriptor.typed_net import TypedNet
from deeptf.model.descriptor.typed_sums import TypedSums
from deeptf.model.network import precision_of
from deeptf.model.parameters import Parameters
from deeptf.model.retyping import Source
from deeptf.model.roles import beginning, function
from deeptf.tf import tf

CONCAT, STRIP = "concat", "strip"
VALUE_COPIES, TAKEN = 5, 4  # of a pair, of width M and in a layer of width `attn`; measured


@dataclass(frozen=True)
class SeAtten(SeE2A):
    """Settings of the descriptor; the fields are the keys of the input file (lengths in A)."""

    type: ClassVar[str] = "se_atten"
    needs_type_vectors: ClassVar[bool] = True
    mixed: ClassVar[bool] = True
    sel: int | tuple[int, ...] | str = function("auto")
    attn: int = 128  # width of queries, keys and values
    attn_layer: int = 2  # number of layers of attention
    attn_dotr: bool = function(True)  # products count by the cosine of the angle of both pairs
    attn_mask: bool = function(False)  # a pair does not attend to itself
    tebd_input_mode: str = CONCAT  # or "strip": gates by types
    stripped_type_embedding: bool | None = None  # older name: true is "strip"
    smooth_type_embedding: bool = function(False)  # gates and attention fade out at rcut
    set_davg_zero: bool = beginning(True)
    trainable_ln: bool = True  # whether scale and shift of the norms are trained
    ln_eps: float | None = function(None)  # added to the variance in a norm; None: 1e-3
    excluded_have_mean: bool = function(False)  # of imported models, see above

    def __post_init__(self) -> None:
        if isinstance(self.sel, tuple) and self.sel:
            object.__setattr__(self, "sel", sum(self.sel))
        super().__post_init__()
        if self.tebd_input_mode not in (CONCAT, STRIP):
            raise ValueError(
                f'`tebd_input_mode` must be "{CONCAT}" or "{STRIP}", got {self.tebd_input_mode!r}'
            )
        if self.attn_layer < 0 or self.attn < 1:
            raise ValueError(
                "`attn_layer` must be at least 0 and `attn` at least 1, "
                f"got {self.attn_layer} and {self.attn}"
            )
        if self.excluded_have_mean and not self.smooth:
            raise ValueError(
                "`excluded_have_mean` must be false where gates are not smooth, got true"
            )
        if self.ln_eps is not None and not self.ln_eps > 0:
            raise ValueError(f"`ln_eps` must be positive, got {self.ln_eps}")

    def _check_sel(self) -> None:
        if isinstance(self.sel, int):
            if self.sel < 1:
                raise ValueError(f"`sel` must be at least 1, got {self.sel}")
        else:
            super()._check_sel()

    def check_types(self, num_types: int) -> None:
        """Raise ValueError where `exclude_types` does not fit the number of types."""
        self.check_excluded(num_types)

    def _places_with_types(self, source: Source) -> int:
        return self.sel

    @property
    def places(self) -> int:
        """Places of a centre, N_c."""
        return self.sel

    @property
    def pair_bytes(self) -> int:
        """Working memory of a pair: values of net and layers, held for the backward pass."""
        if self.attn_layer == 0:
            return super().pair_bytes
        values = ROWS + PAIR_COPIES * sum(self.neuron) + VALUE_COPIES * self.neuron[-1]
        values += TAKEN * self.attn * self.attn_layer
        return int(precision_of(self.precision).size * values)

    @property
    def smooth(self) -> bool:
        """Whether gates fade out at the cut-off."""
        return self.smooth_type_embedding

    @property
    def stripped(self) -> bool:
        """Whether vectors of types make gates."""
        if self.stripped_type_embedding is None:
            return self.tebd_input_mode == STRIP
        return self.stripped_type_embedding

    def decide(self, found: Found) -> tuple[Any, Lines]:
        """Return the settings with `sel` decided by the data."""
        extremes = Extremes(found.num_types, self.rcut)
        most = extremes.most_of_all(found.training[extremes])
        if self.sel_factor is not None:
            decided = replace(self, sel=max(4, 4 * math.ceil(self.sel_factor * most / 4)))
            return decided, [f"sel {decided.sel}, from the data", *self._notes()]
        if most > self.sel:
            note = f"note: up to {most} neighbours, more than sel {self.sel}: all of them are used"
            return self, [note, *self._notes()]
        return self, self._notes()

    def _notes(self) -> Lines:
        if self.attn_layer == 0 or self.smooth:
            return []
        return [
            "note: this attention jumps where an atom crosses the cut-off, and so does the energy: "
            '"smooth_type_embedding": true makes it smooth'
        ]

    def with_open_of(self, old: SeAtten) -> SeAtten:
        """Return the settings with `sel`, where it is open, taken from `old`."""
        return self if self.sel_factor is None else replace(self, sel=old.sel)

    def with_net_decided(self, found: Found) -> tuple[Any, Lines]:
        """Return the settings with tables or the net in full; attention needs the latter."""
        return (self, []) if self.attn_layer else super().with_net_decided(found)

    def typed(self, parameters: Parameters, type_vectors: tf.Tensor | None) -> TypedSums:
        """Return the sums with the net of all types."""
        two_side = self.stripped or not self.type_one_side
        kind = AttentionSums if self.attn_layer else TypedSums
        return kind(self, TypedNet(self, two_side, self.stripped, type_vectors, parameters))

    def mixed_places(self, allowed: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the places of centres [T], which all neighbours fill, excluded ones too [T, T]."""
        return np.full(len(allowed), self.places), np.ones_like(allowed)


@dataclass(frozen=True)
class SeAttenV2(SeAtten):
    """The same with gates, smooth, by default."""

    type: ClassVar[str] = "se_atten_v2"
    tebd_input_mode: str = STRIP
    smooth_type_embedding: bool = function(True)
    set_davg_zero: bool = beginning(False)
