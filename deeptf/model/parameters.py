"""The named arrays of a model: variables while training, constants in a frozen graph.

One class serves both, so that a model is built by the same code in training, freezing and
conversion. Every part of a model has its arrays below a scope of its own. It does not know what
the arrays mean and does not write files (see train/checkpoint.py).
"""

from __future__ import annotations

import copy
import zlib
from collections.abc import Callable, Mapping

import numpy as np

from deeptf.tf import session, tf

Initializer = Callable[[np.random.Generator, tuple[int, ...]], np.ndarray]


def normal(stddev: float, mean: float = 0.0) -> Initializer:
    """Return an initializer that draws from a normal distribution."""
    return lambda rng, shape: rng.normal(mean, stddev, shape)


def constant(value: float | np.ndarray) -> Initializer:
    """Return an initializer that fills the array with `value`."""
    return lambda rng, shape: np.broadcast_to(np.asarray(value, np.float64), shape).copy()


def first_not_finite(arrays: Mapping[str, np.ndarray]) -> str | None:
    """Return the name of the first array of floats that are not all finite, or None."""
    for name, value in arrays.items():
        if np.asarray(value).dtype.kind == "f" and not np.all(np.isfinite(value)):
            return name
    return None


class Parameters:
    """Hands out a model's arrays by name, below a scope.

    The attributes have the arrays of all scopes by their full names.

    values : arrays that are already known (a checkpoint, a converted model); the others are drawn.
    seed : seed of the drawn arrays; an array depends on the seed and its own name only, so adding a
        layer does not change the others.
    frozen : make constants; then every array must be in `values`.
    complete : every array must be in `values`, since they are those of a trained model.
    """

    def __init__(
        self,
        values: Mapping[str, np.ndarray] | None = None,
        seed: int = 0,
        frozen: bool = False,
        complete: bool = False,
    ) -> None:
        self._values = dict(values or {})
        self._complete = complete or frozen
        self._seed = seed
        self._frozen = frozen
        self._trains = True
        self._scope = ""
        self._tensors: dict[str, tf.Tensor] = {}
        self.variables: dict[str, tf.Variable] = {}
        self.states: dict[str, tf.Variable] = {}
        self.constants: dict[str, np.ndarray] = {}
        self.derived: dict[str, tf.Tensor] = {}  # of a frozen graph, see `fixed`

    def scope(self, name: str) -> Parameters:
        """Return the same arrays seen from the scope `name` within this one."""
        inner = copy.copy(self)
        inner._scope = f"{self._scope}{name}/"
        return inner

    def untrained(self) -> Parameters:
        """Return the same arrays, of which all that is asked for here are constants."""
        inner = copy.copy(self)
        inner._trains = False
        return inner

    def name(self, name: str) -> str:
        """Return the full name of an array, or of anything else that belongs to this scope."""
        return self._scope + name

    def get(
        self,
        name: str,
        shape: tuple[int, ...],
        dtype: tf.DType,
        initializer: Initializer,
        trainable: bool = True,
        seed: int | None = None,
    ) -> tf.Tensor:
        """Return the array `name`; a second call with the same name returns the same tensor."""
        name = self._scope + name
        if name in self._tensors:
            return self._tensors[name]
        value = self._initial_value(name, shape, initializer, seed).astype(dtype.as_numpy_dtype)
        if self._frozen or not (trainable and self._trains):
            self._tensors[name] = tf.constant(value, name=name)
            self.constants[name] = value
        else:
            variable = tf.Variable(value, name=name, dtype=dtype, use_resource=True)
            self.variables[name] = variable
            self._tensors[name] = variable
        return self._tensors[name]

    def state(self, name: str, value: np.ndarray) -> tf.Tensor:
        """Return an array that is not trained but may change during a run.

        It begins as the known one or else `value`, and is a constant in a frozen graph.
        """
        name = self._scope + name
        if name in self._tensors:
            return self._tensors[name]
        if self._frozen and name not in self._values:
            raise _missing(name)
        value = np.asarray(self._values.get(name, value), value.dtype)
        if self._frozen:
            self._tensors[name] = tf.constant(value, name=name)
        else:
            variable = tf.Variable(value, trainable=False, name=name, use_resource=True)
            self.states[name] = self._tensors[name] = variable
        return self._tensors[name]

    def fixed(self, name: str, value: tf.Tensor | np.ndarray) -> tf.Tensor | np.ndarray:
        """Return a value that follows from arrays of the model and settings.

        In a frozen graph it is the constant `name`, and where the known arrays have that, theirs.
        """
        if not self._frozen:
            return value
        name = self._scope + name
        if name not in self.derived:
            value = self._values.get(name, value)
            if tf.is_tensor(value):
                with session(value.graph) as run:
                    value = run.run(value)
            self._tensors[name] = self.derived[name] = tf.constant(value, name=name)
        return self.derived[name]

    def array(self, name: str, value: np.ndarray | None = None) -> np.ndarray:
        """Return a fixed float64 array (statistics, bias): the known one, else `value`."""
        name = self._scope + name
        if name not in self._values:
            if value is None:
                raise _missing(name)
            self._values[name] = np.asarray(value, np.float64)
        if name not in self.constants:
            self.constants[name] = np.asarray(self._values[name], np.float64)
            if self._frozen:
                self._tensors[name] = tf.constant(self.constants[name], name=name)
        return self.constants[name]

    def given(self, name: str) -> tf.Tensor:
        """Return a known array as it is, which nothing changes."""
        name = self._scope + name
        if name not in self._values:
            raise _missing(name)
        if name not in self._tensors:
            self.constants[name] = np.asarray(self._values[name])
            self._tensors[name] = tf.constant(self.constants[name], name=name)
        return self._tensors[name]

    def fixed_array(self, name: str) -> tf.Tensor | np.ndarray:
        """Return the array of `array` for an op: in a frozen graph the constant of that name."""
        value = self.array(name)
        return self._tensors.get(self._scope + name, value)

    def used(self) -> list[str]:
        """Return the full names of the arrays that were asked for."""
        return sorted((self._tensors.keys() | self.constants.keys()) - self.derived.keys())

    def unused(self) -> list[str]:
        """Return the full names of known arrays that nobody has asked for."""
        used = self._tensors.keys() | self.constants.keys()
        return sorted(self._values.keys() - used)

    def known(self, name: str) -> np.ndarray | None:
        """Return what was given for the array `name`, or None."""
        return self._values.get(self._scope + name)

    def forget(self, *names: str) -> None:
        """Decide arrays anew, whatever was given for them."""
        for name in names:
            self._values.pop(self._scope + name, None)

    def _initial_value(
        self, name: str, shape: tuple[int, ...], initializer: Initializer, seed: int | None
    ) -> np.ndarray:
        if name not in self._values:
            if self._complete:
                raise _missing(name)
            stream = [self._seed if seed is None else seed, zlib.crc32(name.encode())]
            return np.asarray(initializer(np.random.default_rng(stream), shape))
        value = np.asarray(self._values[name])
        if value.shape != tuple(shape):
            raise ValueError(
                f"`{name}` must have shape {tuple(shape)}, got {value.shape}: "
                "the weights belong to a model with other settings"
            )
        return value


def _missing(name: str) -> ValueError:
    return ValueError(
        f"`{name}` must be among the arrays of the model, but is not: the file that they come from "
        "is incomplete or of a model with other settings"
    )
