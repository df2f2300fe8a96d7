"""What a run goes on from.

It is a checkpoint (`--restart`, `--init-model`), a frozen model (`--init-frz-model`), either of
them for other types or data (`--finetune`), or nothing.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from deeptf.config import load
from deeptf.exchange import frozen
from deeptf.input_file import Notices
from deeptf.model.model import MODIFIER, ModelConfig
from deeptf.model.parameters import first_not_finite
from deeptf.model.table_arrays import has_stored
from deeptf.train import checkpoint
from deeptf.train.options import InputConfig


@dataclass(frozen=True)
class Origin:
    """What a run knows before it looks at the data; nothing for a new model.

    A new run takes nothing of a modifier: its own is another matter of the input.
    """

    path: Path | None = None  # file of the arrays
    arrays: Mapping[str, np.ndarray] = field(default_factory=dict)
    model: ModelConfig | None = None  # settings that made the arrays
    input: InputConfig | None = None  # all settings of a run to go on with
    seed: int | None = None
    restart_step: int | None = None
    drawn: int = 0  # batches before the first step
    run: str | None = None  # identity of the files to go on with; older ones have none
    modifier_arrays: Mapping[str, np.ndarray] = field(default_factory=dict)  # of a restart
    finetune: bool = False  # whether types may be others, and the energy bias follows the data

    @property
    def type_map(self) -> tuple[str, ...]:
        """Names of the types of the arrays; none for a new model."""
        return () if self.model is None else self.model.type_map


def read_origin(
    restart: str | Path | None = None,
    init_model: str | Path | None = None,
    init_frozen: str | Path | None = None,
    finetune: str | Path | None = None,
) -> Origin:
    """Return the arrays that a run starts from and what is known about them.

    restart, init_model : a checkpoint, its prefix or folder; init_frozen : a frozen model;
    finetune : either.
    Raises ValueError where more than one is given.
    """
    places = {
        "restart": restart,
        "init_model": init_model,
        "init_frozen": init_frozen,
        "finetune": finetune,
    }
    given = [name for name, place in places.items() if place is not None]
    if len(given) > 1:
        raise ValueError(f"only one of {' and '.join(given)} must be given, got {len(given)}")
    if not given:
        return Origin()
    if finetune is not None:
        is_frozen = Path(finetune).is_file() and not zipfile.is_zipfile(finetune)
        start = {"init_frozen" if is_frozen else "init_model": finetune}
        return replace(read_origin(**start), finetune=True)
    if init_frozen is None:
        return _of_checkpoint(init_model, restart)
    description, arrays = frozen.read_arrays(init_frozen)
    model = load(ModelConfig, description["model"], "model", Notices())
    own = _parted(arrays)[0]
    if has_stored(_trained(model.term, own)):
        raise ValueError(
            f"{init_frozen} must have embedding nets to train on from it, but has tables in their "
            "place, since it was compressed by another program: convert the model from before that"
        )
    print(f"weights from {init_frozen}")
    return Origin(Path(init_frozen), own, model.unmodified)


def _of_checkpoint(init_model: str | Path | None, restart: str | Path | None) -> Origin:
    """Return the origin of a new run with the weights of a checkpoint, or of a restart."""
    state, arrays = _load(init_model if restart is None else restart, restart is not None)
    meta = state.meta
    settings = load(InputConfig, meta["input"], "", Notices())
    arrays, of_modifier = _parted(arrays)
    if restart is None:
        print(f"weights from {state.path} (step {meta['step']})")
        return Origin(state.path, arrays, settings.model.unmodified)
    print(f"restart from {state.path} (step {meta['step']})")
    return Origin(
        state.path,
        arrays,
        settings.model,
        settings,
        meta["seed"],
        meta["step"],
        meta.get("drawn", meta["step"]),  # not in files of deeptf 0.1
        meta.get("run"),
        of_modifier,
    )


def _parted(arrays: Mapping[str, np.ndarray]) -> tuple[dict[str, np.ndarray], ...]:
    """Return the arrays that are trained, and those of a modifier."""
    own, of_modifier = {}, {}
    for name, array in arrays.items():
        (of_modifier if name.startswith(f"{MODIFIER}/") else own)[name] = array
    return own, of_modifier


def _trained(term: object, names: Iterable[str]) -> list[str]:
    """Return the names of arrays that training changes: those of fixed parts of a sum stay."""
    fixed = [k for k, part in enumerate(getattr(term, "models", ())) if part.fixed]
    return [name for name in names if not name.startswith(tuple(f"{k}/" for k in fixed))]


def _load(
    location: str | Path, restart: bool
) -> tuple[checkpoint.Checkpoint, Mapping[str, np.ndarray]]:
    """Return a checkpoint and its arrays: all for a restart, else those of the trained model."""
    state = checkpoint.load(location)
    arrays = state.arrays if restart else state.model_arrays()
    name = first_not_finite(arrays)
    if name is not None:
        raise ValueError(
            f"checkpoint {state.path} must hold finite numbers, but `{name}` has others: its run "
            f"had diverged; give an older one of {state.path.parent}"
        )
    if restart and not any(name.startswith(checkpoint.OPTIMIZER) for name in arrays):
        raise ValueError(
            f"checkpoint {state.path} must hold the state of the optimizer to go on from it, but "
            "does not; --init-model starts a new run with its weights"
        )
    return state, arrays


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
