"""Learning rate schedules: lr(step) with a linear warm-up and then one of three decays.

With w = warm-up steps, n = numb_steps - w, t = step - w and lr0 = start_lr, lr1 = the final rate:

    warm-up  lr = lr0 (f + (1 - f) step / w),  f = warmup_start_factor
    exp      lr = max(lr1, lr0 rate^floor(t / decay_steps)),
             rate = (lr1 / lr0)^(decay_steps / n) unless given
    cosine   lr = lr1 + (lr0 - lr1)/2 (1 + cos(pi t / n))
    wsd      lr0, then over the last int(decay_phase_ratio numb_steps) steps, with x from 0 to 1,
             inverse_linear 1/(x/lr1 + (1-x)/lr0), cosine as above, or linear

Several workers multiply all of it by a factor (worker_factor). The schedules know nothing about
optimizers.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, Literal

DEFAULT_STOP_LR = 1e-8


@dataclass(frozen=True)
class Schedule:
    """Keys that all schedules share; `decay` is what a schedule adds."""

    start_lr: float = 1e-3
    stop_lr: float | None = None  # None: 1e-8
    stop_lr_ratio: float | None = None  # stop_lr / start_lr, in place of stop_lr
    warmup_steps: int = 0
    warmup_ratio: float | None = None  # warmup_steps / numb_steps, in place of warmup_steps
    warmup_start_factor: float = 0.0  # the first rate / start_lr
    scale_by_worker: Literal["linear", "sqrt", "none"] = "linear"  # see worker_factor

    def __post_init__(self) -> None:
        _require(self.start_lr > 0, "start_lr", "positive", self.start_lr)
        if self.stop_lr is not None and self.stop_lr_ratio is not None:
            raise ValueError(
                f"`stop_lr` must not be given beside `stop_lr_ratio`, got {self.stop_lr} and "
                f"{self.stop_lr_ratio}; remove one of them"
            )
        _require(
            0 < self.final_lr <= self.start_lr,
            "stop_lr" if self.stop_lr_ratio is None else "stop_lr_ratio times start_lr",
            f"above 0 and at most start_lr = {self.start_lr}",
            self.final_lr,
        )
        _require(self.warmup_steps >= 0, "warmup_steps", "at least 0", self.warmup_steps)
        if self.warmup_ratio is not None:
            _require(0 <= self.warmup_ratio < 1, "warmup_ratio", "in [0, 1)", self.warmup_ratio)
            _require(
                self.warmup_steps == 0,
                "warmup_steps",
                "left out beside warmup_ratio",
                self.warmup_steps,
            )
        _require(
            0 <= self.warmup_start_factor <= 1,
            "warmup_start_factor",
            "from 0 to 1",
            self.warmup_start_factor,
        )

    @property
    def final_lr(self) -> float:
        """The rate at the end of training."""
        if self.stop_lr_ratio is not None:
            return self.start_lr * self.stop_lr_ratio
        return DEFAULT_STOP_LR if self.stop_lr is None else self.stop_lr

    def warmup(self, numb_steps: int) -> int:
        """Number of warm-up steps of a run of `numb_steps` steps."""
        if self.warmup_ratio is not None:
            return int(self.warmup_ratio * numb_steps)
        return self.warmup_steps

    def worker_factor(self, workers: int) -> float:
        """Return what the rate is multiplied by when so many workers train together.

        Their frames of a step are one larger batch.
        """
        return {"linear": workers, "sqrt": math.sqrt(workers), "none": 1.0}[self.scale_by_worker]

    def check(self, numb_steps: int) -> None:
        """Raise ValueError where the schedule does not fit a run of `numb_steps` steps."""
        _require(
            self.warmup(numb_steps) < numb_steps,
            "warmup_steps",
            f"below numb_steps = {numb_steps}",
            self.warmup(numb_steps),
        )

    def value(self, step: int, numb_steps: int) -> float:
        """Return the learning rate of `step` (from 0) in a run of `numb_steps` steps."""
        warmup = self.warmup(numb_steps)
        if step < warmup:
            factor = self.warmup_start_factor
            return self.start_lr * (factor + (1.0 - factor) * step / warmup)
        return self.decay(step - warmup, numb_steps - warmup, numb_steps)

    def decay(self, step: int, decay_length: int, numb_steps: int) -> float:
        """Return the rate `step` steps after the warm-up, of `decay_length` such steps."""
        raise NotImplementedError


@dataclass(frozen=True)
class ExpLR(Schedule):
    """Exponential decay, in stairs of `decay_steps` steps or smooth."""

    type: ClassVar[str] = "exp"
    decay_steps: int = 5000
    decay_rate: float | None = None  # of a stair; None: so that the last rate is stop_lr
    smooth: bool = False  # whether it falls at each step

    def __post_init__(self) -> None:
        super().__post_init__()
        _require(self.decay_steps > 0, "decay_steps", "positive", self.decay_steps)
        if self.decay_rate is not None:
            _require(0 < self.decay_rate <= 1, "decay_rate", "in (0, 1]", self.decay_rate)

    def stair(self, decay_length: int) -> int:
        """Length of a stair: `decay_steps`, shorter where the decay would have no second one."""
        if self.decay_steps < decay_length:
            return self.decay_steps
        return 100 if decay_length // 10 > 100 else decay_length // 100 + 1

    def decay(self, step: int, decay_length: int, numb_steps: int) -> float:
        """Return max(lr1, lr0 rate^n)."""
        stair = self.stair(decay_length)
        rate = self.decay_rate
        if rate is None:
            rate = (self.final_lr / self.start_lr) ** (stair / decay_length)
        power = step / stair if self.smooth else step // stair
        return max(self.final_lr, self.start_lr * rate**power)


@dataclass(frozen=True)
class CosineLR(Schedule):
    """Half a cosine from the first to the last rate."""

    type: ClassVar[str] = "cosine"

    def decay(self, step: int, decay_length: int, numb_steps: int) -> float:
        """Return the cosine interpolation."""
        return _cosine(self.start_lr, self.final_lr, min(step / decay_length, 1.0))


@dataclass(frozen=True)
class WSDLR(Schedule):
    """Warm-up, stable, decay: constant until the last `decay_phase_ratio` of the run."""

    type: ClassVar[str] = "wsd"
    decay_phase_ratio: float = 0.1  # of numb_steps
    decay_type: Literal["inverse_linear", "cosine", "linear"] = "inverse_linear"

    def __post_init__(self) -> None:
        super().__post_init__()
        ratio = self.decay_phase_ratio
        _require(0 < ratio <= 1, "decay_phase_ratio", "in (0, 1]", ratio)

    def check(self, numb_steps: int) -> None:
        """Raise ValueError where the decay phase is empty or does not fit behind the warm-up."""
        super().check(numb_steps)
        room = numb_steps - self.warmup(numb_steps)
        phase = int(self.decay_phase_ratio * numb_steps)
        _require(
            1 <= phase <= room,
            "decay_phase_ratio times numb_steps",
            f"from 1 to the {room} steps after the warm-up",
            phase,
        )

    def decay(self, step: int, decay_length: int, numb_steps: int) -> float:
        """Return start_lr, then the decay of the last phase."""
        phase = int(self.decay_phase_ratio * numb_steps)
        x = (step - (decay_length - phase)) / phase
        if x <= 0:
            return self.start_lr
        x = min(x, 1.0)
        first, last = self.start_lr, self.final_lr
        if self.decay_type == "cosine":
            return _cosine(first, last, x)
        if self.decay_type == "linear":
            return first + (last - first) * x
        return 1.0 / (x / last + (1.0 - x) / first)


LEARNING_RATES = {cls.type: cls for cls in (ExpLR, CosineLR, WSDLR)}


def _cosine(first: float, last: float, x: float) -> float:
    return last + 0.5 * (first - last) * (1.0 + math.cos(math.pi * x))


def _require(condition: bool, name: str, what: str, value: object) -> None:
    if not condition:
        raise ValueError(f"`{name}` must be {what}, got {value}")
