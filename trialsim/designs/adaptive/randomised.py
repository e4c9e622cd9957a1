"""Response-adaptive randomisation and arm dropping, many virtual trials at once.

A first part of the patients is randomised equally in permuted blocks (burn-in). From then on shares are set anew every `block`
patients, from the outcomes known on the day that the first of the block comes; patients are randomised by these shares. At the
looks, experimental arms may be dropped for good: because P(p_k > p_0) is low (posterior), because success at the end has become
unlikely (predictive), or because an arm is the worst of those open (loser; Sampson & Sill, Biom J 2005;47:257-68). A trial
without an experimental arm left ends. At the end each arm still open is compared with the control.

Adapting makes the arms differ in when their patients came. If patients get better, or worse, as time goes by (drift), the arm
that adapting favours late looks better without being so: the type I error then exceeds its nominal value, which equal
randomisation keeps (Karrison, Huo & Chappell, Control Clin Trials 2003;24:506-22; Villar, Bowden & Wason, Pharm Stat
2018;17:182-97). ``plain_outcomes(drift=...)`` shows it: with three arms of rate 0.4, 120 patients, c = 1 and log-odds that rise
by 2, a nominal error of 0.05 becomes 0.15; 0.06 if the control's share is fixed, 0.05 with equal shares.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np

from trialsim.designs.adaptive.allocation import shares
from trialsim.designs.adaptive.outcomes import Outcomes
from trialsim.designs.adaptive.posterior import Prior, beliefs, success_ahead
from trialsim.designs.adaptive.selection import pooled_z


class Rules(NamedTuple):
    """How a trial adapts.

    Attributes:
    burn_in: patients randomised equally at first. block: patients between two updates.
    power: exponent c of the probability of being best, 0: equal shares; None: n / (2 N).
    low, high: bounds of the share of an arm that adapts. control_share: fixed share of the control, None: it adapts.
    drop: how arms are dropped. drop_below: probability below which one is. drop_looks: patients enrolled when they may be.
    final: "posterior": P(p_k > p_0), "test": z of the pooled two-sample test of proportions.
    threshold: that the final evidence must exceed. success: P(p_k > p_0) at the end that predictive dropping looks out for.
    prior: of each rate.
    """

    burn_in: int
    block: int
    power: float | None
    low: float
    high: float
    control_share: float | None
    drop: Literal["none", "posterior", "predictive", "loser"]
    drop_below: float
    drop_looks: tuple[int, ...]
    final: Literal["posterior", "test"]
    threshold: float
    success: float
    prior: Prior


class Played(NamedTuple):
    """What became of each trial.

    Attributes:
    enrolled: patients treated, (replicates,). n, responders: by arm, (replicates, arms).
    dropped_after: patients enrolled when the arm was dropped, -1: never, (replicates, arms).
    evidence: of each arm against the control at the end, -inf for the control and for arms dropped, (replicates, arms).
    better: arms found better than the control, (replicates, arms). decision: any of them, (replicates,).
    chosen: the arm with the strongest evidence if any is better, else -1, (replicates,).
    end_day: day on which the last outcome is known, (replicates,). assigned: arm of each patient, -1: not enrolled.
    """

    enrolled: np.ndarray
    n: np.ndarray
    responders: np.ndarray
    dropped_after: np.ndarray
    evidence: np.ndarray
    better: np.ndarray
    decision: np.ndarray
    chosen: np.ndarray
    end_day: np.ndarray
    assigned: np.ndarray


def play(rules: Rules, patients: Outcomes, rng: np.random.Generator) -> Played:
    """Play every replicate with all its patients.

    Args:
        rng: for the randomisation; the same seed gives two sets of rules the same luck of the draw.
    """
    replicates, size, arms = patients.response.shape
    if rules.drop != "none" and not set(rules.drop_looks) <= set(range(rules.burn_in, size, rules.block)):
        updates = f"every {rules.block} patients from {rules.burn_in}"
        raise ValueError(f"drop_looks = {list(rules.drop_looks)} are not all among the updates, {updates}")
    luck, order = rng.random((replicates, size)), rng.random((replicates, -(-rules.burn_in // arms), arms))
    assigned = np.full((replicates, size), -1)
    assigned[:, : rules.burn_in] = np.argsort(order, axis=2).reshape(replicates, -1)[:, : rules.burn_in]
    ties = 1e-9 * rng.random((replicates, arms))
    open_arms = np.ones((replicates, arms), bool)
    dropped_after = np.full((replicates, arms), -1)
    for start in range(rules.burn_in, size, rules.block):
        n, responders = _counts(patients, assigned, start, patients.arrival[:, start])
        if start in rules.drop_looks and rules.drop != "none":
            drop = _to_drop(rules, n, responders, open_arms, size - start, ties)
            dropped_after[drop], open_arms[drop] = start, False
        going = np.any(open_arms[:, 1:], axis=1)
        compared = open_arms.copy()
        if rules.control_share is not None:
            compared[:, 0] = False
        power = start / (2.0 * size) if rules.power is None else rules.power
        best = beliefs(responders, n, rules.prior, compared | ~going[:, None]).best if power > 0 else np.ones(n.shape)
        cumulative = np.cumsum(shares(best, open_arms, power, rules.low, rules.high, rules.control_share), axis=1)
        block = slice(start, min(start + rules.block, size))
        arm = (luck[:, block, None] * cumulative[:, None, -1:] >= cumulative[:, None, :]).sum(axis=2)
        assigned[:, block] = np.where(going[:, None], arm, -1)
    return _finish(rules, patients, assigned, open_arms, dropped_after)


def calibrate(rules: Rules, null: Outcomes, alpha: float, rng: np.random.Generator) -> Rules:
    """The same rules with the threshold at which a share alpha of trials in which no arm is better finds one.

    Args:
        null: outcomes with the same rate in all arms. alpha: familywise type I error.
    """
    evidence = play(rules, null, rng).evidence.max(axis=1)
    return rules._replace(threshold=float(np.quantile(evidence, 1.0 - alpha, method="higher")))


def _counts(patients: Outcomes, assigned: np.ndarray, until: int, day: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Patients of the first `until` whose outcome is known on a day, and responders among them, (replicates, arms)."""
    replicates, _, arms = patients.response.shape
    arm = assigned[:, :until]
    given = np.maximum(arm, 0)[..., None]
    response = np.take_along_axis(patients.response[:, :until], given, axis=2)[..., 0]
    wait = np.take_along_axis(patients.known_day[:, :until], given, axis=2)[..., 0]
    known = (arm >= 0) & (patients.arrival[:, :until] + wait <= day[:, None])
    place = np.arange(replicates)[:, None] * arms + arm
    count = lambda which: np.bincount(place[which], minlength=replicates * arms).reshape(replicates, arms)
    return count(known), count(known & response)


def _to_drop(
    rules: Rules, n: np.ndarray, responders: np.ndarray, open_arms: np.ndarray, ahead: int, ties: np.ndarray
) -> np.ndarray:
    """Arms to drop, bool, (replicates, arms); never the control. ahead: patients to come. ties: what decides between equals."""
    drop = np.zeros(open_arms.shape, bool)
    if rules.drop == "loser":
        rate = (rules.prior.a + responders) / (rules.prior.a + rules.prior.b + n) + ties
        rate = np.where(open_arms, rate, np.inf)
        rate[:, 0] = np.inf
        several = open_arms[:, 1:].sum(axis=1) > 1
        drop[several, rate.argmin(axis=1)[several]] = True
        return drop
    if rules.drop == "posterior":
        chance = beliefs(responders, n, rules.prior).better
    else:
        n_end = n + ahead / open_arms.sum(axis=1, keepdims=True)
        chance = success_ahead(responders, n, n_end, rules.prior, rules.success)
    drop = open_arms & (chance < rules.drop_below)
    drop[:, 0] = False
    return drop


def _finish(
    rules: Rules, patients: Outcomes, assigned: np.ndarray, open_arms: np.ndarray, dropped_after: np.ndarray
) -> Played:
    size = assigned.shape[1]
    n, responders = _counts(patients, assigned, size, np.full(len(assigned), np.inf))
    evidence = beliefs(responders, n, rules.prior).better if rules.final == "posterior" else pooled_z(responders, n)
    compared = open_arms.copy()
    compared[:, 0] = False
    evidence = np.where(compared, evidence, -np.inf)
    better = np.greater(evidence, rules.threshold)
    decision = better.any(axis=1)
    wait = np.take_along_axis(patients.known_day, np.maximum(assigned, 0)[..., None], axis=2)[..., 0]
    end_day = np.where(assigned >= 0, patients.arrival + wait, 0.0).max(axis=1)
    chosen = np.where(decision, evidence.argmax(axis=1), -1)
    enrolled = (assigned >= 0).sum(axis=1)
    return Played(enrolled, n, responders, dropped_after, evidence, better, decision, chosen, end_day, assigned)
