"""Every entry of the tables of old, unsupported and ignored keys, on the water input."""

import copy
from dataclasses import fields

import pytest
from water_inputs import WATER, changed

from deeptf.input_file import ConfigError
from deeptf.input_keys import ACCEPTED_WITHOUT_EFFECT, ALIASES, KNOWN_TYPES, UNSUPPORTED
from deeptf.model.model import ModelConfig
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


PART = {"type": "pairtab", "tab_file": "a", "rcut": 6.0}
SUM = {"type_map": ["O", "H"], "type": "linear_ener", "models": [PART], "weights": "sum"}
SPIN = {"use_spin": [True, False], "virtual_len": [0.3], "spin_norm": [1.2]}
TENSOR = {"type": "tensor", "pref": 1.0, "pref_atomic": 1.0}
DIPOLE = {"fitting_net": {"type": "dipole"}, "loss": TENSOR}
OF_OTHERS = {  # keys that the types in the input have, and what has none
    "model/fitting_net/numb_fparam": DIPOLE,
    "model/fitting_net/numb_aparam": DIPOLE,
    "model/fitting_net/rcond": {"fitting_net": {"type": "dos"}, "loss": {"type": "dos"}},
    "loss/start_pref_pf": {"loss": {"type": "ener_spin"}},
    "loss/limit_pref_pf": {"loss": {"type": "ener_spin"}},
}
OF_WHOLE = {f"model/{field.name}" for field in fields(ModelConfig)}


def with_key(place, value):
    """Return an input with a key, the same without it, and the place of the key.

    Keys of a whole model are not those of the parts of a sum.
    """
    if place.startswith("model/spin/"):
        plain = copy.deepcopy(WATER) | {"loss": {"type": "ener_spin"}}
        plain["model"]["spin"] = SPIN
        given = copy.deepcopy(plain)
        given["model"]["spin"] = {**SPIN, place.removeprefix("model/spin/"): value}
        return given, plain, place
    if place in OF_OTHERS:
        plain = copy.deepcopy(WATER)
        for section, keys in OF_OTHERS[place].items():
            (plain["model"] if section == "fitting_net" else plain)[section] = keys
        if plain["loss"]["type"] == "ener_spin":
            plain["model"]["spin"] = SPIN
        return changed(place, value, plain), plain, place
    if place not in OF_WHOLE:
        return changed(place, value), WATER, place
    key = place.removeprefix("model/")
    part = {**PART, key: value}
    given, plain = ({**WATER, "model": {**SUM, "models": [one]}} for one in (part, PART))
    return given, plain, f"model/models[0]/{key}"


@pytest.mark.parametrize("place", UNSUPPORTED)
def test_unsupported_keys(place):
    harmless, reason = UNSUPPORTED[place]
    for value in harmless:
        given, plain, at = with_key(place, value)
        config, notices = load_input(given)
        assert config == load_input(plain)[0]
        assert notices == [f"accepted at the only value that deeptf supports: {at}"]
    given, _, at = with_key(place, "something else")
    with pytest.raises(ConfigError) as caught:
        load_input(given)
    message = str(caught.value)
    assert message == f'{at}: is not supported, got "something else": {reason}'


def test_an_object_whose_telling_keys_are_harmless():
    """Dp train writes all defaults of a section."""
    given = {"full_validation": False, "validation_freq": 5000, "ema_full_validation": False}
    assert load_input(changed("validating", given))[0] == load_input(WATER)[0]
    for one in ({**given, "full_validation": True}, {"full_validation": 0}):
        with pytest.raises(ConfigError, match="validating: is not supported, got "):
            load_input(changed("validating", one))


@pytest.mark.parametrize("place", ACCEPTED_WITHOUT_EFFECT)
def test_keys_without_effect(place):
    given, plain, at = with_key(place, 1)
    config, notices = load_input(given)
    assert config == load_input(plain)[0]
    assert notices == [f"{at}: accepted without effect, {ACCEPTED_WITHOUT_EFFECT[place]}"]


OF_MODEL = {  # keys in place of those of a standard model
    "pairtab": {"tab_file": "pairs.tab", "rcut": 6.0, "sel": 44},
    "linear_ener": {"models": [PART], "weights": "sum"},
    "frozen": {"model_file": "model.pb", "model": PART},
}
SUPPORTED = {
    "model": sorted(TERMS),
    "model/descriptor": [
        *("hybrid", "loc_frame", "se_a_ebd_v2", "se_a_mask", "se_atten", "se_atten_v2"),
        *("se_e2_a", "se_e2_r", "se_e3"),
    ],
    "model/fitting_net": ["dipole", "dos", "ener", "polar"],
    "loss": ["dos", "ener", "ener_spin", "tensor"],
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
    of_loss = {"dipole": TENSOR, "polar": TENSOR, "dos": {"type": "dos"}}
    if kind in of_loss:
        data["model"]["fitting_net"] = {"type": kind}
        data["loss"] = of_loss[kind]
    if kind == "ener_spin":
        data["model"]["spin"], data["loss"] = SPIN, {"type": kind}
    if kind == "tensor":
        data["model"]["fitting_net"] = {"type": "polar"}
        data["loss"] = TENSOR
    if kind in SUPPORTED[section]:
        load_input(data)
        return
    with pytest.raises(ConfigError) as caught:
        load_input(data)
    message = str(caught.value)
    assert message.startswith(f"{section}/type: must be one of {SUPPORTED[section][0]}")
    assert message.endswith(f', got "{kind}", which deeptf does not support')
