"""Losses: one file per property that a model learns."""

from deeptf.loss.energy import EnergyLoss

LOSSES = {EnergyLoss.type: EnergyLoss}
