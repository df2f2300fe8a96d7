"""How much working memory an evaluation of energy, force and virial takes, from the model's widths.

What counts are the values of the nets, held for the backward pass: the hidden ones of the embedding
nets for every pair, unless they are tables, and the sums over neighbours, the descriptor and the
hidden values of the fitting net for every atom. The numbers of copies and the bytes of the geometry
were measured: peak resident memory on boxes of 250,000 pairs and of 8,000 atoms with few pairs.
Not counted is the output `descriptor` itself.
"""

from __future__ import annotations

from deeptf.exchange.model_file import ModelFile

PAIR_COPIES = 2.5
ATOM_COPIES = 2
_GEOMETRY = 120  # bytes of a pair in float64 and indices: displacement, its gradient, their copies
_ROWS = 8  # values of a pair in the model's precision: environment row and its gradient
_DEFAULT_NEURON = (25, 50, 100)
_DEFAULT_FITTING = (240, 240, 240)


def bytes_per_pair(model: ModelFile) -> int:
    """Return the working memory of one pair in bytes."""
    hidden = 0 if model.tabulated else sum(_descriptor(model).get("neuron", _DEFAULT_NEURON))
    return int(_GEOMETRY + _itemsize(model) * (_ROWS + PAIR_COPIES * hidden))


def bytes_per_atom(model: ModelFile) -> int:
    """Return the working memory of one atom in bytes."""
    descriptor = _descriptor(model)
    width = descriptor.get("neuron", _DEFAULT_NEURON)[-1]
    fitting = model.metadata.get("model", {}).get("fitting_net", {})
    values = width * (descriptor.get("axis_neuron", 16) + 8)
    values += sum(fitting.get("neuron", _DEFAULT_FITTING))
    return int(_GEOMETRY + _itemsize(model) * ATOM_COPIES * values)


def _descriptor(model: ModelFile) -> dict:
    return model.metadata.get("model", {}).get("descriptor", {})


def _itemsize(model: ModelFile) -> int:
    return 4 if model.metadata.get("precision") in ("float32", "single") else 8
