"""Several models of the same data: what all of them say, and how much they disagree."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from deeptf.data.batch import Batch
from deeptf.files import replacing
from deeptf.infer.deep_pot import DeepPot
from deeptf.infer.deviation import Deviation, Levels, deviation_of, write_table


class Ensemble:
    """Models with the same types and parameters.

    models : paths of model files, or open DeepPots, which stay open
    settings : `threads`, `backend` and other keywords of DeepPot for those that are opened here

    Use it as a context manager, or call `close`, to release these. Raises ValueError where the
    models do not go together.
    """

    def __init__(self, models: Sequence[str | Path | DeepPot], **settings: Any) -> None:
        if isinstance(models, str | Path | DeepPot) or not len(models):
            raise ValueError(f"`models` must be a list of at least one model, got {models!r}")
        with ExitStack() as stack:
            self.models = [
                model
                if isinstance(model, DeepPot)
                else stack.enter_context(DeepPot(model, **settings))
                for model in models
            ]
            first = self.models[0]
            for other in self.models[1:]:
                _check_alike(first, other)
            self._opened = stack.pop_all()

    def __enter__(self) -> Ensemble:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Release the models that were opened here."""
        self._opened.close()

    def eval(self, *frames: Any, **given: Any) -> tuple[np.ndarray, ...]:
        """Return what DeepPot.eval does, with one more axis in front, that of the models."""
        found = [model.eval(*frames, **given) for model in self.models]
        return tuple(_together(values) for values in zip(*found, strict=True))

    def evaluate(self, batch: Batch, outputs: Sequence[str]) -> dict[str, np.ndarray]:
        """Return what DeepPot.evaluate does, with one more axis in front, that of the models."""
        found = [model.evaluate(batch, outputs) for model in self.models]
        return {name: _together([one[name] for one in found]) for name in outputs}

    def deviation(
        self,
        coords: ArrayLike,
        cells: ArrayLike | None,
        atom_types: ArrayLike,
        relative: float | None = None,
        relative_v: float | None = None,
        **given: Any,
    ) -> Deviation:
        """Return how much the models disagree; frames and `given` as in DeepPot.eval.

        relative, relative_v : levels in eV/A and eV of relative deviations of force and virial
        """
        found = self.eval(coords, cells, atom_types, **given)
        return deviation_of_found(found, atom_types, Levels(relative, relative_v))

    def outside_lines(self) -> list[str]:
        """Return a line on each kind of pairs closer than the data of a model, found so far."""
        return [
            f"{model.path}: {line}"
            for model in self.models
            for line in (model.outside.lines() if model.outside else ())
        ]


def calc_model_devi(
    coord: ArrayLike,
    box: ArrayLike | None,
    atype: ArrayLike,
    models: Sequence[DeepPot | str | Path],
    fname: str | Path | None = None,
    frequency: int = 1,
    mixed_type: bool = False,
    fparam: ArrayLike | None = None,
    aparam: ArrayLike | None = None,
    real_data: Mapping[str, ArrayLike] | None = None,
    atomic: bool = False,
    relative: float | None = None,
    relative_v: float | None = None,
) -> np.ndarray:
    """Return steps and deviations of frames [nf, 8], or [nf, 8 + N] with `atomic`, like deepmd-kit.

    coord, box, atype, mixed_type, fparam, aparam : frames as in DeepPot.eval
    fname : file that gets the table, in the place of one that is there
    frequency : steps between frames
    real_data : "energy" [nf, 1] and "virial" [nf, 9] per atom and "force" [nf, N, 3]: the error
    relative, relative_v : levels in eV/A and eV of relative deviations
    """
    with Ensemble(models) as ensemble:
        found = ensemble.eval(
            coord, box, atype, fparam=fparam, aparam=aparam, mixed_type=mixed_type
        )
    deviation = deviation_of_found(found, atype, Levels(relative, relative_v), real_data)
    table = deviation.table(frequency, atomic)
    if fname:
        with replacing(fname, "w") as stream:
            write_table(stream, table)
    return table


def deviation_of_found(
    found: Sequence[np.ndarray],
    atom_types: ArrayLike,
    levels: Levels,
    per_atom: Mapping[str, ArrayLike] | None = None,
) -> Deviation:
    """Return the deviation of what Ensemble.eval has found.

    per_atom : labels "force" [nf, N, 3], and per atom "energy" [nf, 1] and "virial" [nf, 9]
    """
    energy, force, virial = found[:3]
    real = np.broadcast_to(np.asarray(atom_types) >= 0, force.shape[1:3])
    if not real.any(axis=1).all():
        raise ValueError("`atom_types` must have an atom in each frame, got one with none")
    labels = None
    if per_atom is not None:
        count = real.sum(axis=1)
        labels = {
            "energy": np.reshape(per_atom["energy"], count.shape) * count,
            "force": np.reshape(per_atom["force"], force.shape[1:])[real],
            "virial": np.reshape(per_atom["virial"], virial.shape[1:]) * count[:, None],
        }
    predicted = {"energy": energy[..., 0], "force": force[:, real], "virial": virial}
    return deviation_of(predicted, real, levels, labels)


def _together(values: Sequence[np.ndarray]) -> np.ndarray:
    """Return arrays with one more axis in front; that of one model is no copy."""
    return np.stack(values) if len(values) > 1 else values[0][None]


def _check_alike(first: DeepPot, other: DeepPot) -> None:
    """Raise ValueError unless two models take the same types and parameters."""
    for what, ask in (
        ("type_map", DeepPot.get_type_map),
        ("numb_fparam", DeepPot.get_dim_fparam),
        ("numb_aparam", DeepPot.get_dim_aparam),
    ):
        if ask(first) != ask(other):
            raise ValueError(
                f"`models` must have the same `{what}`, got {ask(first)} in {first.path} and "
                f"{ask(other)} in {other.path}"
            )
