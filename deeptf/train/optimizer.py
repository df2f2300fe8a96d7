"""The optimizers of the input file: their keys, and the optimizer that each makes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from deeptf.ops.host import Host
from deeptf.tf import tf
from deeptf.train.adam import AdamOptimizer, HostAdamOptimizer
from deeptf.train.soap import SoapOptimizer


@dataclass(frozen=True)
class Adam:
    """Adam (Kingma & Ba, arXiv:1412.6980)."""

    type: ClassVar[str] = "Adam"
    adam_beta1: float = 0.9  # decay of the mean gradient
    adam_beta2: float = 0.999  # and of its square

    def __post_init__(self) -> None:
        _check_decay(adam_beta1=self.adam_beta1, adam_beta2=self.adam_beta2)

    def build(self, rate: tf.Tensor) -> tf.train.Optimizer:
        """Return the optimizer for a learning rate, a scalar tensor."""
        return AdamOptimizer(rate, self.adam_beta1, self.adam_beta2)

    def build_on_host(self, rate: tf.Tensor, host: Host, numbers: tf.Tensor) -> HostAdamOptimizer:
        """Return the optimizer of the workers on one host, which sums `numbers` as well."""
        return HostAdamOptimizer(rate, self.adam_beta1, self.adam_beta2, host, numbers)


@dataclass(frozen=True)
class Soap:
    """SOAP, see soap.py."""

    type: ClassVar[str] = "SOAP"
    beta1: float = 0.95  # decay of the mean gradient
    beta2: float = 0.95  # of its square and of the second moments

    def __post_init__(self) -> None:
        _check_decay(beta1=self.beta1, beta2=self.beta2)

    def build(self, rate: tf.Tensor) -> tf.train.Optimizer:
        """Return the optimizer for a learning rate, a scalar tensor."""
        return SoapOptimizer(rate, self.beta1, self.beta2)


OPTIMIZERS = {Adam.type: Adam, Soap.type: Soap}


def _check_decay(**decays: float) -> None:
    for name, value in decays.items():
        if not 0 <= value < 1:
            raise ValueError(f"`{name}` must be in [0, 1), got {value}")
