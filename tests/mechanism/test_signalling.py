"""Published phenomena of the network: each with its source; a wrong sign of a loop turns one red."""

import numpy as np
import pytest
from cells import NO_DRUG, RAPAMYCIN, cell, fates, fold, relax_to

from trialsim.mechanism import signalling
from trialsim.mechanism.individual import network_constants
from trialsim.mechanism.signalling import Inhibition, akt_activity

TORKI = Inhibition(0.0, mTOR_kinase=0.95)


def test_reference_cell_defines_S6K_reference(network):
    assert float(relax_to(network, cell()).S6K) == pytest.approx(network.signalling.S6K_reference, rel=0.03)


def test_untreated_state_is_a_steady_state(network):
    k = network_constants(network)
    for changes in ({}, {"PTEN": 0.0}, {"TSC": 0.0}, {"KRAS": 1.0}, {"PIK3CA": 1.0}):
        c = cell(**changes)
        x = relax_to(network, c)
        slope = signalling.rates(x, NO_DRUG, k, c)
        assert max(abs(float(s)) for s in slope) < 1e-3, changes


def test_state_stays_physical(network):
    for changes in ({}, {"PTEN": 0.0, "PIK3CA": 1.0, "KRAS": 1.0}, {"TSC": 0.0, "mTOR_gain": 0.6}):
        x = relax_to(network, cell(**changes), RAPAMYCIN, 72.0)
        for name in ("T308", "S473", "S6K", "S6", "BP", "RHEB", "ULK", "mTORC2"):
            assert 0.0 <= float(getattr(x, name)) <= 1.0, name


def test_published_S6K_is_nearly_abolished(network):
    """> 95 % S6K1 inactivation at 20 nM (Boulay 2004)."""
    assert fold(network, cell(), RAPAMYCIN, 24.0).S6K < 0.05


def test_published_S6K_falls_within_half_an_hour(network):
    assert fold(network, cell(), RAPAMYCIN, 0.5).S6K < 0.15


def test_published_4EBP1_falls_then_recovers_while_S6K_stays_off(network):
    """Choo 2008: inhibited at 1-3 h, re-phosphorylated within 6 h in cells of high r_4E; S6K inhibited throughout."""
    c = cell(r_4E=0.85)
    early, late = fold(network, c, RAPAMYCIN, 2.0), fold(network, c, RAPAMYCIN, 8.0)
    assert early.BP < 0.85 and late.BP > early.BP + 0.05 and late.BP > 0.85
    assert early.S6K < 0.1 and late.S6K < 0.1
    assert fold(network, cell(r_4E=0.1), RAPAMYCIN, 24.0).BP < 0.7  # sensitive cells stay inhibited


def test_published_order_of_substrate_inhibition(network):
    """S6K before 4E-BP1 (Kang 2013) at every occupancy."""
    for occupancy in (0.3, 0.6, 0.9):
        f = fold(network, cell(), Inhibition(occupancy), 24.0)
        assert f.S6K < f.BP


def test_published_kinase_inhibitor_blocks_4EBP1_where_rapamycin_does_not(network):
    """Thoreen 2009, Feldman 2009; also without any mTORC2 effect of rapamycin."""
    c = cell(phi_mTORC2=0.0)
    assert fold(network, c, TORKI, 24.0).BP < 0.4 * fold(network, c, RAPAMYCIN, 24.0).BP
    assert fates(network, c, TORKI)[0] < fates(network, c, RAPAMYCIN)[0] - 0.1


def test_published_feedback_raises_pakt_and_needs_the_receptor(network):
    """O'Reilly 2006: pAKT rises under rapamycin; receptor blockade prevents it. The sign of the feedback decides."""
    c = cell()
    up = fold(network, c, RAPAMYCIN, 24.0)
    assert up.T308 > 1.15 and up.IRS1 > 1.2
    assert fold(network, c, RAPAMYCIN._replace(RTK=0.95), 24.0).T308 < 0.8
    assert fold(network, cell(f_S6K=0.0, f_GRB10=0.0), RAPAMYCIN, 24.0).T308 < 1.05


def test_published_erk_rises_through_PI3K(network):
    """Carracedo 2008: ERK up under a rapalog, abolished by a PI3K inhibitor."""
    assert fold(network, cell(), RAPAMYCIN, 24.0).ERK > 1.05
    assert fold(network, cell(), RAPAMYCIN._replace(PI3K=0.9), 24.0).ERK < 1.0


def test_published_tsc_loss_suppresses_akt_and_rapamycin_releases_it(network):
    """Harrington 2004: basal pAKT of TSC-null cells below 0.6 of wild type; large rebound under rapamycin."""
    wild, null = relax_to(network, cell()), relax_to(network, cell(TSC=0.0))
    k = network_constants(network)
    assert float(akt_activity(null, k)) < 0.6 * float(akt_activity(wild, k))
    assert fold(network, cell(TSC=0.0), RAPAMYCIN, 24.0).T308 > fold(network, cell(), RAPAMYCIN, 24.0).T308


def test_published_pten_loss_raises_akt(network):
    k = network_constants(network)
    assert float(akt_activity(relax_to(network, cell(PTEN=0.0)), k)) > 1.3 * float(akt_activity(relax_to(network, cell()), k))


def test_published_mtorc2_is_lost_slowly_and_only_where_labile(network):
    """Sarbassov 2006: S473 falls after a day of exposure in a subset of lines, not within the hour."""
    labile, stable = cell(phi_mTORC2=0.95), cell(phi_mTORC2=0.1)
    assert fold(network, labile, RAPAMYCIN, 48.0).S473 < 0.7
    assert fold(network, labile, RAPAMYCIN, 1.0).S473 > 0.85
    assert fold(network, stable, RAPAMYCIN, 48.0).S473 > 1.0


def test_published_starvation_and_rapamycin_raise_autophagy(network):
    """Kim 2011: AMPK activates ULK1 that mTORC1 holds down; both together most."""
    base = float(relax_to(network, cell()).flux)
    drug = float(relax_to(network, cell(), RAPAMYCIN).flux)
    starved = float(relax_to(network, cell(ATP=0.3)).flux)
    both = float(relax_to(network, cell(ATP=0.3), RAPAMYCIN).flux)
    assert base < drug and base < starved and both > max(drug, starved)


def test_published_frb_mutant_ignores_the_rapalog_only(network):
    """F2108L, S2035F: no complex, no effect; a kinase inhibitor still works (Hassan 2014)."""
    assert fold(network, cell(), NO_DRUG, 24.0).S6K == pytest.approx(1.0, abs=1e-3)
    assert fold(network, cell(), TORKI, 24.0).S6K < 0.2


def test_published_low_4EBP_is_refractory(network):
    """Alain 2012: few 4E-BP per eIF4E means resistance; monotone in the ratio."""
    growths = [fates(network, cell(r_4E=0.2, R_4EBP=R), RAPAMYCIN)[0] for R in (0.1, 1.0, 4.0)]
    assert growths[0] > growths[1] > growths[2]


def test_published_kras_costs_benefit_pik3ca_gives_some(network):
    """Di Nicolantonio 2010: ordering of growth under everolimus with the genotype's shift of dependence."""
    genes = network.genotype
    shifted = lambda *shifts: 1 / (1 + np.exp(np.log(0.7 / 0.3) + sum(shifts)))
    wild = fates(network, cell(), RAPAMYCIN, b=shifted())[0]
    pik3ca = fates(network, cell(PIK3CA=1.0), RAPAMYCIN, b=shifted(genes.PIK3CA))[0]
    both = fates(network, cell(PIK3CA=1.0, KRAS=1.0), RAPAMYCIN, b=shifted(genes.PIK3CA, genes.KRAS))[0]
    assert pik3ca < wild < both
