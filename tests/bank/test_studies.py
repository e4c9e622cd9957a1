"""Trials drawn from a bank whose truth is known: what they publish is what theory says."""

import numpy as np
import pandas as pd
import pytest
from bank_of_outcomes import MONTH
from scipy import stats

from trialsim import compose
from trialsim.bank import studies
from trialsim.endpoints.comparison import kaplan_meier
from trialsim.schema import ConfigError

SETTINGS = compose("predict").analysis
BANK = 20_000
RATE, MEDIAN, HR = 0.2, 6.0, 0.5  # response rate, median of the control in months, hazard ratio


def table(seed, hr=1.0, n=BANK):
    rng = np.random.default_rng(seed)
    days = rng.exponential(MEDIAN * MONTH / np.log(2.0) / hr, n)
    responder = rng.random(n) < RATE
    return pd.DataFrame({
        "responder": responder, "response_day": np.where(responder, 56.0, np.inf), "disease_control": True,
        "clinical_benefit": False,
        "pfs_days": days, "pfs_event": True, "os_days": days, "os_event": True, "dlt": rng.random(n) < 0.1,
        "dlt_evaluable": rng.random(n) < 0.8, "relative_dose_intensity": 0.9, "grade_3_4_rash": rng.random(n) < 0.05,
        **dict.fromkeys(studies.PATHWAY, 0.4),
    })  # fmt: skip


@pytest.fixture(scope="module")
def found():
    """1,000 trials of 80 against 40 patients, followed for up to 60 months."""
    asked = SETTINGS.model_copy(update={"studies_per_draw": 1000, "accrual_months": 12.0, "follow_up_months": 48.0})
    rng = np.random.default_rng(1)
    of = {"drug": studies.drawn(rng, BANK, 80, asked), "control": studies.drawn(rng, BANK, 40, asked)}
    tables, months = {"drug": table(2, HR), "control": table(3)}, np.arange(0.0, 13.0, 3.0)
    return studies.published(tables, of, asked, months, studies.Beyond(0.0, 0.0, 0.0, 0.0, rng)), of


def value(found, arm, endpoint):
    rows = found[0][0]
    return rows[(rows["arm"] == arm) & (rows["endpoint"] == endpoint)]["value"].to_numpy()


def test_rates_are_binomial(found):
    """Mean and variance over trials; z within 4 (false alarm 6e-5 each)."""
    for arm, n in (("drug", 80), ("control", 40)):
        rate = value(found, arm, "orr")
        assert abs(rate.mean() - RATE) < 4 * np.sqrt(RATE * (1 - RATE) * (1 / (n * 1000) + 1 / BANK))
        assert np.var(rate) == pytest.approx(RATE * (1 - RATE) / n, rel=4 * np.sqrt(2 / 1000))
    assert np.all(value(found, "drug", "dcr") == 1.0) and np.all(value(found, "drug", "clinical_benefit_rate") == 0.0)


def test_dlts_are_of_those_who_can_be_judged(found):
    assert value(found, "drug", "dlt_rate").mean() == pytest.approx(0.1, abs=0.01)
    assert len(value(found, "control", "dlt_rate")) == 0  # a control has no dose to limit


def test_medians_and_landmarks_are_those_of_the_exponential(found):
    for arm, hr in (("drug", HR), ("control", 1.0)):
        assert np.median(value(found, arm, "median_pfs_months")) == pytest.approx(MEDIAN / hr, rel=0.05)
        assert value(found, arm, "pfs_6_months").mean() == pytest.approx(0.5 ** (6 * hr / MEDIAN), abs=0.01)
    curve = found[0][1].query("arm == 'control' and endpoint == 'pfs'").groupby("months")["survival"].mean()
    assert curve.to_numpy() == pytest.approx(0.5 ** (curve.index.to_numpy() / MEDIAN), abs=0.012)


def test_hazard_ratios_are_centred_with_the_spread_of_their_events(found):
    """SD of the log hazard ratio of two exponential arms with all events: sqrt(1/80 + 1/40)."""
    log_hr = np.log(value(found, studies.BOTH, "pfs_hr"))
    assert np.mean(log_hr) == pytest.approx(np.log(HR), abs=0.03)
    assert np.std(log_hr) == pytest.approx(np.sqrt(1 / 80 + 1 / 40), rel=0.12)


def test_nobody_is_seen_after_the_cut_off(found):
    for of in found[1].values():
        days = of.follow_up / MONTH
        assert days.min() >= 48.0 and days.max() <= 60.0
        assert stats.kstest((60.0 - days[:200].ravel()) / 12.0, "uniform").pvalue > 1e-4


def test_a_median_that_is_not_reached_is_later_than_any_other():
    curve = kaplan_meier(np.array([[1.0, 2.0, 3.0], [1.0, 2.0, 3.0]]), np.array([[False, False, True], [True, True, False]]))
    assert curve.median().tolist() == [3.0, 2.0]
    curve = kaplan_meier(np.array([[1.0, 2.0, 3.0]]), np.zeros((1, 3), bool))
    assert curve.median().tolist() == [np.inf]


def test_only_patients_with_the_alterations_asked_for_come_in():
    config = compose("predict")
    asked = config.analysis.model_copy(update={"selection": {"pik3ca": True, "kras": False}})
    from trialsim.cohort import sample_cohort

    ids = studies.eligible(config, asked, 50)
    cohort = sample_cohort(config.cohort, config.tumour, config.seed, ids)
    assert len(np.unique(ids)) == 50 and cohort["pik3ca"].all() and not cohort["kras"].any()
    assert np.array_equal(studies.eligible(config, asked, 20), ids[:20])  # the same patients in a larger trial
    everything = dict.fromkeys(("pik3ca", "pten_mutation", "akt1", "tsc", "kras", "mtor"), True)
    with pytest.raises(ConfigError, match="analysis.selection.*at least 1 in 2000"):
        studies.eligible(config, asked.model_copy(update={"selection": everything}), 20)
