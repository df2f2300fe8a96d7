"""Fitting nets, one file per property: they turn descriptors into the property of each atom."""

from deeptf.model.fitting.dipole import DipoleFitting
from deeptf.model.fitting.dos import DosFitting
from deeptf.model.fitting.ener import EnerFitting
from deeptf.model.fitting.polar import PolarFitting

FITTINGS = {kind.type: kind for kind in (EnerFitting, DipoleFitting, PolarFitting, DosFitting)}
