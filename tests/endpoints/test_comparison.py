"""Tests of two arms: against statsmodels and R's survival on random data with ties, and at the edges."""

import shutil
import subprocess

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.duration.hazard_regression import PHReg
from statsmodels.duration.survfunc import SurvfuncRight, survdiff

from trialsim.endpoints import survival
from trialsim.endpoints.comparison import kaplan_meier, log_rank, restricted_mean_difference
from trialsim.endpoints.hazards import cox

CLOSE = {"abs": 1e-6, "rel": 1e-6}


def trial(seed, n=60, ties=True, trials=()):
    """Censored data; with ties, times are whole numbers and every time has events and censorings."""
    rng = np.random.default_rng(seed)
    shape = (*trials, n)
    arm, stratum = rng.random(shape) < 0.4, rng.integers(3, size=shape)
    time, censored = rng.exponential(8.0 * np.exp(0.6 * arm + 0.3 * stratum)), rng.exponential(15.0, shape)
    if ties:
        time, censored = np.ceil(time), np.ceil(censored)
    return np.minimum(time, censored), time <= censored, arm, stratum


seeds = st.integers(0, 2**32 - 1)


@settings(max_examples=25, deadline=None)
@given(seeds, st.booleans(), st.booleans(), st.sampled_from([None, 0.5, 1.0]))
def test_independent_log_rank_agrees_with_statsmodels(seed, ties, stratified, rho):
    time, event, arm, stratum = trial(seed, ties=ties)
    strata = stratum if stratified else None
    weights = {} if rho is None else {"weight_type": "fh", "fh_p": rho}
    with np.errstate(divide="ignore"):
        chi_square, _ = survdiff(time, event.astype(int), arm.astype(int), strata=strata, **weights)
    found = log_rank(time, event, arm, strata, rho=rho or 0.0)
    assert found.chi_square == pytest.approx(chi_square, **CLOSE)
    assert found.z**2 == pytest.approx(found.chi_square)


@settings(max_examples=25, deadline=None)
@given(seeds, st.booleans(), st.booleans(), st.sampled_from(["efron", "breslow"]))
def test_independent_hazard_ratio_agrees_with_statsmodels(seed, ties, stratified, method):
    time, event, arm, stratum = trial(seed, ties=ties)
    strata = stratum if stratified else None
    if min(event[arm].sum(), event[~arm].sum()) < 3:
        return
    fit = PHReg(time, arm[:, None].astype(float), event.astype(int), ties=method, strata=strata).fit()
    found = cox(time, event, arm, strata, ties=method)
    assert found.log_hr == pytest.approx(fit.params[0], **CLOSE)
    assert found.se == pytest.approx(fit.bse[0], **CLOSE)


@settings(max_examples=25, deadline=None)
@given(seeds, st.booleans())
def test_independent_curve_agrees_with_statsmodels(seed, ties):
    time, event, arm, _ = trial(seed, ties=ties)
    curve = SurvfuncRight(time[arm], event[arm])
    s, se = kaplan_meier(time, event, arm).at(curve.surv_times)
    assert s == pytest.approx(curve.surv_prob, **CLOSE)
    some = curve.surv_prob > 1e-9  # where nobody is left, Greenwood's sum has no last term
    assert se[some] == pytest.approx(curve.surv_prob_se[some], **CLOSE)


@pytest.mark.parametrize("seed", range(3))
def test_one_curve_gives_the_same_restricted_means(seed):
    time, event, arm, _ = trial(seed)
    found = restricted_mean_difference(time, event, arm, 10.0)
    alone = [survival.restricted_mean(survival.kaplan_meier(time[side], event[side]), 10.0) for side in (~arm, arm)]
    assert found.mean == pytest.approx([one.estimate for one in alone], abs=1e-12)
    assert 1.959963985 * found.mean_se == pytest.approx([(one.high - one.low) / 2 for one in alone], abs=1e-8)
    assert found.difference == pytest.approx(alone[1].estimate - alone[0].estimate, abs=1e-12)


def test_analytic_without_censoring_a_restricted_mean_is_a_mean():
    time = np.random.default_rng(0).exponential(8.0, (5, 40))
    arm = np.arange(40) % 2 == 0
    found = restricted_mean_difference(time, np.ones(40, bool), arm, 6.0)
    cut = np.minimum(time, 6.0)
    assert found.difference == pytest.approx(cut[:, arm].mean(1) - cut[:, ~arm].mean(1))
    assert found.mean_se[:, 1] == pytest.approx(cut[:, arm].std(1) / np.sqrt(20))


@pytest.mark.parametrize("stratified", [False, True])
def test_trials_do_not_know_of_each_other_nor_of_the_excluded(stratified):
    time, event, arm, stratum = trial(1, trials=(2, 3))
    included = np.random.default_rng(2).random(time.shape) < 0.7
    strata = stratum if stratified else None
    functions = [
        lambda *data: log_rank(*data, gamma=1.0),
        lambda *data: cox(*data),
        lambda t, d, z, s, here: restricted_mean_difference(t, d, z, 5.0, here),
    ]
    for function in functions:
        together = function(np.where(included, time, np.nan), event, arm, strata, included)
        for i in np.ndindex(2, 3):
            here = included[i]
            s = stratum[i][here] if stratified else None
            alone = function(time[i][here], event[i][here], arm[i][here], s, None)
            for many, one in zip(together, alone, strict=True):
                assert many[i] == pytest.approx(one, abs=1e-9)


def test_analytic_log_rank_of_four_patients():
    """Deaths at 1 (arm 0 of 2 + 2) and 3 (arm 1 of 2): O - E = 1 - (1/2 + 1), V = 1/4."""
    found = log_rank([1.0, 2.0, 3.0, 4.0], [True, False, True, False], [False, False, True, True])
    assert (found.observed, found.expected, found.variance, found.events) == (1.0, 1.5, 0.25, 2.0)
    assert found.z == -1.0
    # S(t-) is 1, then 3/4
    late = log_rank([1.0, 2.0, 3.0, 4.0], [True, False, True, False], [False, False, True, True], gamma=1.0)
    assert (late.observed, late.expected) == (0.25, 0.25)


NOTHING = {
    "no events": ([1.0, 2, 3, 4], [False] * 4, [0, 1, 0, 1]),
    "control empty": ([1.0, 2, 3, 4], [True] * 4, [1, 1, 1, 1]),
    "drug empty": ([1.0, 2, 3, 4], [True] * 4, [0, 0, 0, 0]),
    "everybody at one time": ([2.0] * 4, [True] * 4, [0, 1, 0, 1]),
    "nobody": ([], [], []),
}


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("name", NOTHING)
def test_edges_have_an_answer(name):
    time, event, arm = (np.array(x, kind) for x, kind in zip(NOTHING[name], (float, bool, bool), strict=True))
    found = log_rank(time, event, arm)
    assert found.z == found.chi_square == found.variance == 0.0
    fit = cox(time, event, arm)
    if name == "everybody at one time":  # Efron's terms still compare the arms: as many on each
        assert fit.log_hr == pytest.approx(0.0)
    else:
        assert np.isnan(fit.log_hr) and np.isnan(fit.se)
    means = restricted_mean_difference(time, event, arm, 2.0)
    known = name in ("no events", "everybody at one time")
    assert (means.difference == 0.0) if known else np.isnan(means.difference)


@pytest.mark.filterwarnings("error")
def test_an_arm_without_events_has_a_test_but_no_hazard_ratio():
    time, event, arm = np.arange(1.0, 9), np.arange(8) % 2 == 0, np.arange(8) % 2 == 1
    assert log_rank(time, event, arm).z < -1.0
    assert np.isnan(cox(time, event, arm).log_hr)
    # arm 1 has events, but only after the last patient of arm 0 has gone: no finite ratio either
    assert np.isnan(cox([1.0, 2, 3, 4], [True] * 4, [False, False, True, True]).log_hr)


def test_a_curve_is_unknown_beyond_its_last_patient():
    s, se = kaplan_meier([1.0, 2.0, 3.0], [True, False, False]).at([0.5, 1.0, 3.0, 3.1])
    assert s == pytest.approx([1.0, 2 / 3, 2 / 3, np.nan], nan_ok=True)
    assert se[1] == pytest.approx(np.sqrt(2 / 27))
    assert kaplan_meier([1.0, 2.0], [True, True]).at(5.0)[0] == 0.0
    apart = np.array([True, True, True, False])  # whom the excluded must not make longer
    assert np.isnan(kaplan_meier([1.0, 2.0, 3.0, 9.0], [True, False, False, True], apart).at(3.1)[0])
    arm = np.array([False, True, False, True])
    assert np.isnan(restricted_mean_difference([3.0, 2.0, 3.0, 9.0], [False] * 4, arm, 2.5, apart).difference)


@pytest.fixture(scope="module")
def r():
    """Runs lines of R with the package survival loaded; their printed numbers."""
    if shutil.which("Rscript") is None or subprocess.run(["Rscript", "-e", "library(survival)"], capture_output=True).returncode:
        pytest.skip("R with its package survival is not installed")

    def run(code: str) -> list[float]:
        answer = subprocess.run(["Rscript", "-e", "library(survival); " + code], capture_output=True, text=True, check=True)
        return [float(word) for word in answer.stdout.split()]

    return run


def vector(x):
    return f"c({','.join(repr(float(value)) for value in x)})"


@pytest.mark.parametrize("seed", range(5))
def test_independent_r_survival_agrees(r, seed):
    time, event, arm, stratum = trial(seed)
    lines = [f"{name} <- {vector(x)}" for name, x in zip("tdzs", (time, event, arm, stratum), strict=True)]
    lines += [f"cat(format(survdiff(Surv(t, d) ~ z, rho = {rho})$chisq, digits = 12), '')" for rho in (0, 0.5)]
    lines += ["cat(format(survdiff(Surv(t, d) ~ z + strata(s))$chisq, digits = 12), '')"]
    for ties in ("efron", "breslow"):
        for formula in ("z", "z + strata(s)"):
            lines += [f"f <- coxph(Surv(t, d) ~ {formula}, ties = '{ties}', control = coxph.control(eps = 1e-12))"]
            lines += ["cat(format(c(coef(f)[1], sqrt(vcov(f)[1, 1])), digits = 12), '')"]
    found = [log_rank(time, event, arm, rho=rho).chi_square for rho in (0.0, 0.5)]
    found += [log_rank(time, event, arm, stratum).chi_square]
    for ties in ("efron", "breslow"):
        for strata in (None, stratum):
            fit = cox(time, event, arm, strata, ties=ties)
            found += [fit.log_hr, fit.se]
    assert [float(x) for x in found] == pytest.approx(r("; ".join(lines)), **CLOSE)
