"""From the input file to a run that can start; here everything is decided, once and in this order.

1. The input is read. It may leave open the seed, the type map, the number of steps, and what a
   model learns from data (`sel`).
2. What the run goes on from is read, if anything.
3. The data are opened; they give type map and number of steps, and have labels for the loss.
4. Input and origin must fit. What a modifier will add is taken off the labels (labels.py), and
   every frame is looked at once.
5. A new model takes from that what it left open and its first arrays; other models have theirs,
   but for what new types and another zero of energies ask for (finetune.py).
"""

from __future__ import annotations

import json
import math
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from deeptf.config import dump
from deeptf.data.describe import tell_far_energies
from deeptf.data.opening import Data, Wanted, open_data
from deeptf.data.survey import survey
from deeptf.exchange.model_parts import arrays_of
from deeptf.files import replacing
from deeptf.properties import ENERGY
from deeptf.train.finetune import complete, with_types
from deeptf.train.fit import fit
from deeptf.train.labels import take_off, with_modifier
from deeptf.train.options import InputConfig, read_input
from deeptf.train.origin import Origin, read_origin
from deeptf.train.untrained import without_untrained


@dataclass(frozen=True)
class Run:
    """A run that can start."""

    config: InputConfig  # nothing is left open
    data: Data
    values: Mapping[str, np.ndarray]  # arrays that are known before the first step
    origin: Origin  # what it goes on from; its arrays are in `values`
    kept: Mapping[str, np.ndarray]  # arrays of the modifier, which no step needs
    identity: str = field(default_factory=lambda: secrets.token_hex(8))  # of the files it writes

    @property
    def trained(self) -> bool:
        """Whether the weights are given."""
        return self.origin.model is not None

    @property
    def first_step(self) -> int:
        """Number of steps that have been done."""
        return self.origin.restart_step or 0

    def meta(self, drawn: int) -> dict[str, Any]:
        """Return the description that a checkpoint holds after `drawn` batches."""
        return {"input": dump(self.config), "seed": self.config.training.seed, "drawn": drawn}


def start(
    input_path: str | Path,
    *,
    restart: str | Path | None = None,
    init_model: str | Path | None = None,
    init_frozen: str | Path | None = None,
    finetune: str | Path | None = None,
    output: str | Path | None = None,
) -> Run:
    """Read the input and the data and return the run; print what was found and decided.

    The arguments are those of `train`, and so are the errors.
    """
    config = read_input(input_path)
    origin = read_origin(restart, init_model, init_frozen, finetune)
    model = config.model
    if model.part.fixed:
        raise ValueError(
            f"`model/type` must be one of models that can be trained, got {model.term.type}: "
            f"`deeptf freeze -c {input_path}` makes a model file of it as it is"
        )
    needs, loss = model.unmodified.needs(), config.loss_of_model
    wanted = Wanted(
        model.type_map or origin.type_map,
        model.term.open_types(),
        needs.numb_fparam,
        needs.numb_aparam,
        loss.labels(),
        loss.terms(),
    )
    training = config.training
    data = open_data(training.training_data, training.validation_data, wanted)
    if training.numb_epoch is not None:
        epoch = data.training.epoch_steps
        steps = math.ceil(training.numb_epoch * epoch)
        print(f"numb_steps {steps}: numb_epoch {training.numb_epoch:g} of {epoch} steps")
        training = replace(training, numb_steps=steps, numb_epoch=None)
    model = replace(model, type_map=data.type_map)
    if origin.finetune:
        origin = with_types(origin, data.type_map)
    config = fit(replace(config, model=model, training=training), origin)
    whole, kept = with_modifier(config.model, origin)
    take_off(data, whole, kept)
    config, model = replace(config, model=whole), whole.unmodified
    found = survey(
        data,
        model.term.collectors(model.num_types),
        model.needs().rcut,
        model.data_stat_nbatch,
        model.data_stat_protect,
        training.statistics_file,
        model.needs().masked,
    )
    if ENERGY in loss.labels():
        validation = [] if data.validation is None else data.validation.systems
        tell_far_energies(data.training.systems, validation, model.num_types)
    if origin.model is None:
        term, notes = model.term.decide(found)
        model = replace(model, term=term)
        values, more = model.first_arrays(found)
        if from_files := arrays_of(model.term):
            changed, lines = model.term.extended({**values, **from_files}, found)
            values, more = {**values, **from_files, **changed}, [*more, *lines]
        changed, lines = without_untrained(model, values, found)
        values, more = {**values, **changed}, [*more, *lines]
        config = replace(config, model=replace(whole, term=term))
    else:
        values, more = dict(origin.arrays), []
        if origin.finetune:
            values = complete(model, values, found, config.training.seed)
        changed, notes = model.term.extended(values, found)
        values |= changed
    for line in (*notes, *more):
        print(line)
    if output is not None:
        with replacing(output, "w") as stream:
            json.dump(dump(config), stream, indent=2)
    run = Run(config, data, values, replace(origin, arrays={}, modifier_arrays={}), kept)
    return run if origin.run is None else replace(run, identity=origin.run)
