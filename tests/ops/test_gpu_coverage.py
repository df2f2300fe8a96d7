"""Every node of the graphs that train and evaluate models has a GPU kernel."""

import gpu_coverage
import pytest

from deeptf.tf import tf

QUICK = [
    ("se_e2_a", "float32", "Adam"),
    ("attention", "float64", "SOAP"),
    ("wall", "float64", "Adam"),
    ("blend", "float32", "Adam"),
]
OTHERS = [(kind, *choice) for kind in gpu_coverage.KINDS for choice in gpu_coverage.CHOICES]


@pytest.mark.parametrize(
    "case", [*QUICK, *(pytest.param(case, marks=pytest.mark.cuda) for case in OTHERS)]
)
def test_kinds_of_models(case):
    kernels = gpu_coverage.recorded_kernels() | gpu_coverage.own_kernels()
    for name, graph in gpu_coverage.graphs(*case).items():
        assert not gpu_coverage.missing(graph, kernels), name


def test_a_node_without_kernel_is_found():
    kernels = {"Placeholder": [{}], "Sqrt": [{"T": {tf.float32.as_datatype_enum}}]}
    with tf.Graph().as_default() as graph:
        for dtype in (tf.float32, tf.float64):
            tf.sqrt(tf.placeholder(dtype))
    graph_def = graph.as_graph_def()
    assert gpu_coverage.missing(graph_def, kernels) == {"Sqrt(float64)": 1}
    with pytest.raises(KeyError, match="Sqrt must be in"):
        gpu_coverage.missing(graph_def, {"Placeholder": [{}]})
