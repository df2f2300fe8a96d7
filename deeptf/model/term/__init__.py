"""Terms of a model: one file each, listed here under its `type`."""

from deeptf.model.term.frozen import Frozen
from deeptf.model.term.linear_ener import LinearEner
from deeptf.model.term.pairtab import PairTab
from deeptf.model.term.part import TERMS
from deeptf.model.term.standard import Standard

__all__ = ["TERMS"]

TERMS.update({term.type: term for term in (Standard, PairTab, LinearEner, Frozen)})
