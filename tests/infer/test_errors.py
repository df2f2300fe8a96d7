"""Each wrong input of DeepPot and of model files has a message that says what to do."""

import numpy as np
import pytest
import toy
from toy import random_frames

import deeptf.infer.backend_tensorflow as backend_tensorflow
from deeptf.data.batch import Batch
from deeptf.exchange.model_file import METADATA_NODE
from deeptf.infer import DeepPot
from deeptf.tf import tf

CUT = (  # what a file can look like that ends too soon
    "it is truncated or of another format",
    f"a graph without the node {METADATA_NODE}: it is truncated or was written by another program",
    "where that node is damaged",
    "the file is damaged: freeze or copy it again",
)


def test_missing_file(tmp_path):
    with pytest.raises(FileNotFoundError, match="none.pb: no such file"):
        DeepPot(tmp_path / "none.pb")


def test_a_folder(tmp_path):
    with pytest.raises(FileNotFoundError, match=f"got {tmp_path}: a folder"):
        DeepPot(tmp_path)


def test_a_checkpoint(tmp_path):
    path = tmp_path / "model.ckpt-10.npz"
    np.savez(path, a=np.ones(3))
    with pytest.raises(ValueError, match=f"becomes one by `deeptf freeze -c {path} -o model.pb`"):
        DeepPot(path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "holds no graph: it is empty"),
        (b"\xff\xfe not a graph", "cannot be read as one: it is truncated or of another format"),
        (b'node {\n  name: "x"\n}\n', "deeptf convert .*model.pb new.pb"),
    ],
)
def test_other_content(tmp_path, content, message):
    path = tmp_path / "model.pb"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=message):
        DeepPot(path)


def test_every_truncation_is_noticed(model_file, tmp_path):
    content = model_file.read_bytes()
    path = tmp_path / "cut.pb"
    for length in range(1, len(content), len(content) // 60):
        path.write_bytes(content[:length])
        with pytest.raises(ValueError) as caught:
            DeepPot(path)
        message = str(caught.value)
        assert message.startswith("`model_file` must ") and f"got {path}" in message
        assert any(state in message for state in CUT), message


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({"type_map": None}, "`type_map` must be a list of names, got None"),
        ({"outputs": ["energy", "dipole"]}, "`outputs` must be names of nodes .*, got 'dipole'"),
        ({"doors": []}, r"`doors` must be a list of names, got \[\]"),
        ({"arrays": 3}, "`arrays` must be a list of names, got 3"),
        ({"rcut": float("nan")}, "`rcut` must be a number of A, got nan"),
        ({"hops": 0}, "`hops` must be an integer from 1, got 0"),
        ({"pair_bytes": 1e-9}, "`pair_bytes` must be an integer from 1, got 1e-09"),
        ({"numb_fparam": "x"}, "`numb_fparam` must be an integer from 0, got 'x'"),
        ({"numb_aparam": 2}, "`numb_aparam` must be 0, what the graph takes, got 2"),
        ({"model": 1.0}, "`model` must be an object, got 1.0"),
    ],
)
def test_a_description_that_does_not_fit(tmp_path, said, message):
    path = toy.write(tmp_path / "model.pb", metadata=said)
    with pytest.raises(ValueError, match=f"got {path}, where {message}: it is damaged"):
        DeepPot(path)


def test_an_output_that_is_no_property_here(tmp_path):
    path = toy.write(tmp_path / "model.pb", metadata={"outputs": ["energy", "coord"]})
    with DeepPot(path) as pot, pytest.raises(ValueError, match="must be among energy, got coord"):
        pot.eval_pairs([0], [], np.zeros((0, 3)), [], outputs=["coord"])


@pytest.mark.parametrize("data", [None, [[1.0]], [[1.0, "x"], [1.0, 1.0]]])
def test_a_description_without_ranges_of_tables(tmp_path, data):
    path = toy.write(tmp_path / "model.pb", metadata={"table_range": {"data": data}})
    graph = tf.GraphDef.FromString(path.read_bytes())
    graph.node.add(name="outside_count", op="NoOp")
    path.write_bytes(graph.SerializeToString())
    with pytest.raises(ValueError, match="`table_range` must be distances of 2 times 2 types"):
        DeepPot(path)


def test_graph_without_its_nodes(model_file, tmp_path):
    graph = tf.GraphDef.FromString(model_file.read_bytes())
    del graph.node[3]
    path = tmp_path / "holes.pb"
    path.write_bytes(graph.SerializeToString())
    with pytest.raises(ValueError, match="must hold a whole graph, got .*holes.pb"):
        DeepPot(path, backend="tensorflow")


@pytest.mark.parametrize(
    ("node", "message"),
    [
        ("descrpt_attr/rcut", "a model of deepmd-kit; convert it: `deeptf convert"),
        ("x", "truncated or was written"),
    ],
)
def test_model_of_another_program(tmp_path, node, message):
    with tf.Graph().as_default() as graph:
        tf.constant(1.0, name=node)
    path = tmp_path / "other.pb"
    path.write_bytes(graph.as_graph_def().SerializeToString())
    with pytest.raises(ValueError, match=message):
        DeepPot(path)


def test_format_of_the_future(tmp_path):
    path = toy.write(tmp_path / "new.pb", metadata={"format": 3, "deeptf_version": "9.9"})
    with pytest.raises(
        ValueError, match="must have format 2 or 1, got .*format 3, written by deeptf 9.9"
    ):
        DeepPot(path)


def _change(array, index, value):
    array = np.array(array)
    array[index] = value
    return array


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda x, c, t: (x[:, :-1], c, t),
            r"`coords` must have shape \[nf, 12\] .* got \(2, 11\)",
        ),
        (lambda x, c, t: (_change(x, (1, 5), np.nan), c, t), "`coords` .* frame 1, atom 1"),
        (lambda x, c, t: (_change(x, (0, 9), np.inf), c, t), "`coords` .* frame 0, atom 3"),
        (lambda x, c, t: ("text", c, t), "`coords` must be an array of numbers"),
        (lambda x, c, t: (x, c[:1], t), r"`cells` must have shape \[2, 9\], got \(1, 9\)"),
        (lambda x, c, t: (x, _change(c, (1, 0), np.nan), t), "`cells` must be finite, .* frame 1"),
        (lambda x, c, t: (x, c, _change(t, (1, 2), 2)), "from 0 to 1 .*got 2 for frame 1, atom 2"),
        (lambda x, c, t: (x, c, _change(t, (0, 0), -2)), "got -2 for frame 0, atom 0"),
        (lambda x, c, t: (x, c, t * 1.0), "`atom_types` must hold integers, got float64"),
        (lambda x, c, t: (x, c, t > 0), "`atom_types` must hold integers, got bool"),
        (lambda x, c, t: (x, c, t + 2**32), "`atom_types` must hold integers from -2147483647 to"),
        (
            lambda x, c, t: (x, c, t.astype(np.uint64) + 2**63),
            "to 2147483647, got 92233720368547758",
        ),
        (lambda x, c, t: (x, c, [0, 1, 0, 2**70]), "`atom_types` must hold integers, got object"),
        (
            lambda x, c, t: (x, c, [[0, 1, 0, 0], [1]]),
            "`atom_types` must be an array .* got a list",
        ),
        (lambda x, c, t: (x + 1j, c, t), "`coords` must be an array of numbers, .*complex128"),
        (lambda x, c, t: ([list(x[0]), [1.0]], c, t), "`coords` must be an array .* got a list"),
        (lambda x, c, t: ([], [], t[0]), r"`coords` must have shape \[nf, 12\] .* got \(0,\)"),
        (lambda x, c, t: ([], [], []), r"`atom_types` must have shape .* got \(0,\)"),
        (lambda x, c, t: (x, c[0], t), r"`cells` must have shape \[2, 9\], got \(9,\)"),
        (lambda x, c, t: (x, c, t[:1]), "`atom_types` must have 2 rows"),
        (lambda x, c, t: (x, c, t[None]), r"`atom_types` must have shape \[N\] or \[nf, N\]"),
    ],
)
def test_arrays(pot, change, message):
    with pytest.raises(ValueError, match=message):
        pot.eval(*change(*random_frames(2, 4)))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"aparam": [0]}, "`fparam` must be given: the model takes 2 numbers"),
        ({"fparam": [0, 0]}, "`aparam` must be given: the model takes 1 numbers"),
        ({"fparam": [0, 0, 0], "aparam": [0]}, r"`fparam` must have shape \[2, 2\] or \[2\]"),
        ({"fparam": [0, np.nan], "aparam": [0]}, "`fparam` must be finite, got nan"),
        ({"fparam": [0, 0], "aparam": [0, 0, 0]}, "`aparam` must hold 1 numbers for each of the 8"),
    ],
)
def test_parameters(parameter_file, given, message):
    with DeepPot(parameter_file) as pot, pytest.raises(ValueError, match=message):
        pot.eval(*random_frames(2, 4), **given)


def test_parameters_of_a_model_without(pot):
    with pytest.raises(ValueError, match="`fparam` must be left out"):
        pot.eval(*random_frames(2, 4), fparam=[1])


@pytest.mark.parametrize(
    ("row", "neighbor", "num_all", "message"),
    [
        ([0, 2, 1], [1], 2, "`row` must be"),
        ([0, 2147483647, -2147483647], [1], 2, "`row` must be"),
        ([0, 2**32 + 1], [1], 2, "`row` must hold integers from .* got 4294967297"),
        ([0, 1], [2**32 + 1], 2, "`neighbor` must hold integers from .* got 4294967297"),
        ([1, 2], [1], 2, "`row` must be"),
        ([0, 1, 3], [1, 0], 2, "must hold the 3 pairs of `row`"),
        ([0, 1, 2], [1, 0], 1, "must hold the 2 centres"),
        ([0, 1, 2], [1, 2], 2, "`neighbor` must be from 0 to 1, got 1 to 2"),
    ],
)
def test_pairs(pot, row, neighbor, num_all, message):
    with pytest.raises(ValueError, match=message):
        pot.eval_pairs(row, neighbor, np.ones((len(neighbor), 3)), np.zeros(num_all, int))


def test_pairs_not_finite(pot):
    with pytest.raises(ValueError, match="`displacement` must be finite"):
        pot.eval_pairs([0, 1, 1], [1], [[np.nan, 0, 0]], [0, 0])


@pytest.mark.parametrize("wrong", [-1, 3, 1.0, True, "1"])
def test_number_of_owned_centres(pot, wrong):
    message = f"`num_owned` must be an integer from 0 to 2, the centres of `row`, got {wrong!r}"
    with pytest.raises(ValueError, match=message):
        pot.eval_pairs([0, 1, 2], [1, 0], np.ones((2, 3)), [0, 0], num_owned=wrong)


def test_type_of_a_ghost(pot):
    with pytest.raises(ValueError, match="got 5 for frame 0, atom 2"):
        pot.eval_pairs([0, 1, 1], [2], [[1.0, 0, 0]], [0, 0, 5])


def test_outputs_and_settings(pot, toy_file):
    with pytest.raises(ValueError, match="`outputs` must be among .*energy, .* got dipole"):
        pot.eval_pairs([0, 0], [], np.zeros((0, 3)), [0], outputs=["dipole"])
    with pytest.raises(ValueError, match="`threads` must be at least 1, got 0"):
        DeepPot(toy_file, threads=0)
    with pytest.raises(ValueError, match="`memory` must be positive"):
        DeepPot(toy_file, memory=0)


@pytest.mark.parametrize("backend", ["engine", "tensorflow"])
def test_what_the_ops_refuse(network_file, backend, monkeypatch):
    coords, cells, types = random_frames(3, 4)
    flat = _change(cells, 2, 1.0)
    touching = _change(coords, (1, slice(3, 6)), coords[1, :3])
    monkeypatch.setattr(backend_tensorflow, "LIST_ATOMS", 4)
    for direct, limit in ((512, True), (0, True), (512, 4)):
        monkeypatch.setattr(backend_tensorflow, "DIRECT_ATOMS", direct)
        with DeepPot(network_file, auto_batch_size=limit, backend=backend) as pot:
            with pytest.raises(ValueError, match="^`cell` must have a volume .* in frame 2$"):
                pot.eval(coords, flat, types)
            with pytest.raises(ValueError, match="atoms 0 and 1 of frame 1 on top of each other"):
                pot.eval(touching, cells, types)


def test_batch_names_the_origin_of_a_frame(pot):
    coords, cells, types = random_frames(2, 4)
    batch = Batch(
        coord=_change(coords, (1, 0), np.nan).reshape(-1, 3),
        cell=cells.reshape(-1, 3, 3),
        atom_type=types.ravel(),
        frame_row=np.array([0, 4, 8]),
        fparam=np.zeros((2, 0)),
        aparam=np.zeros((8, 0)),
        origin=(("data/a", 7), ("data/b", 5)),
    )
    with pytest.raises(ValueError, match="frame 1, atom 0; that is frame 5 of system data/b"):
        pot.evaluate(batch)
