"""Keys of Deep Potential inputs that are not fields of deeptf's dataclasses, in tables.

ALIASES : old spelling -> present key, seen from the same object ("a/b" lies one object deeper).
TYPE_ALIASES, KNOWN_TYPES : other names of a `type`, and types that may be unsupported here.
UNSUPPORTED : key -> (values that change nothing, why any other value stops the run). An object
    changes nothing where the keys named here have these values. A key may be one of other types.
ACCEPTED_WITHOUT_EFFECT : key -> why it may be ignored.

Places are paths in the file, whatever the `type` on the way. The tables hold no behaviour.
"""

from __future__ import annotations

from typing import Any

_TRAINING_DATA_V1 = ("systems", "set_prefix", "batch_size", "auto_prob", "sys_probs")

ALIASES: dict[str, str] = {
    "model/descriptor/n_axis_neuron": "axis_neuron",
    "model/descriptor/smooth_type_embdding": "smooth_type_embedding",
    "model/fitting_net/n_neuron": "neuron",
    "model/fitting_net/dipole_type": "sel_type",
    "model/fitting_net/pol_type": "sel_type",
    "training/stop_batch": "numb_steps",
    "training/num_step": "numb_steps",
    "training/num_steps": "numb_steps",
    "training/numb_step": "numb_steps",
    "training/num_epoch": "numb_epoch",
    "training/num_epochs": "numb_epoch",
    "training/numb_epochs": "numb_epoch",
    "training/auto_prob_style": "training_data/auto_prob",
    "training/sys_weights": "training_data/sys_probs",
    **{f"training/{key}": f"training_data/{key}" for key in _TRAINING_DATA_V1},
    **{
        f"training/{section}/{old}": new
        for section in ("training_data", "validation_data")
        for old, new in (("auto_prob_style", "auto_prob"), ("sys_weights", "sys_probs"))
    },
    "training/validation_data/numb_batch": "numb_btch",
}

TYPE_ALIASES: dict[str, dict[str, str]] = {
    "model/descriptor": {
        "se_a": "se_e2_a",
        "se_r": "se_e2_r",
        "se_at": "se_e3",
        "se_t": "se_e3",
        "se_a_3be": "se_e3",
        "dpa1": "se_atten",
        "se_a_ebd": "se_a_tpe",
        "se_a_tpe_v2": "se_a_ebd_v2",
    },
    "optimizer": {"adam": "Adam", "soap": "SOAP"},
}

KNOWN_TYPES: dict[str, tuple[str, ...]] = {
    "model": ("standard", "frozen", "linear_ener", "pairtab", "pairwise_dprc", "spin_ener", "zbl"),
    "model/descriptor": (
        "loc_frame",
        "se_e2_a",
        "se_e2_r",
        "se_e3",
        "se_e3_tebd",
        "se_a_tpe",
        "se_a_ebd_v2",
        "se_a_mask",
        "se_atten",
        "se_atten_v2",
        "dpa2",
        "dpa3",
        "hybrid",
    ),
    "model/fitting_net": ("ener", "dos", "polar", "dipole", "property", "direct_force_ener"),
    "loss": ("ener", "ener_hess", "ener_spin", "dos", "tensor", "property"),
    "learning_rate": ("exp", "cosine", "wsd"),
    "optimizer": ("Adam", "AdamW", "LKF", "AdaMuon", "HybridMuon"),
}

_OTHER_WALL = "model/zbl gives a wall by atomic numbers"
_ONLY_WHOLE = "charges act on whole models: give it beside type_map, in the section of the sum"
_OF_WHOLE = "the parts of a sum have that of the whole model"
_UNIT_LENGTH = "queries, keys and values of attention have length 1"
_ONLY_STANDARD = "deeptf trains one standard model at a time"

UNSUPPORTED: dict[str, tuple[tuple[Any, ...], str]] = {
    "validating": (
        ({"full_validation": False, "ema_full_validation": False}, None),
        "deeptf validates with training/validation_data only",
    ),
    "nvnmd": (({}, None), "deeptf has no NVNMD back end"),
    "model/model_dict": ((), _ONLY_STANDARD),
    "model/shared_dict": (({},), _ONLY_STANDARD),
    "model/spin/scheme": (("deepspin",), "virtual atoms say where spins point"),
    "model/spin/allow_missing_label": ((False,), "force.npy holds magnetic forces too"),
    "model/type_map": ((), "the parts of a sum have the types of model/type_map"),
    "model/modifier": ((None,), _ONLY_WHOLE),
    "model/pair_exclude_types": (([], None), "use model/descriptor/exclude_types"),
    "model/atom_exclude_types": (([], None), "atoms cannot be left out of the energy"),
    "model/preset_out_bias": ((None,), "use model/fitting_net/atom_ener"),
    "model/bridging_method": (("None", None), _OTHER_WALL),
    "model/descriptor/env_protection": (
        (0.0, 0),
        "1/r is used without an added constant",
    ),
    "model/descriptor/scaling_factor": ((1.0, 1), "the products of attention are not scaled"),
    "model/descriptor/normalize": ((True,), _UNIT_LENGTH),
    "model/descriptor/temperature": ((None,), _UNIT_LENGTH),
    "model/descriptor/concat_output_tebd": ((True,), "the fitting net takes vectors of types"),
    "model/fitting_net/layer_name": ((None,), "layers cannot be shared between models"),
    "model/fitting_net/default_fparam": ((None,), "give fparam.npy in every system"),
    "model/fitting_net/dim_case_embd": ((0,), _ONLY_STANDARD),
    "model/fitting_net/numb_fparam": ((0,), "nets of tensors take no parameters"),
    "model/fitting_net/numb_aparam": ((0,), "nets of tensors take no parameters"),
    "model/fitting_net/rcond": ((None,), "nothing but the bias of energies is a least-squares fit"),
    "model/fitting_net/mixed_types": ((False,), "each centre type has its own fitting net"),
    "loss/relative_f": ((None,), "force errors count alike for all forces"),
    "loss/enable_atom_ener_coeff": ((False,), "energies are sums of atomic energies"),
    "loss/use_huber": ((False,), "the loss is the mean square error"),
    "loss/intensive_ener_virial": ((False,), "energy and virial errors are divided by N, not N^2"),
    "loss/start_pref_pf": ((0.0, 0), "forces of models with spins have no weights"),
    "loss/limit_pref_pf": ((0.0, 0), "forces of models with spins have no weights"),
    "loss/start_pref_gf": ((0.0, 0), "generalized forces are not available"),
    "loss/limit_pref_gf": ((0.0, 0), "generalized forces are not available"),
    "loss/numb_generalized_coord": ((0,), "generalized forces are not available"),
    "loss/start_pref_h": ((0.0, 0), "Hessians are not available"),
    "loss/limit_pref_h": ((0.0, 0), "Hessians are not available"),
    "loss/loss_func": (("mse",), "the loss is the mean square error"),
    "loss/f_use_norm": ((False,), "the force loss is a mean over components"),
    "loss/use_default_pf": ((False,), "give atom_pref.npy in the systems"),
    "optimizer/weight_decay": ((0.0, 0), "optimizers run without weight decay"),
    "optimizer/adam_weight_decay": ((0.0, 0), "optimizers run without weight decay"),
    "training/training_data/set_prefix": (("set",), "folders of frames are named set.*"),
    "training/validation_data/set_prefix": (("set",), "folders of frames are named set.*"),
    "training/training_data/min_pair_dist": ((0.0, 0, None), "frames are not filtered"),
    "training/validation_data/min_pair_dist": ((0.0, 0, None), "frames are not filtered"),
    "training/num_epoch_dict": (({}, None), _ONLY_STANDARD),
    "training/mixed_precision": ((None,), 'use "precision" of the descriptor and fitting net'),
    "training/change_bias_after_training": ((False,), "the energy bias is fitted before training"),
    "training/save_dir": ((None,), "give the folder in training/save_ckpt"),
    "training/ckpt_keep_ratio": ((None,), "use training/max_ckpt_keep"),
    "training/acc_freq": ((1,), "gradients are not accumulated over steps"),
    "training/zero_stage": ((0,), "it belongs to another back end"),
    "training/opt_type": (("Adam",), "the optimizer is Adam"),
    "training/stat_file_mode": (("update",), "statistics are recomputed when the data change"),
    "training/enable_compile": ((False,), "it belongs to another back end"),
    "training/enable_tf32": ((False,), "use precision in the model"),
    "training/disp_avg": ((False,), "lcurve.out holds the errors of one batch"),
    "training/data_dict": ((), _ONLY_STANDARD),
}

_TYPE_SECTION = "model/type_embedding says how types become vectors"
_UNUSED_WALL = "it shapes a wall that is not used"

ACCEPTED_WITHOUT_EFFECT: dict[str, str] = {
    "with_distrib": "the number of processes decides",
    "model/data_stat_nbatch": _OF_WHOLE,
    "model/data_stat_protect": _OF_WHOLE,
    "model/data_bias_nsample": "the energy bias is fitted to all frames",
    "model/compress": "embedding nets are tables from the first step on; deeptf compress makes "
    "others of a frozen model",
    "model/descriptor/tebd_dim": _TYPE_SECTION,
    "model/descriptor/use_econf_tebd": _TYPE_SECTION,
    "model/descriptor/use_tebd_bias": _TYPE_SECTION,
    "model/bridging_r_inner": _UNUSED_WALL,
    "model/bridging_r_outer": _UNUSED_WALL,
    "model/info": "it is a description",
    "model/model_branch_alias": "it names branches of multi-task models",
    "loss/huber_delta": "the loss is the mean square error",
    "training/numb_test": "training/validation_data/numb_btch says how many batches are evaluated",
    "training/load_ckpt": "use --restart or --init-model",
    "training/disp_training": "lcurve.out is always written",
    "training/time_training": "the time of a step is always shown",
    "training/profiling": "no timeline is written",
    "training/profiling_file": "no timeline is written",
    "training/enable_profiler": "no profile is written",
    "training/ema_ckpt_keep": "averaged weights are in every checkpoint",
    "training/neighbor_graph_method": "it belongs to another back end",
}
