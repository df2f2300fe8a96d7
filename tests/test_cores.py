"""Cores that a process may use: affinity, and CPU quotas in made-up file systems."""

from __future__ import annotations

import math
import os
from pathlib import Path

import pytest

from deeptf import cores
from deeptf.cores import cpu_quota, usable_cores
from deeptf.tf import session, tf

SECOND = "/sys/fs/cgroup"
FIRST = r"/sys/fs/c\040group/cpu,cpuacct"  # a space in the path


def tree(root: Path, groups: str, mounts: list[str], files: dict[str, str]) -> Path:
    """Write the files of a system below `root`."""
    shown = [f"{k} 1 0:{k} {line}" for k, line in enumerate(mounts)]
    files = {"proc/self/cgroup": groups, "proc/self/mountinfo": "\n".join(shown), **files}
    for name, content in files.items():
        path = root / name.lstrip("/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content + "\n")
    return root


def second(root: Path, path: str, files: dict[str, str], shown: str = "/") -> float:
    mounts = [
        "/ / rw - ext4 /dev/vda rw",
        f"{shown} {SECOND} rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate",
    ]
    placed = {f"{SECOND}/{name}": content for name, content in files.items()}
    return cpu_quota(tree(root, f"0::{path}", mounts, placed))


def first(root: Path, path: str, files: dict[str, str], shown: str = "/") -> float:
    mounts = [
        f"{shown} /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory",
        f"{shown} {FIRST} rw - cgroup cgroup rw,cpu,cpuacct",
        "/ /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw",
    ]
    groups = f"5:memory:/else\n4:cpu,cpuacct:{path}\n1:name=systemd:/\n0::/"
    where = FIRST.replace(r"\040", " ")
    placed = {f"{where}/{name}": content for name, content in files.items()}
    return cpu_quota(tree(root, groups, mounts, placed))


def test_quota_of_version_2_is_the_least_on_the_way_up(tmp_path: Path) -> None:
    files = {"a/cpu.max": "300000 100000", "a/b/cpu.max": "max 100000", "c/cpu.max": "1 100000"}
    assert second(tmp_path, "/a/b", files) == 3
    assert second(tmp_path, "/a/b", files | {"a/b/cpu.max": "125000 50000"}) == 2.5
    assert second(tmp_path, "/", files) == math.inf


def test_quota_of_version_1_is_the_least_on_the_way_up(tmp_path: Path) -> None:
    def limit(folder: str, quota: int) -> dict[str, str]:
        return {f"{folder}/cpu.cfs_quota_us": f"{quota}", f"{folder}/cpu.cfs_period_us": "100000"}

    files = limit(".", -1) | limit("a", 400000) | limit("a/b", 150000) | limit("else", 1)
    assert first(tmp_path, "/a/b", files) == 1.5
    assert first(tmp_path, "/a", files) == 4
    assert first(tmp_path, "/", files) == math.inf


@pytest.mark.parametrize("path", ["/docker/0a/b", "/../elsewhere", "/docker/0ab"])
def test_a_container_sees_its_own_group_as_the_top(path: str, tmp_path: Path) -> None:
    files = {"cpu.max": "200000 100000", "b/cpu.max": "100000 100000"}
    wanted = 1 if path.endswith("/b") else 2
    assert second(tmp_path, path, files, shown="/docker/0a") == wanted


def test_no_quota(tmp_path: Path) -> None:
    assert cpu_quota(tmp_path) == math.inf  # another system than Linux
    assert second(tmp_path, "/gone", {}) == math.inf
    assert second(tmp_path, "/", {"cpu.max": "unreadable"}) == math.inf


@pytest.mark.parametrize(
    ("quota", "processes", "wanted"),
    [(math.inf, 1, 8), (16, 1, 8), (3.9, 1, 3), (0.5, 1, 1), (8, 4, 2), (2, 4, 1)],
)
def test_threads_fit_into_cores_and_quota(
    quota: float, processes: int, wanted: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cores, "affinity", lambda: set(range(8)))
    monkeypatch.setattr(cores, "cpu_quota", lambda: quota)
    assert usable_cores(processes) == wanted
    assert usable_cores() == usable_cores(1)


def test_a_session_takes_the_usable_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("deeptf.tf.usable_cores", lambda: 5)
    for given, wanted in ((None, 5), (2, 2)):
        with tf.Graph().as_default(), session(threads=given) as run:
            assert run._config.intra_op_parallelism_threads == wanted


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="Linux knows affinities")
def test_affinity_is_that_of_the_process() -> None:
    before = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, {min(before)})
        assert usable_cores() == 1
    finally:
        os.sched_setaffinity(0, before)
    assert cores.affinity() == before
