"""Derivatives against finite differences."""

import numpy as np
import pytest

from trialsim import compose
from trialsim.cohort import sample_cohort
from trialsim.engine import simulate
from trialsim.mechanism.signalling import NetworkConstants
from trialsim.sensitivity import local
from trialsim.sensitivity.priors import changed, constants_of, priors_of
from trialsim.sensitivity.references import REFERENCES

NAMES = ("d_S6K", "k_T308", "K_FRB", "f_S6K", "CLint", "cell_loss", "dependence_sd")


@pytest.fixture(scope="module")
def config():
    return compose("sensitivity", {"cohort.size": 4, "analysis.parameters": list(NAMES)})


def test_slopes_of_reference_levels_are_those_of_finite_differences(config):
    slopes = local.slopes_of_references(config)
    k, spread = constants_of(config), config.network.spread
    for name in ("d_S6K", "cap_4EBP", "f_S6K", "k_T308"):
        values = []
        for sign in (1.0, -1.0):
            feedback = {one: getattr(spread, one) for one in ("f_S6K", "f_GRB10")}
            h = 1e-3 * (feedback.get(name) or getattr(k, name))
            if name in feedback:
                moved, feedback = k, feedback | {name: feedback[name] + sign * h}
            else:
                moved = k._replace(**{name: getattr(k, name) + sign * h})
            found = local._references(moved, **feedback)
            values.append(np.array([found[one] for one in REFERENCES]))
        assert slopes[name] == pytest.approx((values[0] - values[1]) / (2.0 * h), rel=1e-3, abs=1e-5)  # of relaxation
    assert slopes["k_T308"] == pytest.approx(0.0, abs=1e-9)  # a turnover moves no steady state
    assert slopes["K_KRAS"] == pytest.approx(0.0, abs=1e-12)  # of mutants only


def test_elasticity_is_the_chain_rule(config):
    """ln y = 2 ln a + b with a = p^3 and b = 5 p: d ln y / d ln p = 6 + 5 p."""
    prior = priors_of(config)[0]
    p = prior.value
    slopes = {"a": np.full(2, 2.0 / p**3), "b": np.ones(2), "unused": np.ones(2)}
    links = {prior.name: {"a": 3.0 * p**2, "b": np.array([5.0, 5.0])}}
    assert local.elasticities(slopes, links, [prior])[0] == pytest.approx(np.full(2, 6.0 + 5.0 * p))


def test_a_parameter_that_a_patient_does_not_have_moves_nothing(config):
    patients = sample_cohort(config.cohort, config.tumour, config.seed).assign(kras=False)
    kras = priors_of(compose("sensitivity", {"analysis.parameters": ["K_KRAS", "K_FRB"]}))[0]
    link = local.chain(config, patients, kras, local.slopes_of_references(config))
    assert {name: value for name, value in link.items() if value != 0.0} == {"K_KRAS": 1.0}


def test_reference_levels_are_a_fixed_point(config):
    found = NetworkConstants(**local._references(constants_of(config)._replace(d_S6K=2.0), 0.5, 0.9))
    again = local._references(found, 0.5, 0.9)
    assert again == pytest.approx(found._asdict(), rel=1e-4)


@pytest.mark.slow
def test_elasticities_of_a_course_are_those_of_finite_differences(config):
    patients, priors = sample_cohort(config.cohort, config.tumour, config.seed), priors_of(config)
    course, slopes = local.course_of(config, patients), local.slopes_of_references(config)
    links = {prior.name: local.chain(config, patients, prior, slopes) for prior in priors}
    for outcome in ("C_free_nM", "ps6", "pakt", "diameter_mm"):
        found = local.elasticities(local.slopes_of(course, outcome), links, priors)
        for prior, elasticity in zip(priors, found, strict=True):
            logs = []
            for sign in (1.0, -1.0):
                other = local.course_of(changed(config, {prior.path: prior.value * (1.0 + sign * 1e-3)}), patients)
                seen = simulate(other.model, other.parameters, other.regimen, other.times, other.plan)
                logs.append(np.log(getattr(seen, outcome)[:, -1]))
            assert elasticity == pytest.approx((logs[0] - logs[1]) / 2e-3, rel=2e-3, abs=2e-4), (outcome, prior.name)
    dish = {prior.name: i for i, prior in enumerate(priors)}
    assert np.all(local.elasticities(local.slopes_of(course, "C_free_nM"), links, priors)[dish["d_S6K"]] == 0.0)
