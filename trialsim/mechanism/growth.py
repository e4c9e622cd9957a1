"""From signalling to cells and millimetres.

A cell's fate hangs on the pathway by its dependence 1 - b: that part of proliferation runs through mTORC1-dependent translation,
and that part of survival through AKT and translation; the rest is a rapamycin-insensitive route (late-gestation hepatocytes: b near
1, pS6 abolished and DNA synthesis unchanged; Boylan 2001). b drifts under treatment. A tumour keeps losing cells while it grows
(cell-loss factor phi, Steel 1967), so slowing proliferation alone can shrink it:

    b       = b0 + b_W W (1-b0)
    k_prol  ~ (1 - supply) [(1-b) F(CYCD^n protein^n) + b (sqrt(g(ERK)) + KRAS route) (1 - e hormone lost)],   F(d) = (1+K) d/(K+d)
    k_death = k_d { basal + (1-b) [2 stress - protection + excess] },   stress = (1 - AKT/(K_A+AKT)) (1 - cap/(K_C+cap))
                                                                (+ what a KRAS mutant suffers without ERK;
                                                                AKT's part falls by endocrine_survival without the hormone)
    protection = min(c_protect flux, limit stress),   excess = c_excess max(flux - flux_lethal, 0)      the two signs of autophagy
AKT and cap-dependent translation (MCL-1, survivin) each keep a cell alive, so that either loss alone kills few and both together
many (TOR-kinase inhibitor with and without a receptor inhibitor: Rodrik-Outmezguine 2011). Of net growth

    G = (rho_prol - phi rho_death)/(1 - phi),  rho = rate over its own untreated value     (G = 1 untreated)
    rho_death includes what a cytotoxic drug kills, in proportion to rho_prol: cells that do not cycle are spared
    supply: what a drug that takes vessels away, or acts from outside the cell, takes of the proliferation of sensitive and
    resistant cells alike; with the death that goes on, a part 1 - phi of it lost is stasis and more is shrinkage

Diameters are the state: d log(diameter)/dt = g G with g the untreated growth rate of the diameter (1/day; volumes grow three times
as fast). Each lesion holds a sensitive and a resistant part, which differ in b only and share the patient's signalling:

    diameter(t)^3 = diameter(0)^3 [(1-r) e^{3 g I_s(t)} + r e^{3 g I_r(t)}],   I = int G dt
"""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp

from trialsim.engine.algebra import power, saturating
from trialsim.mechanism.signalling import (
    CellParameters,
    Inhibition,
    Network,
    NetworkConstants,
    akt_activity,
    cap_translation,
    erk_drive,
    hormone_blocked,
)

UNTREATED = Inhibition(0.0)


class GrowthParameters(NamedTuple):
    """One patient's tumour.

    Attributes:
        b: weight of the rapamycin-insensitive route in sensitive cells before treatment, 0-1.
        b_resistant: the same in the resistant fraction.
        b_W: how far the slow shift of dependence raises b under treatment, 0-1.
        phi: cell-loss factor of the tumour, 0-1.
        k_d: death rate scale, 1/h; basal_death: death that no signal changes (necrosis, shedding), relative to k_d.
        c_protect, c_excess: effects of autophagic flux on death, relative to k_d.
        endocrine_insensitive: part of the rapamycin-insensitive route that hangs on the hormone, 0-1.
    """

    b: jax.Array
    b_resistant: jax.Array
    b_W: jax.Array
    phi: jax.Array
    k_d: jax.Array
    basal_death: jax.Array
    c_protect: jax.Array
    c_excess: jax.Array
    endocrine_insensitive: jax.Array


class Fate(NamedTuple):
    """Of one kind of cell: relative proliferation, and death, 1/h."""

    proliferation: jax.Array
    death: jax.Array


class Fates(NamedTuple):
    """Of sensitive and resistant cells, and the rate (1/h) at which a cytotoxic drug kills cells of relative proliferation 1."""

    sensitive: Fate
    resistant: Fate
    killing: jax.Array | float = 0.0


def fates(x: Network, k: NetworkConstants, c: CellParameters, p: GrowthParameters, i: Inhibition = UNTREATED) -> Fates:
    """Cell fates at a signalling state under an inhibition. Shapes as the state's."""
    drive = power(x.CYCD * x.protein, k.drive_exponent)
    through_mTORC1 = (1.0 + k.K_drive) * saturating(drive, k.K_drive)
    insensitive = jnp.sqrt(erk_drive(x.ERK, c.KRAS, k)) + c.KRAS * k.KRAS_bypass * saturating(x.ERK, k.K_KRAS)
    insensitive = insensitive * (1.0 - p.endocrine_insensitive * hormone_blocked(x, i, k))

    AKT = akt_activity(x, k, i.AKT)
    cap = cap_translation(x.BP, c.R_4EBP, k)
    by_AKT = saturating(AKT, k.K_survival_AKT) * (1.0 - k.endocrine_survival * hormone_blocked(x, i, k))
    stress = (1.0 - by_AKT) * (1.0 - saturating(cap, k.K_survival_cap))
    stress = stress + k.KRAS_addiction * c.KRAS * (1.0 - saturating(x.ERK, k.K_addiction))
    flux = x.flux * (1.0 - i.autophagy)
    protection = jnp.minimum(p.c_protect * flux, k.protection_limit * stress)
    through_pathway = 2.0 * stress - protection + p.c_excess * jnp.maximum(flux - k.flux_lethal, 0.0)

    def of(b: jax.Array) -> Fate:
        b = b + p.b_W * x.W * (1.0 - b)
        proliferation = (1.0 - i.supply) * ((1.0 - b) * through_mTORC1 + b * insensitive)
        return Fate(proliferation, p.k_d * (p.basal_death + (1.0 - b) * through_pathway))

    return Fates(of(p.b), of(p.b_resistant), i.cytotoxic)


def net_growth(now: Fates, untreated: Fates, phi: jax.Array) -> tuple[jax.Array, jax.Array]:
    """G of sensitive and resistant cells: 1 untreated, 0 stasis, negative shrinkage."""

    def net(cell: Fate, before: Fate) -> jax.Array:
        relative = cell.proliferation / before.proliferation
        return (relative - phi * (cell.death + now.killing * relative) / before.death) / (1.0 - phi)

    return net(now.sensitive, untreated.sensitive), net(now.resistant, untreated.resistant)


def diameters(
    d0_mm: jax.Array, growth_per_day: jax.Array, resistant: jax.Array, I_sensitive: jax.Array, I_resistant: jax.Array
) -> jax.Array:
    """Lesion diameters, mm.

    Args:
        d0_mm: diameters at first dose (NaN or 0: no lesion). Shape (..., lesions).
        growth_per_day: untreated growth of the diameter of each lesion, 1/day. Shape (..., lesions).
        resistant: resistant part of each lesion's volume at first dose. Shape (..., lesions).
        I_sensitive, I_resistant: int G dt since first dose, days. Shape (...).
    """
    g = 3.0 * growth_per_day
    volume = (1.0 - resistant) * jnp.exp(g * I_sensitive[..., None]) + resistant * jnp.exp(g * I_resistant[..., None])
    return d0_mm * power(volume, 1.0 / 3.0)


def mean_growth(
    growth_per_day: jax.Array, resistant: jax.Array, I_s: jax.Array, I_r: jax.Array, I_s_next: jax.Array, I_r_next: jax.Array
) -> jax.Array:
    """Mean growth of all cells over a day relative to untreated, weighted by the volumes of the sensitive and resistant parts.

    Args:
        growth_per_day: untreated growth of the diameter, 1/day. resistant: resistant part at first dose.
        I_s, I_r: int G dt at the start of the day. I_s_next, I_r_next: a day later.
    """
    g = 3.0 * growth_per_day
    sensitive_volume, resistant_volume = (1.0 - resistant) * jnp.exp(g * I_s), resistant * jnp.exp(g * I_r)
    grown = sensitive_volume * (I_s_next - I_s) + resistant_volume * (I_r_next - I_r)
    return grown / (sensitive_volume + resistant_volume)
