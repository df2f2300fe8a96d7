"""Every node of the graphs that train and evaluate models has a GPU kernel."""

import gpu_coverage
import pytest

from deeptf.tf import tf

LATER = {"GatedSum", "GatedSumGrad"}


@pytest.mark.parametrize("kind", gpu_coverage.KINDS)
def test_kinds_of_models(kind):
    kernels = gpu_coverage.recorded_kernels() | gpu_coverage.own_kernels()
    for choices in (("float64", "Adam"), ("float32", "SOAP")):
        for name, graph in gpu_coverage.graphs(kind, *choices).items():
            assert not gpu_coverage.missing(graph, kernels), name


def test_a_node_without_kernel_is_found():
    kernels = {"Placeholder": [{}], "Sqrt": [{"T": {tf.float32.as_datatype_enum}}]}
    with tf.Graph().as_default() as graph:
        for dtype in (tf.float32, tf.float64):
            tf.sqrt(tf.placeholder(dtype))
    graph_def = graph.as_graph_def()
    assert gpu_coverage.missing(graph_def, kernels) == {"Sqrt(double)": 1}
    with pytest.raises(KeyError, match="Sqrt must be in"):
        gpu_coverage.missing(graph_def, {"Placeholder": [{}]})
