"""The only place that imports TensorFlow: graph mode, quiet logs, precisions and session settings.

`from deeptf.tf import tf` gives tensorflow.compat.v1 with the behaviour of version 2 switched off.
"""

from __future__ import annotations

import contextlib
import functools
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator

from deeptf.cores import usable_cores

# Read by TensorFlow when it is imported, or when it makes its first session.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("TF_OVERRIDE_GLOBAL_THREADPOOL", "1")  # threads belong to a session


@contextlib.contextmanager
def _without_notices() -> Iterator[None]:
    """Drop what TensorFlow prints at any log level (oneDNN, MLIR); after an error, show it."""
    if int(os.environ["TF_CPP_MIN_LOG_LEVEL"]) < 2:
        yield
        return
    sys.stderr.flush()
    terminal = os.dup(2)
    with tempfile.TemporaryFile() as notices:
        os.dup2(notices.fileno(), 2)
        try:
            yield
        except BaseException:
            notices.seek(0)
            with open(terminal, "wb", closefd=False) as stream:
                shutil.copyfileobj(notices, stream)
            raise
        finally:
            os.dup2(terminal, 2)
            os.close(terminal)


with _without_notices():
    import tensorflow.compat.v1 as tf

    tf.logging.set_verbosity(tf.logging.ERROR)
    tf.disable_v2_behavior()

PRECISIONS: dict[str, tf.DType] = {
    "default": tf.float64,
    "float64": tf.float64,
    "double": tf.float64,
    "float32": tf.float32,
    "single": tf.float32,
}


def session(
    graph: tf.Graph | None = None, threads: int | None = None, gpu: int | None = None
) -> tf.Session:
    """Return a session on `graph` (default: the current one).

    threads : number of threads of one op; None takes the cores that this process may use.
    gpu : number of the only GPU to use; None leaves the choice to TensorFlow. GPU memory is
        taken as needed.

    Ops run one after the other in the thread that calls `run`. Side by side they would take each
    other's threads, and handing an op to another thread takes longer than most ops; idle threads
    of TensorFlow sleep at once, for those of deeptf (op/core/team.cc) stay awake for the next op.
    """
    config = tf.ConfigProto(
        intra_op_parallelism_threads=threads or usable_cores(), inter_op_parallelism_threads=-1
    )
    config.experimental.disable_thread_spinning = True
    config.gpu_options.allow_growth = True
    if gpu is not None:
        config.gpu_options.visible_device_list = str(gpu)
    _run_once()
    return tf.Session(graph=graph, config=config)


@functools.cache
def _run_once() -> None:
    """Run a graph of one constant on the CPU, so that the notices of a first run are dropped."""
    with _without_notices(), tf.Graph().as_default():
        one = tf.constant(1)
        with tf.Session(config=tf.ConfigProto(device_count={"GPU": 0})) as run:
            run.run(one)
