"""Freezing: the newest checkpoint of a run becomes a model file (exchange/frozen.py)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from deeptf.config import load
from deeptf.exchange.frozen import write
from deeptf.exchange.model_parts import arrays_of, with_settings
from deeptf.input_file import read_json
from deeptf.model.model import ModelConfig
from deeptf.model.pair_potential import Zbl
from deeptf.train import checkpoint
from deeptf.train.options import load_input
from deeptf.train.wall import with_wall


def freeze(location: str | Path, output: str | Path, zbl: Sequence[float] | None = None) -> Path:
    """Write the newest checkpoint at `location` (folder, prefix or file) as a frozen model.

    The model has averaged weights where the checkpoint has them. An input file (.json) of a model
    that nothing trains becomes one as it is.

    zbl : rin and rout in A of a wall to add, which must not reach the data of the model.
    Raises FileNotFoundError without a checkpoint and ValueError for a damaged one; returns the
    path of what became a model.
    """
    if Path(location).suffix == ".json":
        return _freeze_input(Path(location), output, zbl)
    state = checkpoint.load(location)
    config = load_input(state.meta["input"])[0].model
    arrays = dict(state.model_arrays())
    if zbl is not None:
        config = with_wall(config, arrays, Zbl(*zbl))
        arrays, _ = config.part.with_short_range(arrays, [], config.type_map)
    write(config, arrays, output, training_script=state.meta["input"])
    return state.path


def _freeze_input(path: Path, output: str | Path, zbl: Sequence[float] | None) -> Path:
    """Write the model of an input file, which has nothing to train."""
    model = load(ModelConfig, with_settings(read_json(path)).get("model", {}), "model")
    if not model.part.fixed:
        raise ValueError(
            f"{path} must be the input of a model that nothing trains, such as pairtab, got "
            f"{model.term.type}: give the folder of its checkpoints"
        )
    if not model.type_map or zbl is not None:
        what = "model/zbl and not `--zbl`" if model.type_map else "the types in model/type_map"
        raise ValueError(f"an input file of a model that nothing trains must give {what}: {path}")
    arrays, lines = model.part.fixed_arrays(model.type_map)
    print("".join(f"{line}\n" for line in lines), end="")
    write(model, {**arrays, **arrays_of(model.term)}, output)
    return path
