"""Partner drugs: kinetics against an adaptive solver and closed forms, effects on nodes, interactions."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.integrate import solve_ivp

from trialsim import compose
from trialsim.cohort import sample_cohort
from trialsim.mechanism import partners
from trialsim.mechanism.partner_parameters import partner_parameters, rapalog_clearance

N, DAYS = 12, 6
PAIR = ("alpelisib", "gemcitabine")  # once a day by mouth, and an infusion


@pytest.fixture(scope="module")
def people():
    config = compose(overrides={"cohort.size": N, "+partner": list(PAIR)})
    return config, sample_cohort(config.cohort, config.tumour, config.seed)


def parameters(people, which=None):
    config, cohort = people
    chosen = {name: partner for name, partner in config.partner.items() if which is None or name in which}
    found = partner_parameters(cohort, config.drug, chosen, config.tumour, config.seed, np.arange(N))
    return jax.tree.map(lambda leaf: jnp.moveaxis(jnp.asarray(leaf, jnp.float32), 0, -1), found)


def test_independent_amounts_equal_an_adaptive_solver(people):
    p, dose = parameters(people), np.array([300.0, 1700.0])
    given = np.tile(dose[None, :, None], (DAYS, 1, N))
    exposure, _ = partners.course(p, jnp.asarray(given, jnp.float32))
    for j in range(2):
        ka, k, per_mg = (float(np.asarray(leaf)[j, 0]) for leaf in (p.ka, p.k, p.ng_ml_per_mg))
        state, area = np.zeros(2), 0.0
        for day in range(DAYS):
            state[0] += dose[j]
            rates = lambda t, y, ka=ka, k=k: [-ka * y[0], ka * y[0] - k * y[1], y[1]]
            solved = solve_ivp(rates, (0.0, 24.0), [*state, 0.0], method="LSODA", rtol=1e-9, atol=1e-9).y[:, -1]
            state, area = solved[:2], solved[2]
            assert float(exposure.trough[day, j, 0]) == pytest.approx(state[1] * per_mg, rel=1e-3, abs=1e-4 * per_mg)
            assert float(exposure.mean[day, j, 0]) == pytest.approx(area / 24.0 * per_mg, rel=1e-2)


def test_mean_of_a_day_comes_to_dose_over_clearance(people):
    p = parameters(people, ["alpelisib"])
    exposure, _ = partners.course(p, jnp.full((30, 1, N), 300.0, jnp.float32))
    expected = 300.0 * p.ng_ml_per_mg / (24.0 * p.k)  # F dose / CL over a day, whatever the absorption
    assert np.allclose(exposure.mean[-1], expected, rtol=1e-2)


def test_effects_are_fractions_that_rise_with_dose_and_are_absent_without(people):
    p = parameters(people, ["alpelisib"])
    week = lambda dose: partners.course(p, jnp.full((7, 1, N), dose, jnp.float32))[1][0]["PI3K_alpha"]
    ends = [week(dose)[-1] for dose in (0.0, 150.0, 300.0, 3000.0)]
    assert np.all(np.asarray(ends[0]) == 0.0)
    for low, high in zip(ends[:-1], ends[1:], strict=True):
        assert np.all(np.asarray(high) > np.asarray(low))
    assert np.all(np.asarray(ends[-1]) < 1.0)


def test_two_on_one_node_act_independently_and_killing_adds_up():
    found = partners.together([("AKT", 0.5), ("AKT", 0.4), ("cytotoxic", 0.01), ("cytotoxic", 0.02)])
    assert found["AKT"] == pytest.approx(0.7) and found["cytotoxic"] == pytest.approx(0.03)
    assert partners.together([("supply", 0.2), ("supply", 0.1)])["supply"] == pytest.approx(0.28)


def test_a_drug_whose_target_few_tumours_bear_acts_in_those_alone(people):
    config, cohort = people
    targeted = config.partner["alpelisib"].model_copy(update={"acts_in": ("colorectal",)})
    mixed = cohort.assign(tumour_type=["colorectal", "hcc"] * (N // 2))
    found = partner_parameters(mixed, config.drug, {"alpelisib": targeted}, config.tumour, config.seed, np.arange(N))
    maximum = np.asarray(found.maximum)  # (patients, cells, targets)
    assert np.all(maximum[::2, 0] > 0.0) and np.all(maximum[1::2, 0] == 0.0) and np.all(maximum[:, 1] == 0.0)


def test_a_partner_that_is_not_given_leaves_the_rapalog_alone(people):
    config, _ = people
    inhibitor = config.partner["alpelisib"].model_copy(
        update={"cyp3a4": config.partner["alpelisib"].cyp3a4.model_copy(update={"rapalog_CLint": 0.5})}
    )
    none = inhibitor.model_copy(update={"regimen": inhibitor.regimen.model_copy(update={"dose": 0.0})})
    assert rapalog_clearance({"a": inhibitor}) == 0.5 and rapalog_clearance({"a": inhibitor, "b": inhibitor}) == 0.25
    assert rapalog_clearance({"a": none}) == 1.0


def test_comedication_changes_the_clearance_by_the_part_that_is_CYP3A4(people):
    config, cohort = people
    pk, fm = config.drug.pk, config.partner["alpelisib"].cyp3a4.fm
    k = lambda level: np.asarray(parameters((config, cohort.assign(cyp3a4_comedication=level)), ["alpelisib"]).k)[0]
    factor = getattr(pk.interactions, pk.comedication).inhibitor.clearance
    assert factor < 1.0
    assert np.allclose(k("inhibitor") / k("none"), 1.0 + fm * (factor - 1.0), rtol=1e-5)


def test_a_hormone_drug_loses_effect_by_line_and_regains_what_S6K_carries():
    from scipy.special import expit, logit

    config = compose(overrides={"cohort.size": 40, "+partner": ["exemestane"]})
    one_type = config.cohort.model_copy(update={"mix": {"breast_hr": 1.0}})
    cohort, ids = sample_cohort(one_type, config.tumour, config.seed), np.arange(40)
    found = partner_parameters(cohort, config.drug, config.partner, config.tumour, config.seed, ids, -1.5, 0.4)
    nodes = [target.node for target in found.targets]
    left, regained = (found.maximum[:, 0, nodes.index(name)] for name in ("endocrine", "endocrine_regained"))
    full = config.partner["exemestane"].inhibits["endocrine"].max
    lines = np.minimum(cohort["line"].to_numpy(), 5) - 1
    assert set(lines) > {0, 1}
    np.testing.assert_allclose(left, expit(logit(full) - 1.5 * lines))
    np.testing.assert_allclose(regained, 0.4 * (full - left), atol=1e-12)
    assert np.all(found.maximum[:, 1] == 0.0)  # blood cells need no hormone
