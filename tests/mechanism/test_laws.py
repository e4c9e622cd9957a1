"""Qualitative laws of the mechanism, over the whole prior of the network's constants and over all kinds of cell.

A draw is one number in [0, 1] for each uncertain constant (its place in the prior range) and for each property of the cell, so
that hypothesis can shrink a counterexample towards the lower ends.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from trialsim import compose
from trialsim.mechanism import binding, growth
from trialsim.mechanism.genotype import Alterations, insensitive_share, lasting_r_4E
from trialsim.mechanism.individual import network_constants
from trialsim.mechanism.signalling import CellParameters, Inhibition
from trialsim.mechanism.steady import steady_state

OCCUPANCY = np.array([0.0, 0.2, 0.4, 0.6, 0.8, 0.9, 0.97, 1.0], np.float32)
FRACTIONS = ("T308", "S473", "mTORC2", "RHEB", "S6K", "S6", "BP", "Z", "ULK", "flux", "W")
LEVELS = ("IRS1", "GRB10", "PIP3", "ERK", "CYCD", "protein")
ROUNDING = 2e-4  # of a level in float32 after forty implicit steps

NETWORK = compose().network
PRIORS = NETWORK.priors
CELL = {  # lowest and highest: 95 % of the spread between tumours, or more (conf/network)
    "RTK": (0.4, 2.5), "f_S6K": (0.06, 2.3), "f_GRB10": (0.3, 3.6), "r_4E": (0.0, 0.95), "phi_mTORC2": (0.0, 0.95),
    "R_4EBP": (0.4, 2.2), "mTOR_gain": (0.0, 1.2), "amino_acids": (0.3, 1.0), "ATP": (0.5, 1.0),
}  # fmt: skip
GENES = ("PIK3CA", "KRAS", "AKT1", "PTEN_loss")

unit = st.floats(0.0, 1.0, width=32)
draws = st.fixed_dictionaries(
    {name: unit for name in (*PRIORS, *CELL)} | {name: st.booleans() for name in GENES} | {"dependence": st.floats(0.02, 0.98)}
)
law = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)


def constants(draw):
    """Network constants at the places of the draw in their prior ranges, scaled to their own reference cell."""
    found = {}
    for name, (low, high) in PRIORS.items():
        place = draw[name]
        found[name] = low + (high - low) * place if low == 0.0 else low * (high / low) ** place
    return jax.tree.map(np.float32, network_constants(NETWORK)._replace(**found))


def cell(draw, **changes) -> CellParameters:
    found = {name: low + (high - low) * draw[name] for name, (low, high) in CELL.items()}
    found |= {gene: float(draw[gene]) for gene in ("PIK3CA", "KRAS", "AKT1")}
    found |= {"PTEN": 1.0 - draw["PTEN_loss"], "TSC": 1.0} | changes
    return CellParameters(**{name: np.full(len(OCCUPANCY), found[name], np.float32) for name in CellParameters._fields})


@jax.jit
def _relaxed(k, c, inhibition):
    return steady_state(k, c, inhibition)


def doses(k, c, **inhibition):
    """Steady states over OCCUPANCY; leaves (doses,)."""
    everywhere = {name: np.full(len(OCCUPANCY), inhibition.get(name, 0.0), np.float32) for name in Inhibition._fields[1:]}
    return jax.tree.map(np.asarray, _relaxed(k, c, Inhibition(OCCUPANCY, **everywhere)))


@jax.jit
def _fates(x, k, c, b):
    g = NETWORK.growth
    p = growth.GrowthParameters(
        b=b, b_resistant=b, b_W=g.b_W, phi=g.phi, k_d=g.k_d, basal_death=g.basal_death, c_protect=g.c_protect, c_excess=g.c_excess,
        endocrine_insensitive=g.endocrine_insensitive,
    )
    found = growth.fates(x, k, c, p)
    before = jax.tree.map(lambda v: v[:1] if jnp.ndim(v) else v, found)
    return found.sensitive.proliferation / before.sensitive.proliferation, growth.net_growth(found, before, g.phi)[0]


def growth_of(x, k, c, b):
    """Proliferation over untreated, and net growth G, over OCCUPANCY."""
    return jax.tree.map(np.asarray, _fates(x, k, c, np.float32(b)))


@law
@given(draws)
def test_more_drug_never_more_pS6(draw):
    S6 = doses(constants(draw), cell(draw)).S6
    assert np.all(np.diff(S6) <= ROUNDING), S6


@law
@given(draws)
def test_without_feedback_AKT_does_not_rise(draw):
    x = doses(constants(draw), cell(draw, f_S6K=0.0, f_GRB10=0.0))
    for site in (x.T308, x.S473):
        assert np.all(site <= site[0] + ROUNDING), site


def tsc_pair(draw):
    """Of a line with and without TSC, all else equal and without activating alterations: pS6K before treatment, and what full
    occupancy leaves of proliferation."""
    k, genes = constants(draw), NETWORK.genotype
    S6K, left = [], []
    for lost in (0.0, 1.0):
        found = Alterations(0.0, 0.0, 0.0, 0.0, lost, 0.0)
        plain = dict.fromkeys(("PIK3CA", "KRAS", "AKT1"), 0.0) | {"PTEN": 1.0, "mTOR_gain": 0.0}
        low, high = CELL["r_4E"]
        c = cell(draw, TSC=1.0 - lost, r_4E=float(lasting_r_4E(low + (high - low) * draw["r_4E"], found, genes)), **plain)
        x = doses(k, c)
        proliferation, _ = growth_of(x, k, c, insensitive_share(draw["dependence"], found, genes))
        S6K.append(x.S6K[0])
        left.append(proliferation[-1])
    return S6K, left


def test_a_TSC_null_line_is_more_sensitive_than_wild_type():
    """Nearly everywhere in the prior, not everywhere: 0.7 % of 1,500 other draws contradict. More than 8 of 200 then has a
    probability below 1e-4."""
    rng = np.random.default_rng(20260701)
    against, change = 0, []
    for _ in range(200):
        draw = {name: rng.random() for name in (*PRIORS, *CELL)} | dict.fromkeys(GENES, False)
        draw["dependence"] = rng.uniform(0.02, 0.98)
        (S6K, S6K_null), (left, left_null) = tsc_pair(draw)
        assert S6K_null > S6K
        against += left_null > left + ROUNDING
        change.append(left_null - left)
    assert against <= 8, against
    assert np.median(change) < -0.2


@law
@given(draws)
def test_with_dependence_0_no_dose_slows_growth(draw):
    k, c = constants(draw), cell(draw)
    proliferation, G = growth_of(doses(k, c), k, c, 1.0)
    assert np.all(proliferation >= 1.0 - ROUNDING), proliferation
    assert np.all(G >= 1.0 - 10.0 * ROUNDING), G


@law
@given(draws, st.fixed_dictionaries({name: unit for name in Inhibition._fields[1:-1]}))
def test_states_stay_in_bounds_under_any_inhibition(draw, inhibition):
    x = doses(constants(draw), cell(draw), **inhibition)
    for name in FRACTIONS:
        level = getattr(x, name)
        assert np.all((level >= -ROUNDING) & (level <= 1.0 + ROUNDING)), (name, level)
    for name in LEVELS:
        level = getattr(x, name)
        assert np.all(np.isfinite(level) & (level >= -ROUNDING)), (name, level)


@law
@given(
    st.floats(-3, 3), st.floats(0.5, 3.5), st.floats(-2, 1), st.floats(0, 3),
)  # fmt: skip
def test_pools_of_FKBP12_and_drug_are_conserved(log_R, log_FKBP12, log_K, log_FRB):
    """Free drug and complex make up the drug in the cell; free FKBP12 and complex make up FKBP12, by mass action."""
    with jax.enable_x64(True):
        p = binding.BindingParameters(*(np.float64(10.0**v) for v in (log_FKBP12, log_K, log_FRB)), PS=9.3, partition=1.0)
        R = np.float64(10.0**log_R)
        free = float(R * binding.free_share(R, p))
        complexed = R - free
        assert 0.0 <= complexed <= min(R, p.FKBP12) * (1 + 1e-9)
        assert (p.FKBP12 - complexed) * free == pytest.approx(p.K_FKBP12 * complexed, rel=1e-6, abs=1e-9)
        assert 0.0 <= float(binding.occupancy(R, p)) <= 1.0
