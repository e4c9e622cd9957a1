"""What a calibration is judged by: studies left out, predictive checks, contraction. Small problems with made-up emulators."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import logsumexp

from trialsim.calibration import criticism, informed
from trialsim.calibration.fits import Fit, masks, without
from trialsim.calibration.left_out import as_without, judged
from trialsim.calibration.likelihood import log_likelihood
from trialsim.calibration.problem import alone, evidence_of
from trialsim.calibration.published import Number, numbers_of
from trialsim.cli.trial_file import compose_trial
from trialsim.sbc.hierarchies import made_up_problem


@pytest.fixture(scope="module")
def evidence():
    return evidence_of([compose_trial(name) for name in ("radiant3", "ng13")])


@pytest.fixture(scope="module")
def problem(evidence):
    return made_up_problem(evidence)


@pytest.fixture(scope="module")
def fit(problem):
    """As if the posterior were the prior."""
    draws = informed.prior_draws(problem, 0)
    rng = np.random.default_rng(0)
    draws |= {f"e_{kind}": rng.normal(size=(len(draws["rho"]), len(numbers))) for kind, numbers in problem.kinds.items()}
    return Fit({name: value[:60] for name, value in draws.items()}, {}, {})


def test_numbers_of_low_trust_count_as_of_half_as_many_patients(evidence):
    arm = next(arm for arm in evidence.arms if arm.name == "radiant3/drug")  # trust: low
    assert {one.n for one in numbers_of([arm]) if one.endpoint == "orr"} == {round(arm.patients / 2)}
    good = next(arm for arm in evidence.arms if arm.name == "ng13/drug")
    assert max(one.n for one in numbers_of([good])) > good.patients / 2


def test_a_study_left_out_leaves_all_its_numbers_out(problem):
    found = masks(problem.kinds, without("RADIANT3"))
    for kind, numbers in problem.kinds.items():
        assert found[kind].tolist() == [one.study != "RADIANT3" for one in numbers]
    assert sum(mask.sum() for mask in found.values()) == sum(one.study == "NG13" for one in problem.numbers) > 0


def test_what_one_study_alone_tells_of_is_named(evidence):
    found = alone(evidence).set_index("study")
    assert found.loc["RADIANT3", "tumour_types"] == "pancreatic_net" and found.loc["NG13", "tumour_types"] == "colorectal"
    assert set(found["partners"]) == {""}


def test_the_log_likelihood_of_a_study_is_the_mean_over_its_own_effects(problem, fit):
    """Sobol and Gauss-Hermite against plain Monte Carlo."""
    import jax

    found = criticism.study_log_likelihood(problem, fit, 1)
    study, rng = "NG13", np.random.default_rng(2)
    place, d = problem.system.studies.index(study), fit.draws
    k = int(found[:, place].argmax())  # elsewhere plain Monte Carlo hangs on a few points
    omega = np.array([d["omega_growth"][k], d["omega_dependence"][k]])
    of_rate = [d["tau_response" if one.endpoint == "orr" else "tau_control"][k] for one in problem.kinds["rate"]]
    sd = {"rate": np.hypot(of_rate, problem.data.rate_error), "time": np.hypot(d["tau_time"][k], problem.data.time_error)}
    sd["ratio"] = d["tau_ratio"][k]
    with jax.enable_x64(True):

        @jax.jit
        def once(u, e):
            outcomes = problem.system.outcomes(d["shifts"][k], omega * u)
            return log_likelihood(problem.data, outcomes, {kind: e[kind] * sd[kind] for kind in e})

        terms = []
        for _ in range(3000):
            e = {kind: rng.normal(size=len(numbers)) for kind, numbers in problem.kinds.items()}
            each = once(rng.normal(size=(len(problem.system.studies), 2)), e)
            terms.append(sum(float(np.asarray(each[kind])[i]) for kind, numbers in problem.kinds.items()
                             for i, one in enumerate(numbers) if one.study == study))  # fmt: skip
    by_hand, weights = logsumexp(terms) - np.log(len(terms)), np.exp(np.array(terms) - max(terms))
    error = weights.std() / weights.mean() / np.sqrt(len(terms))
    assert abs(found[k, place] - by_hand) < 4 * error + 0.05  # 4 SE of the Monte Carlo sum; 0.05: of 64 points


def test_equal_weights_change_nothing_but_the_study_s_own_effects(problem, fit):
    count = len(fit.draws["rho"])
    found = as_without(problem, fit, "NG13", np.full(count, 1.0 / count), np.random.default_rng(0))
    assert set(found["rho"]) <= set(fit.draws["rho"])
    place = problem.system.studies.index("NG13")
    assert not set(found["u"][:, place, 0]) & set(fit.draws["u"][:, place, 0])
    other = 1 - place
    assert set(found["u"][:, other, 0]) <= set(fit.draws["u"][:, other, 0])


def test_a_weight_of_one_leaves_one_draw(problem, fit):
    weights = np.zeros(len(fit.draws["rho"]))
    weights[7] = 1.0
    found = as_without(problem, fit, "NG13", weights, np.random.default_rng(0))
    assert set(found["rho"]) == {fit.draws["rho"][7]}


def test_contraction_is_what_the_variance_lost(problem):
    prior = informed.prior_draws(problem, 5)
    halved = {name: value.mean(axis=0) + 0.5 * (value - value.mean(axis=0)) for name, value in prior.items()}
    same, half = (informed.contraction(problem, draws, 6).set_index("parameter")["contraction"] for draws in (prior, halved))
    assert np.abs(same).max() < 0.25 and np.abs(same).median() < 0.05  # two samples of 4,000 from the same prior, some heavy-tailed
    assert half.median() == pytest.approx(0.75, abs=0.02)


def test_predictive_checks_find_what_the_replicates_do_not_have():
    rng = np.random.default_rng(0)
    numbers = [Number("S", f"t{i}/drug", "orr", 0.0 if i < 8 else 0.2, 40, np.nan) for i in range(10)]
    right = {one.name: rng.binomial(40, 0.001 if one.value == 0 else 0.2, 400) / 40 for one in numbers}
    wrong = {one.name: rng.binomial(40, 0.2, 400) / 40 for one in numbers}
    p = lambda predicted: criticism.checks(numbers, predicted).set_index("check").loc["arms in which nobody responds", "p"]
    assert 0.05 < p(right) < 0.95 and p(wrong) < 0.01


def test_the_correlation_of_pairs_is_that_of_numpy():
    y = np.random.default_rng(1).uniform(0.1, 0.9, (3, 20))
    expected = [np.corrcoef(row[::2], np.log(row[1::2]))[0, 1] for row in y]
    np.testing.assert_allclose(criticism._correlation(y), expected)


def test_a_judged_number_has_its_interval_and_score():
    one = Number("S", "t/drug", "orr", 0.1, 50, np.nan)
    found = judged([one, one._replace(endpoint="pfs_6")], {one.name: np.linspace(0, 0.2, 201)}, "mechanistic", 1)
    assert isinstance(found, pd.DataFrame) and len(found) == 1  # landmarks are fitted, not judged
    row = found.iloc[0]
    assert row["inside_50"] and row["median"] == pytest.approx(0.1) and 0.45 < row["rank"] < 0.55
    assert row["low_90"] == pytest.approx(0.01, abs=1e-3) and row["high_90"] == pytest.approx(0.19, abs=1e-3)
