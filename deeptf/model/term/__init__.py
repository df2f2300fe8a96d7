"""Terms of a model: one file each, listed here under its `type`."""

from deeptf.model.term.linear_ener import PARTS, LinearEner
from deeptf.model.term.pairtab import PairTab
from deeptf.model.term.standard import Standard

TERMS = {term.type: term for term in (Standard, PairTab, LinearEner)}
PARTS.update(TERMS)
