"""What a run of molecular dynamics is told: checked, and the same when it goes on."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

ENSEMBLES = ("nve", "nvt", "langevin", "npt", "npt-cell")
_BAROSTAT = ("npt", "npt-cell")
_FREE = ("steps",)  # may be another one when a run goes on


@dataclass(frozen=True)
class Settings:
    """Settings of a run."""

    steps: int = 1000  # of the run as a whole
    ensemble: str = "nvt"
    temperature: float = 300.0  # K
    pressure: float = 1.0  # bar
    timestep: float = 0.5  # fs
    tdamp: float = 100.0  # fs, time of the thermostat
    pdamp: float = 1000.0  # fs, time of the barostat
    log_every: int = 10  # steps from line to line
    frame_every: int = 100  # steps from frame to frame of the trajectory
    seed: int = 0  # of the first velocities and of noise

    def __post_init__(self) -> None:
        if self.ensemble not in ENSEMBLES:
            raise ValueError(
                f"`ensemble` must be one of {', '.join(ENSEMBLES)}, got {self.ensemble!r}"
            )
        thermostat = self.ensemble != "nve"
        _check(self, ("timestep", "tdamp", "pdamp"), "a positive time in fs", lambda x: x > 0)
        _check(self, ("temperature",), "at least 0 K", lambda x: x >= 0)
        _check(self, ("temperature",) * thermostat, "positive for a thermostat", lambda x: x > 0)
        _check(self, ("pressure",), "a number of bar", lambda x: True)
        _check(self, ("log_every", "frame_every"), "at least 1", lambda x: x > 0)
        _check(self, ("steps", "seed"), "at least 0", lambda x: x >= 0)

    @property
    def keeps_pressure(self) -> bool:
        """Return whether there is a barostat."""
        return self.ensemble in _BAROSTAT

    def check_same(self, before: Mapping[str, Any], path: str) -> None:
        """Raise ValueError where a run that goes on was told something else before."""
        for field in fields(self):
            was, now = before.get(field.name), getattr(self, field.name)
            if field.name not in _FREE and was != now:
                raise ValueError(
                    f"`{field.name}` must be {was} as in the run of {path} that goes on, got "
                    f"{now}; to change it, begin another `output` from the last frame of this run"
                )

    def as_dict(self) -> dict[str, Any]:
        """Return the settings by name."""
        return asdict(self)


def _check(
    settings: Settings, names: Sequence[str], what: str, holds: Callable[[float], bool]
) -> None:
    for name in names:
        value = getattr(settings, name)
        if not (math.isfinite(value) and holds(value)):
            raise ValueError(f"`{name}` must be {what}, got {value}")
