"""Energy fitting net: the energy of an atom from its descriptor.

Zhang et al., PRL 120, 143001, 2018.

    E_i = N_t(D_i, fparam, aparam) + bias_t        one net per type t of the centre atom

With `atom_ener` given for a type, E_i = N_t(D_i, ...) - N_t(D_isolated, ...) + atom_ener_t, so that
an atom without neighbours has exactly that energy. In a model with vectors of the types there is
one net, N_t(D, ...) = N(D, te_t, ...), and where one type has `atom_ener`, N_t(D_isolated, ...) is
subtracted for all. Energies are added in float64 whatever the precision of the nets.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from deeptf.data.energy_bias import Energies, energy_bias, solve_energies
from deeptf.data.statistics import Collector, Found
from deeptf.data.system import System
from deeptf.model.descriptor.described import Arrays, Described, Lines
from deeptf.model.fitting.conditions import condition_arrays, conditions_of_atoms, standardised
from deeptf.model.fitting.fitted import Fitted
from deeptf.model.fitting.net_settings import NetSettings
from deeptf.model.inputs import Inputs
from deeptf.model.network import (
    layer_arrays,
    precision_of,
    time_step,
)
from deeptf.model.parameters import Parameters
from deeptf.model.retyping import Source, by_type, nets_by_type
from deeptf.model.roles import beginning, function
from deeptf.model.stages import Constant, FittingNet, Stage, net_of
from deeptf.ops.nets import fitting_net
from deeptf.ops.pairs import SortedPairs
from deeptf.properties import ATOM_ENERGY
from deeptf.tf import tf

ATOM_COPIES = 2  # of hidden values, see the measurement of DeepPot's memory in tests/infer


@dataclass(frozen=True)
class EnerFitting(NetSettings):
    """Settings of the fitting net; the fields are the keys of the input file (energies in eV)."""

    type: ClassVar[str] = "ener"
    numb_fparam: int = 0  # numbers of each frame, in fparam.npy
    numb_aparam: int = 0  # numbers of each atom, in aparam.npy
    rcond: float | None = beginning(None)  # of the least squares for the energy bias
    atom_ener: tuple[float | None, ...] = function(())  # of isolated atoms, eV; None: fitted
    use_aparam_as_mask: bool = False  # aparam says which atoms are there (se_a_mask)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.numb_fparam < 0 or self.numb_aparam < 0:
            raise ValueError(
                "`numb_fparam` and `numb_aparam` must be at least 0, "
                f"got {self.numb_fparam} and {self.numb_aparam}"
            )
        if self.use_aparam_as_mask and self.numb_aparam != 1:
            raise ValueError(
                f"`numb_aparam` must be 1 with `use_aparam_as_mask`, got {self.numb_aparam}"
            )

    def check_types(self, num_types: int) -> None:
        """Raise ValueError where `atom_ener` does not fit the number of types."""
        if self.atom_ener and len(self.atom_ener) != num_types:
            raise ValueError(
                "`atom_ener` must have one entry (a number or null) for each of the "
                f"{num_types} types of type_map, got {list(self.atom_ener)}"
            )

    @property
    def conditions(self) -> list[str]:
        """Names of the parameters that the nets take: aparam may be a mask of atoms instead."""
        numbers = {"fparam": self.numb_fparam, "aparam": self.numb_aparam}
        if self.use_aparam_as_mask:
            del numbers["aparam"]
        return [name for name, number in numbers.items() if number]

    @property
    def atom_bytes(self) -> int:
        """Working memory of an atom: hidden values, held for the backward pass."""
        return precision_of(self.precision).size * ATOM_COPIES * sum(self.neuron)

    def num_outputs(self, descriptor: Any) -> int:
        """Return how many numbers the nets give."""
        return 1

    def collectors(self, num_types: int) -> list[Collector]:
        """Return nothing: energies and parameters are read without pairs."""
        return []

    def first_arrays(self, found: Found, type_map: Sequence[str]) -> tuple[Arrays, Lines]:
        """Return the energy bias of each type, and mean and spread of fparam and aparam."""
        bias = energy_bias(found.systems, len(type_map), self.atom_ener, self.rcond)
        names = [f"{name} {value:.4f}" for name, value in zip(type_map, bias, strict=True)]
        arrays = {"energy_bias": bias}
        arrays |= condition_arrays(self.conditions, found)
        return arrays, [f"energy bias in eV: {', '.join(names)}"]

    def refitted(
        self,
        arrays: Mapping[str, np.ndarray],
        systems: Sequence[System],
        left: Sequence[Energies],
        type_map: Sequence[str],
    ) -> tuple[Arrays, Lines]:
        """Return the energy bias with what is left of energies; atoms with `atom_ener` keep it."""
        before = arrays["energy_bias"]
        free = np.array([e is None for e in self.atom_ener or [None] * len(before)])
        after = before + solve_energies(systems, left, free, self.rcond)
        changes = [
            f"{name} {old:.4f} -> {new:.4f}"
            for name, old, new in zip(type_map, before, after, strict=True)
        ]
        return {"energy_bias": after}, [f"energy bias in eV: {', '.join(changes)}"]

    def with_types(self, source: Source) -> EnerFitting:
        """Return the settings for other types; new ones have no given energy."""
        if not self.atom_ener:
            return self
        given = tuple(None if t is None else self.atom_ener[t] for t in source)
        return replace(self, atom_ener=given if any(e is not None for e in given) else ())

    def arrays_with_types(self, arrays: Mapping[str, np.ndarray], source: Source) -> Arrays:
        """Return the arrays for other types."""
        bias = by_type(arrays["energy_bias"], source)
        old = {self.network_name(t) for t in range(len(arrays["energy_bias"]))}
        others = {k: v for k, v in arrays.items() if k.partition("/")[0] not in old}
        known = [(new, t) for new, t in enumerate(source) if t is not None]
        names = [(self.network_name(new), self.network_name(t)) for new, t in known]
        return {**others, **nets_by_type(arrays, names), "energy_bias": bias}

    def build(
        self, described: Described, inputs: Inputs, pairs: SortedPairs, parameters: Parameters
    ) -> Fitted:
        """Return the energy of every real atom in eV, sorted by type, and its slope."""
        descriptor, atom_count = described.descriptor, pairs.atom_count
        condition = conditions_of_atoms(self.conditions, inputs, pairs, parameters)
        given = condition, described.type_vectors
        energy, slope = self.nets(descriptor, atom_count, *given, parameters)
        energy += tf.repeat(self._constant(parameters), atom_count)
        if any(self._is_relative(described.type_vectors, parameters)):
            isolated = parameters.fixed("isolated", described.isolated())
            energy -= self._isolated_energy(isolated, atom_count, *given, parameters)
        if slope.shape[1] > descriptor.shape[1]:
            width = int(descriptor.shape[1])
            slope, _ = tf.split(slope, [width, int(slope.shape[1]) - width], axis=1)
        return Fitted(energy, tf.cast(slope, descriptor.dtype))

    def plan(
        self,
        described: Sequence[Stage],
        parameters: Parameters,
        type_vectors: tf.Tensor | None,
        num_types: int,
    ) -> tuple[list[Stage], Mapping[str, str]]:
        """Return the one stage of the nets, and that its value is the energy of the atoms."""
        relative = self._is_relative(type_vectors, parameters).tolist()
        layers = *range(len(self.neuron)), "last"
        stage = FittingNet(
            described[-1].gives,
            parameters.name("energy"),
            precision_of(self.precision).name,
            self.activation_function.lower(),
            [
                net_of(self.network_name(owner), layers, parameters)
                for owner in ([None] if type_vectors is not None else range(num_types))
            ],
            Constant(parameters.name("constant")),
            relative=relative,
            isolated=Constant(parameters.name("isolated")) if any(relative) else None,
            types=None if type_vectors is None else Constant(parameters.name("types")),
            **standardised(self.conditions, parameters),
        )
        return [stage], {ATOM_ENERGY.name: stage.gives}

    def _is_relative(self, type_vectors: tf.Tensor | None, parameters: Parameters) -> np.ndarray:
        """Return for each type whether N_t(D_isolated, ...) is subtracted, [T]."""
        given = self._has_atom_ener(parameters)
        return given if type_vectors is None else np.full_like(given, given.any())

    def _has_atom_ener(self, parameters: Parameters) -> np.ndarray:
        """Return for each type whether its isolated atom has a given energy, [T]."""
        given = self.atom_ener or [None] * len(parameters.array("energy_bias"))
        return np.array([energy is not None for energy in given])

    def _constant(self, parameters: Parameters) -> tf.Tensor | np.ndarray:
        """Return what is added to the net of each type, [T]: atom_ener, or else the bias."""
        constant = parameters.array("energy_bias").copy()
        given = self._has_atom_ener(parameters)
        constant[given] = [energy for energy in self.atom_ener if energy is not None]
        return parameters.fixed("constant", constant)

    def _isolated_energy(
        self,
        isolated: tf.Tensor,
        atom_count: tf.Tensor,
        condition: tf.Tensor | None,
        type_vectors: tf.Tensor | None,
        parameters: Parameters,
    ) -> tf.Tensor:
        """Return N_t(D_isolated) of the atoms of each type of which it is subtracted, [N_real]."""
        given = self._is_relative(type_vectors, parameters).astype(np.float64)
        if condition is None:
            one = tf.ones([len(given)], tf.int32)
            energy, _ = self.nets(isolated, one, None, type_vectors, parameters)
            return tf.repeat(energy * given, atom_count)
        alone = tf.repeat(isolated, atom_count, axis=0)
        energy, _ = self.nets(alone, atom_count, condition, type_vectors, parameters)
        return energy * tf.repeat(given, atom_count)

    def nets(
        self,
        descriptor: tf.Tensor,
        atom_count: tf.Tensor,
        condition: tf.Tensor | None,
        type_vectors: tf.Tensor | None,
        parameters: Parameters,
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Return N_t [n], float64, and its slope in the descriptor and what stands behind it."""
        parts, owners = [descriptor], list(range(len(parameters.array("energy_bias"))))
        if type_vectors is not None:
            vectors = tf.cast(type_vectors[:-1], precision_of(self.precision))
            parts.append(tf.repeat(parameters.fixed("types", vectors), atom_count, axis=0))
            atom_count, owners = tf.reduce_sum(atom_count, keepdims=True), [None]
        if condition is not None:
            parts.append(condition)
        x = tf.concat([tf.cast(part, precision_of(self.precision)) for part in parts], axis=1)
        weights: list[tf.Tensor] = []
        for owner in owners:
            weights += self._weights(int(x.shape[1]), owner, parameters)
        energy, slope = fitting_net(
            x, atom_count, weights, self.neuron, self.activation_function, self.resnet_dt
        )
        return tf.cast(energy, tf.float64), slope

    def _weights(self, width: int, owner: int | None, parameters: Parameters) -> list[tf.Tensor]:
        """Return the arrays of one net in the order of `fitting_net`."""
        style, trainable = self.style, self.trainable_layers
        name = self.network_name(owner)
        arrays: list[tf.Tensor] = []
        for layer, (n_in, n_out) in enumerate(itertools.pairwise((width, *self.neuron))):
            place = (f"{name}/{layer}", n_in, n_out, style, parameters, trainable[layer])
            arrays += layer_arrays(*place)
            if self.resnet_dt and layer > 0 and n_in == n_out:
                arrays.append(time_step(place[0], *place[2:]))
        arrays += layer_arrays(f"{name}/last", self.neuron[-1], 1, style, parameters, trainable[-1])
        return arrays
