"""What every descriptor is: settings that know their statistics and build a tensor.

A descriptor is a frozen dataclass in a file of its own; its fields are the keys of its section in
the input file. It is listed in DESCRIPTORS (descriptor/__init__.py) under its `type`, and nothing
else names it. All its arrays lie in the scope that it is given. One that has an entry for each type
in a list calls that field `sel`; without `type_map` its length is the least number of types.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

import numpy as np

from deeptf.data.statistics import Collector, Found
from deeptf.model.parameters import Parameters
from deeptf.model.retyping import Source
from deeptf.model.stages import Stage
from deeptf.model.table import Outside, Table
from deeptf.ops.pairs import SortedPairs
from deeptf.tf import tf

Arrays = dict[str, np.ndarray]
Lines = list[str]  # what a user is told


@dataclass(frozen=True)
class Described:
    """Tensors that a descriptor computes; real atoms sorted by type.

    The term adds the vectors of the types for the fitting net, where the model has some.
    """

    descriptor: tf.Tensor  # [N_real, width]
    isolated: Callable[[], tf.Tensor]  # makes that of an atom without neighbours, [T, width]
    moments: tf.Tensor | None = None  # [N_real, 4, M], of those that have them
    outside: Outside | None = None  # pairs closer than the data of tables
    type_vectors: tf.Tensor | None = None  # [T + 1, n], see type_embedding.py


class Descriptor(Protocol):
    """Numbers of an atom that say what is around it, and do not change when all is turned.

    `type_vectors` are those of type_embedding.py, [T + 1, n]; None in a model without, which one
    whose descriptor needs them never is. Others may take no notice of them.
    """

    type: ClassVar[str]
    needs_type_vectors: ClassVar[bool]
    masked: ClassVar[bool]  # whether aparam has to say which atoms are there; may be missing: no
    rcut: float  # A
    width: int  # of the descriptor
    pair_bytes: int  # working memory of an evaluation with forces, for each pair
    atom_bytes: int  # and for each atom

    def check_types(self, num_types: int) -> None:
        """Raise ValueError where the settings do not fit the number of types."""

    def with_open_of(self, old: Any) -> Any:
        """Return the settings with what they leave open taken from others of the same class."""

    def collectors(self, num_types: int) -> Sequence[Collector]:
        """Return what it wants to know of the data."""

    def decide(self, found: Found) -> tuple[Any, Lines]:
        """Return the settings with nothing left open."""

    def with_net_decided(self, found: Found) -> tuple[Any, Lines]:
        """Return decided settings with what is open where types have vectors.

        This and with_net_of are methods of a descriptor that leaves something open there only.
        """

    def with_net_of(self, old: Any) -> Any:
        """Return the settings with that taken from others of the same class."""

    def first_arrays(self, found: Found) -> Arrays:
        """Return the arrays of a new model that follow from data."""

    def seen(self, found: Found) -> Arrays:
        """Return those of them that say which data the model has seen."""

    def extended(self, arrays: Mapping[str, np.ndarray], found: Found) -> tuple[Arrays, Lines]:
        """Return those arrays of a trained model that further data change."""

    def with_types(self, source: Source) -> Any:
        """Return the settings for other types, see retyping.py; ValueError where they have none."""

    def arrays_with_types(self, arrays: Mapping[str, np.ndarray], source: Source) -> Arrays:
        """Return the arrays of these settings for those of with_types."""

    def build(
        self,
        pairs: SortedPairs,
        atom_type: tf.Tensor,
        parameters: Parameters,
        type_vectors: tf.Tensor | None,
    ) -> Described:
        """Return the descriptors of the atoms that `pairs` orders."""

    def plan(
        self, parameters: Parameters, type_vectors: tf.Tensor | None
    ) -> Sequence[Stage] | None:
        """Return the stages that `build` has, the last of which gives the descriptor.

        To be called in the graph that `build` has made of constants. None or no such method:
        TensorFlow alone can evaluate it.
        """

    def tables(self, parameters: Parameters, type_vectors: tf.Tensor | None) -> Sequence[Table]:
        """Return the tables of its embedding nets, in the current graph."""
