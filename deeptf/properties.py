"""What models give and data label: one row for each property, which all other files read.

A property has numbers for every frame, for every centre atom or for every atom (an MD engine's
ghosts are atoms, but no centres). A new property is a new row: `register` it, give it a loss
(deeptf/loss), and a term of a model that has it among its values (deeptf/model/term).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

FRAME, CENTRE, ATOM = "frame", "centre", "atom"


@dataclass(frozen=True)
class Property:
    """Numbers of a frame or an atom, and what they are called.

    key : in prefactors of the loss (`start_pref_e`), columns (`rmse_e`), detail files (`.e.out`).
        Properties that no model has together may share one.
    extensive : the numbers grow with the size of a frame, so that errors are given per atom too.
    share_of : the property of a frame that these add up to. How an extensive one is shared out is
        often nobody's business, so shares of it are given and compared only where asked for.
    predicted : a model gives them; else they are data that a loss takes, such as weights.
    types : the types of the atoms that have one, of a model that says so; none for all. Those of
        others are zeros.
    part_of : another property, with whose label it is compared; it is that of some types of atoms.
    """

    name: str  # of the model's output
    of: str  # FRAME, CENTRE or ATOM
    components: tuple[str, ...]  # a name for each number; none where the model says how many
    unit: str = ""
    title: str = ""
    label: str = ""  # name of the file in a set of frames, without .npy; "" where none has it
    other_label: str = ""  # another name of that file
    key: str = ""
    extensive: bool = False
    share_of: str = ""
    predicted: bool = True
    types: tuple[int, ...] = ()
    part_of: str = ""

    @property
    def width(self) -> int:
        """Number of numbers of a frame or an atom."""
        return len(self.components)

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the numbers of a frame or an atom; () for one number."""
        return () if self.width == 1 else (self.width,)


_XYZ = "xyz"
_MATRIX = tuple(a + b for a in _XYZ for b in _XYZ)

ENERGY = Property("energy", FRAME, ("e",), "eV", "energy", "energy", key="e", extensive=True)
FORCE = Property("force", ATOM, tuple(f"f{a}" for a in _XYZ), "eV/A", "force", "force", key="f")
REAL_FORCE = replace(FORCE, name="real_force", key="fr", part_of="force")
MAGNETIC_FORCE = replace(
    FORCE, name="magnetic_force", unit="eV/uB", title="magnetic force", key="fm", part_of="force"
)
VIRIAL = Property(
    "virial",
    FRAME,
    tuple(f"v{ab}" for ab in _MATRIX),
    "eV",
    "virial",
    "virial",
    key="v",
    extensive=True,
)
ATOM_ENERGY = Property(
    "atom_energy",
    CENTRE,
    ("ae",),
    "eV",
    "atomic energy",
    "atom_ener",
    "atomic_ener",
    key="ae",
    share_of="energy",
)
ATOM_VIRIAL = Property(
    "atom_virial",
    ATOM,
    tuple(f"av{ab}" for ab in _MATRIX),
    "eV",
    "atomic virial",
    key="av",
    share_of="virial",
)
DESCRIPTOR = Property("descriptor", CENTRE, (), "", "descriptor")
FORCE_WEIGHT = Property(
    "force_weight",
    CENTRE,
    ("w",),
    "",
    "weight of the force",
    "atom_pref",
    "atomic_pref",
    predicted=False,
)

ENERGIES = (ENERGY, FORCE, VIRIAL, ATOM_ENERGY, ATOM_VIRIAL)  # of a model that has one of them

DIPOLE = Property("dipole", FRAME, tuple(_XYZ), "", "dipole", "dipole", key="gl")
ATOM_DIPOLE = Property(
    "atom_dipole",
    CENTRE,
    tuple(_XYZ),
    "",
    "atomic dipole",
    "atomic_dipole",
    "atom_dipole",
    key="lc",
    share_of="dipole",
)
POLAR = Property(
    "polar",
    FRAME,
    tuple(f"p{ab}" for ab in _MATRIX),
    "",
    "polarizability",
    "polarizability",
    key="gl",
)
ATOM_POLAR = Property(
    "atom_polar",
    CENTRE,
    tuple(f"p{ab}" for ab in _MATRIX),
    "",
    "atomic polarizability",
    "atomic_polarizability",
    "atom_polarizability",
    key="lc",
    share_of="polar",
)
TENSOR_WEIGHT = Property(
    "tensor_weight",
    CENTRE,
    ("w",),
    "",
    "weight of an atomic tensor",
    "atomic_weight",
    "atom_weight",
    predicted=False,
)
DOS = Property("dos", FRAME, (), "", "density of states", "dos", key="dos")
ATOM_DOS = Property(
    "atom_dos", CENTRE, (), "", "atomic density of states", "atom_dos", key="ados", share_of="dos"
)


def of_width(row: Property, width: int) -> Property:
    """Return a property whose width the model says, with names for its numbers."""
    return replace(row, components=tuple(f"{row.name}{k}" for k in range(width)))


def derivatives(of: Property) -> tuple[Property, Property, Property]:
    """Return force, virial and atomic virial of each component of a property of frames.

    That is -d/dr, -d/dstrain and the parts of the latter; the component comes first.
    """
    rows = []
    for row in (FORCE, VIRIAL, ATOM_VIRIAL):
        components = tuple(f"{a}_{b}" for a in of.components for b in row.components)
        name = f"{of.name}_{row.name}"
        rows.append(Property(name, row.of, components, title=f"{row.title} of the {of.title}"))
    return tuple(rows)


def unmodified(row: Property) -> Property:
    """Return a property of energies of a model without its modifier, which no data label."""
    name, title = f"unmodified_{row.name}", f"{row.title} without the modifier"
    return Property(name, row.of, row.components, row.unit, title)


PROPERTIES = {
    row.name: row
    for row in (
        *ENERGIES,
        *map(unmodified, ENERGIES),
        REAL_FORCE,
        MAGNETIC_FORCE,
        DESCRIPTOR,
        FORCE_WEIGHT,
        DIPOLE,
        ATOM_DIPOLE,
        *derivatives(DIPOLE),
        POLAR,
        ATOM_POLAR,
        *derivatives(POLAR),
        TENSOR_WEIGHT,
        DOS,
        ATOM_DOS,
    )
}


def register(new: Property) -> None:
    """Add a row.

    Raises ValueError where its name or label is another one's, or where one that is compared with
    labels has no key or no components.
    """
    if new.label and new.predicted and not (new.key and new.components):
        raise ValueError(
            "`key` and `components` of a property with a label must be given, got "
            f"{new.key!r} and {new.components!r} for {new.name!r}"
        )
    for row in PROPERTIES.values():
        same = new.name == row.name
        same |= bool(new.label) and new.label in (row.label, row.other_label)
        if same and row != new:
            raise ValueError(
                f"`name` and `label` of a property must be its own, got {new.name!r} and "
                f"{new.label!r}, which {row.name!r} has"
            )
    PROPERTIES[new.name] = new


def labels() -> dict[str, Property]:
    """Return the properties that data may have, by the names of their files."""
    return {row.label: row for row in PROPERTIES.values() if row.label and not row.part_of}


def labelled(outputs: Collection[str], atomic: bool = False) -> list[Property]:
    """Return those among the outputs of a model that data can label, in the order of the table.

    atomic : the shares of atoms too, such as atomic energies
    """
    rows = [row for row in PROPERTIES.values() if row.label and row.predicted]
    rows = [row for row in rows if row.name in outputs and (atomic or not _is_hidden(row))]
    in_parts = {row.part_of for row in rows}
    return [row for row in rows if row.name not in in_parts]


def _is_hidden(row: Property) -> bool:
    """Return whether it says how an extensive property is shared out, which is not unique."""
    return bool(row.share_of) and PROPERTIES[row.share_of].extensive
