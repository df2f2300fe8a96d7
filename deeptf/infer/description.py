"""What a frozen model says of itself: questions without an evaluation, named as in deepmd-kit.

Where deepmd-kit asks for what an energy model of deeptf never has (spins beside coordinates, an
electric field, a selection of types), the answer is the one that says so.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from deeptf.data.types import names_of
from deeptf.exchange.model_file import ModelFile
from deeptf.model.doors import PAIRS
from deeptf.properties import Property, labelled, of_width

_PARTS = {"descriptor": "descriptor/", "fitting-net": "fitting/"}
_TRAINED = ("/matrix", "/bias", "/idt")


class Description:
    """Answers of one model.

    metadata : the JSON object in the model file.
    """

    has_efield = False
    has_spin = False
    has_hessian = False

    def __init__(self, model: ModelFile) -> None:
        self.metadata = model.metadata
        self._size = _size(model)

    def get_type_map(self) -> list[str]:
        """Return the names of the atom types, by type index."""
        return list(self.metadata["type_map"])

    def names_types(self) -> bool:
        """Return whether types have names of their own.

        A converted model may have numbers in their place.
        """
        return names_of(self.get_type_map()) is not None

    def get_ntypes(self) -> int:
        """Return the number of atom types."""
        return len(self.get_type_map())

    def get_outputs(self) -> list[str]:
        """Return the names of the properties that the model gives (properties.py)."""
        return list(self.metadata["outputs"])

    def get_rcut(self) -> float:
        """Return the cut-off radius in A."""
        return float(self.metadata["rcut"])

    def get_hops(self) -> int:
        """Return how many cut-offs away an atom still matters for the energy of another one."""
        return int(self.metadata["hops"])

    def takes_pairs(self) -> bool:
        """Return whether pairs alone, as MD engines have them, say all that the model needs."""
        return PAIRS in self.metadata["doors"]

    def get_dim_fparam(self) -> int:
        """Return how many frame parameters the model takes."""
        return int(self.metadata["numb_fparam"])

    def get_dim_aparam(self) -> int:
        """Return how many atom parameters the model takes."""
        return int(self.metadata["numb_aparam"])

    def as_given(self, row: Property) -> Property:
        """Return a property as this model gives it: how many numbers, of atoms of which types."""
        own = self.metadata.get("given", {}).get(row.name, {})
        if not row.width:
            row = of_width(row, own["width"])
        return replace(row, types=tuple(own.get("types", ())))

    def labelled(self, atomic: bool = False) -> list[Property]:
        """Return the outputs that data can label, as this model gives them.

        atomic : the shares of atoms too, such as atomic energies
        """
        return [self.as_given(row) for row in labelled(self.get_outputs(), atomic)]

    def get_sel_type(self) -> list[int]:
        """Return the types of the atoms that have a tensor; an empty list means all of them."""
        given = self.metadata.get("given", {}).values()
        return sorted({t for own in given for t in own["types"]})

    def get_ntypes_spin(self) -> int:
        """Return the number of types with a spin; their virtual atoms have the last types."""
        spin = self.metadata["model"].get("spin")
        return len(spin["virtual_len"]) if spin else 0

    def get_model_def_script(self) -> dict[str, Any]:
        """Return the section `model` of the input, with all defaults."""
        return dict(self.metadata["model"])

    def get_model_size(self) -> dict[str, int]:
        """Return how many trained numbers "descriptor" and "fitting-net" have, and the "total"."""
        return dict(self._size)


def _size(model: ModelFile) -> dict[str, int]:
    size = dict.fromkeys(_PARTS, 0)
    for name, array in model.arrays.items():
        for part, prefix in _PARTS.items():
            if name.startswith(prefix) and name.endswith(_TRAINED):
                size[part] += array.size
    return size | {"total": sum(size.values())}
