"""Adaptive enrichment: two stages, and an interim look that chooses the population of the second.

Stage 1 is the first n1 patients randomised, whatever their marker. Its interim look chooses to go on in all patients, in positive
ones only, in both (all patients, both hypotheses), or to stop (Wang, O'Neill & Hung, Pharm Stat 2007;6:227-44; Jenkins, Stone &
Jennison, Pharm Stat 2011;10:347-56). Whoever is randomised later belongs to stage 2. Stage 1 is followed to a number of events that
was fixed before, whatever is chosen, and stage 2 to one of its own; the scores of the disjoint patients are independent and
combine, with weights fixed before, to

    Z = sqrt(w) Z_1 + sqrt(1 - w) Z_2                                        (inverse normal; Lehmacher & Wassmer, Biometrics 1999)

for no effect in all (H), for none in positive patients (H+), and for both together (`multiplicity.intersection` in each stage). A
hypothesis that goes on is rejected if its own Z and that of both together pass the critical value: closed testing, so that the
family-wise error holds whatever rule made the choice. If one hypothesis goes on, it stands for both together in stage 2.

Patients who come while the interim look is awaited enter whatever their marker. If positive patients are then chosen, the negative
ones among them count as randomised, not in the test of stage 2.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np
from scipy import stats

from trialsim.designs.biomarker.candidates import MarkedCandidates
from trialsim.designs.biomarker.conduct import (
    Choice,
    Patients,
    Played,
    admit,
    event_day,
    first,
    known_by,
    result,
    scores,
    screening,
    seen,
)
from trialsim.designs.biomarker.fixed import Failed
from trialsim.designs.biomarker.multiplicity import Claims, Intersection, Scores, intersection
from trialsim.endpoints.comparison import LogRank, log_rank


class Stages(NamedTuple):
    """Sizes of the stages.

    Attributes:
        patients: randomised in stage 1. interim_events: among them, at which the choice is due, not before the last of them is in.
        events: among them, at which stage 1 is analysed.
        next_patients, next_events: randomised in stage 2 if all patients go on, and events among them.
        next_patients_positive, next_events_positive: the same if only positive patients do.
    """

    patients: int
    interim_events: int
    events: int
    next_patients: int
    next_events: int
    next_patients_positive: int
    next_events_positive: int

    @property
    def weight(self) -> float:
        """Share of stage 1 in the planned events, the weight that costs least power where the plan is kept."""
        return self.events / (self.events + self.next_events)


class InterimRule(NamedTuple):
    """What promises enough to go on.

    Attributes:
        measure: ``hazard_ratio``: one-step estimate exp((O - E) / V) (Peto's) at most the threshold; ``conditional_power`` under
            the estimated effect, or ``predictive_power`` under a flat prior, at least the threshold.
        overall, positive: thresholds, in all and in positive patients.
    """

    measure: Literal["hazard_ratio", "conditional_power", "predictive_power"]
    overall: float
    positive: float


def power_at_end(z: np.ndarray, information: np.ndarray, alpha: float, predictive: bool) -> np.ndarray:
    """Power of the final one-sided test, seen from an interim look.

        conditional, under the trend:  Phi( (z / sqrt(t) - c) / sqrt(1 - t) )
        predictive, flat prior:        Phi( (z - c sqrt(t)) / sqrt(1 - t) )

    (Spiegelhalter, Freedman & Blackburn, Control Clin Trials 1986;7:8-17.)

    Args:
        z: score at the look. information: share t of the final events, 0-1; at 1 the power is 0 or 1.
    """
    t, c = np.clip(information, 0.0, 1.0 - 1e-12), stats.norm.isf(alpha)
    with np.errstate(divide="ignore", invalid="ignore"):
        return stats.norm.cdf((z - c * np.sqrt(t) if predictive else z / np.sqrt(t) - c) / np.sqrt(1.0 - t))


def choose(rule: InterimRule, tests: tuple[LogRank, LogRank], final: tuple[np.ndarray, np.ndarray], alpha: float) -> np.ndarray:
    """A `Choice` for each trial. Where nothing is known of a population yet, it goes on.

    Args:
        tests: of stage 1 at the look, in all and in positive patients. final: events at the end that each is on the way to.
    """
    promising = []
    for test, events, threshold in zip(tests, final, (rule.overall, rule.positive), strict=True):
        unknown = test.variance <= 0.0
        if rule.measure == "hazard_ratio":
            log_hr = np.divide(test.observed - test.expected, test.variance, out=np.zeros_like(test.variance), where=~unknown)
            enough = np.exp(log_hr) <= threshold
        else:
            t = np.divide(test.events, events, out=np.zeros_like(test.variance), where=events > 0)
            enough = power_at_end(-test.z, t, alpha, rule.measure == "predictive_power") >= threshold
        promising.append(unknown | enough)
    return Choice.ALL * promising[0] + Choice.POSITIVE * promising[1]


def combined_claims(
    choice: np.ndarray, stage_1: Scores, stage_2: Scores, weight: float, alpha: float, method: Intersection
) -> Claims:
    """Claims from the scores of both stages.

    Args:
        choice: a `Choice` for each trial. stage_2: where only positive patients go on, ``positive`` alone is looked at. weight: w.
    """
    c = stats.norm.isf(alpha)
    passes = lambda one, two: np.sqrt(weight) * one + np.sqrt(1.0 - weight) * two >= c
    both = np.select(
        [choice == Choice.ALL, choice == Choice.POSITIVE],
        [stage_2.overall, stage_2.positive],
        intersection(stage_2, method),
    )
    rejected = (choice != Choice.STOP) & passes(intersection(stage_1, method), both)
    overall = rejected & (choice != Choice.POSITIVE) & passes(stage_1.overall, stage_2.overall)
    positive = rejected & (choice != Choice.ALL) & passes(stage_1.positive, stage_2.positive)
    return Claims(overall, positive, np.zeros_like(overall))


def play_adaptive(
    candidates: MarkedCandidates,
    stages: Stages,
    rule: InterimRule,
    alpha: float,
    rng: np.random.Generator,
    *,
    method: Intersection = "correlated",
    failed: Failed = "excluded",
    turnaround: float = 0.0,
    block: tuple[int, int] = (1, 1),
    last_day: float = np.inf,
) -> Played:
    """Play every replicate.

    Args:
        alpha: one-sided family-wise error. failed: whether patients without a result are left out, or enter and count among all; a
            second stage in positive patients has none. turnaround, block, last_day: as in `fixed.play_enriched`.
    """
    eligible = np.full(candidates.marker.shape, True) if failed == "enter" else ~np.isnan(candidates.marker)
    every = admit(candidates, eligible, block, turnaround, rng)
    one = first(every.enters, stages.patients)
    in_by = np.where(one, every.entry, -np.inf).max(axis=1, initial=-np.inf)
    look = np.maximum(in_by, event_day(every, one, stages.interim_events))
    look = np.minimum(np.where(one.any(axis=1), look, known_by(candidates, turnaround)), last_day)
    choice = _interim(every, one, look, stages, rule, alpha)

    two, randomised = _second(every, one, look, choice, stages)
    day_1 = np.minimum(np.maximum(event_day(every, one, stages.events), look), last_day)
    due = [event_day(every, two, n) for n in (stages.next_events_positive, stages.next_events)]
    day_2 = np.minimum(np.maximum(np.where(choice == Choice.POSITIVE, *due), look), last_day)
    claims = combined_claims(choice, scores(every, one, day_1), scores(every, two, day_2), stages.weight, alpha, method)

    end = np.where(choice == Choice.STOP, look, np.maximum(day_1, day_2))
    closing = np.where(choice == Choice.STOP, look, day_2)  # nobody enters after the analysis of stage 2
    population = randomised & (every.entry <= closing[:, None])
    most = np.where(choice == Choice.POSITIVE, stages.next_patients_positive, stages.next_patients)
    screened = screening(candidates, two, most, closing)
    return result(every, population, claims, end, screened, choice)


def _interim(
    every: Patients, one: np.ndarray, look: np.ndarray, stages: Stages, rule: InterimRule, alpha: float
) -> np.ndarray:
    data = seen(every, one, look)
    test = lambda group, strata=None: log_rank(data.time, data.event, every.arm, strata, data.included & group)
    overall, positive = test(True, every.stratum), test(every.positive)
    share = np.divide(positive.events, overall.events, out=np.zeros_like(overall.events), where=overall.events > 0)
    final = np.full(len(look), float(stages.events + stages.next_events)), share * stages.events + stages.next_events_positive
    return choose(rule, (overall, positive), final, alpha)


def _second(
    every: Patients, one: np.ndarray, look: np.ndarray, choice: np.ndarray, stages: Stages
) -> tuple[np.ndarray, np.ndarray]:
    """Patients that stage 2 is about, and everyone randomised, both (replicates, candidates)."""
    later = every.enters & ~one
    waiting = later & (every.entry <= look[:, None])
    chosen = lambda code: (choice == code)[:, None]
    two = np.where(
        chosen(Choice.POSITIVE),
        first(later & every.positive, stages.next_patients_positive),
        first(later, stages.next_patients) & ~chosen(Choice.STOP),
    )
    randomised = one | two | (waiting & first(later, stages.next_patients))
    return two, randomised
