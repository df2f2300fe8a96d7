"""The background thread: items in order, never far ahead, exceptions reach the caller, it ends."""

import threading
import time

import pytest

from deeptf.data.prefetch import Prefetcher


def threads():
    return [thread for thread in threading.enumerate() if thread.name == "prefetch"]


def test_items_come_in_order_and_end():
    with Prefetcher(lambda step: step * step, 3, 8, depth=2) as items:
        assert list(items) == [9, 16, 25, 36, 49]
        assert list(items) == []
    assert not threads()


def test_it_runs_ahead_but_not_far():
    made = []
    with Prefetcher(made.append, depth=3) as items:
        next(items)
        time.sleep(0.05)
        assert 1 < len(made) <= 5
    assert not threads()


def test_exceptions_reach_the_caller_in_their_place():
    def produce(step):
        if step == 2:
            raise ValueError("frame 2 is bad")
        return step

    items = Prefetcher(produce)
    assert [next(items), next(items)] == [0, 1]
    with pytest.raises(ValueError, match="frame 2 is bad"):
        next(items)
    with pytest.raises(StopIteration):
        next(items)
    assert not threads()


def test_close_ends_the_thread_while_its_queue_is_full():
    items = Prefetcher(lambda step: step, depth=1)
    time.sleep(0.02)
    items.close()
    assert not threads()
    with pytest.raises(StopIteration):
        next(items)
    items.close()
