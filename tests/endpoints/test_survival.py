"""Survival: a published example by hand, another program (statsmodels), a naive oracle, the rules of censoring."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.duration.survfunc import SurvfuncRight

from trialsim.endpoints import survival
from trialsim.endpoints.recist import Response

NE, SD, PD = Response.NE, Response.SD, Response.PD

# Remission in weeks on 6-mercaptopurine: Freireich EJ et al. Blood 1963;21:699-716, the textbook example.
MERCAPTOPURINE = np.array([6, 6, 6, 7, 10, 13, 16, 22, 23, 6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35], float)
RELAPSED = np.arange(21) < 9
PLACEBO = np.array([1, 1, 2, 2, 3, 4, 4, 5, 5, 8, 8, 8, 8, 11, 11, 12, 12, 15, 17, 22, 23], float)


def test_published_mercaptopurine_curve_by_hand():
    curve = survival.kaplan_meier(MERCAPTOPURINE, RELAPSED)
    at = {6: 18 / 21, 7: 18 / 21 * 16 / 17, 10: 18 / 21 * 16 / 17 * 14 / 15}
    at[13] = at[10] * 11 / 12
    at[16] = at[13] * 10 / 11
    at[22] = at[16] * 6 / 7
    at[23] = at[22] * 5 / 6
    for week, expected in at.items():
        assert survival.survival_at(curve, week).estimate == pytest.approx(expected, abs=1e-12)
    # the published figures, three decimals
    published = [0.857, 0.807, 0.753, 0.690, 0.627, 0.538, 0.448]
    np.testing.assert_allclose([survival.survival_at(curve, week).estimate for week in at], published, atol=5e-4)
    assert survival.quantile(curve).estimate == 23
    assert curve.at_risk[np.isin(curve.time, [6, 7, 10, 13, 16, 22, 23])].tolist() == [21, 17, 15, 12, 11, 7, 6]


def test_log_log_limits_by_hand():
    """At week 6: S = 18/21, Greenwood sum 3/(21*18); limits S^exp(+-z se / log S)."""
    landmark = survival.survival_at(survival.kaplan_meier(MERCAPTOPURINE, RELAPSED), 6)
    s, se = 18 / 21, np.sqrt(3 / (21 * 18))
    factor = np.exp(1.959963984540054 * se / abs(np.log(s)))
    assert (landmark.low, landmark.high) == pytest.approx((s**factor, s ** (1 / factor)), abs=1e-9)


def test_uncensored_curve_is_the_share_still_free():
    curve = survival.kaplan_meier(PLACEBO, np.ones(21, bool))
    np.testing.assert_allclose(curve.survival, [(PLACEBO > t).mean() for t in curve.time], atol=1e-12)
    assert survival.quantile(curve).estimate == 8
    assert curve.survival[-1] == 0 and curve.low[-1] == 0 and curve.high[-1] == curve.high[-2]


def naive_kaplan_meier(time, event):
    """Product over event times, one patient at a time."""
    value, out = 1.0, []
    for t in sorted(set(time)):
        at_risk = sum(1 for other in time if other >= t)
        died = sum(1 for other, e in zip(time, event, strict=True) if other == t and e)
        value *= 1 - died / at_risk
        out.append((t, value))
    return out


sample = st.lists(st.tuples(st.integers(1, 15), st.booleans()), min_size=1, max_size=25)


@settings(max_examples=200, deadline=None)
@given(sample)
def test_curve_agrees_with_naive_product(data):
    time, event = np.array([t for t, _ in data], float), np.array([e for _, e in data])
    curve = survival.kaplan_meier(time, event)
    for t, value in naive_kaplan_meier(time.tolist(), event.tolist()):
        assert curve.survival[curve.time == t][0] == pytest.approx(value, abs=1e-12)
    assert np.all(np.diff(curve.survival) <= 1e-15)
    assert np.all(curve.low <= curve.survival + 1e-12) and np.all(curve.survival <= curve.high + 1e-12)
    assert curve.events.sum() == event.sum() and curve.censored.sum() == (~event).sum()
    assert curve.time[0] == 0 and curve.survival[0] == 1 and curve.at_risk[0] == len(data)


@pytest.mark.filterwarnings("ignore::RuntimeWarning:statsmodels")  # its own log of zero where the curve ends at 0
@pytest.mark.parametrize("seed", range(5))
def test_agrees_with_statsmodels(seed):
    draw = np.random.default_rng(seed)
    true, stop = draw.exponential(100, 80), draw.uniform(20, 250, 80)
    time, event = np.minimum(true, stop), true <= stop
    curve = survival.kaplan_meier(time, event)
    other = SurvfuncRight(time, event.astype(int))
    ours = [survival.survival_at(curve, t) for t in other.surv_times]
    np.testing.assert_allclose([o.estimate for o in ours], other.surv_prob, atol=1e-12)
    inner = other.surv_prob > 0
    z, log_s = stats.norm.ppf(0.975), np.log(other.surv_prob[inner])
    half = z * other.surv_prob_se[inner] / (other.surv_prob[inner] * np.abs(log_s))
    np.testing.assert_allclose(
        [o.low for o, i in zip(ours, inner, strict=True) if i], np.exp(log_s * np.exp(half)), rtol=1e-9
    )
    np.testing.assert_allclose(
        [o.high for o, i in zip(ours, inner, strict=True) if i], np.exp(log_s * np.exp(-half)), rtol=1e-9
    )
    middle = survival.quantile(curve)
    assert middle.estimate == other.quantile(0.5)
    low, high = other.quantile_ci(0.5, method="cloglog")
    assert (middle.low, middle.high) == (low, high)


def test_median_not_reached():
    middle = survival.median(np.array([10.0, 20, 30, 40]), np.array([True, False, False, False]))
    assert np.isnan(middle.estimate) and np.isnan(middle.high)


def test_landmark_beyond_follow_up_is_unknown_unless_all_had_the_event():
    open_end = survival.kaplan_meier(np.array([10.0, 20.0]), np.array([True, False]))
    assert np.isnan(survival.survival_at(open_end, 21).estimate)
    assert survival.survival_at(open_end, 20).estimate == 0.5
    assert survival.survival_at(survival.kaplan_meier(np.array([10.0, 20.0]), np.ones(2, bool)), 99).estimate == 0


def test_median_interval_covers_the_truth():
    """400 exponential trials of 40 patients: coverage of 95 % within 0.95 +- 4 binomial SE (false alarm 6e-5)."""
    draw = np.random.default_rng(8)
    covered = []
    for _ in range(400):
        true, stop = draw.exponential(100, 40), draw.uniform(50, 400, 40)
        middle = survival.median(np.minimum(true, stop), true <= stop)
        covered.append(middle.low <= 100 * np.log(2) and not middle.high < 100 * np.log(2))
    assert abs(np.mean(covered) - 0.95) < 4 * np.sqrt(0.95 * 0.05 / 400)


def test_restricted_mean():
    curve = survival.kaplan_meier(np.array([10.0, 20, 30, 40]), np.ones(4, bool))
    assert survival.restricted_mean(curve, 40).estimate == pytest.approx(25)  # the plain mean when all die
    assert survival.restricted_mean(curve, 25).estimate == pytest.approx(10 + 0.75 * 10 + 0.5 * 5)
    whole = survival.restricted_mean(curve, 40)
    # with no censoring the Greenwood-type variance is that of the mean with divisor n, squared deviations over n^2
    se = (whole.high - whole.estimate) / stats.norm.ppf(0.975)
    assert se == pytest.approx(np.sqrt(np.var([10, 20, 30, 40]) / 4))
    assert np.isnan(survival.restricted_mean(survival.kaplan_meier(np.array([5.0]), np.array([False])), 6).estimate)


def test_numbers_at_risk():
    assert survival.numbers_at_risk(MERCAPTOPURINE, np.array([0, 6, 7, 36])).tolist() == [21, 21, 17, 0]


def test_reverse_curve_gives_follow_up():
    assert survival.median_follow_up(np.array([10.0, 20, 30]), np.zeros(3, bool)).estimate == 20


@pytest.mark.parametrize(("time", "event"), [([], []), ([np.nan], [True]), ([-1.0], [True])])
def test_impossible_times_are_refused(time, event):
    with pytest.raises(ValueError):
        survival.kaplan_meier(np.array(time), np.array(event, bool))


# Events and censoring


def pfs(days, codes, death=np.inf, until=700.0, **options):
    result = survival.progression_free_survival(
        np.array([days], float), np.array([codes]), np.array([death]), np.array([until]), **options
    )
    return float(result.time[0]), bool(result.event[0])


@pytest.mark.parametrize(
    ("days", "codes", "death", "until", "expected"),
    [
        ([56, 112], [SD, PD], np.inf, 700, (112, True)),
        ([56, 112], [SD, SD], 130, 700, (130, True)),  # death without progression
        ([56, 112], [SD, PD], 90, 700, (90, True)),  # earlier of the two
        ([56, 112], [SD, SD], np.inf, 150, (112, False)),  # last readable scan, not last contact
        ([56, 112], [SD, NE], np.inf, 150, (56, False)),  # an unreadable scan is no assessment
        ([56, 112], [SD, PD], np.inf, 100, (56, False)),  # progression after the cut-off is unknown
        ([56, 112], [SD, SD], 160, 150, (112, False)),  # so is death
        ([np.nan, np.nan], [NE, NE], np.inf, 40, (0, False)),
        ([np.nan, np.nan], [NE, NE], 30, 40, (30, True)),
        ([56, np.nan], [SD, PD], np.nan, 700, (56, False)),
    ],
)
def test_progression_free_survival(days, codes, death, until, expected):
    assert pfs(days, codes, death, until) == expected


def test_event_after_missed_scans_can_be_censored():
    days, codes = [56, 112, 168, 224], [SD, NE, NE, PD]
    assert pfs(days, codes) == (224, True)
    assert pfs(days, codes, maximum_gap_days=2 * 56 + 10) == (56, False)
    assert pfs(days, codes, maximum_gap_days=168) == (224, True)
    assert pfs([56], [SD], death=100.0, maximum_gap_days=122) == (100, True)


def test_overall_survival_and_time_on_treatment():
    result = survival.overall_survival(np.array([100.0, np.inf, 300.0, np.nan]), np.array([200.0, 200, 200, 50]))
    assert result.time.tolist() == [100, 200, 200, 50] and result.event.tolist() == [True, False, False, False]
    result = survival.time_on_treatment(np.array([30.0, np.inf]), np.array([200.0, 90.0]))
    assert result.time.tolist() == [30, 90] and result.event.tolist() == [True, False]
