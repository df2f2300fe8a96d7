"""How many cores this process may keep busy: what training, inference and workers take as threads.

Two things limit it beside the number of cores: the affinity (taskset, a batch system's binding),
and on Linux the CPU quota of the process's cgroup and of those above it (a container's `--cpus`). A
process with more busy threads than its quota is stopped, with all of them, for a part of the time.
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Iterator
from pathlib import Path


def usable_cores(processes: int = 1) -> int:
    """Return the number of threads that find cores of their own, at least 1.

    processes : number of processes that have the quota together, each an equal part of it.
    """
    return max(1, int(min(len(affinity()), cpu_quota() / processes)))


def affinity() -> set[int]:
    """Return the cores on which this process may run."""
    if hasattr(os, "sched_getaffinity"):
        return os.sched_getaffinity(0)
    return set(range(os.cpu_count() or 1))


def cpu_quota(root: Path = Path("/")) -> float:
    """Return how many cores' time the cgroups of this process give it; infinity without a limit.

    root : folder in which the files of the system are.
    """
    quotas = [_quota(folder) for folder in _cgroups(root)]
    return min(quotas, default=math.inf)


def _cgroups(root: Path) -> Iterator[Path]:
    """Yield the folders of the process's cgroups that may limit the CPU, from its own upwards."""
    try:
        groups = (root / "proc/self/cgroup").read_text().splitlines()
        mounts = (root / "proc/self/mountinfo").read_text().splitlines()
    except OSError:
        return
    for _, names, path in (line.split(":", 2) for line in groups):
        for shown, top, kind, options in map(_mounted, mounts):
            first = kind == "cgroup" and "cpu" in names.split(",") and "cpu" in options
            if first or (kind == "cgroup2" and not names):
                # A container may see its own group as the top, under the path that it has outside.
                inside = path.removeprefix(shown.rstrip("/")) if _is_in(path, shown) else ""
                parts = [part for part in inside.split("/") if part]
                for depth in range(len(parts), -1, -1):
                    yield root / top.lstrip("/") / Path(*parts[:depth])


def _mounted(line: str) -> tuple[str, str, str, list[str]]:
    """Return what a line of mountinfo says.

    That is which folder of the file system is shown and where, its kind and its options.
    """
    place, _, system = line.partition(" - ")
    shown, top = (
        re.sub(r"\\(\d{3})", lambda code: chr(int(code[1], 8)), word)
        for word in place.split(" ")[3:5]
    )
    kind, _, options = system.split(" ")[:3]
    return shown, top, kind, options.split(",")


def _is_in(path: str, folder: str) -> bool:
    return f"{path}/".startswith(f"{folder.rstrip('/')}/") and ".." not in path.split("/")


def _quota(folder: Path) -> float:
    """Return the quota that is set in a cgroup of version 2 or 1, in cores."""
    try:
        if (folder / "cpu.max").exists():
            quota, period = (folder / "cpu.max").read_text().split()
        else:
            quota, period = (
                (folder / f"cpu.cfs_{name}_us").read_text().strip() for name in ("quota", "period")
            )
        return int(quota) / int(period) if int(quota) > 0 else math.inf
    except (OSError, ValueError, ZeroDivisionError):  # not set, or "max"
        return math.inf
