"""A frozen model in TensorFlow and in the engine: frames in, results out."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np

from deeptf.data.batch import Batch, Pairs, rows_of
from deeptf.exchange import frozen
from deeptf.infer.backend import ENGINE
from deeptf.infer.deep_pot import DeepPot
from deeptf.model.model import ModelConfig
from deeptf.tf import session, tf

OUTPUTS = ("energy", "atom_energy", "force", "virial", "atom_virial", "descriptor")


def batch_of(frames: list[dict[str, np.ndarray]]) -> Batch:
    """Return frames (coord [n, 3], cell [3, 3], type [n], maybe fparam and aparam) as a batch."""
    return Batch(
        coord=np.concatenate([frame["coord"] for frame in frames]),
        cell=np.stack([frame["cell"] for frame in frames]),
        atom_type=np.concatenate([frame["type"] for frame in frames]),
        frame_row=rows_of([len(frame["type"]) for frame in frames]),
        fparam=np.stack([frame.get("fparam", np.zeros(0)) for frame in frames]),
        aparam=np.concatenate(
            [frame.get("aparam", np.zeros((len(frame["type"]), 0))) for frame in frames]
        ),
        origin=[("frames", number) for number in range(len(frames))],
    )


def _parameters(batch: Batch) -> dict[str, np.ndarray]:
    given = {"fparam:0": batch.fparam, "aparam:0": batch.aparam}
    return {name: value for name, value in given.items() if value.size}


class Potential:
    """The graph of a frozen model: frames in, results out."""

    def __init__(self, config: ModelConfig, arrays: dict[str, np.ndarray]) -> None:
        self.config = config
        with tf.Graph().as_default() as graph:
            tf.import_graph_def(frozen.build(config, arrays), name="")
        there = {node.name for node in graph.as_graph_def().node}
        self._outputs = tuple(name for name in OUTPUTS if name in there)
        self._session = session(graph)

    def __call__(self, frames: list[dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
        """Return the outputs for frames with coord [n, 3], cell [3, 3] and type [n]."""
        batch = batch_of(frames)
        names = ("coord", "cell", "atom_type", "frame_row")
        feed = {f"{name}:0": getattr(batch, name) for name in names} | _parameters(batch)
        return self.run(feed, self._outputs)

    def of_pairs(self, frame: dict[str, np.ndarray], pairs: Pairs) -> dict[str, np.ndarray]:
        """Return outputs for a frame whose pairs are given."""
        batch = batch_of([frame])
        feed = {f"{name}:0": value for name, value in vars(pairs).items()}
        feed |= {f"{name}:0": getattr(batch, name) for name in ("atom_type", "frame_row")}
        return self.run(feed | _parameters(batch), ("energy", "force", "virial"))

    def run(self, feed: dict[str, np.ndarray], names: tuple[str, ...]) -> dict[str, np.ndarray]:
        """Return outputs for a feed by tensor name."""
        return self._session.run({name: f"{name}:0" for name in names}, feed)

    def energy(self, frame: dict[str, np.ndarray]) -> float:
        """Return the energy of one frame."""
        return float(self([frame])["energy"][0])


class EnginePotential:
    """A frozen model in the engine: frames in, results out."""

    def __init__(self, config: ModelConfig, arrays: dict[str, np.ndarray]) -> None:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "model.pb"
            frozen.write(config, arrays, path)
            self._pot = DeepPot(path, backend=ENGINE)

    def __call__(self, frames: list[dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
        """Return the outputs for frames with coord [n, 3], cell [3, 3] and type [n]."""
        return self._pot.evaluate(batch_of(frames), OUTPUTS[:-1])

    def of_pairs(self, frame: dict[str, np.ndarray], pairs: Pairs) -> dict[str, np.ndarray]:
        """Return outputs for a frame whose pairs are given."""
        conditions = {
            name: frame[name] if frame[name].size else None for name in ("fparam", "aparam")
        }
        return self._pot.eval_pairs(**vars(pairs), atom_type=frame["type"], **conditions)

    def energy(self, frame: dict[str, np.ndarray]) -> float:
        """Return the energy of one frame."""
        return float(self([frame])["energy"][0])
