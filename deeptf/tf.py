"""The only place that imports TensorFlow: the symbols of version 1, precisions and sessions.

`from deeptf.tf import tf` gives tensorflow.compat.v1 and switches nothing: eager execution and all
else of version 2 stay as they are in this process, and so do its environment and its logs (what
the command line sets for its own process is in process.py). Between `with graph.as_default():` and
its end a graph is built as in version 1, and only there; its session needs no such scope. One thing
differs: control flow (`tf.cond`) makes functions, which no model file may have.
"""

from __future__ import annotations

import ctypes
import functools
import os
import weakref

import numpy as np
import tensorflow.compat.v1 as tf

from deeptf.cores import usable_cores

PRECISIONS: dict[str, tf.DType] = {
    "default": tf.float64,
    "float64": tf.float64,
    "double": tf.float64,
    "float32": tf.float32,
    "single": tf.float32,
}
OWN_THREADS = "TF_OVERRIDE_GLOBAL_THREADPOOL"
_sessions: weakref.WeakSet[tf.Session] = weakref.WeakSet()  # those that are alive


def session(
    graph: tf.Graph | None = None, threads: int | None = None, gpu: int | None = None
) -> tf.Session:
    """Return a session on `graph` (default: the current one).

    threads : number of threads of one op; None takes the cores that this process may use.
    gpu : number of the only GPU to use; None leaves the choice to TensorFlow. GPU memory is
        taken as needed.

    Ops run one after the other in the thread that calls `run`. Side by side they would take each
    other's threads, and handing an op to another thread takes longer than most ops; idle threads
    of TensorFlow sleep at once, for those of deeptf (core/base/team.cc) stay awake for the next op.
    Graphs are run as they are built: rewriting one takes longer than building it, and makes neither
    steps nor evaluations faster, whose time is in the ops of deeptf and in matrix products.
    """
    config = tf.ConfigProto(
        intra_op_parallelism_threads=threads or usable_cores(), inter_op_parallelism_threads=-1
    )
    config.experimental.disable_thread_spinning = True
    config.graph_options.rewrite_options.disable_meta_optimizer = True
    config.gpu_options.allow_growth = True
    if gpu is not None:
        config.gpu_options.visible_device_list = str(gpu)
    first_run()
    made = tf.Session(graph=graph, config=config)
    _sessions.add(made)
    return made


def assign(run: tf.Session, variable: tf.Variable, value: np.ndarray) -> None:
    """Give a variable of the session's graph a value; `Variable.load` needs the graph's scope."""
    initializer = variable.initializer
    run.run(initializer, {initializer.inputs[1]: value})


@functools.cache
def first_run() -> None:
    """Run a constant on the CPU, so that each session after it has threads of its own.

    Else all, those of the caller's TensorFlow among them, would share those of the first session,
    as many as that asked for. TensorFlow reads OWN_THREADS once, for the first device in a process;
    where the caller had made that, the ops of deeptf alone keep to a session's number. The variable
    is set for this moment and not in os.environ: neither the caller nor what he starts sees it.
    """
    with tf.Graph().as_default():
        one = tf.constant(1)
        if OWN_THREADS not in os.environ:
            os.putenv(OWN_THREADS, "1")
        try:
            run = tf.Session(config=tf.ConfigProto(device_count={"GPU": 0}))
        finally:
            if OWN_THREADS not in os.environ:
                os.unsetenv(OWN_THREADS)
        with run:
            run.run(one)
    os.register_at_fork(after_in_child=_leave_to_parent)


def _leave_to_parent() -> None:
    """Never destroy the sessions of the parent.

    Their threads, which would be waited for, are not in this process.
    """
    for made in _sessions:
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(made))
