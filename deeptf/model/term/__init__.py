"""Terms of a model: one file each, listed here under its `type`."""

from deeptf.model.term.standard import Standard

TERMS = {Standard.type: Standard}
