"""The processes that train one model together, by Horovod (Sergeev & Del Balso, arXiv:1802.05799).

A launcher (horovodrun, mpirun, srun) starts the same command several times. Every process, a
worker, holds the whole model, takes frames of its own and averages its gradient with the others, so
that the weights of all are equal at any time. The leader, rank 0, alone reads and checks the data,
talks and writes files. Without a launcher there is one worker and no Horovod.
"""

from __future__ import annotations

import contextlib
import os
import pickle
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

import numpy as np

from deeptf.cores import usable_cores
from deeptf.ops.host import Host, has_host_ops, host_sum
from deeptf.tf import assign, session, tf
from deeptf.train.host import SharedMemory, hand_over, open_memory
from deeptf.train.host_cores import take_cores

T = TypeVar("T")

LARGE = 1 << 15  # elements of a tensor


class Workers:
    """One worker: what it does for others is nothing."""

    rank, size = 0, 1
    local_rank, local_size = 0, 1  # on this host
    shares_memory = False

    @property
    def leads(self) -> bool:
        """Whether this process reads the data, talks and writes files."""
        return self.rank == 0

    def threads(self, given: int | None) -> int | None:
        """Return the number of threads of this worker; None means the cores that may be used."""
        return given

    def gpu(self) -> int | None:
        """Return the number of the GPU of this worker; None means any that TensorFlow sees."""
        return None

    def together(self) -> contextlib.AbstractContextManager:
        """Return a context in which only the leader prints to stdout.

        In it the end of another worker is a ConnectionError.
        """
        return contextlib.nullcontext()

    def share(self, value: T) -> T:
        """Return the leader's value, which must be something that can be pickled."""
        return value

    def from_leader(self, work: Callable[[], T]) -> T:
        """Return what `work` returns on the leader, which alone does it.

        The other workers end with exit status 1 where it fails: the leader says why.
        """
        found = None
        try:
            if self.leads:
                found = work()
        finally:
            told = self.share(found)
        if told is None:
            raise SystemExit(1)
        return told if found is None else found

    def sum(self, values: np.ndarray) -> np.ndarray:
        """Return the sum of the arrays of all workers, of one shape."""
        return values

    def total(self, tensors: Sequence[tf.Tensor]) -> list[tf.Tensor]:
        """Return tensors for the sums over all workers, bit for bit the same on all."""
        return list(tensors)

    def host(self) -> Host | None:
        """Return the workers as ops see them that share memory, where all can share some."""
        return None

    def initialize(self, run: tf.Session) -> None:
        """Give the variables of the session's graph the leader's values."""


class HorovodWorkers(Workers):
    """The workers that Horovod connects.

    hvd : the module horovod.tensorflow, initialized.
    """

    def __init__(self, hvd: Any) -> None:
        self._hvd = hvd
        self.rank, self.size = hvd.rank(), hvd.size()
        self.local_rank, self.local_size = hvd.local_rank(), hvd.local_size()
        self._files = contextlib.ExitStack()
        self._sums: dict[int, _Sum] = {}  # by the length of arrays
        self._sum_of_messages = _Sum(None, lambda values: self._allreduce(values, "sum"))
        self._cores = take_cores(self.rank, self.size, self._sum_of_messages)
        self._memory = self._open_memory()
        if self.shares_memory:
            hvd.shutdown()  # its thread, which would look for messages that nobody sends

    @property
    def shares_memory(self) -> bool:
        """Whether sums go through memory that all workers map."""
        return self._memory is not None

    def _open_memory(self) -> SharedMemory | None:
        """Open what the workers share where all are on one host, have no GPUs, and can.

        Elsewhere, and where the op library has no sums in shared memory, they exchange messages.
        """
        total = self._sum_of_messages
        alone = self.local_size < self.size or _gpus() > 0 or not has_host_ops()
        if total(np.array(float(alone))) > 0:
            return None
        return open_memory(self.rank, self.size, total, self._files)

    def threads(self, given: int | None) -> int | None:
        """Return the given number, else that of the cores that are for this worker alone."""
        return given or min(self._cores, usable_cores(self.local_size))

    def gpu(self) -> int | None:
        """Return the local rank where TensorFlow sees GPUs.

        Raises ValueError where there are fewer GPUs than workers on this host.
        """
        number = _gpus()
        if number and self.local_rank >= number:
            raise ValueError(
                f"the workers on a host must be at most as many as its GPUs, {number}, got "
                f"{self.local_size}: start fewer, or none on GPUs with CUDA_VISIBLE_DEVICES=-1"
            )
        return self.local_rank if number else None

    @contextlib.contextmanager
    def together(self) -> Iterator[None]:
        """Drop what others than the leader print to stdout; say it where another worker ends."""
        with self._files, contextlib.ExitStack() as stack:
            if not self.leads:
                nowhere = stack.enter_context(open(os.devnull, "w"))
                stack.enter_context(contextlib.redirect_stdout(nowhere))
            try:
                yield
            except tf.errors.OpError as error:
                told = error.op is not None and error.op.type.startswith("Horovod")
                if not told and not isinstance(error, tf.errors.AbortedError):
                    raise
                raise ConnectionError(
                    f"worker {self.rank} must hear from all {self.size} workers, but one of them "
                    "has ended: it, or the launcher, says why. Checkpoints are complete; go on "
                    "with --restart, with any number of workers"
                ) from error

    def share(self, value: T) -> T:
        """Return the leader's value."""
        if self.shares_memory:
            return pickle.loads(hand_over(pickle.dumps(value) if self.leads else None, self.sum))
        with tf.Graph().as_default() as graph, session(graph, 1) as run:
            return self._hvd.broadcast_object(value, 0, run, "deeptf_share")

    def sum(self, values: np.ndarray) -> np.ndarray:
        """Return the sum of the arrays of all workers, in float64."""
        if not self.shares_memory:
            return self._sum_of_messages(values)
        size = np.size(values)
        if size not in self._sums:
            self._sums[size] = _Sum(size, lambda tensor: self.total([tensor])[0])
        return self._sums[size](values)

    def total(self, tensors: Sequence[tf.Tensor]) -> list[tf.Tensor]:
        """Return sums: through shared memory where there is some, else by messages."""
        totals = [tf.convert_to_tensor(tensor) for tensor in tensors]
        kinds: dict[tf.DType, list[int]] = {}
        for k, tensor in enumerate(totals):
            kinds.setdefault(tensor.dtype, []).append(k)
        for kind, places in kinds.items():
            values = [totals[k] for k in places]
            host = self.host()
            sums = host_sum(host, values) if host else self._messages(values, kind.name)
            for k, total in zip(places, sums, strict=True):
                totals[k] = total
        return totals

    def host(self) -> Host | None:
        """Return the workers, with a place of its own for one op, where all share memory."""
        return self._memory.place() if self._memory is not None else None

    def _messages(self, values: list[tf.Tensor], kind: str) -> list[tf.Tensor]:
        """Return the sums of tensors of one type, by messages.

        Each large tensor has a message of its own, all small ones have one together. Horovod's own
        fusion would collect whatever is ready when it looks, other sums every time, and would copy
        the large ones twice. A message of Gloo waits longer than a copy takes: there all tensors
        count as small.
        """
        totals = list(values)
        small = []
        for k, value in enumerate(values):
            if value.shape.num_elements() < LARGE or not self._hvd.mpi_enabled():
                small.append(k)
            else:
                totals[k] = self._allreduce(value, f"large_{kind}_{k}")
        if small:
            flat = tf.concat([tf.reshape(values[k], [-1]) for k in small], axis=0)
            sizes = [values[k].shape.num_elements() for k in small]
            parts = tf.split(self._allreduce(flat, f"small_{kind}"), sizes)
            for k, part in zip(small, parts, strict=True):
                totals[k] = tf.reshape(part, values[k].shape)
        return totals

    def _allreduce(self, tensor: tf.Tensor, name: str) -> tf.Tensor:
        return self._hvd.allreduce(tensor, op=self._hvd.Sum, name=f"deeptf_{name}")

    def initialize(self, run: tf.Session) -> None:
        """Hand over the leader's variables."""
        with run.graph.as_default():
            if not self.shares_memory:
                run.run(self._hvd.broadcast_global_variables(0))
                return
            variables = tf.global_variables()
            values = self.share(run.run(variables) if self.leads else None)
            for variable, value in zip(variables, values, strict=True):
                if not self.leads:
                    assign(run, variable, value)


class _Sum:
    """The sum of arrays of one length over the workers, in a graph of its own.

    length : None means any.
    build : makes the sum of a tensor.
    """

    def __init__(self, length: int | None, build: Callable[[tf.Tensor], tf.Tensor]) -> None:
        with tf.Graph().as_default() as graph:
            self._values = tf.placeholder(tf.float64, [length])
            self._sum = build(self._values)
            self._session = session(graph, 1)

    def __call__(self, values: np.ndarray) -> np.ndarray:
        """Return the sum in the shape of `values`."""
        total = self._session.run(self._sum, {self._values: np.ravel(values)})
        return total.reshape(np.shape(values))


def _gpus() -> int:
    """Return how many GPUs TensorFlow sees."""
    return len(tf.config.experimental.list_physical_devices("GPU"))
