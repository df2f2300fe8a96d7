"""Losses: one file per property that a model learns."""

from deeptf.loss.dos import DosLoss
from deeptf.loss.energy import EnergyLoss
from deeptf.loss.spin import SpinLoss
from deeptf.loss.tensor import TensorLoss

LOSSES = {kind.type: kind for kind in (EnergyLoss, SpinLoss, TensorLoss, DosLoss)}
