"""Whether an input fits what the run goes on from, and what becomes of it there.

The arrays of a file belong to the settings that made them. A restart is the run that was: its
section `model` must say the same. A new run from given weights must have their shapes; keys that
change what the weights give are carried over from the file, and named. Other sections may change;
a restart says what is not as it was.
"""

from __future__ import annotations

import json
import secrets
from dataclasses import replace

import numpy as np

from deeptf.model.model import ModelConfig
from deeptf.model.roles import (
    BEGINNING,
    FUNCTION,
    RUN,
    SHAPE,
    differences,
    with_function_of,
)
from deeptf.train import checkpoint
from deeptf.train.options import InputConfig
from deeptf.train.origin import Origin

# Keys whose change does not touch the weights of a run that goes on, or is told elsewhere.
CHANGES_NOTHING = (
    "training/disp_",
    "training/max_ckpt_keep",
    "training/save_",
    "training/seed",
    "training/stat_file",
    "training/tensorboard",
    "training/validation_data",
)
ON_RESTART = (
    "a restart goes on with the model of the checkpoint",
    "or start a new run from its weights with --init-model",
)
ON_NEW_RUN = (
    "the weights to start from have the shapes of their model",
    "or train a new model",
)


def fit(config: InputConfig, origin: Origin) -> InputConfig:
    """Return the settings with which a run goes on from its origin, and with a seed.

    Prints what is carried over, without effect or not as it was. Raises ValueError that names all
    keys of `model` that do not fit, and for another optimizer or fewer steps than a run to go on
    with has behind it.
    """
    config = replace(config, training=replace(config.training, seed=_seed(config, origin)))
    _tell_averages(config, origin)
    if origin.model is None:
        return config
    model = _fitting_model(config.model, origin)
    if origin.input is not None:
        _check_steps(config, origin)
        _check_optimizer(config, origin)
        _tell_changes(config, origin)
    return replace(config, model=model)


def _fitting_model(model: ModelConfig, origin: Origin) -> ModelConfig:
    """Return the settings of the model, with those of the origin that belong to the weights.

    Raises ValueError where the differences do not allow to go on.
    """
    restart = origin.restart_step is not None
    what, advice = ON_RESTART if restart else ON_NEW_RUN
    if origin.model.num_types != model.num_types:
        old, new = (json.dumps(one.type_map) for one in (origin.model, model))
        raise ValueError(
            f"{what} ({origin.path}): model/type_map must be {old}, got {new}; give these types; "
            "--finetune takes others"
        )
    if type(origin.model.term) is type(model.term):
        model = replace(model, term=model.term.with_open_of(origin.model.term))
    found = differences(origin.model.unmodified, model.unmodified, "model")
    refused = (SHAPE, FUNCTION, RUN) if restart else (SHAPE,)
    wrong = [
        f"{one.place} must be {json.dumps(one.old)}, got {json.dumps(one.new)}"
        for one in found
        if one.role in refused
    ]
    if wrong:
        raise ValueError(f"{what} ({origin.path}): {'; '.join(wrong)}; give these values, {advice}")
    for one in found:
        if one.role == BEGINNING:
            print(f"note: {one}: no effect, since {origin.path} has the arrays already")
        elif one.role == RUN:
            print(f"note: {one}")
        elif one.role == FUNCTION:
            print(
                f"note: {one.place} is {json.dumps(one.old)} as in {origin.path}, "
                f"not {json.dumps(one.new)}: it belongs to the weights"
            )
    fitting = with_function_of(origin.model.unmodified, model.unmodified)
    return replace(fitting, modifier=model.modifier)  # labels.py looks at it


def _check_steps(config: InputConfig, origin: Origin) -> None:
    """Raise ValueError where the run has more steps behind it than the input asks for."""
    steps = config.training.numb_steps
    if steps < origin.restart_step:
        raise ValueError(
            f"training/numb_steps must be at least {origin.restart_step}, the step of "
            f"{origin.path}, got {steps}: give a larger one, or an earlier checkpoint"
        )


def _check_optimizer(config: InputConfig, origin: Origin) -> None:
    old, new = origin.input.optimizer, config.optimizer
    if type(old) is not type(new):
        raise ValueError(
            f"optimizer/type must be {old.type!r} as in {origin.path}, whose moments it "
            f"goes on with, got {new.type!r}; --init-model starts a new run from its "
            "weights with another optimizer"
        )


def _tell_changes(config: InputConfig, origin: Origin) -> None:
    """Say what a restart does otherwise than the run before."""
    old = origin.input
    changes = [
        change
        for section in ("learning_rate", "loss", "optimizer", "training")
        for change in differences(getattr(old, section), getattr(config, section), section)
        if not change.place.startswith(CHANGES_NOTHING)
    ]
    for change in sorted(changes):
        print(f"note: {change}")
    step = origin.restart_step
    was, now = (one.learning_rate.value(step, one.training.numb_steps) for one in (old, config))
    if not np.isclose(was, now, rtol=1e-6, atol=0.0):
        print(
            f"note: the learning rate goes on at {now:.2e}, where the run before had come to "
            f"{was:.2e}"
        )


def _tell_averages(config: InputConfig, origin: Origin) -> None:
    """Say what averaged weights are used for, or that those of a checkpoint are not."""
    training = config.training
    averaged = any(name.startswith(checkpoint.AVERAGE) for name in origin.arrays)
    if training.average_decay:
        used = "frozen models have them"
        if training.validation_data is not None:
            used = f"validation columns of {training.disp_file} and {used}"
        print(f"averaged weights, decay {training.average_decay:g} a step: {used}")
        if origin.restart_step is not None and not averaged:
            print(f"note: {origin.path} has no averaged weights: they begin at its weights")
    elif averaged:
        print("note: the checkpoint has averaged weights; without ema_decay the run drops them")


def _seed(config: InputConfig, origin: Origin) -> int:
    """Return the seed of the run to go on with, else the given one, else a drawn one."""
    given = config.training.seed
    if origin.seed is not None:
        if given not in (None, origin.seed):
            print(f"note: training/seed is {origin.seed} as in {origin.path}, not {given}")
        return origin.seed
    if given is not None:
        return given
    seed = secrets.randbits(31)
    print(f"seed {seed} (give training/seed to repeat the run)")
    return seed
