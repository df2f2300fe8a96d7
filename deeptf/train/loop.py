"""The training loop: step, report, save, stop."""

from __future__ import annotations

import signal

import numpy as np

from deeptf.data.batch import Batch, join_to
from deeptf.data.prefetch import Prefetcher
from deeptf.data.schedule import BatchSchedule
from deeptf.model.parameters import first_not_finite
from deeptf.progress import Progress
from deeptf.train.averaging import update_weight
from deeptf.train.graph import Step, TrainingGraph
from deeptf.train.records import Records
from deeptf.train.report import parts_of_errors, root_mean_squares
from deeptf.train.start import Run
from deeptf.train.stop_signal import StopSignal
from deeptf.train.workers import Workers

TABLE_CHECK = 100  # steps from one measurement of the error of the embedding tables to the next
ATOMS_AT_ONCE = 1024  # of validation frames: more at once gain nothing, fewer cost up to a quarter


class Loop:
    """The steps of one run on one graph."""

    def __init__(self, run: Run, graph: TrainingGraph, workers: Workers) -> None:
        self._run = run
        self._workers = workers
        self._first = run.first_step
        self._graph = graph
        self._options = run.config.training
        seed = run.config.training.seed
        self._schedule = BatchSchedule(run.data.training, seed)
        self._validation = None
        if run.data.validation is not None:
            self._validation = BatchSchedule(run.data.validation, seed + 1)
        for schedule in filter(None, (self._schedule, self._validation)):
            schedule.keep_pairs(graph.find_pairs)
        self._sets = ["training"] if self._validation is None else ["validation", "training"]
        self._loss = run.config.loss_of_model
        self._told = self._loss.columns()
        self._told_outside = False
        self._records = None
        if workers.leads:
            self._records = Records(run, self._sets)

    def run(self) -> int:
        """Take all steps; return the exit status."""
        first, last = self._first, self._options.numb_steps
        progress = Progress(first, last, self._workers.leads)
        batches = Prefetcher(self._batch, first, last)
        try:
            if not first:
                self._refine_table(first, progress)
                self._report(first, self._batch(first), progress)
            with StopSignal() as stop:
                for step in range(first, last):
                    self._refine_table(step, progress)
                    stopping = self._step(step, next(batches), stop.number > 0)
                    progress.advance()
                    self._after(step + 1, stopping or step + 1 == last, progress)
                    if stopping:
                        number = stop.number or signal.SIGTERM  # another worker has got one
                        name = signal.Signals(number).name
                        progress.message(
                            f"stopped by {name} after step {step + 1}: saved; go on with --restart"
                        )
                        return 128 + number
        finally:
            batches.close()
            progress.close()
            if self._records is not None:
                self._records.close()
        return 0

    def _drawn(self, step: int) -> int:
        """Return how many batches all workers have had before `step`."""
        return self._run.origin.drawn + (step - self._first) * self._workers.size

    def _batch(self, step: int) -> Batch:
        """Return the batch of this worker."""
        return self._schedule.batch_at(self._drawn(step) + self._workers.rank)

    def describe_workers(self, threads: int | None) -> str:
        """Return a line about the workers, the frames of a step and the learning rate.

        threads : number of threads that was asked for.
        """
        workers, schedule = self._workers, self._run.config.learning_rate
        factor = schedule.worker_factor(workers.size)
        frames = self._options.training_data.batch_size
        total = f", {frames * workers.size} in all" if isinstance(frames, int) else ""
        way = "shared memory" if workers.shares_memory else "messages"
        return (
            f"{workers.size} workers, {workers.local_size} on this host, "
            f"{workers.threads(threads)} threads each, sums by {way}; batch_size {frames} "
            f"each{total}; learning rate {schedule.start_lr:g} x {factor:g} "
            f"({schedule.scale_by_worker}) = {factor * schedule.start_lr:g}, before "
            "warm-up and decay"
        )

    def _step(self, step: int, batch: Batch, stop: bool) -> bool:
        """Take a step; return whether it is the last one because a worker wants to stop."""
        rate = self._rate(step)
        told = self._graph.step(batch, rate, self._prefactors(step), stop)
        if not np.isfinite(told.mean_loss):
            raise FloatingPointError(self._not_finite(step, batch, told))
        weight = update_weight(step + 1, self._options.average_decay)
        if weight:
            self._graph.average(weight)
        if self._records is not None:
            self._records.add_step(step + 1, told.mean_loss, rate)
        return told.stop

    def _refine_table(self, step: int, progress: Progress) -> None:
        if step % TABLE_CHECK == 0 or (step == self._first and not self._graph.table_measured):
            line = self._graph.refine_table()
            if line:
                progress.message(f"step {step:7d} | {line}")

    def _after(self, done: int, end: bool, progress: Progress) -> None:
        """Report and save what is due after `done` steps."""
        options = self._options
        if end or done % options.disp_freq == 0:
            self._report(done, self._batch(done - 1), progress)
            self._tell_outside(end, progress)
        if end or done % options.save_freq == 0:
            self._save(done, progress)

    def _report(self, done: int, batch: Batch, progress: Progress) -> None:
        """Write errors on a training batch and on validation batches.

        Those on validation batches are of averaged weights where the run keeps them.
        """
        errors = {}
        if self._validation is not None:
            with self._graph.averaged():
                errors["validation"] = self._errors(self._validation_batches(done), done)
        errors["training"] = self._errors([batch], done)
        if self._records is not None:
            self._records.add_errors(done, errors, self._rate(done))
        progress.say(done, parts_of_errors(errors))

    def _tell_outside(self, end: bool, progress: Progress) -> None:
        """Say once which pairs were closer than the data of the model, and at the end again."""
        if self._graph.outside is None or (self._told_outside and not end):
            return
        found = self._graph.outside.of_all(self._workers)
        self._told_outside = bool(found)
        for line in found.lines():
            progress.message(f"note: {'in the whole run ' if end else ''}{line}")

    def _errors(self, batches: list[Batch], done: int) -> dict[str, float]:
        prefactors = self._prefactors(done)
        joined = join_to(batches, ATOMS_AT_ONCE)
        evaluated = [self._graph.evaluate(batch, prefactors) for batch in joined]
        return root_mean_squares(evaluated, self._told, self._workers)

    def _validation_batches(self, done: int) -> list[Batch]:
        """Return the share of this worker in the batches that all workers evaluate."""
        number = self._options.validation_data.numb_btch
        first = done // self._options.disp_freq * number
        mine = range(self._workers.rank, number, self._workers.size)
        return [self._validation.batch_at(first + k) for k in mine]

    def _save(self, done: int, progress: Progress) -> None:
        if self._records is None:
            return
        arrays = {**self._graph.arrays(), **self._run.kept}
        name = first_not_finite(arrays)
        if name is not None:
            raise FloatingPointError(
                f"`{name}` must be finite to be saved, but is not after step {done}. The weights "
                f"have diverged: lower start_lr or give gradient_max_norm; {self._last_good()}"
            )
        path = self._records.save(done, arrays, self._run.meta(self._drawn(done)))
        progress.message(f"saved {path}")

    def _last_good(self) -> str:
        saved = self._records.saved if self._records is not None else None
        return f"the last checkpoint is {saved or 'the one before this run, if any'}"

    def _rate(self, step: int) -> float:
        schedule = self._run.config.learning_rate
        factor = schedule.worker_factor(self._workers.size)
        return factor * schedule.value(step, self._options.numb_steps)

    def _prefactors(self, step: int) -> np.ndarray:
        schedule = self._run.config.learning_rate
        rate_ratio = schedule.value(step, self._options.numb_steps) / schedule.start_lr
        return self._loss.prefactors(rate_ratio)

    def _not_finite(self, step: int, batch: Batch, told: Step) -> str:
        """Return whose loss is not finite; every worker asks for it after the same step."""
        workers, loss = self._workers, told.loss
        paths = [system.path for system in self._run.data.training.systems]
        bad = ~np.isfinite(loss)
        first = np.zeros((workers.size, 2))  # of each worker number of the system from 1, and frame
        for path, frame in [batch.origin[k] for k in np.flatnonzero(bad)[:1]]:
            first[workers.rank] = 1 + paths.index(path), frame
        first = workers.sum(first).astype(int)
        what = f"the loss must be finite, got {told.mean_loss} in step {step + 1}"
        if not first.any():
            bad = loss == loss.max()
            what += f", beyond the nets' precision though frames have at most {loss.max():.3g},"
        frames = [batch.origin[k] for k in np.flatnonzero(bad)]
        whose = [f"system {path}, frame {frame}" for path, frame in frames]
        for rank, (system, frame) in enumerate(first):
            if system and workers.size > 1:
                named = f"system {paths[system - 1]}, frame {frame}"
                whose = [one for one in whose if one != named] + [f"{named} (worker {rank})"]
        return (
            f"{what} for {'; '.join(whose)}. The weights have diverged (lower start_lr or give "
            "gradient_max_norm) or the labels of that frame are wrong; nothing was saved after "
            f"that: {self._last_good()}"
        )
