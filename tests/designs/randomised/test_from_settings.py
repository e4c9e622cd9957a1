"""Settings of a randomised design, and the trial they describe."""

import numpy as np
import pytest
from pydantic import ValidationError

from trialsim.designs.randomised.conduct import Decision, play
from trialsim.designs.randomised.from_settings import setting_of, trial_of
from trialsim.designs.randomised.outcomes import plain_candidates
from trialsim.designs.randomised.reestimate import PromisingZone
from trialsim.schema.base import ConfigError
from trialsim.schema.design import RandomisedSettings

TEXT = {
    "kind": "randomised", "ratio": [1, 2], "block_sizes": [6], "stratified": True, "alpha": 0.025, "sides": 1, "power": 0.9,
    "hazard_ratio": 0.67, "look_fractions": [0.5, 1], "look_months": None, "events": None,
    "efficacy": {"name": "lan_demets_obf", "parameter": None}, "futility": None, "rho": 0, "gamma": 0, "rmst_months": None,
    "crossover_probability": 0, "reestimation": None, "replicate_size": 410, "accrual_months": 15, "cutoff_months": 48,
    "max_follow_up_months": 24, "withdrawal_rate_per_month": 0.02,
    "dlt": {"window_days": 28, "min_dose_fraction": 0.75, "min_grade": {"rash": 3}},
}  # fmt: skip
FUTILITY = {"name": "hwang_shih_decani", "parameter": -4, "binding": False}
ZONE = {"kind": "promising_zone", "look": 1, "lowest": 0.3, "target": 0.9, "most": 1.5}


def settings(**changes):
    return RandomisedSettings.model_validate(TEXT | changes)


def test_analytic_events_give_the_power_at_the_ratio():
    """(1 + 2)^2 / 2 (1.960 + 1.282)^2 / (log 0.67)^2 = 294.8 of a single look, and a little more of two."""
    assert trial_of(settings(look_fractions=[1])).events.tolist() == [295]
    two = trial_of(settings())
    last = np.ceil(294.83 * two.bounds.inflation)
    assert two.events.tolist() == [np.ceil(last / 2), last] and 1.0 < two.bounds.inflation < 1.01
    assert two.patients == 410 and two.ratio == (1, 2) and two.last_day == pytest.approx(1461)


def test_the_planned_setting_plays_with_the_planned_power():
    own = settings(block_sizes=[3, 6], withdrawal_rate_per_month=0.0)
    setting = setting_of(own, control_median_months=4.0)
    here = plain_candidates(np.random.default_rng(0), 1000, 410, setting)
    played = play(np.random.default_rng(1), here, trial_of(own))
    assert np.mean(played.decision == Decision.EFFICACY) == pytest.approx(0.9, abs=0.045)
    assert np.mean(played.end_day) < 48 * 30.4375


def test_each_choice_reaches_the_trial():
    found = trial_of(settings(futility=FUTILITY, gamma=1.0, rmst_months=12, look_months=[12, 30], block_sizes=[]))
    assert np.isfinite(found.bounds.lower).all() and found.gamma == 1.0 and found.blocks is None
    assert found.rmst_days == pytest.approx(365.25) and found.days == pytest.approx([365.25, 913.125])
    assert trial_of(settings(reestimation=ZONE)).reestimation == PromisingZone(0, 0.3, 0.9, 1.5)
    assert trial_of(settings(events=290)).events[-1] == 290
    pocock = trial_of(settings(efficacy={"name": "pocock", "parameter": None}))
    assert pocock.bounds.upper[0] == pocock.bounds.upper[1]


FAULTS = {
    "block_sizes": {"block_sizes": [4]},
    "look_fractions": {"look_fractions": [0.5, 0.9]},
    "efficacy.parameter": {"efficacy": {"name": "power", "parameter": None}},
    "futility": {"sides": 2, "futility": FUTILITY},
    "futility.binding": {"efficacy": {"name": "pocock", "parameter": None}, "futility": FUTILITY | {"binding": True}},
    "events": {"events": 500},
    "rmst_months": {"rmst_months": 60},
    "look_months": {"look_months": [12]},
    "reestimation.look": {"reestimation": ZONE | {"look": 2}},
    "reestimation.lowest": {"reestimation": ZONE | {"lowest": 0.95}},
    "reestimation.most_patients": {"reestimation": {"kind": "blinded", "look": 1, "month": 30, "most_patients": 300}},
}


@pytest.mark.parametrize("key", FAULTS)
def test_incoherent_settings_are_named(key):
    with pytest.raises(ValidationError, match=f"design.{key} = .* is not allowed"):
        settings(**FAULTS[key])


def test_too_few_patients_for_the_events_are_named():
    with pytest.raises(ConfigError, match="at least 29[67]"):
        trial_of(settings(replicate_size=200))
    with pytest.raises(ConfigError, match="an event apart"):
        trial_of(settings(events=3, look_fractions=[0.5, 0.6, 1]))
