"""Designs on a bank of exponential patients, against power formulas and exact probabilities."""

from functools import cache

import numpy as np
import pytest
from bank_of_outcomes import population, tables
from scipy import stats

from trialsim import compose
from trialsim.bank import benefit
from trialsim.bank.players import Question, player_of
from trialsim.bank.stream import streams
from trialsim.designs import operating
from trialsim.designs.randomised.sizes import schoenfeld_power
from trialsim.designs.single_arm.binomial import positive_probability
from trialsim.designs.single_arm.from_settings import looks_of
from trialsim.schema import ConfigError
from trialsim.schema.design.treatments import treatments_of


@cache
def as_shipped(kind):
    return compose("dose_response", {"design": kind}).design


def shipped(kind, **changed):
    return as_shipped(kind).model_copy(update=changed)


def played(design, who, replicates=1000, batches=10, most=750, seed=1):
    player = player_of(design, Question(21.0, 10.0), 7)
    parts = streams(len(who.group), replicates, most, batches, 40.0, seed)
    found = [benefit.play(player, who, stream, [seed, i]) for i, stream in enumerate(parts)]
    batch = np.concatenate([np.full(len(part), i) for i, part in enumerate(found)])
    return {name: np.concatenate([part[name] for part in found]) for name in found[0]}, batch


@pytest.fixture(scope="module")
def everyone():
    return population(hr_positive=0.7, hr_negative=0.7)


def test_power_and_type_one_error_of_a_randomised_trial(everyone):
    design = shipped("all_comers", replicate_size=400, events=200, alpha=0.025)
    found, batch = played(design, everyone)
    power = float(schoenfeld_power(np.log(0.7), 200, 0.025))
    for name, truth in (("declared", power), ("declared_without_effect", 0.025)):
        mean, error = found[name].mean(), operating.monte_carlo_error(found[name], batch)
        assert abs(mean - truth) < 4.5 * max(error, 0.004), name  # the formula itself is good to a point of power
    assert abs(found["error"].mean()) < 0.03 and found["covered"].mean() == pytest.approx(0.95, abs=0.03)
    assert np.array_equal(found["group_0"], found["declared"]), "all comers are treated together or not at all"


def test_a_wrong_critical_value_shows(everyone):
    design = shipped("all_comers", replicate_size=400, events=200, alpha=0.06)
    found, batch = played(design, everyone)
    error = operating.monte_carlo_error(found["declared_without_effect"], batch)
    assert abs(found["declared_without_effect"].mean() - 0.025) > 4.5 * max(error, 0.004)


def test_enrichment_treats_the_positive_only_and_screens_for_them():
    who = population(hr_positive=0.4, hr_negative=1.0)
    found, _ = played(shipped("enriched", replicate_size=150, events=100), who, replicates=200)
    positive = (who.groups["marker"] == "positive").to_numpy()
    treats = np.stack([found[f"group_{j}"] for j in range(len(positive))], axis=1)
    assert found["declared"].mean() > 0.95 and not treats[:, ~positive].any()
    share = found["enrolled"] / found["screened"]
    assert share.mean() == pytest.approx(who.positive.mean(), abs=0.03)
    assert np.abs(found["error"].mean()) < 0.05, "the estimate is of positive patients"


def test_a_single_arm_is_positive_as_often_as_the_exact_probability():
    who = population(hr_positive=0.5, hr_negative=0.5)
    design = shipped("simon_optimal")
    found, batch = played(design, who, replicates=2000)
    verdict = who.verdict("drug", design.outcome, design.assess_weeks)
    exact = float(positive_probability(looks_of(design), verdict.success.mean()))
    assert 0.05 < exact < 0.999
    error = operating.monte_carlo_error(found["declared"], batch)
    assert abs(found["declared"].mean() - exact) < stats.t.ppf(1 - 5e-5, 9) * error
    assert abs(found["error"].mean()) < 4.5 * operating.monte_carlo_error(found["error"], batch), "the estimate is unbiased"
    covered = found["covered"].mean()
    assert 0.95 - 4.5 * operating.monte_carlo_error(found["covered"], batch) < covered < 0.995, "the interval knows of the looks"


def test_only_what_designs_compare_is_simulated():
    designs = [shipped("all_comers"), shipped("select_the_winner"), shipped("randomised_fixed", crossover_probability=0.5)]
    assert treatments_of(designs, 10.0) == ["drug", "control", "dose_5", "crossover"]


def with_more_treatments(who):
    """The same bank with half a dose (a smaller effect) and the drug alone (none beside its partner's)."""
    outcomes = dict(who.outcomes) | {"dose_5": tables(len(who.group), hr_positive=0.7, hr_negative=0.7)[0]["drug"]}
    return who._replace(outcomes=outcomes | {"alone": who.outcomes["control"]})


@pytest.mark.parametrize(
    ("kind", "changed"),
    [
        ("single_stage", {}), ("predictive_probability", {}), ("group_sequential_spending", {"replicate_size": 300, "events": 200}),
        ("marker_stratified_fallback", {}), ("adaptive_enrichment", {}), ("select_the_winner", {}),
        ("arm_dropping", {"calibration_replicates": 1000}), ("historical_control", {"outcome": "disease_control"}),
        ("basket_berry", {"outcome": "disease_control", "gamma": 0.9}),
    ],
)  # fmt: skip
def test_every_family_finds_a_strong_drug_and_seldom_a_useless_one(kind, changed):
    who = with_more_treatments(population(hr_positive=0.35, hr_negative=0.35, median_months=3.0))
    if kind.startswith("basket"):  # 41 and 55 % of the two types are without progression at that time on no drug
        rates = {"null_rate": 0.55, "target_rate": 0.8}
        changed = changed | {"baskets": {name: one.model_copy(update=rates) for name, one in shipped(kind).baskets.items()}}
    found, batch = played(shipped(kind, **changed), who, replicates=300)
    error = {name: operating.monte_carlo_error(found[name], batch) for name in found}
    assert found["declared"].mean() > 0.8
    assert found["declared_without_effect"].mean() < 0.35
    assert np.all(found["enrolled"] <= found["screened"] + 1e-9) and np.all(found["months"] > 0)
    if np.isfinite(found["error"]).any():
        assert abs(np.nanmean(found["error"])) < max(6.0 * error["error"], 0.12)


def test_a_basket_trial_treats_its_own_types_only():
    who = population(hr_positive=0.35, hr_negative=0.35, median_months=3.0)
    found, _ = played(shipped("basket_pooled", outcome="disease_control", gamma=0.9), who, replicates=100)
    in_basket = (who.groups["tumour_type"] == "rcc_clear_cell").to_numpy()
    treats = np.stack([found[f"group_{j}"] for j in range(len(in_basket))], axis=1)
    assert treats[:, in_basket].mean() > 0.9 and not treats[:, ~in_basket].any(), "colorectal cancer is no basket of this trial"


def test_eligibility_by_the_marker_is_any_designs_and_costs_screening():
    who = population(hr_positive=0.35, hr_negative=1.0, median_months=3.0)
    design = shipped("simon_optimal", p0=0.5, p1=0.7)
    everyone, _ = played(design, who, replicates=200)
    positive, _ = played(design.model_copy(update={"eligible": "marker_positive"}), who, replicates=200)
    assert positive["declared"].mean() > everyone["declared"].mean()
    assert (positive["enrolled"] / positive["screened"]).mean() == pytest.approx(who.positive.mean(), abs=0.06)
    assert np.array_equal(everyone["enrolled"], everyone["screened"])


def test_too_few_eligible_patients_are_told():
    who = population(prevalence=0.02)
    design = shipped("simon_optimal").model_copy(update={"eligible": "marker_positive"})
    with pytest.raises(ConfigError, match="analysis.most_screened = 750 is not allowed: more"):
        played(design, who, replicates=20)
