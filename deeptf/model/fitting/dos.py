"""Fitting net of the density of states: that of an atom from its descriptor.

Bin Mumtaz et al. use it for the electronic density of states on a grid of energies.

    d_i = N_t(D_i, fparam, aparam), `numb_dos` numbers

and that of a frame is the sum over its atoms. Units are those of the data.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from deeptf.data.energy_bias import parameter_statistics
from deeptf.data.statistics import Collector, Found
from deeptf.model.descriptor.described import Arrays, Described, Lines
from deeptf.model.fitting.conditions import condition, first_conditions
from deeptf.model.fitting.fitted import Fitted
from deeptf.model.fitting.plain_nets import PlainNets
from deeptf.model.fitting.tensor import frame_sums
from deeptf.model.inputs import Inputs
from deeptf.model.parameters import Parameters
from deeptf.model.roles import beginning
from deeptf.ops.pairs import SortedPairs
from deeptf.properties import ATOM_DOS, DOS
