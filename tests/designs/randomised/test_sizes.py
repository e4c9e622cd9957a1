"""Expected events and scores against closed forms and simulated trials; sizes are the inverse of power."""

import numpy as np
import pytest

from trialsim.designs.randomised.bounds import WangTsiatis, group_sequential
from trialsim.designs.randomised.expected import expected
from trialsim.designs.randomised.outcomes import plain_candidates
from trialsim.designs.randomised.piecewise import piecewise
from trialsim.designs.randomised.randomise import allocate
from trialsim.designs.randomised.sizes import (
    enough_events,
    freedman_events,
    group_sequential_plan,
    one_stratum,
    schoenfeld_events,
    schoenfeld_power,
    strata_of,
    time_of_events,
    with_accrual_duration,
    with_follow_up,
    with_rate,
)
from trialsim.designs.randomised.weighted import weighted_power
from trialsim.endpoints.comparison import log_rank

LATE = strata_of(
    [0.3, 0.7],
    [piecewise(0.004), piecewise([0.002, 0.003], [0.0, 200.0])],
    [piecewise([0.004, 0.002], [0.0, 150.0]), piecewise([0.002, 0.003, 0.0012], [0.0, 200.0, 260.0])],
    piecewise([0.5, 1.0], [0.0, 100.0]),
    400.0,
    ratio=2.0,
    drop_out=0.0004,
)


def test_analytic_exponential_outcomes_and_uniform_accrual():
    hazard, loss, span, time = 0.03, 0.01, 20.0, 35.0
    found = expected(one_stratum(hazard, 1.0, 5.0, span, drop_out=loss), time)
    both = hazard + loss
    share = hazard / both * (1.0 - (np.exp(-both * (time - span)) - np.exp(-both * time)) / (both * span))
    assert found.events == pytest.approx(50.0 * share * np.ones(2), rel=1e-12)
    assert found.patients == 100.0 and found.score == 0.0
    assert found.variance == pytest.approx(found.events.sum() / 4, rel=1e-12)
    assert expected(one_stratum(hazard, 1.0, 5.0, span), 1e4).events.sum() == pytest.approx(100.0, rel=1e-9)


def test_analytic_log_rank_drift_tends_to_schoenfelds_near_the_null():
    found = expected(one_stratum(0.03, 0.98, 5.0, 20.0), 40.0)
    assert found.drift == pytest.approx(-np.log(0.98) * np.sqrt(found.events.sum() / 4), rel=2e-3)


@pytest.mark.parametrize(("rho", "gamma"), [(0.0, 0.0), (0.0, 1.0), (1.0, 0.0)])
def test_simulated_trials_have_the_expected_score_and_variance(rho, gamma):
    """Means of 1000 trials, within five standard errors (false alarm 1 in 1.7 million) and the 1/n by which asymptotics err."""
    rng, day = np.random.default_rng(0), 650.0
    here = plain_candidates(rng, 1000, 500, LATE)
    arm = allocate(rng, 1000, 500, (1, 2), [6], here.stratum)
    own = lambda x: np.take_along_axis(x, arm[..., None], 2)[..., 0]
    included = here.arrival <= LATE.accrual_duration
    time = np.minimum(own(here.time), day - here.arrival)
    event = own(here.event) & (here.arrival + own(here.time) <= day)
    test = log_rank(time, event, arm == 1, here.stratum, included, rho=rho, gamma=gamma)
    wanted = expected(LATE, day, rho, gamma)
    found = (test.expected - test.observed, test.variance, (event & included).sum(axis=1))
    for seen, value in zip(found, (wanted.score, wanted.variance, wanted.events.sum()), strict=True):
        assert seen.mean() == pytest.approx(value, abs=5 * seen.std() / np.sqrt(1000) + 0.01 * abs(value))


def test_power_is_the_inverse_of_events():
    for ratio in (1.0, 2.0):
        events = schoenfeld_events(np.log(0.6), 0.025, 0.9, ratio)
        assert schoenfeld_power(np.log(0.6), events, 0.025, ratio) == pytest.approx(0.9)
    assert schoenfeld_power(0.0, 100.0, 0.025) == pytest.approx(0.025)
    assert freedman_events([0.0, 0.2, np.nan], 0.025, 0.9) == pytest.approx([np.inf, np.inf, np.nan], nan_ok=True)


def test_each_search_reaches_its_events():
    setting = one_stratum(0.02, 0.6, 3.0, 30.0, drop_out=0.002)
    faster = with_rate(setting, 50.0, 80.0)
    assert expected(faster, 50.0).events.sum() == pytest.approx(80.0)
    longer = with_accrual_duration(setting, 12.0, enough_events(80.0))
    assert expected(longer, longer.accrual_duration + 12.0).events.sum() == pytest.approx(80.0)
    later = with_follow_up(setting, enough_events(60.0))
    assert expected(setting, 30.0 + later).events.sum() == pytest.approx(60.0)
    assert time_of_events(setting, 60.0) == pytest.approx(30.0 + later)
    assert time_of_events(setting, 91.0) == np.inf  # more events than patients
    with pytest.raises(ValueError, match="long enough"):
        with_follow_up(setting, enough_events(91.0))


def test_a_plan_spends_its_power_under_proportional_hazards():
    """The score's integral agrees with Schoenfeld's drift to what the latter approximates at a hazard ratio of 0.75."""
    bounds = group_sequential([0.5, 1.0], 0.025, WangTsiatis(0.0), power=0.9)
    setting = one_stratum(0.03, 0.75, 30.0, 25.0)
    plan = group_sequential_plan(setting, bounds, np.log(0.75))
    assert plan.crossed[-1] == pytest.approx(0.9)
    exact = weighted_power(setting, plan.time[-1], bounds.fraction, bounds.upper)
    assert exact.events == pytest.approx(plan.events, rel=1e-6)
    assert exact.rejected[-1] == pytest.approx(0.9, abs=0.01)


def test_late_effects_need_late_weights():
    bounds = group_sequential([1.0], 0.025, WangTsiatis(0.0))
    late = strata_of([1.0], [piecewise(0.05)], [piecewise([0.05, 0.025], [0.0, 8.0])], piecewise(12.0), 20.0)
    plain, weighted = (weighted_power(late, 45.0, [1.0], bounds.upper, gamma=gamma).rejected[-1] for gamma in (0.0, 1.0))
    assert weighted > plain + 0.1
