"""What a run goes on from, and whether it fits the input.

It is a checkpoint (`--restart`, `--init-model`), a frozen model (`--init-frz-model`) or nothing.
The arrays of a file belong to the settings that made them. A restart is the run that was: its
section `model` must say the same. A new run from given weights must have their shapes; keys that
change what the weights give are carried over from the file, and named. Other sections may change;
a restart says what is not as it was.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from deeptf.config import Notices, load
from deeptf.exchange import frozen
from deeptf.model.model import ModelConfig
from deeptf.model.parameters import first_not_finite
from deeptf.model.roles import (
    BEGINNING,
    FUNCTION,
    RUN,
    SHAPE,
    Difference,
    differences,
    with_function_of,
)
from deeptf.train import checkpoint
from deeptf.train.options import InputConfig, load_input

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


@dataclass(frozen=True)
class Origin:
    """What a run knows before it looks at the data; nothing for a new model."""

    path: Path | None = None  # file of the arrays
    arrays: Mapping[str, np.ndarray] = field(default_factory=dict)
    model: ModelConfig | None = None  # settings that made the arrays
    input: InputConfig | None = None  # all settings of a run to go on with
    seed: int | None = None
    restart_step: int | None = None
    drawn: int = 0  # batches before the first step
    run: str | None = None  # identity of the files to go on with; older ones have none

    @property
    def type_map(self) -> tuple[str, ...]:
        """Names of the types of the arrays; none for a new model."""
        return () if self.model is None else self.model.type_map


def read_origin(
    restart: str | Path | None = None,
    init_model: str | Path | None = None,
    init_frozen: str | Path | None = None,
) -> Origin:
    """Return the arrays that a run starts from and what is known about them.

    restart, init_model : a checkpoint, its prefix or folder; init_frozen : a frozen model.
    Raises ValueError where more than one is given.
    """
    places = {"restart": restart, "init_model": init_model, "init_frozen": init_frozen}
    given = [name for name, place in places.items() if place is not None]
    if len(given) > 1:
        raise ValueError(f"only one of {' and '.join(given)} must be given, got {len(given)}")
    if restart is not None:
        return _run_of(_load(restart))
    if init_model is not None:
        state = _load(init_model)
        model = load_input(state.meta["input"])[0].model
        print(f"weights from {state.path} (step {state.meta['step']})")
        return Origin(state.path, state.model_arrays(), model)
    if init_frozen is not None:
        description, arrays = frozen.read_arrays(init_frozen)
        model = load(ModelConfig, description["model"], "model", Notices())
        print(f"weights from {init_frozen}")
        return Origin(Path(init_frozen), arrays, model)
    return Origin()


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


def check_arrays(origin: Origin, unused: Sequence[str]) -> None:
    """Say which arrays of the file the run does not use; a restart uses all of them.

    Averaged weights are another matter: `ema_decay` decides about them.
    """
    unused = [name for name in unused if not name.startswith(checkpoint.AVERAGE)]
    if not unused:
        return
    text = f"{', '.join(sorted(unused)[:5])}{', ...' if len(unused) > 5 else ''}"
    if origin.restart_step is not None:
        raise ValueError(
            f"checkpoint {origin.path} must hold the arrays of this run only, but the run has no "
            f"use for {len(unused)} of them ({text}): another version of deeptf or other settings "
            "wrote it; --init-model starts a new run with its weights"
        )
    print(f"note: not used of {origin.path}: {text}")


def _load(location: str | Path) -> checkpoint.Checkpoint:
    state = checkpoint.load(location)
    name = first_not_finite(state.arrays)
    if name is not None:
        raise ValueError(
            f"checkpoint {state.path} must hold finite numbers, but `{name}` has others: its run "
            f"had diverged; give an older one of {state.path.parent}"
        )
    return state


def _run_of(state: checkpoint.Checkpoint) -> Origin:
    meta = state.meta
    if not any(name.startswith(checkpoint.OPTIMIZER) for name in state.arrays):
        raise ValueError(
            f"checkpoint {state.path} must hold the state of the optimizer to go on from it, but "
            "does not; --init-model starts a new run with its weights"
        )
    print(f"restart from {state.path} (step {meta['step']})")
    settings = load_input(meta["input"])[0]
    return Origin(
        state.path,
        state.arrays,
        settings.model,
        settings,
        meta["seed"],
        meta["step"],
        meta.get("drawn", meta["step"]),  # not in files of deeptf 0.1
        meta.get("run"),
    )


def _fitting_model(model: ModelConfig, origin: Origin) -> ModelConfig:
    """Return the settings of the model, with those of the origin that belong to the weights."""
    if type(origin.model.term) is type(model.term):
        model = replace(model, term=model.term.with_open_of(origin.model.term))
    found = differences(origin.model, model, "model")
    _refuse(origin, found)
    for difference in found:
        if difference.role == BEGINNING:
            print(f"note: {difference}: no effect, since {origin.path} has the arrays already")
        elif difference.role == RUN:
            print(f"note: {difference}")
        elif difference.role == FUNCTION:
            print(
                f"note: {difference.place} is {json.dumps(difference.old)} as in {origin.path}, "
                f"not {json.dumps(difference.new)}: it belongs to the weights"
            )
    return with_function_of(origin.model, model)


def _refuse(origin: Origin, found: Sequence[Difference]) -> None:
    """Raise ValueError where the differences do not allow to go on."""
    restart = origin.restart_step is not None
    roles = (SHAPE, FUNCTION, RUN) if restart else (SHAPE,)
    wrong = [
        f"{one.place} must be {json.dumps(one.old)}, got {json.dumps(one.new)}"
        for one in found
        if one.role in roles
    ]
    if not wrong:
        return
    if restart:
        what = "a restart goes on with the model of the checkpoint"
        advice = "give these values, or start a new run from its weights with --init-model"
    else:
        what = "the weights to start from have the shapes of their model"
        advice = "give these values, or train a new model"
    raise ValueError(f"{what} ({origin.path}): {'; '.join(wrong)}; {advice}")


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
