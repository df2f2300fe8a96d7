"""A run of molecular dynamics, from a structure file to a trajectory and a log.

The first model drives the atoms; how much the others disagree is said with each line of the log.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from ase.io.extxyz import write_extxyz

from deeptf.infer.ensemble import Ensemble
from deeptf.infer.evaluator import OutsideWarning
from deeptf.infer.md.explosion import check_step, reason
from deeptf.infer.md.files import GrowingFile, State
from deeptf.infer.md.integrator import Integrator, start_velocities
from deeptf.infer.md.sample import Sampler, header, line, parts
from deeptf.infer.md.settings import Settings
from deeptf.infer.structure import check_cell, check_new, open_structure
from deeptf.progress import Progress

if TYPE_CHECKING:
    from ase import Atoms

TRAJECTORY, LOG, RESTART = ".extxyz", ".log", ".restart"


def run(
    structure: str | Path,
    models: Sequence[str | Path],
    output: str,
    settings: Settings,
    restart: bool = False,
    supercell: Sequence[int] = (1, 1, 1),
    threads: int | None = None,
) -> None:
    """Run molecular dynamics of the atoms in a file and write OUTPUT.extxyz, .log and .restart.

    restart : go on from OUTPUT.restart; where there is nothing of this run yet, begin it
    supercell : copies of the cell along each of its vectors

    Raises ValueError and OSError with a message for the user.
    """
    with Ensemble(models, threads=threads) as ensemble, warnings.catch_warnings():
        warnings.simplefilter("ignore", OutsideWarning)  # in the log, and said at the end
        atoms = open_structure(structure, ensemble.models[0], supercell)
        if settings.keeps_pressure:
            check_cell(atoms, str(structure), f"a constant pressure ({settings.ensemble})")
        state = _state_before(output, settings, restart)
        if state is not None:
            state.set_atoms(atoms, str(structure))
        try:
            with (
                closing(_Simulation(atoms, settings, output, ensemble, state)) as simulation,
                np.errstate(over="ignore", invalid="ignore"),  # of an explosion, which stops it
            ):
                simulation.run()
        finally:
            for found in ensemble.outside_lines():
                print(f"note: {found}", flush=True)


def _state_before(output: str, settings: Settings, restart: bool) -> State | None:
    """Return what a run goes on from, or None for a new one."""
    state = Path(output + RESTART)
    if restart and state.exists():
        before = State.read(state)
        settings.check_same(before.told["settings"], str(state))
        if before.told["step"] >= settings.steps:
            raise ValueError(
                f"`steps` must be more than the {before.told['step']} that the run of {state} has "
                f"done, got {settings.steps}"
            )
        return before
    advice = "; --restart goes on with it" if state.exists() else " without a state to go on from"
    check_new(Path(output + TRAJECTORY), Path(output + LOG), state, advice=advice)
    return None


class _Simulation:
    """A run that is about to begin, or to go on from `state`."""

    def __init__(
        self,
        atoms: Atoms,
        settings: Settings,
        output: str,
        ensemble: Ensemble,
        state: State | None,
    ) -> None:
        self._atoms, self._settings, self._path = atoms, settings, Path(output + RESTART)
        if state is None:
            start_velocities(atoms, settings)
        self._integrator = Integrator(atoms, settings)
        self._sampler = Sampler(self._integrator, atoms.calc, ensemble)
        self._begins = state is None
        told = {} if state is None else state.told
        self._first = told.get("step", 0)
        if state is not None:
            self._integrator.restore(state.integrator(), self._first, told["generator"])
            self._sampler.conserved_start = told["conserved_start"]
        with ExitStack() as stack:
            lengths = told.get("lengths", {})
            self._trajectory, self._log = (
                stack.enter_context(closing(GrowingFile(Path(output + end), lengths.get(end))))
                for end in (TRAJECTORY, LOG)
            )
            self._files = stack.pop_all()

    def close(self) -> None:
        """Close the files."""
        self._files.close()

    def run(self) -> None:
        """Do all steps."""
        settings, dynamics = self._settings, self._integrator.dynamics
        with closing(Progress(self._first, settings.steps)) as progress:
            if self._begins:
                self._log.stream.write(header())
                self._record(0, progress)
            for step in range(self._first + 1, settings.steps + 1):
                try:
                    dynamics.run(1)
                    check_step(self._atoms, settings.timestep)
                except ValueError as error:
                    raise ValueError(f"step {step}: {reason(self._atoms, error)}") from None
                progress.advance()
                self._record(step, progress)

    def _record(self, step: int, progress: Progress) -> None:
        """Write what is due after a step."""
        settings = self._settings
        if step % settings.log_every == 0 or step == settings.steps:
            sample = self._sampler.take(step, settings.timestep)
            self._log.stream.write(line(sample))
            if progress.due() or step == settings.steps:
                progress.say(step, parts(sample))
        if step % settings.frame_every == 0 or step == settings.steps:
            self._atoms.info["step"] = step
            self._atoms.info["time"] = step * settings.timestep  # fs
            write_extxyz(self._trajectory.stream, self._atoms)
            self._save(step)

    def _save(self, step: int) -> None:
        """Write the state, once all before it is on the disk."""
        lengths = {TRAJECTORY: self._trajectory.save(), LOG: self._log.save()}
        State.of(
            self._atoms,
            self._integrator.state(),
            step=step,
            settings=self._settings.as_dict(),
            lengths=lengths,
            generator=self._integrator.generator.bit_generator.state,
            conserved_start=self._sampler.conserved_start,
        ).write(self._path)
