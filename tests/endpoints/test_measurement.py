"""Reading error: it reproduces the published limits of agreement, obeys the 5 mm rule, and compiles."""

from types import SimpleNamespace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from trialsim.endpoints import measurement, recist

# between different readers; readings unrounded, so that moments are exact
BETWEEN = dict(
    reader_cv=0.07, lesion_cv=0.05, lesion_error_mm=1.0, reading_resolution_mm=0.0,
    smallest_measurable_mm=5.0, gone_below_mm=2.0, volume_cv=0.10,
)  # fmt: skip
WITHIN = BETWEEN | {"reader_cv": 0.041}
EXACT = BETWEEN | {"reader_cv": 0.0, "lesion_cv": 0.0, "lesion_error_mm": 0.0, "volume_cv": 0.0}


def settings(**values):
    return SimpleNamespace(**values)


def readings(true_mm, values, seed=0, n=40_000):
    normals = np.random.default_rng(seed).standard_normal((n, len(true_mm) + 1))
    return measurement.read_diameters(np.broadcast_to(true_mm, (n, len(true_mm))), normals, settings(**values))


@pytest.mark.parametrize(
    ("values", "sum_cv", "lesion_cv"),
    [
        (BETWEEN, 0.070, 0.086),  # Yoon 2016, between readers: sum 7.0 %, one lesion 8.6 %
        (WITHIN, 0.041, 0.061),  # within a reader: 4.1 %, 6.1 %
    ],
)
def test_reproduces_published_variation(values, sum_cv, lesion_cv):
    """The sum to Monte-Carlo error (2 %, over 5 SE of a CV from 40,000), one lesion to 10 % of the published CV."""
    read = readings([34.0, 34.0, 34.0], values)
    assert read.sum(axis=1).std() / 102 == pytest.approx(sum_cv, rel=0.02)
    assert read[:, 0].std() / 34 == pytest.approx(lesion_cv, rel=0.10)
    assert read.mean() == pytest.approx(34, rel=2e-3)


def test_same_day_repeat_has_the_published_spread():
    """Oxnard 2011: two readings of one lesion differ with SD 2.4 mm; here, within a reader at 34 mm, 2.2 to 3.0."""
    difference = readings([34.0], WITHIN, seed=1)[:, 0] - readings([34.0], WITHIN, seed=2)[:, 0]
    assert 2.2 < difference.std() < 3.0


def test_small_lesions_vary_more_in_percent():
    cv = [readings([d], BETWEEN)[:, 0].std() / d for d in (12.0, 34.0, 90.0)]
    assert cv[0] > cv[1] > cv[2]


def test_no_error_reads_the_truth():
    read = measurement.read_diameters(np.array([34.0, 10.0]), np.ones(3), settings(**EXACT))
    np.testing.assert_array_equal(read, [34.0, 10.0])


def test_five_millimetre_rule():
    true = np.array([1.9, 2.1, 4.9, 5.2, np.nan])
    read = measurement.read_diameters(true, np.zeros(6), settings(**EXACT))
    np.testing.assert_array_equal(read, [0.0, 5.0, 5.0, 5.2, np.nan])
    assert np.all(readings([6.0], BETWEEN) >= 5.0)


def test_readings_are_written_in_whole_millimetres():
    read = readings([34.0, 20.0], BETWEEN | {"reading_resolution_mm": 1.0})
    np.testing.assert_array_equal(read, np.round(read))


def test_lesions_of_a_reading_share_part_of_the_error():
    read = readings([34.0, 34.0], BETWEEN)
    shared = measurement.shared_reading_cv(0.07, 0.05, 1.0)
    expected = shared**2 / (shared**2 + 0.05**2 + (1 / 34) ** 2)
    assert np.corrcoef(read.T)[0, 1] == pytest.approx(expected, abs=0.02)


def test_target_sum_ignores_absent_lesions():
    sums = measurement.target_sum(np.array([[10.0, np.nan, 5.0], [np.nan, np.nan, np.nan], [0.0, np.nan, 0.0]]))
    np.testing.assert_array_equal(sums, [15.0, np.nan, 0.0])


def test_volumes():
    normals = np.random.default_rng(0).standard_normal((40_000, 1))
    read = measurement.read_volumes(np.full((40_000, 1), 20.0), normals, settings(**BETWEEN))
    truth = np.pi / 6 * 8.0  # a sphere of 2 cm, ml
    assert np.median(read) == pytest.approx(truth, rel=5e-3)
    assert read.std() / read.mean() == pytest.approx(0.10, rel=0.03)
    gone = measurement.read_volumes(np.array([1.0, np.nan]), np.zeros(2), settings(**BETWEEN))
    np.testing.assert_array_equal(gone, [0.0, np.nan])


def test_compiled_reading_is_the_same():
    draw = np.random.default_rng(4)
    true, normals = draw.uniform(1, 80, (50, 5)), draw.standard_normal((50, 6))
    values = settings(**BETWEEN)
    compiled = jax.jit(jax.vmap(lambda t, z: measurement.read_diameters(t, z, values)))
    host = measurement.read_diameters(true, normals, values)
    np.testing.assert_allclose(compiled(jnp.float32(true), jnp.float32(normals)), host, rtol=1e-5)
    assert host.dtype == np.float64


@pytest.mark.parametrize(("values", "expected"), [(WITHIN, 0.02), (BETWEEN, 0.37)])
def test_progression_called_in_tumours_that_do_not_change(values, expected):
    """What the shipped settings say of reading error alone: six scans of three 30 mm lesions (+-0.03, over 5 SE)."""
    normals = np.random.default_rng(0).standard_normal((5000, 7, 4))
    read = measurement.read_diameters(
        np.full((5000, 7, 3), 30.0), normals, settings(**values | {"reading_resolution_mm": 1.0})
    )
    sums = measurement.target_sum(read)
    response, _ = recist.assess_history(sums[:, 0], sums[:, 1:], False, False)
    assert np.mean(np.any(response == recist.Response.PD, axis=1)) == pytest.approx(expected, abs=0.03)
