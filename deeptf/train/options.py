"""The input file as dataclasses: model, learning_rate, loss, optimizer and training.

`read_input` reads the file of a run; `load_input` takes what a checkpoint has kept of one. Each
section lives beside the code that it describes; here is the training section.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from deeptf.config import load
from deeptf.data.options import DataOptions, ValidationOptions
from deeptf.exchange.model_parts import with_settings
from deeptf.input_file import Notices, read_json
from deeptf.loss import LOSSES
from deeptf.loss.loss import Loss
from deeptf.model.model import ModelConfig
from deeptf.train.learning_rate import LEARNING_RATES, Schedule
from deeptf.train.optimizer import OPTIMIZERS, Adam, Soap

USUAL_DECAY = 0.999  # of averaged weights that are asked for without a number


@dataclass(frozen=True)
class TrainingOptions:
    """The loop: data, number of steps, files and how often they are written."""

    training_data: DataOptions
    numb_steps: int | None = None  # or numb_epoch, not both
    numb_epoch: float | None = None  # instead of numb_steps, decided by the data
    validation_data: ValidationOptions | None = None  # for the validation columns of lcurve.out
    seed: int | None = None  # of batches and first weights; None: drawn
    stat_file: str | None = None  # what earlier runs found in the data; None: statistics.npz
    disp_file: str = "lcurve.out"  # table of errors
    disp_freq: int = 1000  # steps from line to line of it
    save_freq: int = 1000  # steps from checkpoint to checkpoint
    save_ckpt: str = "model.ckpt"  # prefix of checkpoints
    max_ckpt_keep: int = 5  # older ones are removed
    tensorboard: bool = False  # whether errors are written for TensorBoard too
    tensorboard_log_dir: str = "log"  # folder
    tensorboard_freq: int = 1  # steps
    gradient_max_norm: float = 0.0  # longer gradients are scaled down; 0: never
    ema_decay: float | None = None  # of averaged weights, per step; 0: none
    enable_ema: bool | None = None  # true: ema_decay is 0.999 unless given; false: it is 0

    def __post_init__(self) -> None:
        if (self.numb_steps is None) == (self.numb_epoch is None):
            given = "neither" if self.numb_steps is None else "both"
            raise ValueError(f"one of `numb_steps` and `numb_epoch` must be given, got {given}")
        if self.numb_epoch is not None and not self.numb_epoch > 0:
            raise ValueError(f"`numb_epoch` must be positive, got {self.numb_epoch}")
        for name in ("disp_freq", "save_freq", "max_ckpt_keep", "tensorboard_freq"):
            _at_least(1, name, getattr(self, name))
        if self.numb_steps is not None:
            _at_least(1, "numb_steps", self.numb_steps)
        for name in ("gradient_max_norm", "seed"):
            if getattr(self, name) is not None:
                _at_least(0, name, getattr(self, name))
        if self.ema_decay is not None and not 0 <= self.ema_decay < 1:
            raise ValueError(f"`ema_decay` must be in [0, 1), got {self.ema_decay}")
        for name in ("disp_file", "save_ckpt", "tensorboard_log_dir"):
            if not getattr(self, name):
                raise ValueError(f"`{name}` must be the name of a file, got an empty string")

    @property
    def statistics_file(self) -> str:
        """File with what earlier looks at the data have found."""
        return self.stat_file or "statistics.npz"

    @property
    def average_decay(self) -> float:
        """Decay per step of averaged weights, 0 for none; `enable_ema` switches `ema_decay`."""
        if self.enable_ema is False:
            return 0.0
        usual = USUAL_DECAY if self.enable_ema else 0.0
        return usual if self.ema_decay is None else self.ema_decay


@dataclass(frozen=True)
class InputConfig:
    """The whole input file."""

    model: ModelConfig
    training: TrainingOptions
    learning_rate: Schedule = field(
        metadata={"variants": LEARNING_RATES, "default_type": "exp"}, kw_only=True
    )
    loss: Any = field(metadata={"variants": LOSSES, "default_type": "ener"}, kw_only=True)
    optimizer: Adam | Soap = field(
        metadata={"variants": OPTIMIZERS, "default_type": Adam.type}, kw_only=True
    )

    def __post_init__(self) -> None:
        if self.training.numb_steps is not None:
            self.learning_rate.check(self.training.numb_steps)
        self.loss.of_model(self.model.gives())  # fits

    @property
    def loss_of_model(self) -> Loss:
        """The loss of what the model gives; ValueError where the two do not fit."""
        return self.loss.of_model(self.model.gives())


def read_input(path: str | Path) -> InputConfig:
    """Return the settings of an input file; print which keys were accepted without effect.

    Raises ConfigError with the place in the file, what must be there and what was found, and
    ValueError where two files of the run, the input among them, have one name.
    """
    notices = Notices()
    config = load(InputConfig, with_settings(read_json(path)), "", notices)
    for line in notices.lines():
        print(f"note: {line}")
    training = config.training
    files = {"disp_file": training.disp_file, "stat_file": training.statistics_file}
    taken: dict[str, str] = {}
    for key, name in (*files.items(), ("the input file", path)):
        other = taken.setdefault(os.path.realpath(name), key)
        if other != key:
            raise ValueError(
                f"`training/{other}` must be the name of a file of its own, got {str(name)!r}, "
                f"which is {key}"
            )
    return config


def load_input(source: str | Path | Mapping[str, Any]) -> tuple[InputConfig, list[str]]:
    """Return the settings of an input file, and lines about keys that were accepted without effect.

    source : path of a JSON file, or its content.
    Raises ConfigError with the place in the file, what must be there and what was found.
    """
    data = source if isinstance(source, Mapping) else with_settings(read_json(source))
    notices = Notices()
    return load(InputConfig, data, "", notices), notices.lines()


def _at_least(least: int, name: str, value: float) -> None:
    if value < least:
        raise ValueError(f"`{name}` must be at least {least}, got {value}")
