"""Physics that every model must obey, as one class of tests: a test file per model inherits it and
says how to build.

Translation, rotation, permutation, periodic images, extensivity, continuity at the cut-off, force =
-dE/dx, virial = -dE/dstrain, a batch equals its frames one by one, the door for pairs equals the
door for coordinates, atomic virials add up to the virial.
"""

from __future__ import annotations

from functools import partial

import numpy as np

from deeptf.data.batch import rows_of
from deeptf.exchange import frozen
from deeptf.model.model import ModelConfig
from deeptf.model.parameters import Parameters
from deeptf.model.table import NODES, RANGE, measured_arrays
from deeptf.tf import session, tf

OUTPUTS = ("energy", "atom_energy", "force", "virial", "atom_virial", "descriptor")


def random_arrays(config: ModelConfig, seed: int = 0, spread: float = 1.0) -> dict[str, np.ndarray]:
    """Return weights drawn as for training, and statistics of a plausible size."""
    rng = np.random.default_rng(seed)
    types, columns = config.num_types, config.term.descriptor.columns
    statistics = {
        "descriptor/mean": np.zeros((types, columns)),
        "descriptor/stddev": np.tile([0.2, 0.1, 0.1, 0.1][:columns], (types, 1)),
        "fitting/energy_bias": rng.normal(-10, 3, types),
    }
    if not config.term.descriptor.set_davg_zero:
        statistics["descriptor/mean"][:, 0] = rng.uniform(0.05, 0.1, types)
    for name in ("fparam", "aparam"):
        number = getattr(config.term.fitting_net, f"numb_{name}")
        statistics[f"fitting/{name}_mean"] = rng.normal(size=number)
        statistics[f"fitting/{name}_stddev"] = rng.uniform(1, 2, number)
    with tf.Graph().as_default():
        parameters = Parameters(statistics, seed)
        config.build(config.inputs(), parameters)
        with session() as run:
            run.run(tf.global_variables_initializer())
            weights = run.run(parameters.variables)
    arrays = {**{name: spread * value for name, value in weights.items()}, **parameters.constants}
    return arrays | table_nodes(config, arrays)


def table_nodes(
    config: ModelConfig, arrays: dict[str, np.ndarray], tolerance: float = 1e-6
) -> dict[str, np.ndarray]:
    """Return the numbers of nodes that the embedding tables of these weights need.

    The tolerance is a small part of the model's own, for the sake of numerical differences: the
    second derivative of a table jumps a little at every node.
    """
    names = [f"descriptor/{name}" for name in (NODES, RANGE)]
    others = {name: value for name, value in arrays.items() if name != names[0]}
    measured = measured_arrays(config.tables, others, tolerance)
    return {name: measured[name] for name in names if name in measured}


class Potential:
    """A frozen model in this process: frames in, results out."""

    def __init__(self, config: ModelConfig, arrays: dict[str, np.ndarray]) -> None:
        self.config = config
        with tf.Graph().as_default() as graph:
            tf.import_graph_def(frozen.build(config, arrays), name="")
        self._session = session(graph)

    def __call__(self, frames: list[dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
        """Return the outputs for frames with coord [n, 3], cell [3, 3] and type [n]."""
        feed = {
            "coord:0": np.concatenate([frame["coord"] for frame in frames]),
            "cell:0": np.stack([frame["cell"] for frame in frames]),
            "atom_type:0": np.concatenate([frame["type"] for frame in frames]),
            "frame_row:0": rows_of([len(frame["type"]) for frame in frames]),
        }
        if self.config.term.fitting_net.numb_fparam:
            feed["fparam:0"] = np.stack([frame["fparam"] for frame in frames])
        if self.config.term.fitting_net.numb_aparam:
            feed["aparam:0"] = np.concatenate([frame["aparam"] for frame in frames])
        return self.run(feed)

    def run(
        self, feed: dict[str, np.ndarray], names: tuple[str, ...] = OUTPUTS
    ) -> dict[str, np.ndarray]:
        """Return outputs for a feed by tensor name."""
        return self._session.run({name: f"{name}:0" for name in names}, feed)

    def energy(self, frame: dict[str, np.ndarray]) -> float:
        """Return the energy of one frame."""
        return float(self([frame])["energy"][0])


class PhysicsSuite:
    """Inherit it, set `config`; every test runs on a small triclinic cell with several images in
    the cut-off.
    """

    config: ModelConfig
    tolerance = 1e-10
    steep = 1.0  # factor on the weights

    def potential(self) -> Potential:
        """Return the model with random weights (one per class)."""
        cls = type(self)
        if "_potential" not in cls.__dict__:
            cls._potential = Potential(self.config, random_arrays(self.config, 1, self.steep))
        return cls._potential

    def frame(self, seed: int = 0, atoms: int = 7) -> dict[str, np.ndarray]:
        """Return a frame of atoms on a disturbed grid in a triclinic cell of about 6 A."""
        rng = np.random.default_rng(seed)
        cell = np.array([[5.9, 0.0, 0.0], [1.1, 5.6, 0.0], [-0.7, 0.9, 6.3]])
        grid = np.stack(np.meshgrid(*[np.arange(2)] * 3), -1).reshape(-1, 3)[:atoms] / 2 + 0.1
        fitting = self.config.term.fitting_net
        return {
            "coord": grid @ cell + rng.uniform(-0.4, 0.4, (atoms, 3)),
            "cell": cell,
            "type": (np.arange(atoms) % self.config.num_types).astype(np.int32),
            "fparam": rng.normal(size=fitting.numb_fparam),
            "aparam": rng.normal(size=(atoms, fitting.numb_aparam)),
        }

    def open_frame(self, seed: int = 0) -> dict[str, np.ndarray]:
        """Return the same atoms without a cell."""
        return {**self.frame(seed), "cell": np.zeros((3, 3))}

    def close(self, found: np.ndarray, expected: np.ndarray) -> None:
        """Assert equality within the tolerance, relative to the size of `expected` where that is
        above 1.
        """
        scale = max(1.0, float(np.max(np.abs(expected), initial=0)))
        np.testing.assert_allclose(found, expected, rtol=0, atol=self.tolerance * scale)

    def test_translation(self) -> None:
        for frame in (self.frame(), self.open_frame()):
            moved = {**frame, "coord": frame["coord"] + np.array([3.1, -8.2, 0.7])}
            before, after = (self.potential()([f]) for f in (frame, moved))
            self.close(after["energy"], before["energy"])
            self.close(after["force"], before["force"])
            self.close(before["force"].sum(axis=0), np.zeros(3))

    def test_rotation_and_reflection(self) -> None:
        frame = self.frame()
        random = np.random.default_rng(5).normal(size=(3, 3))
        rotation = np.linalg.qr(random)[0]
        for turn in (rotation, -rotation):
            turned = {**frame, "coord": frame["coord"] @ turn, "cell": frame["cell"] @ turn}
            before, after = (self.potential()([f]) for f in (frame, turned))
            self.close(after["energy"], before["energy"])
            self.close(after["force"], before["force"] @ turn)
            virial = turn.T @ before["virial"].reshape(3, 3) @ turn
            self.close(after["virial"].reshape(3, 3), virial)

    def test_permutation(self) -> None:
        frame = self.frame()
        order = np.random.default_rng(6).permutation(len(frame["type"]))
        mixed = {**frame, **{name: frame[name][order] for name in ("coord", "type", "aparam")}}
        before, after = (self.potential()([f]) for f in (frame, mixed))
        self.close(after["energy"], before["energy"])
        self.close(after["force"], before["force"][order])
        self.close(after["atom_energy"], before["atom_energy"][order])

    def test_periodic_images(self) -> None:
        frame = self.frame()
        shift = np.random.default_rng(7).integers(-2, 3, (len(frame["type"]), 3))
        moved = {**frame, "coord": frame["coord"] + shift @ frame["cell"]}
        before, after = (self.potential()([f]) for f in (frame, moved))
        self.close(after["energy"], before["energy"])
        self.close(after["force"], before["force"])
        self.close(after["virial"], before["virial"])

    def test_other_cell_of_the_same_lattice(self) -> None:
        frame = self.frame()
        change = np.array([[1, 0, 0], [1, 1, 0], [-1, 2, -1]])  # determinant -1
        other = {**frame, "cell": change @ frame["cell"]}
        before, after = (self.potential()([f]) for f in (frame, other))
        self.close(after["energy"], before["energy"])
        self.close(after["virial"], before["virial"])

    def test_extensive(self) -> None:
        frame = self.frame()
        n = len(frame["type"])
        double = {
            **{name: np.concatenate([frame[name]] * 2) for name in ("type", "aparam")},
            "coord": np.concatenate([frame["coord"], frame["coord"] + frame["cell"][0]]),
            "cell": frame["cell"] * np.array([[2], [1], [1]]),
            "fparam": frame["fparam"],
        }
        before, after = (self.potential()([f]) for f in (frame, double))
        self.close(after["energy"], 2 * before["energy"])
        self.close(after["force"][:n], before["force"])
        self.close(after["virial"], 2 * before["virial"])

    def test_smooth_at_the_cut_off(self) -> None:
        rcut = self.config.term.descriptor.rcut
        frame = self.open_frame()
        frame = {**frame, "coord": frame["coord"][:2].copy(), "type": frame["type"][:2]}
        frame["aparam"] = frame["aparam"][:2]
        results = []
        for distance in (rcut - 1e-6, rcut + 1e-6):
            frame["coord"] = np.array([[0, 0, 0], [distance, 0, 0]])
            results.append(self.potential()([frame]))
        self.close(results[0]["energy"], results[1]["energy"])
        np.testing.assert_allclose(results[0]["force"], 0, atol=1e-8)

    def test_force_is_minus_the_gradient(self, step: float = 1e-4) -> None:
        for frame in (self.frame(), self.open_frame()):
            force = self.potential()([frame])["force"]
            numeric = np.zeros_like(force)
            for place in np.ndindex(*force.shape):
                energy = partial(self._moved, frame, place)
                numeric[place] = -_derivative(energy, step)
            scale = max(1.0, np.max(np.abs(force)))
            np.testing.assert_allclose(force, numeric, rtol=0, atol=self.gradient_tolerance * scale)

    gradient_tolerance = 1e-8

    def test_virial_is_minus_the_strain_derivative(self, step: float = 1e-4) -> None:
        frame = self.frame()
        virial = self.potential()([frame])["virial"].reshape(3, 3)
        numeric = np.zeros((3, 3))
        for place in np.ndindex(3, 3):
            numeric[place] = -_derivative(partial(self._strained, frame, place), step)
        scale = max(1.0, np.max(np.abs(virial)))
        np.testing.assert_allclose(virial, numeric, rtol=0, atol=self.gradient_tolerance * scale)
        self.close(virial, virial.T)

    def test_a_batch_equals_its_frames(self) -> None:
        frames = [self.frame(0), self.open_frame(1), self.frame(2, 3), self.frame(3, 1)]
        together = self.potential()(frames)
        alone = [self.potential()([frame]) for frame in frames]
        for name in OUTPUTS:
            self.close(together[name], np.concatenate([result[name] for result in alone]))

    def test_virtual_atoms_change_nothing(self) -> None:
        frame = self.frame()
        more = {
            **frame,
            "coord": np.insert(frame["coord"], 2, [0.3, 0.2, 0.1], axis=0),
            "type": np.insert(frame["type"], 2, -1).astype(np.int32),
            "aparam": np.insert(frame["aparam"], 2, 0, axis=0),
        }
        before, after = (self.potential()([f]) for f in (frame, more))
        self.close(after["energy"], before["energy"])
        self.close(np.delete(after["force"], 2, axis=0), before["force"])
        assert np.all(after["force"][2] == 0) and after["atom_energy"][2] == 0

    def test_sums_over_atoms(self) -> None:
        result = self.potential()([self.frame()])
        self.close(result["atom_energy"].sum(), result["energy"][0])
        self.close(result["atom_virial"].sum(axis=0), result["virial"][0])

    def test_door_for_pairs(self) -> None:
        frame = self.frame()
        potential = self.potential()
        n = len(frame["type"])
        feed = {
            "coord:0": frame["coord"],
            "cell:0": frame["cell"][None],
            "atom_type:0": frame["type"],
            "frame_row:0": np.array([0, n], np.int32),
        }
        names = ("row", "neighbor", "displacement")
        pairs = potential.run(feed, names)
        engine = {f"{name}:0": pairs[name] for name in names}
        engine |= {"atom_type:0": feed["atom_type:0"], "frame_row:0": feed["frame_row:0"]}
        engine |= self._conditions(frame)
        results = potential.run(engine, ("energy", "force", "virial"))
        expected = potential([frame])
        for name, value in results.items():
            np.testing.assert_array_equal(value, expected[name])

    def _conditions(self, frame: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        fitting = self.config.term.fitting_net
        feed = {"fparam:0": frame["fparam"][None]} if fitting.numb_fparam else {}
        return feed | ({"aparam:0": frame["aparam"]} if fitting.numb_aparam else {})

    def _moved(self, frame: dict[str, np.ndarray], place: tuple[int, ...], x: float) -> float:
        coord = frame["coord"].copy()
        coord[place] += x
        return self.potential().energy({**frame, "coord": coord})

    def _strained(self, frame: dict[str, np.ndarray], place: tuple[int, ...], x: float) -> float:
        strain = np.eye(3)
        strain[place] += x
        strained = {"coord": frame["coord"] @ strain, "cell": frame["cell"] @ strain}
        return self.potential().energy({**frame, **strained})


def _derivative(function, step: float) -> float:
    """Fourth-order central difference at 0."""
    outer = function(2 * step) - function(-2 * step)
    inner = function(step) - function(-step)
    return (8 * inner - outer) / (12 * step)
