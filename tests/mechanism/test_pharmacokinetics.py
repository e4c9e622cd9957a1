"""Closed forms against a matrix exponential, conservation, published exposures."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.linalg import expm
from typical import adult

from trialsim.mechanism.pharmacokinetics import Oral, PKParameters, disposition, whole_blood

TYPICAL = dict(CL=34.7, Vc=175.0, Q=85.7, Vp=577.0)


def parameters(MAT=0.404, CL=34.7, Vc=175.0, Q=85.7, Vp=577.0, F=0.4, hct=0.38):
    alpha, beta, share = disposition(jnp.float32(CL), Vc, Q, Vp)
    return PKParameters(alpha, beta, share, *(jnp.float32(v) for v in (Vc, F, MAT, 0.27, hct, 964.0, 92.0, 0.153)))


NOTHING = jnp.zeros(3)


def after(p, amounts, dose, hours):
    """(gut, fast, slow), ng/mL, some hours after a dose (mg) on top of ``amounts``."""
    return Oral(5).propagator(p, jnp.float32(hours)) @ amounts.at[0].add(Oral.dose(p, dose))


def oracle(t, dose, MAT, CL, Vc, Q, Vp, F):
    """Central concentration (ng/mL) from the seven-compartment matrix exponential."""
    ktr = 5.0 / MAT
    A = np.zeros((7, 7))
    for i in range(5):
        A[i, i] = -ktr
        A[i + 1, i] = ktr
    A[5, 5] -= (CL + Q) / Vc
    A[5, 6] += Q / Vp
    A[6, 5] += Q / Vc
    A[6, 6] -= Q / Vp
    x = np.zeros(7)
    x[0] = F * dose
    return 1e3 * (expm(A * t) @ x)[5] / Vc


@pytest.mark.parametrize("MAT", [0.1, 0.404, 2.0, 5.3, 6.2, 9.0])  # 5.3 and 6.2: ktr near alpha (flip-flop)
def test_independent_single_dose_equals_matrix_exponential(MAT):
    p = parameters(MAT=MAT)
    for t in (0.05, 0.5, 1.0, 3.0, 8.0, 24.0):
        got = after(p, NOTHING, 10.0, t)
        expected = oracle(t, 10.0, MAT, F=0.4, **TYPICAL)
        assert float(got[1] + got[2]) == pytest.approx(expected, rel=2e-4, abs=2e-4), (MAT, t)


def daily_profile(p, dose, days, grid=2000):
    state = NOTHING
    for _ in range(days):
        state = after(p, state, dose, 24.0)
    t = jnp.linspace(0.0, 24.0, grid)
    start = state.at[0].add(Oral.dose(p, dose))
    return np.asarray(t), np.asarray(jax.vmap(lambda t: Oral(5).rows(p, t)[0] @ start)(t))


def test_analytic_steady_state_auc_is_dose_over_clearance():
    t, c = daily_profile(parameters(), 10.0, 30, 400)
    assert np.trapezoid(c, t) == pytest.approx(1e3 * 0.4 * 10.0 / 34.7, rel=5e-3)


def test_conservation_slow_absorption_spills_into_the_next_day():
    p = parameters(MAT=20.0)
    state = after(p, NOTHING, 10.0, 24.0)
    to_come_mg = float(state[0]) * 175.0 / 1e3
    assert to_come_mg > 0.3  # a third of a mg and more
    assert float(after(p, state, 0.0, 24.0)[0]) < float(state[0])


@pytest.mark.parametrize("MAT", [0.1, 0.404, 5.3])
def test_slope_of_the_concentration_is_its_derivative(MAT):
    p, start = parameters(MAT=MAT), NOTHING.at[0].set(100.0).at[2].set(5.0)
    plasma = lambda t: float(Oral(5).rows(p, jnp.float32(t))[0] @ start)
    for t in (0.5, 1.0, 6.0):
        slope = float(Oral(5).rows(p, jnp.float32(t))[1] @ start)
        assert slope == pytest.approx((plasma(t + 0.01) - plasma(t - 0.01)) / 0.02, rel=0.03, abs=0.03)


@pytest.mark.parametrize("dose, auc, cmax, cmin", [(5.0, 246, 39.6, 5.2), (10.0, 479, 73.7, 10.3)])
def test_published_adult_exposure(drug, dose, auc, cmax, cmin):
    """Steady state that the published parameters give (derived from ter Heine 2018)."""
    p = adult(drug)
    t, plasma = daily_profile(p, dose, 20, 600)
    blood = np.asarray(whole_blood(p, plasma))
    assert np.trapezoid(blood, t) == pytest.approx(auc, rel=0.03)
    assert blood.max() == pytest.approx(cmax, rel=0.03)
    assert blood[-1] == pytest.approx(cmin, rel=0.05)


def test_published_haematocrit_changes_blood_but_not_plasma(drug):
    """Whole-blood AUC falls by about half from haematocrit 45 to 20 % (van Erp 2016: ~50 %); CL/F of plasma does not."""
    out = {}
    for hct in (0.45, 0.20):
        p = adult(drug, hct)
        t, plasma = daily_profile(p, 10.0, 20, 300)
        out[hct] = np.trapezoid(plasma, t), np.trapezoid(np.asarray(whole_blood(p, plasma)), t)
    assert out[0.20][0] == pytest.approx(out[0.45][0], rel=0.01)
    assert 0.40 < 1 - out[0.20][1] / out[0.45][1] < 0.55


def test_published_child_pugh_b_halves_clearance(drug):
    """Kovarik 2001: AUC +115 % in Child-Pugh B."""
    ratio = []
    for level in ("normal", "child_pugh_b"):
        p = adult(drug, hepatic_function=[level])
        t, plasma = daily_profile(p, 2.0, 60, 200)
        ratio.append(np.trapezoid(plasma, t))
    assert ratio[1] / ratio[0] == pytest.approx(2.13, rel=0.05)


def test_published_children_clear_more_per_m2(drug):
    """Label: trough per mg/m2 lower than in adults, more so in small children (-54 % below 10 y, -40 % at 10-18 y)."""

    def trough_per_mg_m2(age, bsa, ffm):
        p = adult(drug, age_y=[age], bsa_m2=[bsa], ffm_kg=[ffm], haematocrit=[0.38])
        _, plasma = daily_profile(p, 5.0 * bsa, 20, 50)
        return float(whole_blood(p, plasma[-1]))

    grown = trough_per_mg_m2(50.0, 1.85, 57.2)
    assert 0.35 < trough_per_mg_m2(8.0, 0.95, 22.0) / grown < 0.57
    assert 0.45 < trough_per_mg_m2(14.0, 1.5, 40.0) / grown < 0.75


def test_whole_blood_saturates_in_red_cells():
    p = parameters()
    low, high = (float(whole_blood(p, jnp.float32(c))) / c for c in (1.0, 300.0))
    assert high < 0.5 * low
