"""Interval-censored progression: against Kaplan-Meier, a published estimate, the conditions of a maximum, and a known truth."""

import time

import numpy as np
import pytest
from scipy import stats

from trialsim.endpoints import interval_censored, survival

# Months to cosmetic deterioration of the breast after radiotherapy alone: Finkelstein & Wolfe, Biometrics 1985;41:933-45
COSMESIS = """45- 6-10 0-7 46- 46- 7-16 17- 7-14 37-44 0-8 4-11 15- 11-15 22- 46- 46- 25-37 46- 26-40 46- 27-34 36-44 46- 36-48 37-
40- 17-25 46- 11-18 38- 5-12 37- 0-5 18- 24- 36- 5-11 19-35 17-25 24- 32- 33- 19-26 37- 34- 36-"""
# Its maximum likelihood estimate as printed by Fay & Shaw, J Stat Softw 2010;36(2), section 5: (low, high] and probability
PUBLISHED = [
    (4, 5, 0.0463), (6, 7, 0.0334), (7, 8, 0.0887), (11, 12, 0.0708), (24, 25, 0.0926), (33, 34, 0.0818), (38, 40, 0.1209),
    (46, 48, 0.4656),
]  # fmt: skip


def visited(event, rng, interval=56.0, visits=30, seen=None):
    """What visits every `interval` days, the first at a random day, tell of the event times; `seen`: events known to the day."""
    day = rng.uniform(0, interval, (len(event), 1)) + interval * np.arange(visits)
    before = (day < event[:, None]).sum(axis=1)
    edges = np.concatenate([np.zeros((len(event), 1)), day, np.full((len(event), 1), np.inf)], axis=1)
    low, high = (edges[np.arange(len(event)), before + step] for step in (0, 1))
    exact = np.zeros(len(event), bool) if seen is None else seen & np.isfinite(high)
    return np.where(exact, event, low), np.where(exact, event, high)


def inside(fit, low, high):
    """A_ij: innermost interval j lies in observation i; written out from the definition."""
    low, high = np.asarray(low, float)[:, None], np.asarray(high, float)[:, None]
    point = fit.low == fit.high
    return np.where(point, (fit.low > low) | ((low == high) & (fit.low == low)), fit.low >= low) & (fit.high <= high)


@pytest.mark.parametrize("seed", range(3))
def test_exact_and_right_censored_times_give_kaplan_meier(seed):
    rng = np.random.default_rng(seed)
    event_day, censoring = rng.integers(0, 30, 80), rng.integers(1, 40, 80)  # many ties, also of an event with a censoring
    day, event = np.minimum(event_day, censoring).astype(float), event_day <= censoring
    fit = interval_censored.turnbull(day, np.where(event, day, np.inf))
    curve = survival.kaplan_meier(day, event)
    reached = curve.time <= day[event].max()
    np.testing.assert_allclose(interval_censored.survival_at(fit, curve.time[reached]), curve.survival[reached], atol=1e-6)
    assert interval_censored.median(fit).estimate == survival.quantile(curve).estimate


def test_published_estimate_of_cosmetic_deterioration():
    low, high = np.array([[float(x or "inf") for x in pair.split("-")] for pair in COSMESIS.split()]).T
    fit = interval_censored.turnbull(low, high)
    assert fit.n == 46 and len(fit.low) == len(PUBLISHED)
    np.testing.assert_array_equal(np.column_stack([fit.low, fit.high]), [row[:2] for row in PUBLISHED])
    np.testing.assert_allclose(fit.probability, [row[2] for row in PUBLISHED], atol=5.1e-5)  # four printed decimals


@pytest.mark.parametrize("seed", range(4))
def test_the_estimate_is_the_maximum(seed):
    rng = np.random.default_rng(seed)
    event = np.ceil(rng.weibull(1.3, 150) * 150)
    low, high = (np.floor(x) for x in visited(event, rng, visits=4, seen=rng.random(150) < 0.2))
    fit = interval_censored.turnbull(low, high)
    covers = inside(fit, low, high)
    ratio = (covers / (covers @ fit.probability)[:, None]).mean(axis=0)
    assert fit.excess <= interval_censored.TOLERANCE and fit.probability.sum() == pytest.approx(1, abs=1e-12)
    np.testing.assert_allclose(ratio, 1.0, atol=1e-5)  # Gentleman & Geyer: 1 wherever there is probability

    # no other distribution does better, whether it lies on the same intervals or on any days at all
    best = np.log(covers @ fit.probability).sum()
    near = fit.probability * rng.lognormal(0, 0.05, (200, len(fit.low)))
    day = np.arange(1, 400)
    known = np.where((low == high)[:, None], day == low[:, None], (day > low[:, None]) & (day <= high[:, None]))
    at_any_day = np.where(np.isinf(fit.high), 399, fit.high).astype(int) - 1  # the right end of an innermost interval is inside it
    mixed = np.zeros(len(day))
    mixed[at_any_day] = fit.probability
    assert np.log(known @ mixed).sum() == pytest.approx(best, abs=1e-6)
    anywhere = 0.98 * mixed + 0.02 * rng.dirichlet(np.full(len(day), 0.05), 200)
    for other, matrix in ((near, covers), (anywhere, known)):
        assert np.max(np.log(other / other.sum(axis=1, keepdims=True) @ matrix.T).sum(axis=1)) <= best


def test_a_thousand_patients_take_less_than_a_second():
    rng = np.random.default_rng(5)
    low, high = (np.floor(x) for x in visited(np.ceil(rng.weibull(1.2, 1000) * 200), rng, seen=rng.random(1000) < 0.1))
    start = time.perf_counter()
    assert interval_censored.turnbull(low, high).excess <= interval_censored.TOLERANCE
    assert time.perf_counter() - start < 1.0


def test_scans_make_kaplan_meier_late_by_half_an_interval_and_the_estimates_are_not():
    """60 trials of 400 patients, scans every 56 days from a random first one: medians in days, 4 standard errors of their means."""
    shape, truth, interval = 1.4, 150.0, 56.0
    rng = np.random.default_rng(6)
    found = []
    for _ in range(60):
        event = rng.weibull(shape, 400) * truth / np.log(2) ** (1 / shape)
        low, high = visited(event, rng, interval)
        curve, smooth = interval_censored.turnbull(low, high), interval_censored.weibull(low, high)
        delay = interval_censored.detection_delay(curve, low, high).estimate
        covered = smooth.median.low <= truth <= smooth.median.high
        naive = survival.median(high, np.ones(400, bool)).estimate
        found.append([naive, interval_censored.median(curve).estimate, smooth.median.estimate, smooth.shape, delay, covered])
    mean = np.mean(found, axis=0)
    error = 4 * np.std(found, axis=0) / np.sqrt(60)
    assert abs(mean[0] - truth - interval / 2) < error[0] + 1.0  # a day for the curve of S within a scan interval
    assert mean[0] - truth > 3 * error[0]
    assert abs(mean[1] - truth) < error[1] and abs(mean[2] - truth) < error[2] and abs(mean[3] - shape) < error[3]
    assert error[1] < 6 and error[2] < 4  # so that half an interval of 28 days could not hide
    assert abs(mean[4] - interval / 2) < error[4] + 1.0
    assert mean[5] * 60 >= stats.binom.ppf(0.001, 60, 0.95)  # the interval covers the truth; false alarm one in a thousand


def test_weibull_has_the_likelihood_of_scipy():
    rng = np.random.default_rng(7)
    low, high = visited(rng.weibull(1.3, 300) * 200, rng, visits=5, seen=rng.random(300) < 0.2)
    fit = interval_censored.weibull(low, high)
    exact, right = low == high, np.isinf(high)
    bracket = np.column_stack([low, high])[~exact & ~right]
    data = stats.CensoredData(uncensored=low[exact], right=low[right], interval=bracket)
    shape, _, scale = stats.weibull_min.fit(data, 1.3, floc=0, scale=200)
    assert (fit.shape, fit.scale) == pytest.approx((shape, scale), rel=1e-4)
    law = stats.weibull_min(fit.shape, scale=fit.scale)
    between = law.sf(bracket[:, 0]) - law.sf(bracket[:, 1])
    likelihood = law.logpdf(low[exact]).sum() + law.logsf(low[right]).sum() + np.log(between).sum()
    assert fit.log_likelihood == pytest.approx(likelihood, abs=1e-6) and fit.median.estimate == pytest.approx(law.median())


def test_limits_of_the_weibull_median_are_those_of_its_likelihood_ratio():
    """There the best Weibull with that median is 1.92 below the maximum, by scipy's density on a fine grid of shapes."""
    day = np.array([20.0, 31, 45, 60, 77, 99, 130, 180, 260, 400])
    fit = interval_censored.weibull(day, day)
    shapes = np.linspace(0.2, 4, 4001)[:, None]
    for limit in (fit.median.low, fit.median.high):
        best = stats.weibull_min.logpdf(day, shapes, scale=limit / np.log(2) ** (1 / shapes)).sum(axis=1).max()
        assert fit.log_likelihood - best == pytest.approx(stats.chi2.ppf(0.95, 1) / 2, abs=1e-3)


INF = np.inf


@pytest.mark.parametrize(
    ("low", "high", "median", "delay", "weibull_exists"),
    [
        ([5, 9], [INF, INF], np.nan, np.nan, False),  # no event: all probability beyond the last censoring
        ([0], [INF], np.nan, np.nan, False),  # one patient without any scan
        ([30], [30], 30.0, np.nan, False),  # one death
        ([56], [112], 84.0, 28.0, False),  # one progression
        ([0] * 7, [56] * 7, 28.0, 28.0, False),  # all at the first scan
        ([56] * 7, [112] * 7, 84.0, 28.0, False),  # all in one interval
        ([0, 56], [56, 112], 56.0, 28.0, False),  # exactly half by the first scan
        ([0] * 5 + [112] * 4, [56] * 5 + [INF] * 4, 50.4, 28.0, False),  # 5/9 at the first scan, the others never
        ([0, 0, 30], [0, 0, INF], 0.0, np.nan, True),  # deaths on day 0
        ([10, 30, 50], [10, 30, 50], 30.0, np.nan, True),
        ([0, 56, 112], [56, 112, 168], 84.0, 28.0, True),
    ],
)
def test_small_trials(low, high, median, delay, weibull_exists):
    fit = interval_censored.turnbull(low, high)
    assert fit.probability.sum() == pytest.approx(1) and fit.n == len(low)
    assert interval_censored.median(fit).estimate == pytest.approx(median, nan_ok=True)
    assert interval_censored.detection_delay(fit, low, high).estimate == pytest.approx(delay, nan_ok=True)
    assert np.isfinite(interval_censored.weibull(low, high).median.estimate) == weibull_exists


def test_what_cannot_be_is_refused():
    for low, high in (([], []), ([3.0], [2.0]), ([-1.0], [2.0]), ([INF], [INF]), ([1.0], [np.nan])):
        for estimate in (interval_censored.turnbull, interval_censored.weibull):
            with pytest.raises(ValueError, match="interval-censored"):
                estimate(low, high)
