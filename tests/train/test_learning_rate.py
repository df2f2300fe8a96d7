"""Schedules against numbers by hand and against numbers that deepmd-kit 3.2.0 gave."""

import math

import pytest

from deeptf.config import load_variant
from deeptf.train.learning_rate import LEARNING_RATES, WSDLR, CosineLR, ExpLR, Schedule


def test_exponential_by_hand():
    rate = ExpLR(start_lr=1e-3, stop_lr=1e-5, decay_steps=100)
    assert rate.value(0, 10000) == rate.value(99, 10000) == 1e-3
    assert rate.value(100, 10000) == pytest.approx(1e-3 * 10 ** (-2 / 100))
    assert rate.value(5050, 10000) == pytest.approx(1e-4)
    assert rate.value(10000, 10000) == pytest.approx(1e-5)
    assert rate.value(20000, 10000) == 1e-5


# numb_steps -> rates at steps 1, numb_steps // 2, numb_steps; 1e-3 to 3.51e-8, decay_steps 5000
KNOWN_EXPONENTIAL = {
    1: (3.510000000000003e-08, 1e-3, 3.510000000000003e-08),
    10: (0.00035853430155616316, 5.924525297439451e-06, 3.510000000000003e-08),
    101: (1e-3, 6.2331344282566735e-06, 3.885196480071865e-08),
    1000: (1e-3, 6.236300340337342e-06, 3.889144193489166e-08),
    1009: (1e-3, 6.525227558309029e-06, 3.8073848944706744e-08),
    1010: (1e-3, 6.2331344282566675e-06, 3.885196480071857e-08),
    2000: (1e-3, 5.924525297439447e-06, 3.51e-08),
    5000: (1e-3, 5.924525297439459e-06, 3.51000000000001e-08),
    5001: (1e-3, 1e-3, 3.517206579386794e-08),
    10001: (1e-3, 5.927564257224984e-06, 3.513601802353118e-08),
}


@pytest.mark.parametrize("numb_steps", KNOWN_EXPONENTIAL)
def test_exponential_with_long_stairs(numb_steps):
    rate = ExpLR(start_lr=1e-3, stop_lr=3.51e-8)
    values = [rate.value(step, numb_steps) for step in (1, numb_steps // 2, numb_steps)]
    assert values == pytest.approx(KNOWN_EXPONENTIAL[numb_steps], rel=1e-9)


def test_exponential_with_a_given_rate_stops_at_stop_lr():
    rate = ExpLR(start_lr=1e-3, stop_lr=1e-5, decay_steps=100, decay_rate=0.9)
    values = [rate.value(step, 10000) for step in (99, 100, 1000, 5000)]
    assert values == pytest.approx([1e-3, 9e-4, 0.0003486784401, 1e-5], rel=1e-9)


def test_smooth_exponential():
    rate = ExpLR(start_lr=1e-3, stop_lr=1e-5, decay_steps=100, smooth=True)
    assert rate.value(50, 10000) == pytest.approx(0.0009772372209558107, rel=1e-9)
    rate = ExpLR(start_lr=1e-3, stop_lr=1e-5, decay_steps=100, smooth=True, decay_rate=0.9)
    assert rate.value(150, 10000) == pytest.approx(0.0008538149682454625, rel=1e-9)


def test_warm_up_then_decay():
    rate = ExpLR(start_lr=1e-3, stop_lr=1e-5, decay_steps=100, warmup_steps=10)
    steps = (0, 1, 5, 9, 10, 109, 110, 5000, 10000)
    known = [0.0, 1e-4, 5e-4, 9e-4, 1e-3, 1e-3, 0.0009549485639791966, 0.00010447659715608022]
    known.append(1.0423606739763974e-05)
    assert [rate.value(step, 10000) for step in steps] == pytest.approx(known, rel=1e-9)


def test_warm_up_by_ratio_from_a_factor():
    rate = ExpLR(start_lr=1e-3, stop_lr=1e-5, warmup_ratio=0.0159, warmup_start_factor=0.1)
    steps = (0, 1, 5, 14, 15)  # int(0.0159 * 995) = 15 steps
    known = [1e-4, 1.6e-4, 4e-4, 9.4e-4, 1e-3]
    assert [rate.value(step, 995) for step in steps] == pytest.approx(known, rel=1e-9)


def test_cosine():
    rate = CosineLR(start_lr=1e-3, stop_lr=1e-5)
    known = [1e-3, 0.000855017856687341, 0.000505, 1.0002442725080185e-05, 1e-5, 1e-5]
    steps = (0, 250, 500, 999, 1000, 1100)
    assert [rate.value(step, 1000) for step in steps] == pytest.approx(known, rel=1e-9)
    rate = CosineLR(start_lr=1e-3, stop_lr_ratio=0.1, warmup_steps=100)
    known = [5e-4, 1e-3, 0.0006281416799501187, 1e-4]
    assert [rate.value(step, 1000) for step in (50, 100, 500, 1000)] == pytest.approx(known)


@pytest.mark.parametrize(
    ("decay_type", "at_842", "at_950", "at_994"),
    [
        ("inverse_linear", 0.0006086956521739131, 1.4070351758793974e-05, 1.0064701653486701e-05),
        ("cosine", 0.0009998970044536573, 0.00020433113302351514, 1.0102995546342793e-05),
        ("linear", 0.0009935714285714285, 0.0002992857142857144, 1.6428571428571317e-05),
    ],
)
def test_warm_up_stable_decay(decay_type, at_842, at_950, at_994):
    rate = WSDLR(
        start_lr=1e-3,
        stop_lr=1e-5,
        warmup_ratio=0.05,
        decay_phase_ratio=0.155,
        decay_type=decay_type,
    )
    known = [0.0, 0.00040816326530612246, 1e-3, 1e-3, at_842, at_950, at_994, 1e-5, 1e-5]
    steps = (0, 20, 49, 841, 842, 950, 994, 995, 2000)
    assert [rate.value(step, 995) for step in steps] == pytest.approx(known, rel=1e-9)


@pytest.mark.parametrize("cls", LEARNING_RATES.values())
def test_every_schedule_falls_from_start_to_stop(cls):
    rate = cls(start_lr=2e-3, stop_lr=1e-6, warmup_steps=0)
    values = [rate.value(step, 3000) for step in range(3001)]
    assert values[0] == 2e-3
    assert all(a >= b for a, b in zip(values, values[1:], strict=False))
    assert math.isclose(values[-1], 1e-6, rel_tol=1e-9)


def test_defaults_of_old_inputs():
    assert Schedule().final_lr == 1e-8
    assert ExpLR(start_lr=0.002, decay_rate=0.95).value(5000, 100000) == pytest.approx(0.0019)


@pytest.mark.parametrize(
    ("kind", "keys", "message"),
    [
        ("exp", {"start_lr": 0.0}, r"`start_lr` must be positive, got 0.0"),
        ("exp", {"stop_lr": 0.01}, r"`stop_lr` must be above 0 and at most start_lr = 0.001"),
        ("exp", {"stop_lr": 1e-5, "stop_lr_ratio": 0.1}, r"`stop_lr` must not be given beside"),
        ("exp", {"stop_lr_ratio": 2.0}, r"`stop_lr_ratio times start_lr` must be above 0"),
        ("exp", {"decay_steps": 0}, r"`decay_steps` must be positive, got 0"),
        ("exp", {"decay_rate": 1.5}, r"`decay_rate` must be in \(0, 1\], got 1.5"),
        ("exp", {"warmup_steps": -1}, r"`warmup_steps` must be at least 0, got -1"),
        ("exp", {"warmup_ratio": 1.0}, r"`warmup_ratio` must be in \[0, 1\), got 1.0"),
        ("exp", {"warmup_ratio": 0.1, "warmup_steps": 5}, r"`warmup_steps` must be left out"),
        ("exp", {"warmup_start_factor": 2}, r"`warmup_start_factor` must be from 0 to 1"),
        ("exp", {"scale_by_worker": "x"}, r"learning_rate/scale_by_worker: must be one of"),
        ("exp", {"decay_type": "linear"}, r"learning_rate/decay_type: unknown key"),
        ("wsd", {"decay_phase_ratio": 0}, r"`decay_phase_ratio` must be in \(0, 1\]"),
        ("wsd", {"decay_type": "steps"}, r"learning_rate/decay_type: must be one of"),
        ("poly", {}, r"learning_rate/type: must be one of cosine, exp, wsd, got .poly."),
    ],
)
def test_wrong_keys(kind, keys, message):
    with pytest.raises(ValueError, match=message):
        load_variant(LEARNING_RATES, {"type": kind, **keys}, "learning_rate")


def test_schedules_that_do_not_fit_the_run():
    with pytest.raises(ValueError, match=r"`warmup_steps` must be below numb_steps = 10, got 10"):
        ExpLR(warmup_steps=10).check(10)
    with pytest.raises(ValueError, match=r"from 1 to the 50 steps after the warm-up, got 60"):
        WSDLR(warmup_steps=50, decay_phase_ratio=0.6).check(100)
    with pytest.raises(ValueError, match=r"from 1 to the 5 steps after the warm-up, got 0"):
        WSDLR().check(5)
