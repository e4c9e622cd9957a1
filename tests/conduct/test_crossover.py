"""A control patient who takes the drug from progression on."""

import jax
import numpy as np
import pytest
from small import SMALL

from trialsim import compose
from trialsim.bank import treatments
from trialsim.conduct.simulate import simulate_courses

DAYS = 240


@pytest.fixture(scope="module")
def arms():
    """Courses of the same 96 patients on control, and on control with crossover."""
    config = compose(overrides=SMALL)
    found = {}
    for arm in ("control", "crossover"):
        enrolled = treatments.enrolled(config, np.arange(96), arm)
        parts = [c for _, c in simulate_courses(config, enrolled, enrolled["dose_level"].to_numpy(), DAYS)]
        found[arm] = jax.tree.map(lambda *leaves: np.concatenate(leaves), *parts)
    return found


def progression_day(course):
    progressed = course.days.scan.response == 4
    return np.where(progressed.any(axis=1), progressed.argmax(axis=1), DAYS)


def test_until_progression_nothing_differs_from_control(arms):
    control, crossed = arms["control"].days, arms["crossover"].days
    before = np.arange(DAYS) < progression_day(arms["control"])[:, None]
    assert np.array_equal(progression_day(arms["control"]), progression_day(arms["crossover"]))
    assert np.array_equal(control.alive[before], crossed.alive[before])
    assert np.all(crossed.dose_mg[before] == 0) and np.all(crossed.day.cmin[before] == 0)
    assert np.allclose(control.I_sensitive[before], crossed.I_sensitive[before], rtol=1e-5)


def test_the_drug_is_given_and_works_from_progression_on(arms):
    control, crossed, day = arms["control"].days, arms["crossover"].days, progression_day(arms["control"])
    alive = crossed.on_study & control.on_study
    late = np.flatnonzero((day < DAYS - 45) & alive[np.arange(96), np.minimum(day + 40, DAYS - 1)])
    assert len(late) > 20
    dosed = (crossed.dose_mg[late] > 0).any(axis=1)
    assert np.mean(dosed) > 0.9, "all but those whose toxicity on that day forbids it"
    late = late[dosed]
    first_dose = (crossed.dose_mg[late] > 0).argmax(axis=1)
    assert np.all(first_dose >= day[late])
    assert np.mean(first_dose == day[late]) > 0.9, "on the day of progression, unless a toxicity holds it"
    assert np.all(control.dose_mg == 0)
    growth = lambda days: days.I_sensitive[late, day[late] + 30] - days.I_sensitive[late, day[late]]
    assert np.all(growth(crossed) != growth(control))
    assert np.mean(growth(crossed) < growth(control)) > 0.6, "slower, but where the lost feedback outweighs"
    assert np.mean(growth(crossed)) < 0.9 * np.mean(growth(control))
    never = day >= DAYS
    assert np.all(crossed.dose_mg[never] == 0)
