"""Every entry of the tables of old, unsupported and ignored keys, on the water input."""

import copy

import pytest
from water_inputs import WATER, changed

from deeptf.input_file import ConfigError
from deeptf.input_keys import ACCEPTED_WITHOUT_EFFECT, ALIASES, KNOWN_TYPES, UNSUPPORTED
from deeptf.model.term import TERMS
from deeptf.train.options import load_input


@pytest.mark.parametrize("place", ALIASES)
def test_old_spellings(place):
    target = place.rsplit("/", 1)[0] + "/" + ALIASES[place]
    values = {"axis_neuron": 8, "neuron": [60, 60], "numb_steps": 77, "numb_epoch": None}
    values |= {"systems": ["x"], "set_prefix": "set", "batch_size": 2, "numb_btch": 2}
    values |= {"auto_prob": "prob_uniform", "sys_probs": [1.0, 2.0]}
    value = values[target.rsplit("/", 1)[1]]
    new = changed(target, value)
    old = copy.deepcopy(new)
    *sections, key = target.split("/")
    inner = old
    for section in sections:
        inner = inner[section]
    del inner[key]
    assert load_input(changed(place, value, old)) == load_input(new)
    with pytest.raises(ConfigError, match=f"{place}: must not be given beside"):
        load_input(changed(place, value, new))


@pytest.mark.parametrize("place", UNSUPPORTED)
def test_unsupported_keys(place):
    harmless, reason = UNSUPPORTED[place]
    for value in harmless:
        config, notices = load_input(changed(place, value))
        assert config == load_input(WATER)[0]
        assert notices == [f"accepted at the only value that deeptf supports: {place}"]
    with pytest.raises(ConfigError) as caught:
        load_input(changed(place, "something else"))
    message = str(caught.value)
    assert message == f'{place}: is not supported, got "something else": {reason}'


@pytest.mark.parametrize("place", ACCEPTED_WITHOUT_EFFECT)
def test_keys_without_effect(place):
    config, notices = load_input(changed(place, 1))
    assert config == load_input(WATER)[0]
    assert notices == [f"{place}: accepted without effect, {ACCEPTED_WITHOUT_EFFECT[place]}"]


OF_MODEL = {  # keys in place of those of a standard model
    "pairtab": {"tab_file": "pairs.tab", "rcut": 6.0, "sel": 44},
    "linear_ener": {"models": [{"type": "pairtab", "tab_file": "a", "rcut": 6.0}], "weights": "sum"},
}
TENSOR_LOSS = {"type": "tensor", "pref": 1.0, "pref_atomic": 1.0}
SUPPORTED = {
    "model": sorted(TERMS),
    "model/descriptor": [
        *("hybrid", "loc_frame", "se_a_ebd_v2", "se_a_mask", "se_atten", "se_atten_v2"),
        *("se_e2_a", "se_e2_r", "se_e3"),
    ],
    "model/fitting_net": ["dipole", "dos", "ener", "polar"],
    "loss": ["dos", "ener", "tensor"],
    "learning_rate": ["exp", "cosine", "wsd"],
    "optimizer": ["Adam"],
}


@pytest.mark.parametrize(
    ("section", "kind"),
    [(section, kind) for section in KNOWN_TYPES for kind in KNOWN_TYPES[section]],
)
def test_types_load_or_are_said_to_be_unsupported(section, kind):
    data = changed(f"{section}/type", kind)
    if kind in OF_MODEL:
        data["model"] = {"type": kind, "type_map": ["O", "H"], **OF_MODEL[kind]}
    if section == "learning_rate":
        del data[section]["decay_steps"]  # a key of `exp` only
    if kind in ("se_e2_r", "se_e3"):
        del data["model"]["descriptor"]["axis_neuron"]
    if kind == "se_e3":
        del data["model"]["descriptor"]["type_one_side"]
    if kind == "hybrid":
        data["model"]["descriptor"] = {"type": kind, "list": [WATER["model"]["descriptor"]]}
    if kind == "loc_frame":
        sizes = {"sel_a": [4, 4], "sel_r": [0, 0], "axis_rule": [0, -3, 0, 0, -3, 1] * 2}
        data["model"]["descriptor"] = {"type": kind, **sizes}
    if kind == "se_a_mask":
        del data["model"]["descriptor"]["rcut"], data["model"]["descriptor"]["rcut_smth"]
        data["model"]["fitting_net"] |= {"numb_aparam": 1, "use_aparam_as_mask": True}
    if kind.startswith("se_atten"):
        data["model"]["descriptor"]["attn_layer"] = 0
    of_loss = {"dipole": TENSOR_LOSS, "polar": TENSOR_LOSS, "dos": {"type": "dos"}}
    if kind in of_loss:
        data["model"]["fitting_net"] = {"type": kind}
        data["loss"] = of_loss[kind]
    if kind == "tensor":
        data["model"]["fitting_net"] = {"type": "polar"}
        data["loss"] = TENSOR_LOSS
    if kind in SUPPORTED[section]:
        load_input(data)
        return
    with pytest.raises(ConfigError) as caught:
        load_input(data)
    message = str(caught.value)
    assert message.startswith(f"{section}/type: must be one of {SUPPORTED[section][0]}")
    assert message.endswith(f', got "{kind}", which deeptf does not support')
