"""Which frames come next: pure in seed and step, every frame once per epoch, by probability."""

from collections import Counter

import numpy as np
import pytest
from small_systems import NAMES, arrays, write_folder

from deeptf.data.batch import Pairs, join
from deeptf.data.errors import DataError
from deeptf.data.options import (
    DataOptions,
)
from deeptf.data.pairs import PairFinder
from deeptf.data.schedule import BLOCK, BatchSchedule
from deeptf.data.section import Section
from deeptf.data.system import System


@pytest.fixture
def systems(tmp_path):
    one = write_folder(tmp_path / "one", [arrays(5, seed=1), arrays(2, seed=2)])
    two = write_folder(
        tmp_path / "two", [arrays(3, 4, seed=3)], types=[0, 1, 1, 0], names=["H", "O"]
    )
    return [System(one, NAMES), System(two, NAMES)]


def section(systems, **options):
    return Section(systems, DataOptions(systems=("x",), **options))


def schedule(systems, seed=7, **options):
    return BatchSchedule(section(systems, **options), seed)


def test_a_batch_depends_on_seed_and_step_only(systems):
    whole = schedule(systems, batch_size=2)
    far = BLOCK + 17
    steps = [*range(30), far]
    expected = [whole.frames_at(step) for step in steps]
    again = schedule(systems, batch_size=2)  # as after a restart, and in another order
    assert [again.frames_at(step) for step in reversed(steps)] == expected[::-1]
    other = schedule(systems, seed=8, batch_size=2)
    assert [other.frames_at(step) for step in steps] != expected


def test_every_frame_once_per_epoch(systems):
    drawn = schedule(systems, batch_size=[2, 3])
    seen = {0: [], 1: []}
    for step in range(400):
        ((system, frames),) = drawn.frames_at(step)
        seen[system] += frames
    assert_epochs(seen)
    frames = seen[1]
    assert frames[:3] != frames[3:6] or frames[3:6] != frames[6:9]


def assert_epochs(seen):
    """Every frame of the systems of 7 and 3 frames comes once per epoch."""
    for number, total in ((0, 7), (1, 3)):
        frames = seen[number]
        for first in range(0, len(frames) - total + 1, total):
            assert sorted(frames[first : first + total]) == list(range(total))


def test_copies_of_frames_come_in_each_epoch(tmp_path):
    sets = [arrays(2) | {"numb_copy": np.array([[3], [0]])}, arrays(2, seed=1)]
    system = System(write_folder(tmp_path / "s", sets), NAMES)
    np.testing.assert_array_equal(system.copies, [3, 0, 1, 1])
    for size in (1, 2, 5):
        drawn = schedule([system], batch_size=size)
        seen = [frame for step in range(20) for frame in drawn.frames_at(step)[0][1]]
        for first in range(0, len(seen) - 4, 5):
            assert sorted(seen[first : first + 5]) == [0, 0, 0, 2, 3]
    assert section([system], batch_size=5).batch_sizes == [5]
    assert drawn.batch_at(0).num_frames == 5


def test_steps_of_an_epoch(systems):  # of 7 and 3 frames
    assert section(systems, batch_size=1).epoch_steps == 10
    assert section(systems, batch_size=2).epoch_steps == 5
    assert section(systems, batch_size=4).epoch_steps == 3  # 1.75 and 1 batches
    assert section(systems, batch_size="mixed:4").epoch_steps == 3
    assert section(systems, batch_size=1, sys_probs=(0.5, 0.5)).epoch_steps == 14
    assert section(systems, batch_size=1, sys_probs=(0.0, 1.0)).epoch_steps == 3


def test_batches_hold_the_frames(systems):
    drawn = schedule(systems, batch_size=2)
    for step in range(5):
        ((system, frames),) = drawn.frames_at(step)
        batch = drawn.batch_at(step)
        assert batch.origin == tuple((systems[system].path, frame) for frame in frames)
        np.testing.assert_array_equal(
            batch.coord[: systems[system].num_atoms], systems[system].frame(frames[0]).coord
        )


@pytest.mark.parametrize(("room", "reads"), [(1 << 20, 10), (0, 50)])
def test_single_frames_are_read_once_where_there_is_room(systems, monkeypatch, room, reads):
    monkeypatch.setattr("deeptf.data.schedule.KEPT_BYTES", room)
    read, count = System.batch, Counter()

    def counted(self, indices):
        count["reads"] += 1
        return read(self, indices)

    monkeypatch.setattr(System, "batch", counted)
    drawn = schedule(systems, batch_size=1)
    batches = [drawn.batch_at(step) for step in range(50)]
    assert count["reads"] == reads
    for batch in batches:
        ((path, frame),) = batch.origin
        system = next(system for system in systems if system.path == path)
        np.testing.assert_array_equal(batch.labels["force"], read(system, [frame]).labels["force"])


def test_systems_come_by_their_probability(systems):
    drawn = schedule(systems, batch_size=1, sys_probs=(0.2, 0.8))
    count = Counter(drawn.frames_at(step)[0][0] for step in range(4000))
    assert abs(count[1] / 4000 - 0.8) < 0.03


def test_mixed_batches_depend_on_seed_and_step_only(systems):
    steps = [0, 1, 5, BLOCK // 3, BLOCK]  # the draws of BLOCK // 3 lie in two blocks
    whole = schedule(systems, batch_size="mixed:3")
    expected = [whole.frames_at(step) for step in steps]
    again = schedule(systems, batch_size="mixed:3")
    assert [again.frames_at(step) for step in reversed(steps)] == expected[::-1]
    assert schedule(systems, seed=8, batch_size="mixed:3").frames_at(0) != expected[0]


def test_mixed_batches_hold_n_frames_of_all_systems(systems):
    drawn = schedule(systems, batch_size="mixed:4")
    seen = {0: [], 1: []}
    for step in range(500):
        chosen = drawn.frames_at(step)
        assert sum(len(frames) for _, frames in chosen) == 4
        for system, frames in chosen:
            seen[system] += frames
    assert_epochs(seen)
    assert abs(len(seen[0]) / 2000 - 0.7) < 0.03  # every frame has the same probability
    step = next(step for step in range(500) if len(drawn.frames_at(step)) == 2)
    chosen, batch = drawn.frames_at(step), drawn.batch_at(step)
    assert batch.num_frames == 4
    assert batch.origin == tuple((systems[s].path, f) for s, frames in chosen for f in frames)
    assert sorted(set(batch.atoms_per_frame)) == [3, 4]


def test_mixed_batches_follow_the_probabilities(systems):
    drawn = schedule(systems, batch_size="mixed:2", sys_probs=(0.0, 1.0))
    assert {system for step in range(50) for system, _ in drawn.frames_at(step)} == {1}


def test_mixed_of_one_is_a_batch_of_one(systems):
    mixed, plain = (schedule(systems, batch_size=size) for size in ("mixed:1", 1))
    assert [mixed.frames_at(s) for s in range(99)] == [plain.frames_at(s) for s in range(99)]


class Finder:
    """Finds the pairs of frames and remembers which."""

    def __init__(self):
        self.frames = []

    def __call__(self, batch):
        self.frames.append(batch.origin)
        with PairFinder(4.0) as find_pairs:
            return find_pairs(batch)


def assert_same_pairs(got, want):
    for name in ("row", "neighbor", "displacement"):
        a, b = getattr(got, name), getattr(want, name)
        assert a.dtype == b.dtype and a.tobytes() == b.tobytes(), name


@pytest.mark.parametrize("batch_size", [1, 2, "mixed:3"])
def test_pairs_of_kept_frames_are_found_once(systems, batch_size):
    drawn, find_pairs = schedule(systems, batch_size=batch_size), Finder()
    drawn.keep_pairs(find_pairs)
    for step in range(30):
        batch = drawn.batch_at(step)
        plain = schedule(systems, batch_size=batch_size).batch_at(step)
        assert plain.pairs is None and batch.origin == plain.origin
        assert batch.coord.tobytes() == plain.coord.tobytes()
        assert_same_pairs(batch.pairs, Finder()(batch))
    assert len(find_pairs.frames) == len(set(find_pairs.frames)) == 10


@pytest.mark.parametrize("batch_size", [1, 2])
def test_frames_come_before_pairs_where_room_is_short(systems, monkeypatch, batch_size):
    frames = [system.frame(k) for system in systems for k in range(system.num_frames)]
    some = sum(frame.nbytes for frame in frames) + 200
    monkeypatch.setattr("deeptf.data.schedule.KEPT_BYTES", some)
    drawn, find_pairs = schedule(systems, batch_size=batch_size), Finder()
    drawn.keep_pairs(find_pairs)
    for step in range(20):
        batch = drawn.batch_at(step)
        if batch.pairs is not None:
            assert_same_pairs(batch.pairs, Finder()(batch))
    monkeypatch.setattr(System, "batch", None)  # no frame is read again
    with_pairs = [drawn.batch_at(step).pairs is not None for step in range(20, 40)]
    assert not all(with_pairs) and len(find_pairs.frames) < 10


def test_a_frame_whose_pairs_are_too_many_is_kept_without(systems, monkeypatch):
    frame = systems[0].frame(0)
    monkeypatch.setattr("deeptf.data.schedule.KEPT_BYTES", 8 * frame.nbytes)
    drawn, find_pairs = schedule(systems[:1], batch_size=1), Finder()
    many = np.zeros(frame.nbytes)
    drawn.keep_pairs(lambda batch: Pairs(many, many, find_pairs(batch).displacement))
    assert all(drawn.batch_at(step).pairs is None for step in range(21))
    assert len(find_pairs.frames) == 7


def test_frames_that_have_no_pairs_are_named(tmp_path):
    data = arrays(3)
    data["coord"][:, 3:6] = data["coord"][:, :3]
    drawn = schedule([System(write_folder(tmp_path / "s", [data]), NAMES)], batch_size=1)
    drawn.keep_pairs(Finder())
    ((_, (frame,)),) = drawn.frames_at(0)
    with pytest.raises(DataError, match=rf"system .*s: .*atoms 0 and 1 of frame {frame} on top of"):
        drawn.batch_at(0)


def test_join_keeps_frames_apart(systems):
    batch = join([systems[0].batch([0, 6]), systems[1].frame(2)])
    np.testing.assert_array_equal(batch.frame_row, [0, 3, 6, 10])
    np.testing.assert_array_equal(batch.atom_type, [0, 1, 1, 0, 1, 1, 1, 0, 0, 1])
    np.testing.assert_array_equal(batch.coord[6:], systems[1].frame(2).coord)
    np.testing.assert_array_equal(batch.has["energy"], [1, 1, 1])
    assert (batch.num_frames, batch.num_atoms) == (3, 10)
    with pytest.raises(ValueError, match=r"`frames` must hold at least one batch"):
        join([])
