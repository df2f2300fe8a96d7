"""What is said about the systems of a run: which there are, what is left out or missing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from deeptf.data.energy_bias import energy_bias
from deeptf.data.section import Section
from deeptf.data.system import System
from deeptf.data.types import names_of
from deeptf.properties import Property

LISTED = 20  # systems that are named one by one
FAR = 10.0  # eV an atom; cohesion has less


def tell_systems(name: str, section: Section | None) -> None:
    """Print the systems of a section, and which frames and systems count more or less than others.

    name : of the section, "training" or "validation"; None where the input has none.
    """
    systems = section.systems if section is not None else []
    frames = sum(system.num_frames for system in systems)
    print(f"{name}: {_number(len(systems), 'system')}, {_number(frames, 'frame')}")
    for system in systems[:LISTED]:
        cell = "" if system.periodic else ", no cell"
        number = _number(system.num_frames, "frame")
        print(f"  {system.path}: {number} of {system.num_atoms} atoms{cell}")
    unnamed = [system.path for system in systems if not system.names_types]
    if unnamed and names_of(systems[0].type_map) is not None:
        numbers = ", ".join(f"{t} {name}" for t, name in enumerate(systems[0].type_map))
        more = f" and {len(unnamed) - 1} more" if len(unnamed) > 1 else ""
        print(
            f"note: no type_map.raw in {unnamed[0]}{more}: types count as in `type_map` ({numbers})"
        )
    rest = [system.num_atoms for system in systems[LISTED:]]
    if rest:
        print(f"  and {len(rest)} more, of {min(rest)} to {max(rest)} atoms")
    if section is None:
        return
    if section.left_out:
        limit = f"more than {section.most_atoms} atoms"
        print(f"note: {section.left_out} systems of {limit} are left out")
    if any(np.any(system.copies != 1) for system in systems):
        copies = sum(int(system.copies.sum()) for system in systems)
        unused = frames - sum(len(system.used_frames) for system in systems)
        never = f", {unused} frames never" if unused else ""
        print(f"note: {copies} {name} frames an epoch by numb_copy.npy{never}")
    undrawn = [s.path for s, p in zip(systems, section.probabilities, strict=True) if not p]
    if undrawn:
        more = f" and {len(undrawn) - 3} more" if len(undrawn) > 3 else ""
        print(f"note: probability 0, not used for {name}: {', '.join(undrawn[:3])}{more}")


def tell_labels(
    name: str, systems: Sequence[System], terms: Mapping[str, Sequence[Property]]
) -> None:
    """Print which labels are missing of those that the terms of the loss need.

    Raises ValueError where no training frame has any.
    """
    total = sum(len(system.used_frames) for system in systems)
    useful = False
    for rows in terms.values():
        labels = " and ".join(row.label for row in rows)
        if any(row.types for row in rows):
            labels += " and atoms that have one"
        number = sum(system.number_with(rows) for system in systems)
        useful = useful or number > 0
        if not number:
            print(f"note: no {name} system has {labels}: its term of the loss is 0")
        elif number < total:
            print(
                f"note: {number} of {total} {name} frames have {labels}: the others add "
                "nothing to its term of the loss"
            )
    if terms and not useful and name == "training":
        rows = [row for rows in terms.values() for row in rows]
        wanted = ", ".join(sorted({row.label for row in rows}))
        types = sorted({t for row in rows for t in row.types})
        owners = f" and atoms of the types {types} of type_map that have them" if types else ""
        raise ValueError(
            f"training systems must have labels for the loss ({wanted}){owners}, got none in "
            f"{len(systems)} systems; add the files to set.* or change the prefactors of `loss`"
        )


def tell_far_energies(
    training: Sequence[System], validation: Sequence[System], num_types: int
) -> None:
    """Print how many frames have an energy that is FAR from what their composition says.

    That is the bias of the training data, and the median of what is left of it.
    """
    systems = [*training, *validation]
    bias = energy_bias(training, num_types)
    left = []
    for system in systems:
        energy, frames = system.energies()
        count = system.compositions(num_types)[frames]
        left.append((energy - count @ bias) / np.maximum(count.sum(axis=1), 1))
    trained = np.concatenate([np.zeros(0), *left[: len(training)]])
    middle = np.median(trained) if len(trained) else 0.0
    far = [np.flatnonzero(np.abs(values - middle) > FAR) for values in left]
    first = next((k for k, found in enumerate(far) if len(found)), None)
    if first is None:
        return
    place, system, number = far[first][0], systems[first], sum(map(len, far))
    print(
        f"note: energies of {_number(number, 'frame')} are more than {FAR:g} "
        "eV/atom away from what compositions say, frame "
        f"{system.energies()[1][place]} of {system.path} by {left[first][place] - middle:.4g} "
        "eV/atom: are they in eV, and of these types?"
    )


def _number(number: int, name: str) -> str:
    """Return a number of things in words."""
    return f"{number} {name}{'' if number == 1 else 's'}"
