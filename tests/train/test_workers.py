"""Joining workers without Horovod: launchers, messages, learning rates. tests/workers has real runs
of several workers.
"""

import os
import sys
from types import SimpleNamespace

import numpy as np
import pytest
from small_run import write_run

from deeptf.__main__ import main
from deeptf.tf import tf
from deeptf.train import launchers
from deeptf.train import workers as module
from deeptf.train.host import SharedMemory
from deeptf.train.launchers import join_workers
from deeptf.train.learning_rate import CosineLR
from deeptf.train.workers import Workers


@pytest.fixture(autouse=True)
def no_launcher(monkeypatch):
    for name in [*launchers.LAUNCHERS, *launchers.SETTINGS]:
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)


def fake_horovod(monkeypatch, size=2, local_size=1, rank=1):
    """Put a Horovod of one process that says it is one of `size` in the place of the real one."""
    calls = []
    fake = SimpleNamespace(
        init=lambda: calls.append("init"),
        shutdown=lambda: calls.append("shutdown"),
        size=lambda: size,
        rank=lambda: rank,
        local_rank=lambda: rank,
        local_size=lambda: local_size,
        mpi_enabled=lambda: True,
        allreduce=lambda tensor, op, name: 2 * tensor,
        Sum=None,
    )
    monkeypatch.setitem(sys.modules, "horovod.tensorflow", fake)
    monkeypatch.setattr(module, "take_cores", lambda rank, size, total: 3)
    return calls


def test_one_worker_needs_no_horovod(monkeypatch):
    monkeypatch.setitem(sys.modules, "horovod.tensorflow", None)
    for variable in launchers.LAUNCHERS:
        monkeypatch.setenv(variable, "1")
    alone = join_workers()
    assert type(alone) is Workers and alone.leads and (alone.rank, alone.size) == (0, 1)
    assert alone.share("x") == "x" and alone.sum(np.ones(2)).tolist() == [1, 1]
    assert alone.threads(None) is None and alone.threads(3) == 3


@pytest.mark.parametrize(("variable", "where"), launchers.LAUNCHERS.items())
def test_launched_without_horovod(variable, where, monkeypatch, tmp_path, capsys):
    monkeypatch.setitem(sys.modules, "horovod.tensorflow", None)
    monkeypatch.setenv(variable, "4")
    monkeypatch.chdir(tmp_path)
    assert main(["train", str(write_run(tmp_path))]) == 1
    message = capsys.readouterr().err
    assert f"Horovod must be installed to train with 4 processes of {where}" in message
    assert "examples/horovod/install.sh installs it" in message
    assert not list(tmp_path.glob("lcurve.out"))


def test_horovod_that_does_not_know_the_launcher(monkeypatch):
    fake_horovod(monkeypatch, size=1)
    monkeypatch.setenv("OMPI_COMM_WORLD_SIZE", "2")
    with pytest.raises(ImportError, match="the 2 processes of mpirun, but knows 1: it was built"):
        join_workers()


def test_settings_of_the_user_stay(monkeypatch):
    fake_horovod(monkeypatch)
    monkeypatch.setenv("HOROVOD_SIZE", "2")
    monkeypatch.setenv("HOROVOD_CYCLE_TIME", "7")
    assert not join_workers().leads
    assert os.environ["HOROVOD_CYCLE_TIME"] == "7"
    assert os.environ["HOROVOD_FUSION_THRESHOLD"] == "0"


@pytest.mark.parametrize("opens", [True, False])
def test_horovod_ends_where_memory_is_shared_and_else_looks_often(opens, monkeypatch):
    calls = fake_horovod(monkeypatch, local_size=2)
    monkeypatch.setenv("OMPI_COMM_WORLD_SIZE", "2")
    memory = SharedMemory(1, 5, [3, 4], [8, 9]) if opens else None
    monkeypatch.setattr(module, "open_memory", lambda *_: memory)
    together = join_workers()
    assert calls == (["init", "shutdown"] if opens else ["init"])
    assert os.environ["HOROVOD_CYCLE_TIME"] == "0.1"
    assert together.shares_memory == opens
    first, second = together.host(), together.host()
    assert (first.offset < second.offset) if opens else (first is second is None)


@pytest.mark.parametrize("opens", [True, False])
def test_arrays_are_summed_where_memory_is_shared_without_messages(opens, monkeypatch):
    fake_horovod(monkeypatch, local_size=2)
    monkeypatch.setenv("OMPI_COMM_WORLD_SIZE", "2")
    memory = SharedMemory(1, 5, [3, 4], [8, 9]) if opens else None
    monkeypatch.setattr(module, "open_memory", lambda *_: memory)
    monkeypatch.setattr(module, "host_sum", lambda _, tensors: [3 * each for each in tensors])
    together = join_workers()
    factor = 3 if opens else 2  # messages double here
    for values in (np.ones((2, 2)), np.arange(4.0), np.array(1.0)):
        np.testing.assert_array_equal(together.sum(values), factor * values)


@pytest.mark.parametrize(
    ("local_size", "gpus", "has_ops"), [(1, 0, True), (2, 1, True), (2, 0, False)]
)
def test_no_memory_between_hosts_on_gpus_and_without_its_ops(
    local_size, gpus, has_ops, monkeypatch
):
    fake_horovod(monkeypatch, local_size=local_size)
    monkeypatch.setenv("OMPI_COMM_WORLD_SIZE", "2")
    monkeypatch.setattr(module, "open_memory", lambda *_: pytest.fail("it must not be tried"))
    monkeypatch.setattr(module, "_gpus", lambda: gpus)
    monkeypatch.setattr(module, "has_host_ops", lambda: has_ops)
    together = join_workers()
    assert not together.shares_memory and together.host() is None


def test_threads_of_a_worker(monkeypatch):
    fake_horovod(monkeypatch, size=8, local_size=4)
    monkeypatch.setenv("OMPI_COMM_WORLD_SIZE", "8")
    cores = {"asked": None}

    def usable(processes):
        cores["asked"] = processes
        return cores["usable"]

    monkeypatch.setattr(module, "usable_cores", usable)
    together = join_workers()
    for cores["usable"], wanted in ((2, 2), (9, 3)):  # 3 are for it alone
        assert together.threads(None) == wanted and cores["asked"] == 4
    assert together.threads(7) == 7


def test_totals_keep_shapes_types_and_order(monkeypatch):
    fake_horovod(monkeypatch)  # two hosts: all sums are messages
    monkeypatch.setenv("HOROVOD_SIZE", "2")
    together = join_workers()
    assert not together.shares_memory
    shapes = [(3, 2), (), (200, 200), (5,), (0, 4), (1, 1)]
    kinds = [np.float64, np.float32, np.float32, np.float64, np.float64, np.float32]
    rng = np.random.default_rng(0)
    arrays = [rng.normal(size=s).astype(k) for s, k in zip(shapes, kinds, strict=True)]
    with tf.Graph().as_default(), tf.Session() as run:
        totals = run.run(together.total(arrays))
    for total, array in zip(totals, arrays, strict=True):
        assert total.dtype == array.dtype and total.shape == array.shape
        np.testing.assert_array_equal(total, 2 * array)


def test_a_gpu_for_each_worker(monkeypatch):
    fake_horovod(monkeypatch, local_size=2)
    monkeypatch.setenv("HOROVOD_SIZE", "2")
    monkeypatch.setattr(module, "open_memory", lambda *_: None)
    together = join_workers()
    experimental = tf.config.experimental
    monkeypatch.setattr(experimental, "list_physical_devices", lambda kind: ["a", "b"])
    assert together.gpu() == 1
    monkeypatch.setattr(experimental, "list_physical_devices", lambda kind: ["a"])
    with pytest.raises(ValueError, match="at most as many as its GPUs, 1, got 2"):
        together.gpu()
    monkeypatch.setattr(experimental, "list_physical_devices", lambda kind: [])
    assert together.gpu() is None


@pytest.mark.parametrize(("scale", "factor"), [("linear", 4), ("sqrt", 2), ("none", 1)])
def test_factor_of_the_learning_rate(scale, factor):
    assert CosineLR(scale_by_worker=scale).worker_factor(4) == factor
    assert CosineLR(scale_by_worker=scale).worker_factor(1) == 1


class Second(Workers):
    """A worker that does not lead, and what its leader shares."""

    rank, size = 1, 2

    def __init__(self, told):
        self.told = told

    def share(self, value):
        """Return what the leader has shared."""
        assert value is None
        return self.told


def test_the_leader_alone_works_and_says_what_is_wrong():
    def fail():
        raise ValueError("wrong")

    shared = []
    leader = Workers()
    leader.share = lambda value: shared.append(value) or value
    assert leader.from_leader(lambda: "done") == "done"
    with pytest.raises(ValueError, match="wrong"):
        leader.from_leader(fail)
    assert shared == ["done", None]  # the others are told in any case
    assert Second("done").from_leader(fail) == "done"
    with pytest.raises(SystemExit) as ended:
        Second(None).from_leader(fail)
    assert ended.value.code == 1
