"""Input files: those that users have load as they are, and each wrong one says what to change."""

import json

import pytest
from water_inputs import OLD_WATER, WATER, changed, without

from deeptf.config import dump
from deeptf.input_file import ConfigError
from deeptf.train.learning_rate import CosineLR, ExpLR
from deeptf.train.options import load_input


def test_the_water_input_loads_as_it_is():
    config, notices = load_input(WATER)
    assert notices == []
    descriptor = config.model.term.descriptor
    assert config.model.type_map == ("O", "H")
    assert (descriptor.sel, descriptor.rcut, descriptor.axis_neuron) == ((46, 92), 6.0, 16)
    assert config.model.term.fitting_net.neuron == (240, 240, 240)
    assert config.learning_rate == ExpLR(start_lr=1e-3, stop_lr=3.51e-8, decay_steps=5000)
    assert (config.loss.start_pref_f, config.loss.limit_pref_f) == (1000.0, 1.0)
    training = config.training
    assert training.training_data.systems[0] == "../data/data_0/"
    assert (training.training_data.batch_size, training.validation_data.numb_btch) == ("auto", 3)
    assert (training.numb_steps, training.save_ckpt, training.max_ckpt_keep) == (
        1000000,
        "model.ckpt",
        5,
    )
    assert (config.optimizer.adam_beta1, config.optimizer.adam_beta2) == (0.9, 0.999)


def test_the_input_of_version_1_loads_as_it_is():
    config, notices = load_input(OLD_WATER)
    assert config.model.term.descriptor.axis_neuron == 16
    assert config.model.term.fitting_net.neuron == (240, 240, 240)
    assert config.training.numb_steps == 400000
    data = config.training.training_data
    assert (data.systems, data.batch_size, data.auto_prob) == (("../data/",), (1,), "prob_uniform")
    assert config.training.validation_data is None
    assert config.learning_rate.value(400000, 400000) == pytest.approx(0.005 * 0.95**80)
    assert any(line.startswith("training/numb_test: accepted without") for line in notices)
    assert notices[-1].endswith(": training/training_data/set_prefix")


def test_a_file_loads_like_its_content(tmp_path):
    path = tmp_path / "input.json"
    path.write_text(json.dumps(WATER))
    assert load_input(path) == load_input(WATER)
    assert load_input(str(path)) == load_input(WATER)


def test_the_written_input_loads_to_the_same_settings():
    for source in (WATER, OLD_WATER, changed("learning_rate/type", "cosine", without_exp())):
        config, _ = load_input(source)
        again, notices = load_input(json.loads(json.dumps(dump(config))))
        assert again == config
        assert notices == []


def without_exp():
    return without("learning_rate/decay_steps")


DEFAULTS = {  # those of deepmd-kit where it has the key
    "model/descriptor": {
        "type": "se_e2_a",
        "sel": "auto",
        "rcut": 6.0,
        "rcut_smth": 0.5,
        "neuron": [10, 20, 40],
        "axis_neuron": 4,
        "activation_function": "tanh",
        "resnet_dt": False,
        "type_one_side": False,
        "precision": "default",
        "trainable": True,
        "exclude_types": [],
        "set_davg_zero": False,
    },
    "model/fitting_net": {
        "type": "ener",
        "numb_fparam": 0,
        "numb_aparam": 0,
        "neuron": [120, 120, 120],
        "activation_function": "tanh",
        "precision": "default",
        "resnet_dt": True,
        "trainable": True,
        "atom_ener": [],
    },
    "model": {"data_stat_nbatch": 10, "data_stat_protect": 0.01},
    "training/training_data": {"batch_size": "auto", "auto_prob": "prob_sys_size"},
    "training": {
        "disp_file": "lcurve.out",
        "disp_freq": 1000,
        "save_freq": 1000,
        "save_ckpt": "model.ckpt",
        "max_ckpt_keep": 5,
        "tensorboard": False,
        "tensorboard_log_dir": "log",
        "tensorboard_freq": 1,
        "gradient_max_norm": 0.0,
        "seed": None,
    },
    "learning_rate": {
        "type": "exp",
        "start_lr": 1e-3,
        "warmup_steps": 0,
        "warmup_start_factor": 0.0,
        "scale_by_worker": "linear",
        "decay_steps": 5000,
        "decay_rate": None,
        "smooth": False,
    },
    "loss": {
        "type": "ener",
        "start_pref_e": 0.02,
        "limit_pref_e": 1.0,
        "start_pref_f": 1000.0,
        "limit_pref_f": 1.0,
        **{f"{end}_pref_{term}": 0.0 for end in ("start", "limit") for term in ("v", "ae", "pf")},
    },
    "optimizer": {"type": "Adam", "adam_beta1": 0.9, "adam_beta2": 0.999},
}


def test_defaults():
    small = {
        "model": {"descriptor": {"type": "se_e2_a"}},
        "training": {"numb_steps": 10, "training_data": {"systems": "data"}},
    }
    config, notices = load_input(small)
    assert notices == []
    assert config.training.training_data.systems == "data"
    written = dump(config)
    for place, expected in DEFAULTS.items():
        section = written
        for key in place.split("/"):
            section = section[key]
        assert expected.items() <= section.items(), place


def test_variants_of_the_learning_rate():
    config, _ = load_input(changed("learning_rate/type", "cosine", without_exp()))
    assert config.learning_rate == CosineLR(start_lr=1e-3, stop_lr=3.51e-8)


@pytest.mark.parametrize(
    ("keys", "decay"),
    [
        ({}, 0.0),
        ({"ema_decay": 0}, 0.0),
        ({"ema_decay": 0.99}, 0.99),
        ({"enable_ema": True}, 0.999),
        ({"enable_ema": True, "ema_decay": 0.99}, 0.99),
        ({"enable_ema": False, "ema_decay": 0.99}, 0.0),
    ],
)
def test_averaged_weights(keys, decay):
    data = WATER
    for key, value in keys.items():
        data = changed(f"training/{key}", value, data)
    config, notices = load_input(data)
    assert (config.training.average_decay, notices) == (decay, [])


def test_old_names_of_types():
    config, _ = load_input(changed("model/descriptor/type", "se_a"))
    assert config.model.term.descriptor.type == "se_e2_a"
    with pytest.raises(ConfigError, match=r'got "se_a_ebd", which deeptf does not support'):
        load_input(changed("model/descriptor/type", "se_a_ebd"))


@pytest.mark.parametrize(
    ("place", "value", "message"),
    [
        (
            "model/descriptor/rcutt",
            6.0,
            r"model/descriptor/rcutt: unknown key; did you mean 'rcut'",
        ),
        ("traning", {}, r"traning: unknown key; did you mean 'training'"),
        ("model/descriptor/rcut", -1, r"model/descriptor: `rcut` must be positive, got -1.0"),
        ("model/descriptor/rcut", 0, r"model/descriptor: `rcut` must be positive, got 0.0"),
        ("model/descriptor/rcut", "6", r'model/descriptor/rcut: must be a finite number, got "6"'),
        ("model/descriptor/sel", [46], r"model: `sel` must have one entry for each of the 2 types"),
        ("model/descriptor/seed", -1, r"model/descriptor: `seed` must be at least 0, got -1"),
        ("model/fitting_net/seed", -1, r"model/fitting_net: `seed` must be at least 0, got -1"),
        (
            "model/descriptor/exclude_types",
            [[0, 0], [1, 0], [1, 1]],
            r"model: `exclude_types` must leave some pair of types, got all pairs of the 2 types",
        ),
        ("training/numb_steps", 0, r"training: `numb_steps` must be at least 1, got 0"),
        ("training/disp_freq", 0, r"training: `disp_freq` must be at least 1, got 0"),
        ("training/save_ckpt", "", r"training: `save_ckpt` must be the name of a file"),
        ("training/seed", -1, r"training: `seed` must be at least 0, got -1"),
        ("training/gradient_max_norm", -1, r"training: `gradient_max_norm` must be at least 0"),
        ("training/ema_decay", 1, r"training: `ema_decay` must be in \[0, 1\), got 1.0"),
        ("training/training_data/systems", [], r"training/training_data: `systems` must name at"),
        ("training/training_data/systems", "", r"training/training_data: `systems` must name at"),
        ("training/training_data/batch_size", "max", r"training/training_data: `batch_size` must"),
        ("training/validation_data/numb_btch", 0, r"training/validation_data: `numb_btch` must"),
        ("optimizer/adam_beta1", 1.0, r"optimizer: `adam_beta1` must be in \[0, 1\), got 1.0"),
        ("optimizer/type", "LKF", r'optimizer/type: must be one of Adam, SOAP, got "LKF", which'),
        ("learning_rate/warmup_steps", 2000000, r"input: `warmup_steps` must be below numb_steps"),
    ],
)
def test_wrong_inputs(place, value, message):
    with pytest.raises(ConfigError, match=message):
        load_input(changed(place, value))


@pytest.mark.parametrize("place", ["model", "training", "training/training_data"])
def test_missing_keys(place):
    with pytest.raises(ConfigError, match=f"{place}: must be an .*got nothing; add this key"):
        load_input(without(place))


def test_steps_or_epochs():
    with pytest.raises(ConfigError, match=r"one of `numb_steps` and `numb_epoch` .*got neither"):
        load_input(without("training/numb_steps"))
    with pytest.raises(ConfigError, match=r"one of `numb_steps` and `numb_epoch` .*got both"):
        load_input(changed("training/num_epoch", 2))
    config, _ = load_input(changed("training/num_epoch", 2.5, without("training/numb_steps")))
    assert (config.training.numb_steps, config.training.numb_epoch) == (None, 2.5)
    with pytest.raises(ConfigError, match=r"`numb_epoch` must be positive, got 0.0"):
        load_input(changed("training/num_epoch", 0, without("training/numb_steps")))


def test_missing_descriptor_type():
    with pytest.raises(ConfigError, match=r"model/descriptor/type: must be one of .*got nothing"):
        load_input(without("model/descriptor/type"))


def test_missing_file(tmp_path):
    with pytest.raises(ConfigError, match=r"input.json must be readable"):
        load_input(tmp_path / "input.json")
