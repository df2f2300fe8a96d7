"""What every loss is: settings that turn a model's outputs and labels into one number a frame.

A loss is a frozen dataclass in a file of its own, listed in LOSSES (loss/__init__.py) under its
`type`; its fields are the keys of the section `loss` of the input file.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar, Protocol

import numpy as np

from deeptf.loss.labels import Labels
from deeptf.model.inputs import Inputs
from deeptf.model.model import Outputs
from deeptf.properties import Property
from deeptf.tf import tf


class Loss(Protocol):
    """What training makes small."""

    type: ClassVar[str]

    def of_model(self, gives: Sequence[Property]) -> Loss:
        """Return the loss of a model that gives these properties; ValueError where none fits."""

    def terms(self) -> Mapping[str, tuple[Property, ...]]:
        """Return the properties whose labels each term needs, for terms that have a prefactor."""

    def columns(self) -> list[Property]:
        """Return the properties whose errors a run tells, in columns `rmse_KEY`."""

    def prefactors(self, rate_ratio: float) -> np.ndarray:
        """Return the prefactors at learning rate `rate_ratio` times the start rate."""

    def labels(self) -> list[Property]:
        """Return the properties whose labels it may use."""

    def build(
        self, outputs: Outputs, labels: Labels, inputs: Inputs, prefactors: tf.Tensor
    ) -> tf.Tensor:
        """Return the loss of every frame, [F]."""

    def errors(self, outputs: Outputs, labels: Labels, inputs: Inputs) -> tf.Tensor:
        """Return sums of squared errors of `columns` and their numbers, [columns, 2]."""
