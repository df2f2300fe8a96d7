"""The engine as a backend: models whose plan it knows, without TensorFlow.

It cuts frames into blocks that stay in the cache by itself, so its memory is small at any `memory`.
"""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from deeptf.cores import usable_cores
from deeptf.data.batch import Frames, Pairs
from deeptf.infer import engine
from deeptf.infer.backend import Settings, empty_results, part_of_results
from deeptf.infer.blocks import frame_groups
from deeptf.infer.engine import FramesStruct, PairsStruct, address
from deeptf.model.outside import OutsidePairs
from deeptf.ops.messages import op_message
from deeptf.properties import ENERGY

MOST_ATOMS = np.iinfo(np.int32).max  # in one call


class EngineBackend:
    """A model in the engine, which any number of threads may evaluate at the same time.

    outside : gets the pairs that are closer than the data of the model, where it can tell.
    """

    def __init__(
        self, model: engine.Model, settings: Settings, outside: OutsidePairs | None
    ) -> None:
        self._model = model
        self._most_atoms = min(settings.most_atoms, MOST_ATOMS)
        self._threads = settings.threads or usable_cores()
        self._widths = dict.fromkeys((model.property, f"atom_{model.property}"), model.width)
        self._outside = outside
        self._adding = threading.Lock()

    def close(self) -> None:
        """Do nothing: the model is released when nobody evaluates it any more."""

    def run_frames(self, frames: Frames, names: Sequence[str]) -> dict[str, np.ndarray]:
        """Return outputs for frames, see Backend."""
        result = empty_results(frames, names, self._widths)
        for first, last in frame_groups(frames.frame_row, self._most_atoms):
            group = _in_order(frames.part(first, last))
            given = FramesStruct(
                num_frames=group.num_frames,
                num_atoms=group.num_atoms,
                frame_row=address(group.frame_row),
                coord=address(group.coord),
                cell=address(group.cell),
                type=address(group.atom_type),
                fparam=address(group.fparam),
                aparam=address(group.aparam),
            )
            part = part_of_results(result, frames, first, last)
            self._run("evaluate", given, group.num_atoms, part, first)
        return result

    def run_pairs(
        self, frames: Frames, pairs: Pairs, num_owned: int, names: Sequence[str]
    ) -> dict[str, np.ndarray]:
        """Return outputs of a frame whose pairs are given, see Backend."""
        result = empty_results(frames, names, self._widths)
        frames = _in_order(frames)
        given = PairsStruct(
            num_centres=len(pairs.row) - 1,
            num_owned=num_owned,
            num_all=len(frames.atom_type),
            type=address(frames.atom_type),
            row=address(pairs.row),
            neighbor=address(pairs.neighbor),
            displacement=address(pairs.displacement),
            fparam=address(frames.fparam),
            aparam=address(frames.aparam),
        )
        self._run("evaluate_pairs", given, frames.num_atoms, result)
        return result

    def _run(
        self,
        function: str,
        given: ctypes.Structure,
        num_atoms: int,
        result: Mapping[str, np.ndarray],
        first_frame: int = 0,
    ) -> None:
        """Fill `result`, and count the pairs closer than the data of the model."""
        members = {}
        count = distance = None
        if self._outside is not None:
            count = np.zeros(self._outside.count.shape, np.int64)
            distance = np.zeros(count.shape)
            members = {"outside_count": address(count), "outside_distance": address(distance)}
        try:
            for options, part in self._calls(num_atoms, result):
                found = {name: address(value) for name, value in part.items()}
                results = engine.Results(**found, **members)
                engine.call(function, self._model.handle, given, options, results)
        except ValueError as error:
            raise ValueError(op_message(str(error), first_frame)) from None
        if count is not None and count.any():
            with self._adding:
                self._outside.add(count, distance)

    def _calls(
        self, num_atoms: int, result: Mapping[str, np.ndarray]
    ) -> Iterator[tuple[engine.Options, Mapping[str, np.ndarray]]]:
        """Yield the calls that fill `result`: options, and results by the names of the interface.

        There is one for each component of a property whose derivatives are wanted.
        """
        name, width = self._model.property, self._model.width
        if name == ENERGY.name:
            yield engine.Options(threads=self._threads), result
            return
        names = {"value": name, "atom_value": f"atom_{name}"}
        values = {member: result[one] for member, one in names.items() if one in result}
        names = {member: f"{name}_{member}" for member in engine.DERIVATIVES}
        derivatives = {member: result[one] for member, one in names.items() if one in result}
        if not derivatives:
            yield engine.Options(threads=self._threads), values
            return
        for component in range(width):
            weight = np.zeros((num_atoms, width))
            weight[:, component] = 1
            options = engine.Options(threads=self._threads, weight=address(weight))
            parts = {
                member: np.zeros((len(to), to.shape[1] // width))
                for member, to in derivatives.items()
            }
            yield options, {**values, **parts}
            for member, part in parts.items():
                own = slice(component * part.shape[1], (component + 1) * part.shape[1])
                derivatives[member][:, own] = part


def _in_order(frames: Frames) -> Frames:
    """Return the frames with arrays whose numbers follow one another."""
    arrays = {
        name: None if value is None else np.ascontiguousarray(value)
        for name, value in vars(frames).items()
    }
    return Frames(**arrays)
