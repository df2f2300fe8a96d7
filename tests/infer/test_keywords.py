"""Keywords and questions of deepmd-kit: taken, refused with a reason, or misspelt."""

import numpy as np
import pytest
import toy
from toy import random_frames

import deeptf.infer.backend_tensorflow as backend_tensorflow
from deeptf.infer import DeepPot
from deeptf.infer.ase import DP

FOREIGN = {"load_prefix": "load", "default_tf_graph": False, "input_map": None, "head": None}


def test_keywords_that_mean_nothing_here(toy_file):
    frames = random_frames(2, 5)
    with DeepPot(toy_file) as pot:
        want = pot.eval(*frames)
    with DeepPot(toy_file, auto_batch_size=True, neighbor_list=None, **FOREIGN) as pot:
        got = pot.eval(*frames, mixed_type=True, efield=None)
        assert pot.eval_descriptor(*frames, mixed_type=True).shape[:2] == (2, 5)
    for a, b in zip(got, want, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"neighbor_list": object()}, "`neighbor_list` must be None, .*`DeepPot.eval_pairs` takes"),
        ({"head": "water"}, "`head` must be None, got 'water': a model has one head"),
        ({"load_prefix": "x"}, "`load_prefix` must be 'load', got 'x': a model has a graph of its"),
        ({"default_tf_graph": True}, "`default_tf_graph` must be False, got True"),
        ({"default_tf_graph": 0}, "`default_tf_graph` must be False, got 0"),
        ({"auto_batch_size": 0}, "`auto_batch_size` must be true, false or a positive number"),
        ({"auto_batch_size": 2.0}, "`auto_batch_size` must be .* got 2.0"),
        ({"threads": 0}, "`threads` must be at least 1"),
    ],
)
def test_values_that_cannot_be_honoured(toy_file, given, message):
    with pytest.raises(ValueError, match=message):
        DeepPot(toy_file, **given)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda pot: DeepPot(pot.path, auto_batchsize=True),
            "`DeepPot` must .* got `auto_batchsize`; did you mean `auto_batch_size`",
        ),
        (
            lambda pot: DeepPot(pot.path, xyz=1),
            "got `xyz`; it takes model_file, threads, memory, auto_batch_size, neighbor_list, back",
        ),
        (
            lambda pot: pot.eval([0, 0, 0], None, [0], mixed_types=True),
            "`DeepPot.eval` must .* got `mixed_types`; did you mean `mixed_type`",
        ),
        (
            lambda pot: pot.eval_descriptor([0, 0, 0], None, [0], fparams=[1]),
            "`DeepPot.eval_descriptor` must .* got `fparams`; did you mean `fparam`",
        ),
        (
            lambda pot: DP(model=pot, type_dct={"H": 0}),
            "`DP` must .* got `type_dct`; did you mean `type_dict`",
        ),
    ],
)
def test_misspelt_keywords(toy_pot, call, message):
    with pytest.raises(TypeError, match=message):
        call(toy_pot)


def test_no_electric_field_and_no_spins(toy_pot):
    for keyword, reason in (("efield", "no model has"), ("spin", "spins are the places of virt")):
        with pytest.raises(ValueError, match=f"`{keyword}` must be None, got .*: {reason}") as told:
            toy_pot.eval([0, 0, 0], None, [0], **{keyword: list(range(3000))})
        assert len(str(told.value)) < 150


@pytest.mark.parametrize(
    ("auto_batch_size", "evaluations"), [(True, 1), (False, 1), (10, 3), (np.int64(5), 6)]
)
def test_most_atoms_at_a_time(toy_file, monkeypatch, auto_batch_size, evaluations):
    """Beyond one evaluation, each group of frames has one for its pairs and one for the rest."""
    frames = random_frames(3, 5)
    with DeepPot(toy_file) as pot:
        want = pot.eval(*frames)
    if auto_batch_size is False:
        monkeypatch.setattr(backend_tensorflow, "DIRECT_ATOMS", 1)
    with DeepPot(toy_file, auto_batch_size=auto_batch_size) as pot:
        ran = []
        session = pot._open["tensorflow"]._session
        run = session.run
        monkeypatch.setattr(session, "run", lambda *a: ran.append(1) or run(*a))
        got = pot.eval(*frames)
    assert len(ran) == (evaluations if evaluations != 3 else 4)
    for a, b in zip(got, want, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-12)


def test_questions(network_parameter_file):
    with DeepPot(network_parameter_file) as pot:
        assert (pot.get_type_map(), pot.get_ntypes(), pot.get_rcut()) == (["A", "B"], 2, toy.RCUT)
        assert (pot.get_dim_fparam(), pot.get_dim_aparam()) == (2, 1)
        assert (pot.get_sel_type(), pot.get_ntypes_spin()) == ([], 0)
        assert not (pot.has_efield or pot.has_spin or pot.has_hessian)
        assert pot.get_model_def_script()["descriptor"]["type"] == "se_e2_a"
        embedding, fitting = 4 * (4 + 4 + 4 * 8 + 8), 2 * (27 * 6 + 6 + 6 * 6 + 6 + 6 + 6 + 1)
        assert pot.get_model_size() == {
            "descriptor": embedding,
            "fitting-net": fitting,
            "total": embedding + fitting,
        }
        with pytest.raises(KeyError, match="type embedding: the model has none"):
            pot.eval_typeebd()


@pytest.mark.parametrize("names", [["0", "1"], ["Type_0", "Type_1"]])
def test_types_without_names(tmp_path, toy_pot, names):
    frames = random_frames(2, 5)
    path = toy.write(tmp_path / "model.pb", metadata={"type_map": names})
    with DeepPot(path) as pot:
        assert (pot.get_type_map(), pot.get_ntypes(), pot.names_types()) == (names, 2, False)
        np.testing.assert_array_equal(pot.eval(*frames)[0], toy_pot.eval(*frames)[0])
        with pytest.raises(ValueError, match="`atom_types` must be from 0 to 1 .*got 2"):
            pot.eval(frames[0], frames[1], [0, 1, 2, 0, 1])
        with pytest.raises(
            ValueError, match="`type_dict` must be given, .* from 0 to 1: the model"
        ):
            DP(model=pot)
        assert DP(model=pot, type_dict={"H": 1, "He": 0}).type_dict == {"H": 1, "He": 0}
    assert toy_pot.names_types()
