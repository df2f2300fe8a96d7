"""Who has started the workers of a run: a launcher of several processes, or nobody."""

from __future__ import annotations

import importlib
import os

from deeptf.train.workers import HorovodWorkers, Workers

LAUNCHERS = {  # variables with the number of processes that were started; who sets them
    "HOROVOD_SIZE": "horovodrun",
    "OMPI_COMM_WORLD_SIZE": "mpirun",
    "PMI_SIZE": "mpirun",
    "MV2_COMM_WORLD_SIZE": "mpirun",
    "SLURM_STEP_NUM_TASKS": "srun",
}
SETTINGS = {  # what a user has not set; measured with tests/benchmarks/horovod.py
    # ms between two looks of Horovod for messages: the sums at the end of a step wait for it. With
    # Gloo a look costs 0.1 ms of a core; workers that share memory need no messages and end it.
    "HOROVOD_CYCLE_TIME": "0.1",
    "HOROVOD_FUSION_THRESHOLD": "0",  # see HorovodWorkers._messages
    "OMPI_MCA_mpi_yield_when_idle": "1",  # Horovod's thread has no core of its own to wait on
    # Within a host, through shared memory in large parts: 8 MB took 0.7 ms between two processes,
    # and 1.4 ms where each reads the other's memory by a system call, Open MPI's default.
    "OMPI_MCA_btl_vader_single_copy_mechanism": "none",
    "OMPI_MCA_btl_vader_max_send_size": "65536",
}


def join_workers() -> Workers:
    """Return the workers that a launcher started, this one among them.

    Raises ImportError where a launcher started several processes and Horovod is not installed or
    does not know the launcher: each would train alone.
    """
    launched, launcher = _launched()
    if launched == 1:
        return Workers()
    for name, value in SETTINGS.items():
        os.environ.setdefault(name, value)
    try:
        hvd = importlib.import_module("horovod.tensorflow")
        hvd.init()
    except ImportError as error:
        raise ImportError(
            f"Horovod must be installed to train with {launched} processes of {launcher}, but "
            f"importing it failed ({error}): examples/horovod/install.sh installs it; for training "
            f"on one worker start `deeptf train` without {launcher}"
        ) from error
    if hvd.size() != launched:
        raise ImportError(
            f"Horovod must know the {launched} processes of {launcher}, but knows {hvd.size()}: it "
            f"was built without support for {launcher}; build it with MPI "
            "(examples/horovod/install.sh) or start with `horovodrun --gloo -np N`"
        )
    return HorovodWorkers(hvd)


def _launched() -> tuple[int, str]:
    """Return how many processes were started together, and by what."""
    for variable, launcher in LAUNCHERS.items():
        size = os.environ.get(variable, "")
        if size.isdigit() and int(size) > 1:
            return int(size), launcher
    return 1, ""
