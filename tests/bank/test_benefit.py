"""Designs on a bank of exponential patients, against power formulas and exact probabilities."""

import numpy as np
import pytest
from scipy import stats
from synthetic import population

from trialsim import compose
from trialsim.bank import benefit
from trialsim.bank.stream import streams
from trialsim.designs import operating
from trialsim.designs.randomised.sizes import schoenfeld_power
from trialsim.designs.single_arm.binomial import positive_probability
from trialsim.designs.single_arm.settings import looks_of


def shipped(kind, **changed):
    return compose("dose_response", {"design": kind}).design.model_copy(update=changed)


def played(design, who, replicates=1000, batches=10, most=750, seed=1):
    parts = streams(len(who.group), replicates, most, batches, 40.0, seed)
    found = [benefit.play(design, who, stream, 21.0, 10.0, [seed, i]) for i, stream in enumerate(parts)]
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


def test_only_what_designs_compare_is_simulated():
    designs = [shipped("all_comers"), shipped("select_the_winner"), shipped("randomised_fixed", crossover_probability=0.5)]
    assert benefit.treatments_of(designs, 10.0) == ["drug", "control", "dose_5", "crossover"]
