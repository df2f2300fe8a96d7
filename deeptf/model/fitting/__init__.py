"""Fitting nets, one file per property: they turn descriptors into the property of each atom."""

from deeptf.model.fitting.ener import EnerFitting

FITTINGS = {EnerFitting.type: EnerFitting}
