"""CUDA kernels without a GPU: their tests on the CPU, and what nvcc makes of them where it is."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def build(folder: Path, target: str, kind: str, *settings: str) -> str:
    """Return the output of a build of `target`; ccache, where it is, makes the next one short."""
    options = ["-DDEEPTF_TESTS=ON", "-DDEEPTF_MARCH=plain", f"-DDEEPTF_CUDA={kind}", *settings]
    if shutil.which("ninja"):
        options += ["-G", "Ninja"]
    if shutil.which("ccache"):
        options += [f"-DCMAKE_{language}_COMPILER_LAUNCHER=ccache" for language in ("CXX", "CUDA")]
    environment = {**os.environ, "CCACHE_NOHASHDIR": "1"}
    subprocess.run(
        ["cmake", "-S", ROOT / "op", "-B", folder, *options], check=True, capture_output=True
    )
    command = ["cmake", "--build", folder, "--parallel", str(os.cpu_count()), "--target", target]
    run = subprocess.run(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    assert run.returncode == 0, run.stdout
    return run.stdout


@pytest.mark.cuda
def test_emulated_kernels_are_those_of_the_cpu(tmp_path: Path) -> None:
    build(tmp_path, "cuda_tests", "emulated")
    programs = ["ctest", "--test-dir", tmp_path, "-L", "cuda", "--output-on-failure"]
    run = subprocess.run(
        [*programs, "--parallel", str(os.cpu_count())], capture_output=True, text=True
    )
    assert run.returncode == 0, run.stdout


@pytest.mark.cuda
@pytest.mark.skipif(shutil.which("nvcc") is None, reason="nvcc must be installed")
def test_registers_of_kernels_hold_all(tmp_path: Path) -> None:
    output = build(
        tmp_path, "deeptf_cuda_core", "device", "-DCMAKE_CUDA_ARCHITECTURES=80-real;90-real"
    )
    script = ROOT / "tests" / "op" / "cuda" / "registers.sh"
    run = subprocess.run([script], input=output, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout


def test_spilled_registers_fail() -> None:
    kernel = """ptxas info    : Compiling entry function '_Z4movePd' for '{arch}'
    8 bytes stack frame, 12 bytes spill stores, 4 bytes spill loads
ptxas info    : Used 64 registers, used 1 barriers, 512 bytes smem
"""
    script = ROOT / "tests" / "op" / "cuda" / "registers.sh"

    def table(output: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([script], input=output, capture_output=True, text=True)

    older = table(kernel.format(arch="sm_80"))
    assert older.returncode == 0
    assert older.stdout.splitlines()[1].split() == ["sm_80", "64", "8", "16", "512", "move"]
    newer = table(kernel.format(arch="sm_90"))
    assert newer.returncode == 1
    assert "registers of these kernels for sm_90 must hold all" in newer.stdout
    assert "no kernel found" in table("").stdout
