"""The command `convert`: files it reads and writes, names of types, and damaged models."""

import json
import os
import re

import numpy as np
import pytest
from exchange.deepmd_models import golden_graph, set_constant, write
from google.protobuf import text_format

from deeptf.__main__ import main
from deeptf.exchange.convert import convert
from deeptf.exchange.model_file import read_model
from deeptf.infer.deep_pot import DeepPot


@pytest.fixture
def source(tmp_path):
    return write(golden_graph(), tmp_path / "old.pb")


@pytest.fixture(scope="module")
def nameless(tmp_path_factory):
    """Return a model without names of types, the model converted from it, and the notes on that."""
    folder = tmp_path_factory.mktemp("nameless")
    graph = golden_graph()
    set_constant(graph, "model_attr/tmap", "")
    source, output = write(graph, folder / "old.pb"), folder / "new.pb"
    return source, output, convert(source, output)


def test_output_says_what_was_done(source, tmp_path, capsys):
    output = tmp_path / "new.pb"
    output.write_text("another file, which is replaced")
    assert main(["convert", str(source), str(output)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"{source} -> {output}"
    note = r"checked against the original graph on 18 random environments: largest difference (\S+)"
    assert float(re.match(note, lines[1])[1]) < 1e-12
    assert len(lines) == 2
    script = read_model(output).metadata["training_script"]
    assert script["model"]["descriptor"]["rcut"] == 4.6


@pytest.mark.parametrize("kind", ["same", "relative", "symbolic", "hard", "text"])
def test_the_source_is_not_overwritten(kind, source, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    output = tmp_path / "link.pb"
    if kind == "symbolic":
        output.symlink_to(source)
    elif kind == "hard":
        os.link(source, output)
    elif kind == "relative":
        (tmp_path / "folder").mkdir()
        output = "folder/../old.pb"
    else:
        output = source
    if kind == "text":
        output = source = tmp_path / "old.pbtxt"
        source.write_text(text_format.MessageToString(golden_graph()))
    before = source.read_bytes()
    assert main(["convert", str(source), str(output)]) == 1
    assert "`output` must be another file than the source" in capsys.readouterr().err
    assert source.read_bytes() == before


def test_text_whatever_the_name_of_the_file(tmp_path):
    source = tmp_path / "old.pb"
    source.write_text(text_format.MessageToString(golden_graph()))
    assert convert(source, tmp_path / "new.pb")


def test_types_without_names_get_numbers(nameless):
    _, output, notes = nameless
    note = "the types have no names: they are Type_0 Type_1 Type_2 now; --type-map gives others"
    assert notes[-1] == note
    with DeepPot(output) as potential:
        assert potential.get_type_map() == ["Type_0", "Type_1", "Type_2"]
        assert potential.eval(np.eye(3).reshape(1, 9), None, [0, 1, 2])[0].shape == (1, 1)


@pytest.mark.parametrize("names", [None, "Type_0 Type_1 Type_2", "A B C"])
def test_systems_for_a_model_without_names(names, nameless, tmp_path, capsys):
    source, output, _ = nameless
    system = tmp_path / "system"
    (system / "set.000").mkdir(parents=True)
    (system / "type.raw").write_text("0 1 2")
    (system / "nopbc").touch()
    np.save(system / "set.000" / "coord.npy", np.eye(3).reshape(1, 9))
    np.save(system / "set.000" / "energy.npy", np.zeros(1))
    if names is not None:
        (system / "type_map.raw").write_text(names)
    if names == "A B C":
        output = tmp_path / "named.pb"
        assert main(["convert", str(source), str(output), "--type-map", *names.split()]) == 0
        assert "have no names" not in capsys.readouterr().out
    assert main(["test", "-m", str(output), "-s", str(system)]) == 0


@pytest.mark.parametrize(
    ("own", "given", "message"),
    [
        ("", "A B", "`type_map` must name each of its 3 types, got A B"),
        ("A B C", "C B A", "names already, A B C: `type_map` must be the same, got C B A"),
    ],
)
def test_wrong_names(own, given, message, tmp_path):
    graph = golden_graph()
    set_constant(graph, "model_attr/tmap", own)
    with pytest.raises(ValueError, match=message):
        convert(write(graph, tmp_path / "old.pb"), tmp_path / "new.pb", given.split())


def test_a_training_input_that_is_damaged(tmp_path):
    graph = golden_graph()
    set_constant(graph, "train_attr/training_script", json.dumps({"model": {}})[:-2])
    with pytest.raises(ValueError, match="`train_attr/training_script` must be JSON"):
        convert(write(graph, tmp_path / "old.pb"), tmp_path / "new.pb")


@pytest.mark.parametrize(
    ("name", "cut", "message"),
    [
        ("old.pb", 0.5, "must be a frozen model (GraphDef), but reading it failed"),
        ("old.pb", 0.0, "must be a frozen model (GraphDef), but it holds no node"),
        ("old.pbtxt", 0.5, "must be a frozen model (GraphDef), but reading it failed"),
        ("old.pbtxt", 0.0, "must be a frozen model (GraphDef), but it holds no node"),
    ],
)
def test_files_that_end_early(name, cut, message, tmp_path, capsys):
    graph = golden_graph()
    content = graph.SerializeToString()
    if name.endswith("txt"):
        content = text_format.MessageToString(graph).encode()
    source = tmp_path / name
    source.write_bytes(content[: int(cut * len(content))])
    assert main(["convert", str(source), str(tmp_path / "new.pb")]) == 1
    assert f"{source} cannot be converted: it {message}" in capsys.readouterr().err
    assert not (tmp_path / "new.pb").exists()


def test_a_model_of_another_backend(tmp_path):
    source = tmp_path / "old.pth"
    source.write_bytes(b"PK\x03\x04 an archive")
    with pytest.raises(ValueError, match=f"`dp convert-backend {source} old.pb` makes one of it"):
        convert(source, tmp_path / "new.pb")


def test_a_deeptf_model(nameless, tmp_path):
    _, output, _ = nameless
    with pytest.raises(ValueError, match="it is a deeptf model already: use it as it is"):
        convert(output, tmp_path / "new.pb")


def test_a_missing_file(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"absent\.pb"):
        convert(tmp_path / "absent.pb", tmp_path / "new.pb")
