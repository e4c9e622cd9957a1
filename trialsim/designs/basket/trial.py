"""A basket trial, many replicates at once: interim looks at each basket, stopping, and the final decisions.

A basket is looked at when the outcomes of its first ``looks[j]`` evaluable patients are known; the analysis takes what is known
that day in all baskets, stopped ones too. Stopping a basket ends its accrual; outcomes of its patients still come in. At the end
every basket not stopped is judged on all outcomes:

    positive  if  Pr(p_k > null_k) > gamma_k  and  E[p_k] > least_estimate_k,  and it had a patient
                                                              (dual criterion: Neuenschwander, Pharm Stat 2016;15:123-34)
    efficacy  at a look, if  Pr(p_k > null_k) > efficacy
    futility  at a look, if  Pr(p_k > rate_k) < below                         (Berry, Clin Trials 2013;10:720-34), or
              if the predictive probability that Pr(p_k > null_k) > gamma_k at full size, the others as they stand, is below that

The predictive probability of x responders among the m patients to come is the binomial coefficient times the ratio of the
marginal likelihoods with and without them, in every model.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np
from scipy import special

from trialsim.designs.basket.hyperpriors import FINE
from trialsim.designs.basket.models import Model, Posterior, Prepared, posterior, prepare

FEW = 40  # evaluable patients of a basket up to which the fast quadrature serves


class Responses(NamedTuple):
    """Patients in order of arrival, (replicates, patients). basket: index, -1 for a patient of no basket. arrival: day.
    response: would the patient respond. known_day: day on which that is known. evaluable: can be judged; others are replaced.
    """

    basket: np.ndarray
    arrival: np.ndarray
    response: np.ndarray
    known_day: np.ndarray
    evaluable: np.ndarray


class Futility(NamedTuple):
    """kind: "posterior" of the rate exceeding ``rate``, (baskets,), or "predictive" of success. below: stops, 0 to 1."""

    kind: Literal["posterior", "predictive"]
    below: float
    rate: np.ndarray | None = None


class BasketDesign(NamedTuple):
    """Attributes:
    model: of the rates. null_rate: p_0, (baskets,). caps: evaluable patients that a basket takes, (baskets,).
    gamma: final threshold of the probability, (baskets,). least_estimate: of the posterior mean, (baskets,); 0 asks nothing.
    looks: known outcomes of a basket at its interim looks, increasing; those not below the cap do not take place.
    futility, efficacy: rules at the looks, or None. hold: whether a basket's accrual waits for the outcomes of a look.
    """

    model: Model
    null_rate: np.ndarray
    caps: np.ndarray
    gamma: np.ndarray
    least_estimate: np.ndarray
    looks: tuple[int, ...] = ()
    futility: Futility | None = None
    efficacy: float | None = None
    hold: bool = False


class Played(NamedTuple):
    """What became of the baskets, (replicates, baskets) unless said. enrolled: patients. evaluable: of them. responders.
    positive. stopped_look: number of the look that ended the basket, from 1; 0: none. probability: Pr(p_k > null_k) when it was
    decided. estimate: E[p_k] with all outcomes. end_day: day of the last decision, (replicates,).
    """

    enrolled: np.ndarray
    evaluable: np.ndarray
    responders: np.ndarray
    positive: np.ndarray
    stopped_look: np.ndarray
    probability: np.ndarray
    estimate: np.ndarray
    end_day: np.ndarray


class Queue(NamedTuple):
    """The evaluable patients whom each basket takes if it is not stopped, (replicates, baskets, largest cap); inf where there is
    none. arrival, known_day: days. response.
    """

    arrival: np.ndarray
    known_day: np.ndarray
    response: np.ndarray


def play(design: BasketDesign, responses: Responses) -> Played:
    """Run every replicate."""
    replicates, baskets = len(responses.basket), len(design.null_rate)
    if np.any(np.diff(responses.arrival, axis=1) < 0):
        raise ValueError("patients must be in order of arrival")
    admitted, look_day = schedule(design, responses)
    queue = _queue(design, responses, admitted)
    resolution = None if np.max(design.caps) <= FEW else FINE
    null = prepare(design.model, design.null_rate, resolution)
    posterior_rule = design.futility is not None and design.futility.kind == "posterior"
    active = prepare(design.model, design.futility.rate, resolution) if posterior_rule else null
    stop_day = np.full((replicates, baskets), np.inf)
    stopped, positive = np.zeros((replicates, baskets), int), np.zeros((replicates, baskets), bool)
    decided = np.full((replicates, baskets), np.nan)
    look_day = look_day.reshape(replicates, -1)
    for event in np.argsort(look_day, axis=1, kind="stable").T:  # looks of all baskets, day by day
        k = event // len(design.looks)
        day = look_day[np.arange(replicates), event]
        due = np.flatnonzero(np.isfinite(day) & (stopped[np.arange(replicates), k] == 0))
        if due.size == 0:
            continue
        k, day = k[due], day[due]
        y, n = _known(queue, stop_day, due, day)
        now = posterior(null, y, n)
        probability = now.probability[np.arange(due.size), k]
        success = probability > (np.inf if design.efficacy is None else design.efficacy)
        futile = _futile(design, null, active, now, y, n, k) & ~success
        ends = success | futile
        at = due[ends], k[ends]
        stopped[at], stop_day[at] = event[due][ends] % len(design.looks) + 1, day[ends]
        positive[at], decided[at] = success[ends], probability[ends]
    y, n = _known(queue, stop_day, np.arange(replicates), np.full(replicates, np.inf))
    final = posterior(null, y, n)
    passed = (final.probability > design.gamma) & (final.estimate > design.least_estimate) & (n > 0)
    in_trial = admitted & (responses.arrival <= np.take_along_axis(stop_day, np.maximum(responses.basket, 0), axis=1))
    last_known = np.max(np.where(in_trial, responses.known_day, 0.0), axis=1, initial=0.0)
    last_stop = np.max(np.where(stopped > 0, stop_day, 0.0), axis=1)
    return Played(
        enrolled=np.stack([np.sum(in_trial & (responses.basket == k), axis=1) for k in range(baskets)], axis=1),
        evaluable=n,
        responders=y,
        positive=positive | ((stopped == 0) & passed),
        stopped_look=stopped,
        probability=np.where(stopped > 0, decided, final.probability),
        estimate=final.estimate,
        end_day=np.where(np.all(stopped > 0, axis=1), last_stop, last_known),
    )


def schedule(design: BasketDesign, responses: Responses) -> tuple[np.ndarray, np.ndarray]:
    """Who is enrolled if no basket stops, bool, (replicates, patients), and the day of every look, inf for one that does not take
    place, (replicates, baskets, looks). A basket's looks do not depend on the others.
    """
    admitted = np.zeros(responses.basket.shape, bool)
    look_day = np.full((len(admitted), len(design.caps), len(design.looks)), np.inf)
    for k, cap in enumerate(design.caps):
        comes = responses.basket == k
        judged = comes & responses.evaluable
        rank = np.cumsum(judged, axis=1)
        for j, size in enumerate(design.looks):
            if size >= cap:
                break
            reached = rank[:, -1] >= size
            first = judged & (rank <= size)
            day = np.max(np.where(first, responses.known_day, -np.inf), axis=1)
            look_day[reached, k, j] = day[reached]
            if design.hold:
                last = np.max(np.where(first, responses.arrival, -np.inf), axis=1)  # arrival of the last patient of the look
                waits = (responses.arrival > last[:, None]) & (responses.arrival <= day[:, None]) & reached[:, None]
                comes = comes & ~waits
                judged = comes & responses.evaluable
                rank = np.cumsum(judged, axis=1)
        admitted |= comes & (rank - judged < cap)
    return admitted, look_day


def _queue(design: BasketDesign, responses: Responses, admitted: np.ndarray) -> Queue:
    shape = len(admitted), len(design.caps), int(np.max(design.caps))
    arrival, known_day, response = np.full(shape, np.inf), np.full(shape, np.inf), np.zeros(shape, bool)
    for k in range(shape[1]):
        judged = admitted & responses.evaluable & (responses.basket == k)
        rows, who = np.nonzero(judged)
        place = (np.cumsum(judged, axis=1) - 1)[rows, who]
        arrival[rows, k, place] = responses.arrival[rows, who]
        known_day[rows, k, place] = responses.known_day[rows, who]
        response[rows, k, place] = responses.response[rows, who]
    return Queue(arrival, known_day, response)


def _known(queue: Queue, stop_day: np.ndarray, rows: np.ndarray, day: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Responders and patients with a known outcome on ``day``, of those who came before their basket stopped, (rows, baskets)."""
    seen = (queue.known_day[rows] <= day[:, None, None]) & (queue.arrival[rows] <= stop_day[rows][:, :, None])
    seen &= np.isfinite(queue.arrival[rows])
    return np.sum(seen & queue.response[rows], axis=2), np.sum(seen, axis=2)


def predictive(given: Prepared, now: Posterior, y: np.ndarray, n: np.ndarray, k: np.ndarray, full: np.ndarray, gamma: np.ndarray):
    """Probability that basket ``k`` passes its threshold when ``full`` of its patients are known, (replicates,).

    Args:
        now: posterior of y, n. k, full: basket and its planned size, (replicates,). gamma: (baskets,).
    """
    rows = np.arange(len(k))
    ahead = np.maximum(full - n[rows, k], 0)
    found = np.zeros(len(k))
    for x in range(int(ahead.max(initial=0)) + 1):
        can = rows[ahead >= x]
        more_y, more_n = y[can].copy(), n[can].copy()
        at = np.arange(can.size), k[can]
        more_y[at] += x
        more_n[at] += ahead[can]
        then = posterior(given, more_y, more_n)
        chance = special.binom(ahead[can], x) * np.exp(then.log_evidence - now.log_evidence[can])
        found[can] += chance * (then.probability[at] > gamma[k[can]])
    return found


def _futile(
    design: BasketDesign, null: Prepared, futility: Prepared, now: Posterior, y: np.ndarray, n: np.ndarray, k: np.ndarray
) -> np.ndarray:
    """Whether each replicate's basket ``k`` is to be stopped for futility."""
    if design.futility is None:
        return np.zeros(len(k), bool)
    if design.futility.kind == "posterior":
        return posterior(futility, y, n).probability[np.arange(len(k)), k] < design.futility.below
    return predictive(null, now, y, n, k, np.asarray(design.caps)[k], np.asarray(design.gamma)) < design.futility.below
