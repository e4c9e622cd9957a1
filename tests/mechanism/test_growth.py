"""Cell fates and diameters."""

import jax.numpy as jnp
import numpy as np
import pytest
from cells import NO_DRUG, RAPAMYCIN, cell, fates, fold, relax_to

from trialsim.mechanism.growth import GrowthParameters, diameters, net_growth
from trialsim.mechanism.growth import fates as growth_fates
from trialsim.mechanism.individual import network_constants
from trialsim.mechanism.signalling import Inhibition


def test_untreated_tumour_grows_at_its_own_rate(network):
    proliferation, G, death = fates(network, cell(), NO_DRUG)
    assert (
        proliferation == pytest.approx(1.0, abs=1e-4)
        and G == pytest.approx(1.0, abs=2e-3)
        and death == pytest.approx(1.0, abs=1e-3)
    )


def test_published_insensitive_route_boylan(network):
    """Late-gestation hepatocytes: S6 dephosphorylated, DNA synthesis unchanged (Boylan 2001); the adult kind is blocked."""
    assert fold(network, cell(), RAPAMYCIN, 24.0).S6 < 0.3
    assert fates(network, cell(), RAPAMYCIN, b=0.95)[0] > 0.95
    assert fates(network, cell(), RAPAMYCIN, b=0.05)[0] < 0.75


def test_published_cytostatic_not_cytotoxic(network):
    """G1 arrest without apoptosis (Blood 2004;104:4620): death changes little, proliferation falls."""
    proliferation, _, death = fates(network, cell(), RAPAMYCIN, b=0.1)
    assert proliferation < 0.8 and 0.85 < death < 1.15


def test_more_dependence_more_effect(network):
    growth = [fates(network, cell(), RAPAMYCIN, b=b)[1] for b in (0.9, 0.6, 0.3, 0.1)]
    assert np.all(np.diff(growth) < 0) and growth[0] > 0.5 and growth[-1] < 0.2


def test_dose_response_is_graded(network):
    growth = [fates(network, cell(), Inhibition(o), b=0.2)[1] for o in (0.0, 0.3, 0.5, 0.7, 0.9)]
    assert np.all(np.diff(growth) < -0.02)


def test_published_combined_receptor_and_kinase_inhibition_shrinks(network):
    """Rodrik-Outmezguine 2011: TOR-kinase plus receptor inhibition abolishes AKT and causes regression."""
    assert fates(network, cell(), Inhibition(0.0, mTOR_kinase=0.95, RTK=0.9))[1] < 0.0


@pytest.mark.parametrize("o", [0.0, 0.7])
@pytest.mark.parametrize("b", [0.1, 0.95])
def test_supply_takes_its_part_of_proliferation_in_sensitive_and_resistant_cells(network, b, o):
    """Beside a rapalog and without; it leaves death alone, so that a part 1 - phi of growth lost is stasis."""
    at = lambda supply: fates(network, cell(), Inhibition(o, supply=supply), b=b)
    without, half = at(0.0), at(0.5)
    assert half[0] == pytest.approx(0.5 * without[0], rel=1e-5) and half[2] == pytest.approx(without[2], rel=1e-5)
    if o == 0.0:
        assert without[1] == pytest.approx(1.0, abs=2e-3)
        assert at(1.0 - 0.85)[1] == pytest.approx(0.0, abs=2e-2)


def test_without_any_supply_a_tumour_only_loses_cells(network):
    proliferation, G, death = fates(network, cell(), Inhibition(0.0, supply=1.0))
    assert proliferation == 0.0
    assert G == pytest.approx(-0.85 * death / (1.0 - 0.85), rel=1e-5) and G < -5.0


def test_supply_acts_in_both_parts_of_a_lesion_and_spares_what_does_not_cycle(network):
    """Net growth of the resistant part falls as that of the sensitive one; a cytotoxic drug kills fewer cells beside it."""
    g = network.growth
    p = GrowthParameters(0.3, 0.95, g.b_W, 0.85, g.k_d, g.basal_death, g.c_protect, g.c_excess, g.endocrine_insensitive)
    k, x = network_constants(network), relax_to(network, cell())
    before = growth_fates(x, k, cell(), p)
    G = lambda **given: np.array(net_growth(growth_fates(x, k, cell(), p, Inhibition(0.0, **given)), before, 0.85))
    assert G() == pytest.approx(1.0, abs=1e-5)
    assert G(supply=0.06) == pytest.approx(1.0 - 0.06 / 0.15, abs=1e-4)  # both parts
    killed = lambda **given: G(**given) - G(cytotoxic=0.002, **given)
    assert killed(supply=0.5) == pytest.approx(0.5 * killed(), rel=1e-3)


def test_a_hormone_drug_acts_on_the_part_of_the_insensitive_route_that_hangs_on_the_hormone(network):
    """Of cells that leave mTORC1 aside altogether (b = 1), a complete block leaves 1 - that part of proliferation; other routes
    feel it only through signalling, and what no hormone drug blocks is as it was."""
    g, k, x = network.growth, network_constants(network), relax_to(network, cell())
    p = lambda part, b: GrowthParameters(b, 1.0, 0.0, 0.85, g.k_d, g.basal_death, 0.0, 0.0, part)
    at = lambda part, b, e: float(growth_fates(x, k, cell(), p(part, b), Inhibition(0.0, endocrine=e)).sensitive.proliferation)
    for part in (0.0, 0.3, 1.0):
        assert at(part, 1.0, 1.0) == pytest.approx((1.0 - part) * at(part, 1.0, 0.0), abs=1e-6)
        assert at(part, 0.0, 1.0) == pytest.approx(at(part, 0.0, 0.0))  # signalling is that before the drug
        assert at(part, 0.4, 0.0) == pytest.approx(at(0.0, 0.4, 0.0))


def test_analytic_diameters():
    """Free growth is exponential in the diameter; a fully resistant lesion ignores the sensitive integral."""
    d0, g = jnp.array([20.0, 40.0]), jnp.array([0.002, 0.001])
    free = diameters(d0, g, jnp.array([0.1, 0.1]), jnp.array(100.0), jnp.array(100.0))
    assert np.allclose(free, [20 * np.exp(0.2), 40 * np.exp(0.1)], rtol=1e-5)
    mixed = diameters(d0, g, jnp.array([1.0, 0.0]), jnp.array(-300.0), jnp.array(100.0))
    assert np.allclose(mixed, [20 * np.exp(0.2), 40 * np.exp(-0.3)], rtol=1e-5)


def test_resistant_part_takes_over():
    d = [
        float(diameters(jnp.array([30.0]), jnp.array([0.003]), jnp.array([0.05]), jnp.array(-0.3 * t), jnp.array(1.0 * t))[0])
        for t in (0.0, 200.0, 900.0)
    ]
    assert d[1] < d[0] < d[2]


def test_what_resistance_took_from_a_hormone_drug_comes_back_without_S6K(network):
    """Beside a saturating rapalog, which shuts S6K off, a drug that lost half of its effect acts as one that lost none; alone it
    does not. Yamnik 2009, Beeram 2007."""
    growth = lambda o, **effect: fates(network, cell(), Inhibition(o, **effect))[1]
    full, left = dict(endocrine=0.9), dict(endocrine=0.45)
    regained = left | dict(endocrine_regained=0.45)
    together = 0.98
    assert growth(together, **regained) == pytest.approx(growth(together, **full), abs=0.03)
    assert growth(together, **left) - growth(together, **regained) > 0.03
    alone = growth(0.0, **left) - growth(0.0, **regained)
    assert 0.0 <= alone < 0.5 * (growth(0.0, **left) - growth(0.0, **full))
