"""Training steps of deeptf in this process, one by one, for timings and profiles."""

from __future__ import annotations

import json
import os
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from functools import partial
from pathlib import Path
from typing import Any

from deeptf.data.schedule import BatchSchedule
from deeptf.tf import tf
from deeptf.train.graph import TrainingGraph
from deeptf.train.start import start


class Steps:
    """Steps of one run."""

    def __init__(self, graph: TrainingGraph, schedule: BatchSchedule, prefactors: Any) -> None:
        self._graph, self._schedule, self._prefactors = graph, schedule, prefactors
        self._done = 0

    def take(self) -> float:
        """Take a step; return its milliseconds without the reading of its batch."""
        batch = self._schedule.batch_at(self._done)
        begin = time.perf_counter()
        self._graph.step(batch, 1e-4, self._prefactors)
        self._done += 1
        return 1e3 * (time.perf_counter() - begin)

    def profile(self, steps: int) -> list[tuple[str, float, float]]:
        """Return type, milliseconds a step and number a step of the ops, the longest first.

        Ops that run side by side count in full, so the sum may exceed the time of a step.
        """
        time_of, number_of = Counter(), Counter()
        session = self._graph._session
        plain = session.run
        options = tf.RunOptions(trace_level=tf.RunOptions.FULL_TRACE)
        for _ in range(steps):
            metadata = tf.RunMetadata()
            session.run = partial(plain, options=options, run_metadata=metadata)
            self.take()
            for device in metadata.step_stats.dev_stats:
                for node in device.node_stats:
                    kind = node.timeline_label.partition(" = ")[2].partition("(")[0]
                    time_of[kind or node.node_name] += node.all_end_rel_micros / 1e3
                    number_of[kind or node.node_name] += 1
        session.run = plain
        return [(k, ms / steps, number_of[k] / steps) for k, ms in time_of.most_common()]


@contextmanager
def prepared(script: dict[str, Any], threads: int) -> Iterator[Steps]:
    """Prepare a run in a folder of its own and give its steps."""
    before = os.getcwd()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        try:
            Path("input.json").write_text(json.dumps(script))
            with open(os.devnull, "w") as nowhere, redirect_stdout(nowhere):
                run = start("input.json")
            seed = run.config.training.seed
            graph = TrainingGraph(run.config, run.values, seed, threads)
            graph.refine_table()
            schedule = BatchSchedule(run.data.training, seed)
            schedule.keep_pairs(graph.find_pairs)
            try:
                yield Steps(graph, schedule, run.config.loss.prefactors(1.0))
            finally:
                graph.close()
        finally:
            os.chdir(before)
