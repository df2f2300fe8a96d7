"""The data sections of the input file: systems, and batch_size, auto_prob and sys_probs as numbers.

batch_size "auto:K" is the smallest number of frames with frames * atoms >= K; "auto" means K = 32.
"max:K" is the largest number with frames * atoms <= K, at least 1; "filter:K" is the same without
the systems of more than K atoms. "mixed:N" is N frames, each of a system drawn for it; all others
are frames of one system. auto_prob gives each system a weight: "prob_uniform" the same,
"prob_sys_size" its number of batches (of frames for "mixed:N"), and
"prob_sys_size;first:end:w;..." shares w among the systems first..end-1 by that number. sys_probs
are weights; with a negative one among them they are probabilities, and the systems of the negative
ones share the rest by their numbers of batches. Systems count as the log lists them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

AUTO_ATOMS = 32
WORDS = ("auto", "max", "filter", "mixed")


@dataclass(frozen=True)
class DataOptions:
    """Systems to learn from, and how often each is used; the fields are keys of the input file."""

    systems: tuple[str, ...] | str = ()  # systems, or folders that are searched for them
    rglob_patterns: tuple[str, ...] | None = None  # that systems below a folder must match
    batch_size: int | str | tuple[int, ...] = "auto"  # of a step; see above
    auto_prob: str = "prob_sys_size"  # see above
    sys_probs: tuple[float, ...] | None = None  # in place of auto_prob

    def __post_init__(self) -> None:
        check_batch_size(self.batch_size)
        check_auto_prob(self.auto_prob)
        if not self.systems:
            raise ValueError(
                "`systems` must name at least one system (a folder with type.raw), got none"
            )


@dataclass(frozen=True)
class ValidationOptions(DataOptions):
    """Systems to watch during training; they do not touch the weights."""

    numb_btch: int = 1  # batches of an evaluation

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.numb_btch < 1:
            raise ValueError(f"`numb_btch` must be at least 1, got {self.numb_btch}")


def check_batch_size(batch_size: int | str | Sequence[int]) -> None:
    """Raise ValueError unless `batch_size` is a number, a list of numbers or a known word."""
    if isinstance(batch_size, str):
        _parse_word(batch_size)
        return
    sizes = [batch_size] if isinstance(batch_size, int) else batch_size
    if not sizes or min(sizes) < 1:
        raise ValueError(f"`batch_size` must hold numbers of at least 1, got {batch_size}")


def batch_sizes(
    batch_size: int | str | Sequence[int], num_frames: Sequence[int], num_atoms: Sequence[int]
) -> list[int]:
    """Return the number of frames that a draw of each system takes, at most the frames it has."""
    check_batch_size(batch_size)
    if isinstance(batch_size, str):
        word, number = _parse_word(batch_size)
        if word == "mixed":
            sizes = [1] * len(num_frames)
        elif word == "auto":
            sizes = [-(-number // atoms) for atoms in num_atoms]
        else:
            sizes = [max(1, number // atoms) for atoms in num_atoms]
    elif isinstance(batch_size, int):
        sizes = [batch_size] * len(num_frames)
    else:
        sizes = list(batch_size)
    if len(sizes) != len(num_frames):
        raise ValueError(
            f"`batch_size` must be one number or one for each of the {len(num_frames)} systems, "
            f"got {len(sizes)} numbers"
        )
    return [min(size, frames) for size, frames in zip(sizes, num_frames, strict=True)]


def mixed_frames(batch_size: int | str | Sequence[int]) -> int:
    """Return N for "mixed:N" and 0 for every other batch size."""
    return _number_after("mixed", batch_size)


def most_atoms(batch_size: int | str | Sequence[int]) -> int:
    """Return N for "filter:N", the most atoms of a system that is used, and 0 for others."""
    return _number_after("filter", batch_size)


def _number_after(word: str, batch_size: int | str | Sequence[int]) -> int:
    if not isinstance(batch_size, str):
        return 0
    found, number = _parse_word(batch_size)
    return number if found == word else 0


def check_auto_prob(auto_prob: str) -> None:
    """Raise ValueError unless `auto_prob` has one of the known forms."""
    if auto_prob not in ("prob_uniform", "prob_sys_size"):
        _parse_blocks(auto_prob)


def system_probabilities(
    auto_prob: str, sys_probs: Sequence[float] | None, numb_batches: Sequence[float]
) -> np.ndarray:
    """Return the probability of each system; `sys_probs` wins over `auto_prob`."""
    count = len(numb_batches)
    size = np.asarray(numb_batches, np.float64)
    if sys_probs is not None:
        weight = np.asarray(sys_probs, np.float64)
        if len(weight) != count:
            raise ValueError(
                f"`sys_probs` must hold one number for each of the {count} systems, in the order "
                f"of the log, got {len(weight)}; name each system in `systems`"
            )
        if weight.min() < 0:
            weight = _with_rest(weight, size)
        elif weight.sum() <= 0:
            raise ValueError(f"`sys_probs` must not be all 0, got {list(sys_probs)}")
    elif auto_prob == "prob_uniform":
        weight = np.ones(count)
    elif auto_prob == "prob_sys_size":
        weight = size
    else:
        weight = _block_weights(auto_prob, size)
    return weight / np.sum(weight)


def _with_rest(probability: np.ndarray, size: np.ndarray) -> np.ndarray:
    """Return the probabilities, with what they leave shared among the negative ones by `size`."""
    open_ones = probability < 0
    rest = 1.0 - probability[~open_ones].sum()
    if rest <= 0:
        raise ValueError(
            "`sys_probs` must add up to less than 1 beside negative ones, which share the rest, "
            f"got {probability.tolist()}"
        )
    return np.where(open_ones, rest * size / size[open_ones].sum(), probability)


def _block_weights(auto_prob: str, size: np.ndarray) -> np.ndarray:
    weight = np.zeros(len(size))
    for first, end, share in _parse_blocks(auto_prob):
        if end > len(size):
            raise ValueError(
                f"`auto_prob` must name systems from 0 to {len(size)} (end not included), "
                f"got {auto_prob!r}"
            )
        weight[first:end] += share * size[first:end] / size[first:end].sum()
    if weight.sum() <= 0:
        raise ValueError(f"`auto_prob` must give some system a weight, got {auto_prob!r}")
    return weight


def _parse_blocks(auto_prob: str) -> list[tuple[int, int, float]]:
    head, *blocks = [part.strip() for part in auto_prob.split(";")]
    try:
        parsed = [
            (int(first), int(end), float(weight))
            for first, end, weight in (block.split(":") for block in blocks)
        ]
    except ValueError:
        parsed = []
    good = all(0 <= first < end and 0 <= weight < math.inf for first, end, weight in parsed)
    if head != "prob_sys_size" or not parsed or not good:
        raise ValueError(
            '`auto_prob` must be "prob_uniform", "prob_sys_size" or '
            f'"prob_sys_size;first:end:weight;...", got {auto_prob!r}'
        )
    return parsed


def _parse_word(text: str) -> tuple[str, int]:
    """Return one of WORDS and its number, of atoms or for "mixed" of frames."""
    word, colon, number = text.partition(":")
    if word == "auto" and not colon:
        return word, AUTO_ATOMS
    if word in WORDS and number.isascii() and number.isdecimal() and 0 < len(number) < 10:
        if int(number):
            return word, int(number)
    raise ValueError(
        '`batch_size` must be an integer, a list of integers, "auto", "auto:N", "max:N", '
        f'"filter:N" or "mixed:N", got {text!r}'
    )
