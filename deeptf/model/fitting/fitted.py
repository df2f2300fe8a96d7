"""What every fitting net is: settings that turn descriptors into a property of each atom.

A fitting net is a frozen dataclass in a file of its own, listed in FITTINGS (fitting/__init__.py)
under its `type`. All its arrays lie in the scope that it is given.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol

import numpy as np

from deeptf.data.energy_bias import Energies
from deeptf.data.statistics import Collector, Found
from deeptf.data.system import System
from deeptf.model.descriptor.described import Arrays, Described, Lines
from deeptf.model.inputs import Inputs
from deeptf.model.parameters import Parameters
from deeptf.model.retyping import Source
from deeptf.model.stages import Stage
from deeptf.ops.pairs import SortedPairs
from deeptf.properties import Property
from deeptf.tf import tf


@dataclass(frozen=True)
class Fitted:
    """Tensors that a fitting net computes; real atoms sorted by type."""

    energy: tf.Tensor | None = None  # [N_real] eV, float64
    slope: tf.Tensor | None = None  # [N_real, width] dE/d(descriptor)
    values: Mapping[str, tf.Tensor] = field(default_factory=dict)  # properties other than energy
    # atoms' shares [N_real] of each component of properties of frames that have derivatives
    components: Mapping[str, Sequence[tf.Tensor]] = field(default_factory=dict)


class Fitting(Protocol):
    """A property of each atom from its descriptor."""

    type: ClassVar[str]
    numb_fparam: int  # numbers of a frame that it takes
    numb_aparam: int  # numbers of an atom
    atom_bytes: int  # working memory of an evaluation with forces, for each atom

    def check_descriptor(self, descriptor: Any) -> None:
        """Raise ValueError for a descriptor that it cannot take; may be missing: it takes all."""

    def num_outputs(self, descriptor: Any) -> int:
        """Return how many numbers the net of a type gives behind this descriptor."""

    def gives(self, num_types: int) -> Sequence[Property]:
        """Return the properties that data can label; may be missing: energies."""

    def check_types(self, num_types: int) -> None:
        """Raise ValueError where the settings do not fit the number of types."""

    def collectors(self, num_types: int) -> Sequence[Collector]:
        """Return what it wants to know of the data."""

    def first_arrays(self, found: Found, type_map: Sequence[str]) -> tuple[Arrays, Lines]:
        """Return the arrays of a new model that follow from data."""

    def refitted(
        self,
        arrays: Mapping[str, np.ndarray],
        systems: Sequence[System],
        left: Sequence[Energies],
        type_map: Sequence[str],
    ) -> tuple[Arrays, Lines]:
        """Return those arrays of a trained model that make up for what is left of energies.

        left : of each system, labels minus energies of the model.
        """

    def with_types(self, source: Source) -> Any:
        """Return the settings for other types, see retyping.py."""

    def arrays_with_types(self, arrays: Mapping[str, np.ndarray], source: Source) -> Arrays:
        """Return the arrays of these settings for those of with_types."""

    def build(
        self, described: Described, inputs: Inputs, pairs: SortedPairs, parameters: Parameters
    ) -> Fitted:
        """Return the property of the atoms that `pairs` orders.

        Each type has a net of its own or, where `described` has vectors of types, there is one net
        for all, which takes that of the centre behind the descriptor.
        """

    def plan(
        self, descriptor: str, parameters: Parameters, type_vectors: tf.Tensor | None
    ) -> tuple[list[Stage], Mapping[str, str]]:
        """Return the stages from the value `descriptor` on, and the values that are properties.

        To be called in the graph that `build` has made of constants.
        """
