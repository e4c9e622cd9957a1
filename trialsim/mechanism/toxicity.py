"""Adverse events by CTCAE grade: onset, grade and recovery as hazards that follow exposure and time.

One term (stomatitis, pneumonitis, ...) is a small Markov process, day by day:

    onset     h(t) = z [ h_drug (C/C_ref)^s ((t + 1)/28)^(kappa - 1) + h_background ]        when free of it
    grade     P(G >= g | onset) = logistic(c_g + gamma log2(C/C_ref)),  g = 2, 3, 4
    recovery  r = ln2 / (tau_off + (tau_on - tau_off) min(C/C_ref, 1))                       when present

C is a 7-day exponential average of the daily whole-blood trough (the exposure measure of Ravaud 2014, from which s and gamma come:
risk ratios per doubling of Cmin), so a dose hold lowers the hazard and speeds recovery. z is the patient's frailty for the term.

Partner drugs (exposure: the daily mean in plasma, averaged in the same way) add their h_drug to the hazards of the terms they
cause. The grade of an episode then has the logits of its possible causes, weighted by their hazards; an event recovers as slowly
as the drug that causes it and is there in the largest amount.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

EXPOSURE_MEMORY_DAYS = 7.0
TRACE = 1e-30  # relative exposure that counts as none
LOG_2 = 0.6931471805599453


class ToxicityParameters(NamedTuple):
    """Shape (terms,) for the drug; ``frailty`` (terms,) for each patient.

    Attributes:
        drug_hazard: 1/day at C_ref on day 27 of treatment. background_hazard: 1/day without drug.
        shape: kappa, 1 = constant, < 1 = early events. slope: s, exponent of exposure.
        cut_2, cut_3, cut_4: logits of P(G >= g | onset) at C_ref; grade_slope: gamma, per doubling of C.
        recovery_on_days, recovery_off_days: median duration on full exposure and off drug.
        reference_ng_ml: C_ref. frailty: z.
    """

    drug_hazard: jax.Array
    background_hazard: jax.Array
    shape: jax.Array
    slope: jax.Array
    cut_2: jax.Array
    cut_3: jax.Array
    cut_4: jax.Array
    grade_slope: jax.Array
    recovery_on_days: jax.Array
    recovery_off_days: jax.Array
    reference_ng_ml: jax.Array
    frailty: jax.Array


class PartnerToxicity(NamedTuple):
    """What each partner drug adds, fields of `ToxicityParameters`, shape (partners, terms); a term that a partner does not cause
    has no ``drug_hazard`` there. ``reference_ng_ml``: C_ref of each, (partners,)."""

    drug_hazard: jax.Array
    shape: jax.Array
    slope: jax.Array
    cut_2: jax.Array
    cut_3: jax.Array
    cut_4: jax.Array
    grade_slope: jax.Array
    reference_ng_ml: jax.Array


class PartnerExposure(NamedTuple):
    """Partner drugs on one day. Attributes: toxicity: theirs. exposure: smoothed, ng/mL, (partners,). timing: (partners, terms)."""

    toxicity: PartnerToxicity
    exposure: jax.Array
    timing: jax.Array


def smoothed_exposure(previous: jax.Array, now_ng_ml: jax.Array) -> jax.Array:
    """Exponential average of a daily concentration over ``EXPOSURE_MEMORY_DAYS``."""
    return previous + (now_ng_ml - previous) / EXPOSURE_MEMORY_DAYS


def timing(p: ToxicityParameters | PartnerToxicity, day: jax.Array) -> jax.Array:
    """How a drug's hazard on a day (0 = its first) compares with that on day 27, one for each term. The same for all patients, so
    computed apart."""
    return ((day + 1.0) / 28.0) ** (p.shape - 1.0)


def _drug_hazard(p: ToxicityParameters | PartnerToxicity, relative: jax.Array, timing: jax.Array) -> jax.Array:
    """1/day, without frailty; none without drug."""
    hazard = p.drug_hazard * jnp.exp(p.slope * jnp.log(jnp.maximum(relative, TRACE))) * timing
    return jnp.where(relative > 0.0, hazard, 0.0)


def onset_hazard(p: ToxicityParameters, exposure: jax.Array, timing: jax.Array) -> jax.Array:
    """1/day, shape (terms,); ``timing`` from `timing`."""
    return p.frailty * (_drug_hazard(p, exposure / p.reference_ng_ml, timing) + p.background_hazard)


def grade_logits(p: ToxicityParameters | PartnerToxicity, relative: jax.Array) -> tuple[jax.Array, jax.Array, jax.Array]:
    """Logits of P(G >= 2, 3, 4 | onset) at an exposure relative to the reference."""
    shift = p.grade_slope * jnp.log2(jnp.maximum(relative, 0.05))
    return p.cut_2 + shift, p.cut_3 + shift, p.cut_4 + shift


def grade_at_onset(logits: tuple[jax.Array, jax.Array, jax.Array], uniform: jax.Array) -> jax.Array:
    """Grade 1-4 of a new episode by inversion of the cumulative logits: grade g or more if logit(uniform) < that of g.

    int32, shape (terms,).
    """
    logit = jnp.log(uniform / jnp.maximum(1.0 - uniform, 1e-7))
    return 1 + sum((logit < cut).astype(jnp.int32) for cut in logits)


def _with_partners(p: ToxicityParameters, hazard: jax.Array, logits: Any, on_drug: jax.Array, others: PartnerExposure) -> Any:
    """Hazard, logits and relative exposure when partners may be the cause as well, each (terms,)."""
    relative = (others.exposure / others.toxicity.reference_ng_ml)[:, None]
    added = p.frailty * _drug_hazard(others.toxicity, relative, others.timing)
    total = hazard + jnp.sum(added, axis=0)
    weighted = lambda own, theirs: (hazard * own + jnp.sum(added * theirs, axis=0)) / jnp.maximum(total, TRACE)
    logits = tuple(weighted(*pair) for pair in zip(logits, grade_logits(others.toxicity, relative), strict=True))
    theirs = jnp.where(others.toxicity.drug_hazard > 0.0, jnp.minimum(relative, 1.0), 0.0)
    on_drug = jnp.maximum(jnp.where(p.drug_hazard > 0.0, on_drug, 0.0), jnp.max(theirs, axis=0))
    return total, logits, on_drug


def next_grades(
    p: ToxicityParameters,
    grades: jax.Array,
    exposure: jax.Array,
    timing: jax.Array,
    uniform: jax.Array,
    others: PartnerExposure | None = None,
) -> jax.Array:
    """Grades one day later.

    One chance a term serves for all: -log(1 - u) is the unit-exponential time that the hazards are compared with, and given an
    onset, u over the probability of onset is uniform again, which makes the grade.

    Args:
        p: parameters, (terms,).
        grades: today's grades, 0-4, int32, (terms,).
        exposure: smoothed trough, ng/mL, scalar.
        timing: from `timing`, (terms,).
        uniform: (terms,), in [0, 1). others: partner drugs, if there are any.
    """
    waited = -jnp.log(1.0 - uniform)
    relative = exposure / p.reference_ng_ml
    hazard, logits, on_drug = onset_hazard(p, exposure, timing), grade_logits(p, relative), jnp.minimum(relative, 1.0)
    if others is not None:
        hazard, logits, on_drug = _with_partners(p, hazard, logits, on_drug, others)
    chance = hazard * (1.0 - hazard / 2.0 * (1.0 - hazard / 3.0))  # 1 - exp(-hazard), to hazard^4 / 24
    fresh = jnp.where(waited < hazard, grade_at_onset(logits, jnp.minimum(uniform / jnp.maximum(chance, 1e-12), 1.0)), 0)
    duration = p.recovery_off_days + (p.recovery_on_days - p.recovery_off_days) * on_drug
    recovers = waited * duration < LOG_2
    return jnp.where(grades > 0, jnp.where(recovers, 0, grades), fresh)
