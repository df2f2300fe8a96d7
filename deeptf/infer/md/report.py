"""What is made of a run when it has ended: g(r), mean square displacements and the picture."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from ase.io import read

from deeptf.files import replacing
from deeptf.infer.md.analysis import mean_square_displacement, radial_distribution
from deeptf.infer.md.run import LOG, TRAJECTORY
from deeptf.infer.md.sample import read_log
from deeptf.infer.md.settings import Settings

if TYPE_CHECKING:
    from ase import Atoms
    from matplotlib.axes import Axes

RDF, MSD, PICTURE = ".rdf", ".msd", ".png"


def write_report(output: str, settings: Settings, rdf: bool = False, msd: bool = False) -> None:
    """Write OUTPUT.rdf and OUTPUT.msd where asked, and OUTPUT.png where matplotlib is installed.

    They are made anew of trajectory and log.
    """
    frames = _frames(output + TRAJECTORY, settings) if rdf or msd else []
    tables = {}
    if rdf and all(atoms.pbc.all() for atoms in frames):
        tables[RDF] = radial_distribution(frames)
    elif rdf:
        print(f"no {output}{RDF}: g(r) needs a cell with three periodic directions", flush=True)
    if msd:
        tables[MSD] = mean_square_displacement(frames)
    for end, table in tables.items():
        with replacing(output + end, "w") as stream:
            names = " ".join(f"{name:>12s}" for name in table)
            np.savetxt(stream, np.column_stack([*table.values()]), "%12.6g", header=names)
    if importlib.util.find_spec("matplotlib") is None:
        print(f"no {output}{PICTURE}: it needs matplotlib, pip install 'deeptf[plot]'", flush=True)
        return
    draw(Path(output + PICTURE), read_log(Path(output + LOG)), settings, tables)


def _frames(path: str, settings: Settings) -> list[Atoms]:
    """Return the frames that are equally apart; the end of a run that went on may be between."""
    every = settings.frame_every
    return [atoms for atoms in read(path, ":") if atoms.info["step"] % every == 0]


def draw(
    path: Path,
    log: Mapping[str, np.ndarray],
    settings: Settings,
    tables: Mapping[str, Mapping[str, np.ndarray]],
) -> None:
    """Draw energy, temperature and pressure against time, and tables of `write_report`."""
    from matplotlib.figure import Figure

    panels = [_draw_energy, _draw_temperature]
    panels += [_draw_pressure] if np.isfinite(log["pressure"]).any() else []
    panels += [_draw_deviation] if np.isfinite(log["deviation"]).any() else []
    figure = Figure(figsize=(6.4, 2.2 * (len(panels) + len(tables))), layout="constrained")
    rows = figure.subplots(len(panels) + len(tables), squeeze=False)[:, 0]
    for axes, panel in zip(rows, panels, strict=False):
        panel(axes, log, settings)
        axes.set_xlabel("time (ps)")
    for axes, (end, table) in zip(rows[len(panels) :], tables.items(), strict=True):
        _draw_table(axes, end, table)
    with replacing(path) as stream:
        figure.savefig(stream, format="png", dpi=120)


def _draw_energy(axes: Axes, log: Mapping[str, np.ndarray], settings: Settings) -> None:
    """Draw energies from their first values, so that both are seen."""
    for name in ("potential", "total"):
        axes.plot(log["time"], log[name] - log[name][0], label=name)
    axes.set_ylabel("energy (eV),\nzero at the start")
    if np.isfinite(log["drift"]).any():
        axes.set_title(f"drift of what is conserved {log['drift'][-1]:.2g} meV/atom")
    axes.legend()


def _draw_temperature(axes: Axes, log: Mapping[str, np.ndarray], settings: Settings) -> None:
    _draw_kept(axes, log, "temperature", "K", None if settings.ensemble == "nve" else settings)


def _draw_pressure(axes: Axes, log: Mapping[str, np.ndarray], settings: Settings) -> None:
    _draw_kept(axes, log, "pressure", "bar", settings if settings.keeps_pressure else None)


def _draw_kept(
    axes: Axes, log: Mapping[str, np.ndarray], name: str, unit: str, settings: Settings | None
) -> None:
    """Draw a quantity with its mean over the second half and, with `settings`, its target."""
    value = log[name]
    axes.plot(log["time"], value)
    if settings is not None:
        axes.axhline(getattr(settings, name), color="black", linewidth=0.8, linestyle="--")
    mean = value[len(value) // 2 :].mean()
    axes.set_title(f"mean of the second half {mean:.4g} {unit}")
    axes.set_ylabel(f"{name} ({unit})")


def _draw_deviation(axes: Axes, log: Mapping[str, np.ndarray], settings: Settings) -> None:
    axes.plot(log["time"], log["deviation"])
    axes.set_ylabel("largest deviation\nof a force (eV/A)")


def _draw_table(axes: Axes, end: str, table: Mapping[str, np.ndarray]) -> None:
    """Draw all columns against the first one."""
    first, *others = table
    for name in others:
        axes.plot(table[first], table[name], label=name)
    axes.legend()
    axes.set_xlabel("r (A)" if end == RDF else "time (ps)")
    axes.set_ylabel("g(r)" if end == RDF else "mean square\ndisplacement (A^2)")
