"""Cores of workers on one host and on several, here threads in the place of processes."""

import os

import numpy as np
import pytest

from deeptf.train import host_cores as module
from deeptf.train.host_cores import share_of, take_cores


def test_processes_with_the_same_cores_divide_them():
    cores = [{0, 1, 2, 3, 4}, {8}, {0, 1, 2, 3, 4}, {9, 10}]
    assert [share_of(cores, k) for k in range(4)] == [[0, 1], [8], [2, 3], [9, 10]]
    assert share_of([{0, 1}] * 3, 2) == []


def taken(monkeypatch, rank, cores, hosts):
    """Return what worker `rank` takes, and the cores to which it keeps its threads."""
    kept = {}
    told = []
    for k, (own, host) in enumerate(zip(cores, hosts, strict=True)):
        monkeypatch.setattr(module, "affinity", lambda own=own: own)
        monkeypatch.setattr(module.socket, "gethostname", lambda host=host: host)
        monkeypatch.setattr(module.os, "sched_setaffinity", kept.__setitem__)

        def total(values, k=k):
            told.append(values)
            return values if k < len(cores) else np.sum(told, axis=0)

        if k != rank:
            take_cores(k, len(cores), total)
    kept.clear()
    own, host = cores[rank], hosts[rank]
    monkeypatch.setattr(module, "affinity", lambda: own)
    monkeypatch.setattr(module.socket, "gethostname", lambda: host)
    number = take_cores(rank, len(cores), lambda values: values + np.sum(told, axis=0))
    return number, list(kept.values()), kept


ALL = set(range(0, 66))


@pytest.mark.parametrize(
    ("cores", "hosts", "number", "share"),
    [
        ([ALL, ALL, ALL], "aba", 33, list(range(33, 66))),  # two on this host
        ([ALL, ALL, ALL], "abc", 66, None),
        ([{0}, {1}, {65}], "aaa", 1, None),  # the launcher has bound them
        ([{0, 5}, ALL, {0, 5}], "aaa", 1, [5]),
        ([{0, 1}] * 3, "aaa", 1, None),  # more workers than cores
    ],
)
def test_cores_of_the_last_worker(cores, hosts, number, share, monkeypatch):
    found, kept, threads = taken(monkeypatch, 2, cores, hosts)
    assert found == number
    assert all(each == share for each in kept)
    assert bool(kept) == (share is not None)
    if share:
        assert set(threads) >= {int(thread) for thread in os.listdir("/proc/self/task")}
