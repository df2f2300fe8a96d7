"""Input files that users have, and copies of them with one key changed."""

import copy

WATER = {  # the water example of deepmd-kit 2 and 3
    "_comment1": "some words",
    "model": {
        "type_map": ["O", "H"],
        "descriptor": {
            "type": "se_e2_a",
            "sel": [46, 92],
            "rcut_smth": 0.50,
            "rcut": 6.00,
            "neuron": [25, 50, 100],
            "resnet_dt": False,
            "axis_neuron": 16,
            "precision": "float64",
            "type_one_side": True,
            "_comment2": "some words",
            "seed": 1,
        },
        "fitting_net": {
            "neuron": [240, 240, 240],
            "resnet_dt": True,
            "precision": "float64",
            "seed": 1,
        },
        "_comment4": "some words",
    },
    "learning_rate": {
        "type": "exp",
        "decay_steps": 5000,
        "start_lr": 0.001,
        "stop_lr": 3.51e-8,
        "_comment5": "some words",
    },
    "loss": {
        "type": "ener",
        "start_pref_e": 0.02,
        "limit_pref_e": 1,
        "start_pref_f": 1000,
        "limit_pref_f": 1,
        "start_pref_v": 0,
        "limit_pref_v": 0,
        "_comment6": "some words",
    },
    "training": {
        "training_data": {
            "systems": ["../data/data_0/", "../data/data_1/", "../data/data_2/"],
            "batch_size": "auto",
        },
        "validation_data": {
            "systems": ["../data/data_3"],
            "batch_size": 1,
            "numb_btch": 3,
        },
        "numb_steps": 1000000,
        "seed": 10,
        "disp_file": "lcurve.out",
        "disp_freq": 100,
        "save_freq": 1000,
        "_comment9": "some words",
    },
    "_comment10": "some words",
}

OLD_WATER = {  # the same in the words of version 1
    "with_distrib": False,
    "model": {
        "type_map": ["O", "H"],
        "descriptor": {
            "type": "se_a",
            "sel": [46, 92],
            "rcut_smth": 0.5,
            "rcut": 6.0,
            "neuron": [25, 50, 100],
            "resnet_dt": False,
            "n_axis_neuron": 16,
            "seed": 1,
        },
        "fitting_net": {"n_neuron": [240, 240, 240], "resnet_dt": True, "seed": 1},
    },
    "learning_rate": {"type": "exp", "start_lr": 0.005, "decay_steps": 5000, "decay_rate": 0.95},
    "loss": {"start_pref_e": 0.02, "limit_pref_e": 1},
    "training": {
        "systems": ["../data/"],
        "set_prefix": "set",
        "stop_batch": 400000,
        "batch_size": [1],
        "seed": 1,
        "auto_prob_style": "prob_uniform",
        "disp_file": "lcurve.out",
        "disp_freq": 100,
        "numb_test": 10,
        "save_freq": 1000,
        "save_ckpt": "model.ckpt",
        "load_ckpt": "model.ckpt",
        "disp_training": True,
        "time_training": True,
        "profiling": False,
        "profiling_file": "timeline.json",
    },
}


def changed(place, value, source=WATER):
    """Return a copy of an input with one key set."""
    data = copy.deepcopy(source)
    *sections, key = place.split("/")
    inner = data
    for section in sections:
        inner = inner.setdefault(section, {})
    inner[key] = value
    return data


def without(place):
    data = copy.deepcopy(WATER)
    *sections, key = place.split("/")
    inner = data
    for section in sections:
        inner = inner[section]
    del inner[key]
    return data
