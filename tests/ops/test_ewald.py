"""Charges in cells: twin, derivatives, threads, and what is refused."""

import numpy as np
import pytest
import twins

from deeptf.ops.ewald import Charges, ewald, ewald_site_virial
from deeptf.tf import session, tf

BETA, SPACING = 0.4, 1.0
CELL = np.array([[6.1, 0.0, 0.0], [1.2, 5.3, 0.0], [-0.8, 0.9, 7.4]])
SIZES = (13, 0, 8)


@pytest.fixture(autouse=True)
def graph():
    with tf.Graph().as_default():
        yield


def charges_of(sizes=SIZES, seed=0):
    """Return frames of charges, anywhere, in cells of one shape and several sizes."""
    rng = np.random.default_rng(seed)
    cell = np.stack([CELL * (1 + 0.3 * k) for k in range(len(sizes))])
    coord = np.concatenate(
        [rng.uniform(-2, 3, (n, 3)) @ c for n, c in zip(sizes, cell, strict=True)]
    )
    charge = rng.normal(size=len(coord))
    return Charges(coord, charge, cell, np.cumsum([0, *sizes]).astype(np.int32))


def expected(charges, beta=BETA, spacing=SPACING):
    """Return what the twin says of all frames."""
    rows = list(zip(charges.frame_row[:-1], charges.frame_row[1:], strict=True))
    of_frames = [
        twins.ewald(charges.coord[a:b], charges.charge[a:b], cell, beta, spacing)
        for (a, b), cell in zip(rows, charges.cell, strict=True)
    ]
    energy, force, virial, potential, of_site = zip(*of_frames, strict=True)
    whole = np.array(energy), np.concatenate(force), np.stack(virial), np.concatenate(potential)
    return *whole, np.concatenate(of_site)


def evaluate(tensors, threads=1):
    with session(tf.get_default_graph(), threads) as run:
        return run.run(tensors)


@pytest.mark.parametrize("spacing", [1.0, 0.7, 3.0, 20.0])
def test_equals_the_twin(spacing):
    charges = charges_of()
    found = evaluate(ewald(charges, BETA, spacing))
    of_site = evaluate(ewald_site_virial(charges, BETA, spacing))
    for value, want in zip((*found, of_site), expected(charges, BETA, spacing), strict=True):
        np.testing.assert_allclose(value, want, rtol=1e-12, atol=1e-12 * np.abs(want).max())


def test_parts_of_sites_add_up():
    charges = charges_of((11,))
    found = evaluate(ewald(charges, BETA, SPACING))
    of_site = evaluate(ewald_site_virial(charges, BETA, SPACING))
    np.testing.assert_allclose(charges.charge @ found.potential / 2, found.energy[0])
    np.testing.assert_allclose(of_site.sum(axis=0), found.virial[0], atol=1e-12)


def test_derivatives_against_differences():
    charges = charges_of((5, 3))
    given = [tf.constant(x) for x in charges[:3]]
    upper = np.array([0.7, -1.3])
    result = ewald(Charges(*given, charges.frame_row), BETA, SPACING)
    found = evaluate(tf.gradients(result.energy, given, upper))

    def energy(place, value):
        changed = charges._replace(**{place: value})
        return upper @ expected(changed)[0]

    for place, value in zip(Charges._fields[:3], found, strict=True):
        want = twins.difference(lambda x, at=place: energy(at, x), getattr(charges, place))
        np.testing.assert_allclose(value, want, atol=1e-7)


def test_virial_is_minus_the_strain_derivative():
    charges = charges_of((6,))
    virial = evaluate(ewald(charges, BETA, SPACING)).virial[0]

    def energy(strain):
        coord, cell = charges.coord @ (np.eye(3) + strain), charges.cell @ (np.eye(3) + strain)
        return expected(charges._replace(coord=coord, cell=cell))[0][0]

    np.testing.assert_allclose(
        virial.reshape(3, 3), -twins.difference(energy, np.zeros((3, 3))), atol=1e-7
    )


def test_images_and_the_origin_change_nothing():
    charges = charges_of((7,))
    images = np.random.default_rng(1).integers(-40, 40, (7, 3))
    moved = charges._replace(coord=charges.coord + images @ charges.cell[0] + [0.3, -4.0, 1.1])
    for one, other in zip(
        *(evaluate(ewald(c, BETA, SPACING)) for c in (charges, moved)), strict=True
    ):
        np.testing.assert_allclose(one, other, atol=1e-10)


def test_bits_do_not_depend_on_threads():
    tensors = [*ewald(charges_of((40, 9)), BETA, SPACING)]
    tensors.append(ewald_site_virial(charges_of((40, 9)), BETA, SPACING))
    for one, many in zip(evaluate(tensors), evaluate(tensors, 4), strict=True):
        assert one.tobytes() == many.tobytes()


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"cell": np.stack([CELL, 0 * CELL])}, "frame 1: `cell` must have a volume"),
        ({"cell": np.stack([CELL, 1e9 * CELL])}, "frame 1: `cell` and `spacing` must give fewer"),
        pytest.param(
            {"coord": np.full((3, 3), np.nan)},
            "frame 0: `coord` must be finite, got -?nan at site 0",
            marks=pytest.mark.on_host,
        ),
        ({"frame_row": np.array([0, 4, 3], np.int32)}, "`frame_row` must start at 0"),
    ],
)
def test_errors(changed, message):
    charges = charges_of((2, 1))._replace(**changed)
    with pytest.raises(tf.errors.InvalidArgumentError, match=message):
        evaluate(ewald(charges, BETA, SPACING))


def test_wrong_constants():
    with pytest.raises(
        tf.errors.InvalidArgumentError, match="`beta` and `spacing` must be positive"
    ):
        evaluate(ewald(charges_of(), 0.0, SPACING))


def test_forces_have_no_gradient():
    coord = tf.constant(charges_of().coord)
    force = ewald(charges_of()._replace(coord=coord), BETA, SPACING).force
    with pytest.raises(LookupError, match="Ewald"):
        tf.gradients(force, coord)


def test_shapes_are_known_before_running():
    coord = tf.placeholder(tf.float64, [None, 3])
    charge = tf.placeholder(tf.float64, [None])
    cell = tf.placeholder(tf.float64, [2, 3, 3])
    result = ewald(Charges(coord, charge, cell, tf.placeholder(tf.int32, [3])), BETA, SPACING)
    shapes = [tensor.shape.as_list() for tensor in result]
    assert shapes == [[2], [None, 3], [2, 9], [None]]
