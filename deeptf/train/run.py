"""A training run, top to bottom: start, graph, steps.

A run is a pure function of its input, its seed and the step: whatever stops it, `--restart`
continues with the same batches and rates, bit for bit. Checkpoints are written every `save_freq`
steps, at the end, and on a signal (stop_signal.py).

Several workers (workers.py) do all of this in step: worker r of n takes batch n step + r of the one
series of batches, errors are sums over all workers, and the leader writes the files.
"""

from __future__ import annotations

from pathlib import Path

from deeptf.ops.library import description
from deeptf.train.graph import TrainingGraph
from deeptf.train.launchers import join_workers
from deeptf.train.loop import Loop
from deeptf.train.origin import check_arrays
from deeptf.train.report import names_of_columns
from deeptf.train.start import start


def train(
    input_path: str | Path,
    *,
    restart: str | Path | None = None,
    init_model: str | Path | None = None,
    init_frozen: str | Path | None = None,
    finetune: str | Path | None = None,
    output: str | Path | None = None,
    skip_neighbor_stat: bool = False,
    threads: int | None = None,
) -> int:
    """Train a model as the input file says; return 0, or 128 + the signal that stopped it.

    restart : checkpoint (file, prefix or folder) of a run to continue from its step.
    init_model, init_frozen : checkpoint or frozen model whose weights and statistics a new run
        starts from.
    finetune : checkpoint or frozen model, maybe of other types, whose weights a new run starts
        from and whose energy bias is fitted to the data.
    output : file for the input with every default written out.
    threads : number of threads of TensorFlow; the cores that may be used without it.
    Raises ValueError or OSError with a message for the user when the input, the data or the disk is
    not right, and FloatingPointError when the loss is not finite. With several workers also
    ImportError when Horovod is missing and ConnectionError when another worker has ended.
    """
    workers = join_workers()
    with workers.together():
        print(description())
        if skip_neighbor_stat:
            why = "a run looks at frames that are new to it"
            print(f"note: --skip-neighbor-stat has no effect: {why}")
        run = workers.from_leader(
            lambda: start(
                input_path,
                restart=restart,
                init_model=init_model,
                init_frozen=init_frozen,
                finetune=finetune,
                output=output,
            )
        )
        if run.first_step == run.config.training.numb_steps:
            print(
                f"nothing to do: {run.origin.path} has all {run.first_step} steps; a larger "
                "training/numb_steps goes on"
            )
            return 0
        seed = run.config.training.seed
        graph = TrainingGraph(run.config, run.values, seed, threads, workers, run.trained)
        print(f"{graph.num_parameters} trainable parameters", flush=True)
        print(names_of_columns(run.config.loss_of_model.columns()))
        try:
            check_arrays(run.origin, graph.unused)
            loop = Loop(run, graph, workers)
            if workers.size > 1:
                print(loop.describe_workers(threads), flush=True)
            return loop.run()
        finally:
            graph.close()
