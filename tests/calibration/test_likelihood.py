"""Published numbers from curves: against closed forms and against trials drawn by hand."""

from types import SimpleNamespace

import jax
import numpy as np
import pytest
from scipy.stats import norm

from trialsim.calibration import likelihood
from trialsim.calibration.library import OUTCOMES, PFS_MONTHS
from trialsim.calibration.likelihood import HALF, curve_weights, data_of
from trialsim.calibration.predictive import _medians
from trialsim.calibration.published import Number
from trialsim.calibration.system import FIRST_PFS, Outcomes

MADE = SimpleNamespace(arms=("a", "b"), error=np.zeros((2, len(OUTCOMES))))
FOLLOWED = {name: np.ones(len(PFS_MONTHS)) for name in MADE.arms}


def shares(hazards: tuple[float, float], orr: float = 0.2) -> Outcomes:
    """Exponential curves of two arms."""
    table = np.full((2, len(OUTCOMES)), orr)
    for row, hazard in zip(table, hazards, strict=True):
        row[FIRST_PFS : FIRST_PFS + len(PFS_MONTHS)] = np.exp(-hazard * np.array(PFS_MONTHS))
    return Outcomes(table)


def terms(numbers: list[Number], found: Outcomes) -> dict:
    data = data_of(numbers, MADE, {"a": 200, "b": 100}, FOLLOWED)
    zero = {"rate": np.zeros(len(data.rate_n)), "time": np.zeros(len(data.time_n)), "ratio": 0.0}
    return {kind: np.asarray(value) for kind, value in likelihood.log_likelihood(data, found, zero).items()}


def test_a_rate_is_binomial():
    found = terms([Number("s", "a", "orr", 0.25, 40, np.nan)], shares((0.2, 0.2)))
    from scipy.stats import binom

    assert found["rate"][0] == pytest.approx(binom.logpmf(10, 40, 0.2), abs=1e-5)


def test_response_and_control_of_the_disease_differ_between_arms_by_different_amounts():
    numbers = [Number("s", "a", name, 0.25, 40, np.nan) for name in ("orr", "dcr", "pfs_6")]
    data = data_of(numbers, SimpleNamespace(arms=("a",), error=np.full((1, len(OUTCOMES)), 0.3)), {"a": 40}, FOLLOWED)
    spread = {"response": 0.4, "control": 1.0, "time": 0.5, "ratio": 0.2}
    np.testing.assert_allclose(likelihood.error_sd(data, spread)["rate"], np.hypot([0.4, 1.0, 1.0], 0.3), rtol=1e-6)


def test_a_median_is_as_likely_as_in_trials_drawn_by_hand():
    n, hazard, months = 41, 0.2, 3.25
    found = terms([Number("s", "a", "median_pfs", months, n, np.nan)], shares((hazard, hazard)))
    rng = np.random.default_rng(0)
    medians = np.median(rng.exponential(1 / hazard, (50_000, n)), axis=1)
    by_hand = np.mean((medians > months - HALF) & (medians <= months + HALF))  # 0.054, standard error 0.001
    assert np.exp(found["time"][0]) == pytest.approx(by_hand, rel=0.1)  # normal order statistics, curves linear between points


def test_a_late_median_is_told_by_how_the_curve_goes_on():
    n, hazard, months = 41, 0.03, 23.0  # median of the exponential: 23.1; the curve ends at 18 months
    found = terms([Number("s", "a", "median_pfs", months, n, np.nan)], shares((hazard, hazard)))
    rng = np.random.default_rng(0)
    medians = np.median(rng.exponential(1 / hazard, (400_000, n)), axis=1)
    by_hand = np.mean((medians > months - HALF) & (medians <= months + HALF))  # 0.011, standard error 0.0002
    assert np.exp(found["time"][0]) == pytest.approx(by_hand, rel=0.1)
    drawn = _medians(np.tile(np.exp(-hazard * np.array(PFS_MONTHS)), (100_000, 1)), np.array(PFS_MONTHS), n, rng)
    assert np.quantile(drawn, [0.1, 0.5, 0.9]) == pytest.approx(np.quantile(medians, [0.1, 0.5, 0.9]), rel=0.02)


def test_a_median_far_from_its_curve_is_unlikely_and_pulls():
    """No floor: a chain that starts there finds its way. Against mpmath-free tails of the normal distribution."""
    low, high = np.array([-30.0, -1.0, 0.2, 8.0, 12.0]), np.array([-29.9, 1.0, 0.3, 8.1, 12.0])
    found = np.asarray(likelihood.log_between(low, high))
    assert np.isfinite(found).all()
    exact = norm.logcdf(high[:2]) + np.log1p(-np.exp(norm.logcdf(low[:2]) - norm.logcdf(high[:2])))
    np.testing.assert_allclose(found[:2], exact, rtol=1e-4)
    assert found[3] == pytest.approx(norm.logsf(8.0) + np.log1p(-np.exp(norm.logsf(8.1) - norm.logsf(8.0))), rel=1e-4)
    pulls = jax.grad(lambda x: likelihood.log_between(x, x + 0.1))(8.0)
    assert pulls < -7.0


def test_cox_finds_the_ratio_of_proportional_hazards():
    data = data_of([Number("s", "a", "pfs_hr", 0.5, 300, 0.1, "b")], MADE, {"a": 200, "b": 100}, FOLLOWED)
    assert np.exp(likelihood.log_ratio(data, shares((0.1, 0.2)))[0]) == pytest.approx(0.5, rel=0.03)
    found = terms([Number("s", "a", "pfs_hr", 1.0, 300, 0.1, "b")], shares((0.15, 0.15)))
    assert found["ratio"][0] == pytest.approx(norm.logpdf(0.0, 0.0, 0.1), abs=1e-3)


@pytest.mark.parametrize("months", [0.4, 1.0, 1.7, 6.0, 9.1, 18.0, 40.0])
def test_curves_are_read_linearly_between_points(months):
    weights, constant = curve_weights("pfs", months)
    line = 1.0 - np.array(PFS_MONTHS) / 20.0
    assert weights[FIRST_PFS : FIRST_PFS + len(line)] @ line + constant == pytest.approx(1.0 - min(months, 18.0) / 20.0)


def test_a_landmark_is_a_share_of_the_curve():
    found = terms([Number("s", "a", "pfs_5.5", 0.33, 100, np.nan)], shares((0.2, 0.2)))
    from scipy.stats import binom

    middle = 0.5 * (np.exp(-1.0) + np.exp(-1.2))
    assert found["rate"][0] == pytest.approx(binom.logpmf(33, 100, middle), abs=1e-4)
