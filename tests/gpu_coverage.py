"""Which nodes of training and frozen graphs have no GPU kernel; needs neither a GPU nor CUDA.

    PYTHONPATH=.:tests python tests/gpu_coverage.py [--record | --placed]

prints them for every kind of model, and fails where there are any. Strings and int32 variables,
which are counts, are on the CPU on purpose. The GPU kernels of deeptf are those that op/tf/cuda
registers; TensorFlow's are in KERNELS, a line for each op of the graphs with the types of each
kernel. `--record` writes that file in an environment with TensorFlow's CUDA build, which tells them
without a GPU. On a machine with a GPU `--placed` instead prints the ops of deeptf that a training
step runs on the CPU.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from small_run import write_run

from deeptf.data.schedule import BatchSchedule
from deeptf.exchange import frozen
from deeptf.tf import tf
from deeptf.train.graph import TrainingGraph
from deeptf.train.start import Run, start

ROOT = Path(__file__).parents[1]
KERNELS = ROOT / "tests" / "golden" / "tensorflow_gpu_kernels.txt"
DEVICES = ("GPU", "DEFAULT")  # of kernels that a GPU has; int32 ones work on the host
USED = {x.as_datatype_enum for x in (tf.float32, tf.float64, tf.int32, tf.int64, tf.bool)}
MESSAGES = ("AsString", "StringJoin")  # and all with a string: messages, description of a model

Kernel = dict[str, set[int]]  # types that each attribute may have

NETS = {"rcut": 3.5, "rcut_smth": 1.0, "neuron": [4, 8]}
PAIRS = {**NETS, "type": "se_e2_a", "sel": [8, 16], "axis_neuron": 2}
RADIAL = {**NETS, "type": "se_e2_r", "sel": [8, 16]}
TRIPLES = {**NETS, "type": "se_e3", "sel": [8, 16]}
MIXED = {**PAIRS, "type": "se_atten", "sel": 24, "attn": 4}
FRAMES = {"type": "loc_frame", "sel_a": [3, 4], "sel_r": [2, 1], "rcut": 6.5}
KINDS: dict[str, dict[str, Any]] = {
    "se_e2_a": PAIRS,
    "network": {**PAIRS, "embedding": "network"},
    "se_e2_r": RADIAL,
    "se_e3": TRIPLES,
    "hybrid": {"type": "hybrid", "list": [PAIRS, RADIAL, TRIPLES]},
    "type_embedding": PAIRS,
    "se_a_ebd_v2": {**PAIRS, "type": "se_a_ebd_v2"},
    "se_atten": {**MIXED, "attn_layer": 0},
    "strip": {**MIXED, "attn_layer": 0, "tebd_input_mode": "strip"},
    "attention": {**MIXED, "attn_layer": 1, "smooth_type_embedding": True},
    "loc_frame": {**FRAMES, "axis_rule": [0, -3, 0, 0, -3, 1] * 2},
    "wall": PAIRS,
    "blend": PAIRS,
}
SHORT_RANGE: dict[str, dict[str, Any]] = {  # where atoms are near; names of elements, a file
    "wall": {"model/zbl": {"rin": 1.0, "rout": 2.0}, "model/type_map": ["C", "H"]},
    "blend": {"model/smin_alpha": 0.2, "model/sw_rmin": 1.8, "model/sw_rmax": 3.0},
}
CHOICES = (("float32", "Adam"), ("float64", "SOAP"))
TYPED = ("type_embedding", "se_a_ebd_v2", "se_atten", "strip", "attention")


def settings(kind: str, precision: str, optimizer: str) -> dict[str, Any]:
    """Return the changes to the input of small_run.py for a kind of model."""
    descriptor = KINDS[kind]
    if "list" in descriptor:
        parts = [{**part, "precision": precision} for part in descriptor["list"]]
        descriptor = {**descriptor, "list": parts}
    elif kind != "loc_frame":
        descriptor = {**descriptor, "precision": precision}
    changes = {
        "model/descriptor": descriptor,
        "model/fitting_net/precision": precision,
        "optimizer/type": optimizer,
    }
    if kind in TYPED:
        changes["model/type_embedding"] = {"neuron": [2, 4], "precision": precision}
    return changes | SHORT_RANGE.get(kind, {})


def write(folder: Path, kind: str, changes: dict[str, Any]) -> Path:
    """Write the files of a run and return the path of its input."""
    if kind == "blend":
        np.savetxt(folder / "pairs.tab", [[0.5, 9, 9, 9], [1.5, 1, 1, 1], [2.5, 0, 0, 0]])
        changes["model/use_srtab"] = str(folder / "pairs.tab")
    path = write_run(folder, changes)
    (folder / "system" / "type_map.raw").write_text("\n".join(changes.get("model/type_map", "AB")))
    return path


@contextlib.contextmanager
def training(kind: str, precision: str, optimizer: str) -> Iterator[tuple[Run, TrainingGraph]]:
    """Give a run of six atoms that can start, and its graph."""
    with tempfile.TemporaryDirectory() as folder:
        changes = settings(kind, precision, optimizer)
        changes["training/training_data/systems"] = [f"{folder}/system"]
        changes["training/stat_file"] = f"{folder}/statistics.npz"
        with contextlib.redirect_stdout(io.StringIO()):
            run = start(write(Path(folder), kind, changes))
        graph = TrainingGraph(run.config, run.values, seed=1)
        try:
            yield run, graph
        finally:
            graph.close()


def graphs(kind: str, precision: str, optimizer: str) -> dict[str, tf.GraphDef]:
    """Return what a training step and an evaluation of a model run."""
    with training(kind, precision, optimizer) as (run, graph):
        wanted = [*graph._update.agreed, graph._frame_loss, graph._errors]
        names = [graph._update.step.name, *(tensor.op.name for tensor in wanted)]
        whole = graph._session.graph.as_graph_def()
        return {
            "training": tf.graph_util.extract_sub_graph(whole, names),
            "frozen": frozen.build(run.config.model, graph.arrays()),
        }


def nodes(graph: tf.GraphDef) -> Iterator[tf.NodeDef]:
    """Yield all nodes, those of functions too."""
    yield from graph.node
    for function in graph.library.function:
        yield from function.node_def


def own_kernels() -> dict[str, list[Kernel]]:
    """Return the GPU kernels of deeptf's ops as the sources register them."""
    found: dict[str, list[Kernel]] = {}
    both = {tf.float32.as_datatype_enum, tf.float64.as_datatype_enum}
    for path in (ROOT / "op" / "tf").glob("*.cc"):
        ops = re.findall(r'\b(?:REGISTER_OP|DEEPTF_\w+)\("(\w+)"', path.read_text())
        found |= {op: [] for op in ops}
    for path in (ROOT / "op" / "tf" / "cuda").glob("*.cc"):
        for macro, op in re.findall(r'\bDEEPTF_(GPU|GPU_KERNELS?)\("(\w+)"', path.read_text()):
            found[op] = [{"T": both} if macro == "GPU_KERNELS" else {}]
    return found


def recorded_kernels() -> dict[str, list[Kernel]]:
    """Return the GPU kernels of TensorFlow's ops in KERNELS."""
    found: dict[str, list[Kernel]] = {}
    for line in KERNELS.read_text().splitlines():
        op, *kernels = line.split(" | ")
        found[op] = [
            {} if kernel == "any" else dict(map(_constraint, kernel.split())) for kernel in kernels
        ]
    return found


def _constraint(text: str) -> tuple[str, set[int]]:
    name, _, types = text.partition("=")
    return name, {tf.as_dtype(one).as_datatype_enum for one in types.split(",")}


def fits(kernel: Kernel, node: tf.NodeDef) -> bool:
    """Return whether a kernel may have the types of a node."""
    return all(node.attr[name].type in types for name, types in kernel.items())


def is_for_cpu(node: tf.NodeDef) -> bool:
    """Return whether a node is on the CPU on purpose."""
    if node.op == "VarHandleOp":
        return node.attr["dtype"].type == tf.int32.as_datatype_enum
    strings = any(value.type == tf.string.as_datatype_enum for value in node.attr.values())
    return strings or node.op in MESSAGES


def missing(graph: tf.GraphDef, kernels: Mapping[str, list[Kernel]]) -> Counter[str]:
    """Return the nodes without GPU kernel, by op and types, with their numbers.

    Raises KeyError for an op that `kernels` does not know.
    """
    found: Counter[str] = Counter()
    for node in nodes(graph):
        if node.op not in kernels:
            raise KeyError(f"{node.op} must be in `{KERNELS}`: --record writes it")
        if is_for_cpu(node) or any(fits(kernel, node) for kernel in kernels[node.op]):
            continue
        types = sorted({tf.as_dtype(of.type).name for of in node.attr.values() if of.type})
        found[f"{node.op}({', '.join(types)})"] += 1
    return found


def record(ops: set[str]) -> None:
    """Write the GPU kernels of this TensorFlow to KERNELS, for these ops."""
    from tensorflow.python.framework import kernels

    if not tf.test.is_built_with_cuda():
        raise SystemExit("TensorFlow must be its CUDA build, got that for the CPU alone")
    lines = []
    for op in sorted(ops):
        known = set()
        for kernel in kernels.get_registered_kernels_for_op(op).kernel:
            allowed = {c.name: set(c.allowed_values.list.type) for c in kernel.constraint}
            types = {name: of & USED for name, of in allowed.items() if of}
            if kernel.device_type in DEVICES and not kernel.label and all(types.values()):
                known.add(" ".join(sorted(f"{k}={_names(v)}" for k, v in types.items())) or "any")
        lines.append(" | ".join([op, *sorted(known)]))
    KERNELS.write_text("\n".join(lines) + "\n")


def _names(types: set[int]) -> str:
    return ",".join(sorted(tf.as_dtype(one).name for one in types))


def placed() -> int:
    """Print the ops of deeptf that a step runs on the CPU; return whether there are any."""
    found: Counter[str] = Counter()
    with training("se_e2_a", "float32", "Adam") as (run, graph):
        batch = BatchSchedule(run.data.training).batch_at(0)
        feed = graph._feed(batch, run.config.loss.prefactors(1.0))
        told = tf.RunMetadata()
        graph._session.run(
            graph._update.step,
            feed | {graph._rate: 1e-3, graph._stop: 0.0},
            options=tf.RunOptions(output_partition_graphs=True),
            run_metadata=told,
        )
        own = own_kernels()
        for part in told.partition_graphs:
            found.update(n.op for n in nodes(part) if n.op in own and "CPU" in n.device)
    print("on the CPU:", dict(found) or "none")
    return min(len(found), 1)


def main() -> int:
    """Print what is missing of each kind; return how many nodes are."""
    own = own_kernels()
    every = {
        (kind, precision, optimizer): graphs(kind, precision, optimizer)
        for kind in KINDS
        for precision, optimizer in CHOICES
    }
    if "--record" in sys.argv:
        record(
            {node.op for of in every.values() for g in of.values() for node in nodes(g)} - set(own)
        )
    kernels = recorded_kernels() | own
    total = 0
    for case, of in every.items():
        for name, graph in of.items():
            lacking = missing(graph, kernels)
            total += sum(lacking.values())
            number = sum(1 for _ in nodes(graph))
            print(*case, name, f"{number} nodes, without a GPU kernel:", dict(lacking) or "none")
    return min(total, 1)


if __name__ == "__main__":
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    sys.exit(placed() if "--placed" in sys.argv else main())
