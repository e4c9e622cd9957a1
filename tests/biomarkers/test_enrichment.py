"""Enrichment on twins whose effects are known, and the advice drawn from it."""

import numpy as np
import pandas as pd
import pytest
from synthetic import twins_of

from trialsim import compose
from trialsim.biomarkers import effects, enrichment
from trialsim.biomarkers.markers import marker_table
from trialsim.designs.randomised.sizes import schoenfeld_events


@pytest.fixture(scope="module")
def settings():
    return compose("biomarkers", {"analysis.thresholds": [0.5]}).analysis


def plan(settings, n=1500, unknown=0.0, **truth):
    pairs = twins_of(n, 2, **truth)
    markers = marker_table(pairs, settings.registered_types)
    if unknown:
        lost = np.random.default_rng(5).random(n) < unknown
        markers.loc[lost, "pik3ca"] = np.nan
    table, cost = enrichment.enrichment(pairs, markers, effects.resamples(n, 100, 0), None, settings)
    return pairs, table.set_index("rule", drop=False), cost


def test_a_trial_in_positives_is_that_of_their_own_effect(settings):
    pairs, table, _ = plan(settings, interaction=np.log(0.5), share=0.3, unknown=0.1)
    row, everybody = table.loc["pik3ca"], table.loc["all_comers"]
    assert row["hr"] == pytest.approx(0.5, rel=0.1) and 0.7 < everybody["hr"] < 0.95
    assert row["events"] == np.ceil(schoenfeld_events(np.log(row["hr"]), settings.alpha, settings.power))
    assert row["randomised"] == np.ceil(row["events"] / row["event_share"])
    assert row["screened"] == np.ceil(row["randomised"] / row["eligible"])
    assert row["eligible"] == pytest.approx(row["prevalence"] * (1 - row["assay_failure"]))
    assert row["screen_failure"] == pytest.approx(1 - row["eligible"]) and row["assay_failure"] == pytest.approx(0.1, abs=0.03)
    assert row["prevalence"] == pytest.approx(0.3, abs=0.05)
    assert row["cost"] == row["randomised"] + settings.screening_cost * row["screened"]
    assert everybody["screened"] == everybody["randomised"] == everybody["cost"] and everybody["cost_ratio"] == 1
    for name in ("hr", "randomised", "screened", "cost_ratio"):
        assert row[f"{name}_low"] <= row[name] <= row[f"{name}_high"]
    # only marked patients benefit, so that what is missed is those whose assay failed
    assert row["benefit_missed"] == pytest.approx(0.1, abs=0.05)


def test_a_predictive_marker_is_recommended_and_one_without_effect_is_not(settings):
    _, table, _ = plan(settings, interaction=np.log(0.3), share=0.5)
    found = enrichment.recommend(table, settings.confidence)
    # pathway: marked patients and those with another alteration
    assert found["enrich"] and found["rule"] == "pik3ca" and found["cheaper"] > 0.95 and found["cost_ratio"] < 0.7
    _, table, _ = plan(settings, log_hr=np.log(0.7))
    assert table.loc["akt1", "cheaper"] < settings.confidence


def test_nothing_is_recommended_where_the_resamples_disagree():
    table = pd.DataFrame(
        {"rule": ["all_comers", "x"], "label": ["All comers", "X"], "cost": [100.0, 90.0], "cheaper": [0.0, 0.6],
         "best": [0.4, 0.6], "cost_ratio": [1.0, 0.9], "cost_ratio_low": [1.0, 0.5], "cost_ratio_high": [1.0, 1.5]}
    )  # fmt: skip
    found = enrichment.recommend(table, 0.8)
    assert not found["enrich"] and found["rule"] == "all_comers" and found["candidate"] == "x"
    assert enrichment.recommend(table, 0.55)["rule"] == "x"
    hopeless = table.assign(cost=np.inf, cheaper=0.0)
    assert enrichment.recommend(hopeless, 0.8)["candidate"] == "all_comers"
    assert enrichment.recommend(pd.DataFrame(), 0.8)["candidate"] is None


def test_a_drug_without_effect_takes_a_trial_without_end(settings):
    _, table, cost = plan(settings, n=400, log_hr=np.log(1.5))
    assert np.isinf(table.loc["all_comers", "randomised"]) and np.isinf(cost["all_comers"]).all()
    assert not enrichment.recommend(table, settings.confidence)["enrich"]


def test_a_rule_that_keeps_few_is_not_judged(settings):
    _, table, _ = plan(settings, n=400, log_hr=np.log(0.7), share=0.01)
    assert "pik3ca" not in table.index and "akt1" in table.index
