"""How much working memory an evaluation takes, from the widths of a model's nets.

What counts are the hidden values of the nets, held for the backward pass: those of the embedding
net for every pair, those of the fitting net and the descriptor for every atom. COPIES was measured:
peak resident memory of an evaluation with forces over the bytes of one copy of the hidden values.
"""

from __future__ import annotations

COPIES = 2.5
_GEOMETRY = 200  # bytes of a pair outside the nets: displacement, environment, gradients, indices
_DEFAULT_NEURON = (25, 50, 100)
_DEFAULT_FITTING = (240, 240, 240)


def bytes_per_pair(metadata: dict) -> int:
    """Return the working memory of one pair in bytes."""
    descriptor = metadata.get("model", {}).get("descriptor", {})
    widths = descriptor.get("neuron", _DEFAULT_NEURON)
    return int(_GEOMETRY + COPIES * _itemsize(metadata) * sum(widths))


def bytes_per_atom(metadata: dict) -> int:
    """Return the working memory of one atom in bytes."""
    model = metadata.get("model", {})
    descriptor = model.get("descriptor", {})
    widths = descriptor.get("neuron", _DEFAULT_NEURON)
    fitting = model.get("fitting_net", {}).get("neuron", _DEFAULT_FITTING)
    width = widths[-1] * (descriptor.get("axis_neuron", 16) + 8) + sum(fitting)
    return int(_GEOMETRY + COPIES * _itemsize(metadata) * width)


def _itemsize(metadata: dict) -> int:
    return 4 if metadata.get("precision") in ("float32", "single") else 8
