"""The continual reassessment method (CRM; O'Quigley, Pepe & Fisher, Biometrics 1990;46:33-48) and TITE-CRM.

The next cohort is treated at the level whose estimated DLT rate is nearest the target (the lower of two equally near ones), with
the rate at the posterior mean of beta (`crm_model`). Restrictions, each of which can be left away:

- no skipping: at most one level above the last cohort's (Goodman, Zahurak & Piantadosi, Stat Med 1995;14:1149-61);
- coherence: no higher than the last cohort if the share of DLTs in it was the target or more (Cheung, Biometrika 2005;92:863-873).

The trial stops once enough patients have been treated, enough at the level that would come next, P(lowest level is more toxic than
the target) passes a limit (no MTD then), or P(the level that would come next is the MTD) does, where a level is the MTD for those
beta for which its rate is nearest the target. The MTD is the level with the estimated rate nearest the target, but none above
the highest at which a patient was judged, and none at all if nobody was. The decision falls on the day on which the last patient
treated has been judged, or, if even the lowest level is too toxic, on the day of the result that shows it.

TITE-CRM (Cheung & Chappell, Biometrics 2000;56:1177-1182) decides on the day on which a patient comes, patients who are still
followed weighing in with the share of the window that they have passed (`tite`).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats
from scipy.special import expit, logit

from trialsim.designs.escalation import crm_model
from trialsim.designs.escalation.conduct import Choice, Conduct, Seen, conduct
from trialsim.designs.escalation.crm_model import Model
from trialsim.designs.escalation.played import Played
from trialsim.designs.escalation.queue import Queue
from trialsim.designs.escalation.tite import TimeToEvent, must_wait, weights


class CRM(NamedTuple):
    """Attributes:
    target: DLT rate sought, 0-1. model: `crm_model.Model`. cohort: patients a step.
    max_patients: of the escalation, without those replaced. max_at_level: at the level that would come next; None: no limit.
    skipping: levels may be skipped on the way up. coherent: the restriction above.
    toxic_limit: P(lowest level too toxic) above which the trial stops, 0-1; None: never.
    confidence: P(MTD) at which the trial stops, 0-1; None: never.
    tite: None: all patients of a cohort are judged before the next one starts. how: start, accrual, backfilling, expansion.
    """

    target: float
    model: Model
    cohort: int
    max_patients: int
    max_at_level: int | None = None
    skipping: bool = False
    coherent: bool = True
    toxic_limit: float | None = 0.95
    confidence: float | None = None
    tite: TimeToEvent | None = None
    how: Conduct = Conduct()


class Estimate(NamedTuple):
    """Attributes:
    beta, variance: posterior mean and variance. p: estimated DLT rate of each level, (..., levels).
    recommended: index of the level with the rate nearest the target. chance: P(level is the MTD), (..., levels).
    too_toxic: P(the lowest level is more toxic than the target).
    """

    beta: np.ndarray
    variance: np.ndarray
    p: np.ndarray
    recommended: np.ndarray
    chance: np.ndarray
    too_toxic: np.ndarray


def update(
    toxic: ArrayLike,
    judged: ArrayLike,
    model: Model,
    target: float,
    open_level: ArrayLike | None = None,
    weight: ArrayLike | None = None,
) -> Estimate:
    """What is known after some patients. Leading axes are trials; without them, one trial.

    Args:
        toxic, judged: patients with a DLT, and patients judged, at each level, (..., levels).
        open_level, weight: patients still followed: level (-1: none) and share of the window, (..., patients).
    """
    toxic, judged = np.asarray(toxic), np.asarray(judged)
    alone = toxic.ndim == 1
    rows = np.atleast_2d
    still = () if open_level is None else (rows(np.asarray(open_level)), rows(np.asarray(weight, float)))
    found = crm_model.posterior(model, rows(toxic), rows(judged - toxic), *still)
    edges = crm_model.edges_of_mtd(model, target)
    below = np.column_stack([np.zeros(crm_model.NODES), crm_model.chance_below(model, edges), np.ones(crm_model.NODES)])
    toxic_edge = crm_model.chance_below(model, [crm_model.edge_of_toxicity(model, target)])
    estimate = Estimate(
        beta=found.beta,
        variance=found.variance,
        p=found.p,
        recommended=np.abs(found.p - target).argmin(axis=1),
        chance=found.density @ np.diff(below, axis=1),
        too_toxic=(found.density @ toxic_edge)[:, 0],
    )
    return Estimate(*(field[0] for field in estimate)) if alone else estimate


def choose(seen: Seen, rule: CRM) -> Choice:
    """The next cohort."""
    still = () if rule.tite is None else (seen.open_level, weights(seen, rule.tite))
    found = update(seen.toxic, seen.judged, rule.model, rule.target, *still)
    level = found.recommended
    if not rule.skipping:
        level = np.minimum(level, seen.level + 1)
    if rule.coherent:
        level = np.where(seen.cohort_toxic >= rule.target * np.maximum(seen.cohort, 1), np.minimum(level, seen.level), level)
    if rule.tite is not None:
        level = np.where(seen.here(seen.judged) < rule.tite.min_judged, np.minimum(level, seen.level), level)
    last = seen.used >= rule.max_patients
    if rule.max_at_level is not None:
        last |= seen.here(seen.judged, level) + seen.here(seen.pending, level) >= rule.max_at_level
    if rule.confidence is not None:
        last |= seen.here(found.chance, level) >= rule.confidence
    some = seen.judged.any(axis=1)
    none = np.zeros_like(last)
    if rule.toxic_limit is not None:
        none = some & (found.too_toxic > rule.toxic_limit)
    given = np.where(seen.judged > 0, np.arange(seen.judged.shape[1]), 0).max(axis=1)
    mtd = np.where(none | ~some, -1, np.minimum(found.recommended, given))
    stop = none | last
    wait = must_wait(seen, rule.tite, last) & ~(none & (rule.tite is not None))
    places = np.maximum(np.minimum(rule.cohort, rule.max_patients - seen.used), 1)
    return Choice(wait, stop, np.where(stop, mtd, level), places, seen.ceiling)


def play(queue: Queue, rule: CRM) -> Played:
    """All replicates of a queue."""
    first = min(rule.cohort, rule.max_patients)
    return conduct(queue, rule.how, lambda seen: choose(seen, rule), first, whole_cohorts=rule.tite is None)


def skeleton(
    halfwidth: float, target: float, prior_mtd: int, levels: int, kind: str = "empiric", intercept: float = 3.0
) -> tuple[float, ...]:
    """Prior DLT rates from indifference intervals of one half-width (Lee & Cheung, Clin Trials 2009;6:227-238).

    Whichever level is taken for the MTD by the model, its neighbours' rates are then target +- halfwidth at the two ends of its
    range of beta. On the scale on which exp(beta) multiplies (log p, or logit p - a), the levels are a geometric series:

        f(s_j) = f(target) r^(prior_mtd - j),   r = f(target - halfwidth) / f(target + halfwidth)

    Args:
        prior_mtd: index of the level taken for the MTD before the trial.
    """
    f = np.log if kind == "empiric" else lambda p: logit(p) - intercept
    ratio = f(target - halfwidth) / f(target + halfwidth)
    scaled = f(target) * ratio ** (prior_mtd - np.arange(levels, dtype=float))
    found = np.exp(scaled) if kind == "empiric" else expit(scaled + intercept)
    return tuple(found.tolist())


def sample_size(accuracy: float, target: float, levels: int, odds_ratio: float, correction: bool = True) -> int:
    """Patients that the CRM needs to select the right level with an average probability (Cheung, Clin Trials 2013;10:852-861).

    The average is over scenarios in which one level after the other is the MTD and neighbouring levels differ by the odds ratio.
    The non-parametric optimal design of n patients reaches 1/K + (1 - 1/K) (2 Phi(sqrt(n) d) - 1), with d the mean of the two
    standardised distances between the target and the neighbours' rates (less 1/(2n) up and plus 1/(2n) down, the correction). The
    CRM's accuracy a corresponds to an accuracy b of the optimal design,

        logit b = (logit a - 2.26 + 0.00235 K^2 + 0.7 psi + 1.903 / psi) / 0.854                     (regression of the paper)

    fitted for targets 0.1 to 0.3, K = 4 to 8 levels, psi = 1.25 to 2.5 and up to 40 patients.

    Args:
        accuracy: average probability of selecting the right level, 0-1. levels: K. odds_ratio: psi. correction: for continuity.
    """
    wanted = expit((logit(accuracy) - 2.26 + 0.00235 * levels**2 + 0.7 * odds_ratio + 1.903 / odds_ratio) / 0.854)
    low, high = expit(logit(target) - np.log(odds_ratio)), expit(logit(target) + np.log(odds_ratio))
    sd = lambda p, both: np.sqrt(target * (1.0 - target) + p * (1.0 - p) + 2.0 * both)
    to_low, to_high = sd(low, low * (1.0 - target)), sd(high, target * (1.0 - high))
    quantile = stats.norm.ppf(1.0 - levels * (1.0 - wanted) / (2.0 * (levels - 1)))

    def needed(shift: float) -> float:
        distance = 0.5 * ((target - low + shift) / to_low + (high - target - shift) / to_high)
        return (quantile / distance) ** 2

    if not correction:
        return int(np.ceil(needed(0.0)))
    enough = next(n for n in range(1, 10_000) if needed(0.5 / n) <= n)
    return int(np.ceil(needed(0.5 / enough)))
