"""How each family of designs meets the patients of the bank.

One function a family. It makes ready what does not depend on the patients (looks, bounds, calibrated thresholds), and returns the
play of a batch of replicates.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from trialsim.bank.population import POSITIVE, Population
from trialsim.bank.stream import Stream, only
from trialsim.designs.adaptive.from_settings import rules_of, winner_of
from trialsim.designs.adaptive.outcomes import Outcomes
from trialsim.designs.adaptive.randomised import play as play_adaptive
from trialsim.designs.adaptive.winner import patients_needed, play_winner
from trialsim.designs.basket.from_settings import basket_design
from trialsim.designs.basket.trial import Responses as BasketResponses
from trialsim.designs.basket.trial import play as play_baskets
from trialsim.designs.biomarker.candidates import MarkedCandidates
from trialsim.designs.biomarker.from_settings import play as play_marked
from trialsim.designs.borrowing.decision import success_table
from trialsim.designs.borrowing.from_settings import historical_design
from trialsim.designs.randomised.conduct import Decision
from trialsim.designs.randomised.conduct import play as play_trial
from trialsim.designs.randomised.from_settings import trial_of
from trialsim.designs.randomised.outcomes import Candidates
from trialsim.designs.single_arm.conduct import Responses
from trialsim.designs.single_arm.conduct import play as play_single_arm
from trialsim.designs.single_arm.estimate import intervals
from trialsim.designs.single_arm.from_settings import looks_of
from trialsim.endpoints.hazards import cox
from trialsim.evidence.historical import historical_counts
from trialsim.schema import ConfigError
from trialsim.schema.design.adaptive import MultiArmSettings, SelectTheWinnerSettings
from trialsim.schema.design.basket import BasketSettings
from trialsim.schema.design.biomarker import EnrichedSettings, MarkerDesignSettings
from trialsim.schema.design.historical import HistoricalControlSettings
from trialsim.schema.design.randomised import RandomisedSettings
from trialsim.schema.design.single_arm import ResponseRateSettings
from trialsim.schema.design.treatments import ALONE, CONTROL, CROSSOVER, DRUG, at_dose

if TYPE_CHECKING:
    from trialsim.schema.design import DesignSettings
    from trialsim.schema.design.responders import ResponderSettings

Z95 = 1.959963985


class Outcome(NamedTuple):
    """What became of each replicate. (replicates,) unless said.

    Attributes:
        treats: groups that are treated after the trial, bool, (replicates, groups).
        given: with what, number within ``treatments``; None: with the drug at ``regimen.dose``. treatments: their names.
        enrolled: patients treated or randomised. screened: who had come when the last of them had. end_day: of the decision.
        estimate, truth: of the effect that the design estimates, and what is true of its patients; covered: by the design's 95 %
            interval. NaN where the design gives none.
    """

    treats: np.ndarray
    enrolled: np.ndarray
    screened: np.ndarray
    end_day: np.ndarray
    estimate: np.ndarray
    truth: float
    covered: np.ndarray
    given: np.ndarray | None = None
    treatments: tuple[str, ...] = (DRUG,)


class Question(NamedTuple):
    """What a player needs besides the design. turnaround: of the marker's assay, days. regimen_dose: of treatment ``drug``."""

    turnaround: float
    regimen_dose: float


Play = Callable[[Population, Stream, np.random.Generator], Outcome]


class Player(NamedTuple):
    """A design made ready.

    Attributes:
        play: a batch of replicates. needs: patients without whom it cannot be played, of those who may enter, as
            ``marker_positive`` says. baseline: the treatment that all others equal if the drug does nothing.
    """

    play: Play
    needs: int = 0
    marker_positive: bool = False
    baseline: str = CONTROL


def player_of(design: DesignSettings, question: Question, seed: int) -> Player:
    """Make a design ready.

    Args:
        seed: of calibrations.
    """
    make = next(function for kind, function in FAMILIES.items() if isinstance(design, kind))
    return make(design, question, np.random.default_rng(seed))


# ---- one arm


def _single_arm(design: ResponseRateSettings, question: Question, rng: np.random.Generator) -> Player:
    """A binary outcome against a fixed rate."""
    looks = looks_of(design)
    low, high = intervals(looks, 0.95)
    needed = int(looks.n[-1])

    def play(who: Population, stream: Stream, rng: np.random.Generator) -> Outcome:
        verdict = who.verdict(DRUG, design.outcome, design.assess_weeks)
        came = eligible(design, who, stream, question)
        at = enough(came, needed).patient
        patients = Responses(came.arrival, verdict.success[at], verdict.known_day[at], verdict.evaluable[at])
        played = play_single_arm(looks, patients, design.halt_accrual, design.replace_inevaluable)
        mine = _entitled(design, who)
        judged = mine & verdict.evaluable if design.replace_inevaluable else mine
        truth, end = float(verdict.success[judged].mean()), (played.look, played.responders)
        return Outcome(
            treats=_treated(played.decision, who, design),
            enrolled=played.enrolled,
            screened=screened(stream, came, played.enrolled, design, question),
            end_day=played.end_day,
            estimate=played.umvue,
            truth=truth,
            covered=(low[end] <= truth) & (truth <= high[end]),
        )

    return Player(play, needed, _positive_only(design))


# ---- two arms, time to an event


def _randomised(design: RandomisedSettings, question: Question, rng: np.random.Generator) -> Player:
    trial = trial_of(design)

    def play(who: Population, stream: Stream, rng: np.random.Generator) -> Outcome:
        arms, at = [who.times(CONTROL), who.times(DRUG)], stream.patient
        time, event = (np.stack([arm[i][at] for arm in arms], axis=-1) for i in (0, 1))
        if design.crossover_probability > 0 and who.settings.survival == "os":
            crosses = rng.random(at.shape) < design.crossover_probability
            for values, switched in zip((time, event), who.times(CROSSOVER), strict=True):
                values[..., 0] = np.where(crosses, switched[at], values[..., 0])
        stratum = who.type_code if design.stratified else None
        candidates = Candidates(stream.arrival, time, event, None if stratum is None else stratum[at])
        played = play_trial(rng, candidates, trial)
        truth = true_log_hr(arms, stratum)
        return Outcome(
            treats=played.decision[:, None] == np.full(len(who.groups), Decision.EFFICACY),
            enrolled=played.enrolled,
            screened=played.enrolled,
            end_day=played.end_day,
            estimate=played.log_hr,
            truth=truth,
            covered=_covered(played.log_hr, played.se, truth),
        )

    return Player(play)


def _marked(design: MarkerDesignSettings, question: Question, rng: np.random.Generator) -> Player:
    """With a marker that is tested."""

    def play(who: Population, stream: Stream, rng: np.random.Generator) -> Outcome:
        arms, at = [who.times(CONTROL), who.times(DRUG)], stream.patient
        time, event = (np.stack([arm[i][at] for arm in arms], axis=-1) for i in (0, 1))
        candidates = MarkedCandidates(stream.arrival, time, event, who.marker[at])
        played = play_marked(design, candidates, rng, question.turnaround)
        positive_only = isinstance(design, EnrichedSettings)
        estimate, se = (played.log_hr_positive, played.log_hr_positive_se) if positive_only else (played.log_hr, played.log_hr_se)
        truth = true_log_hr(arms, of=who.positive if positive_only else None)
        return Outcome(
            treats=np.where(_positive_groups(who), played.treats_positive[:, None], played.treats_negative[:, None]),
            enrolled=played.randomised,
            screened=np.maximum(played.screened, played.randomised),
            end_day=played.end_day,
            estimate=estimate,
            truth=truth,
            covered=_covered(estimate, se, truth),
        )

    return Player(play)


# ---- several arms, baskets, borrowing: binary outcomes


def _several_arms(design: MultiArmSettings, question: Question, rng: np.random.Generator) -> Player:
    """Several doses and control."""
    if isinstance(design, SelectTheWinnerSettings):
        winner = winner_of(design)
        needed = patients_needed(winner.arms, design.patients_per_arm)
        run = lambda outcomes, rng: play_winner(winner, design.patients_per_arm, outcomes, rng)
        chosen = lambda played: played.selected
    else:
        rules, needed = rules_of(design, rng), design.replicate_size
        run = lambda outcomes, rng: play_adaptive(rules, outcomes, rng)
        chosen = lambda played: np.maximum(played.chosen, 0)

    def play(who: Population, stream: Stream, rng: np.random.Generator) -> Outcome:
        came = enough(eligible(design, who, stream, question), needed)
        at, arrival = came.patient[:, :needed], came.arrival[:, :needed]
        treatments = [at_dose(dose, question.regimen_dose) for dose in design.arm_doses]
        verdicts = [who.verdict(name, design.outcome, design.assess_weeks) for name in treatments]
        success, known = (np.stack([getattr(one, name)[at] for one in verdicts], axis=-1) for name in ("success", "known_day"))
        played = run(Outcomes(arrival, success, known), rng)
        return Outcome(
            treats=_treated(played.decision, who, design),
            enrolled=played.enrolled,
            screened=screened(stream, came, played.enrolled, design, question),
            end_day=played.end_day,
            estimate=_none(at),
            truth=np.nan,
            covered=_none(at),
            given=np.where(played.decision, chosen(played), len(treatments) - 1),
            treatments=tuple(treatments),
        )

    return Player(play, needed, _positive_only(design))


def _baskets(design: BasketSettings, question: Question, rng: np.random.Generator) -> Player:
    """A decision for each tumour type; types without a basket are not treated."""
    ready, names = basket_design(design, rng), list(design.baskets)

    def play(who: Population, stream: Stream, rng: np.random.Generator) -> Outcome:
        verdict = who.verdict(DRUG, design.outcome, design.assess_weeks)
        basket_of = np.array([names.index(kind) if kind in names else -1 for kind in who.types])
        came = eligible(design, who, stream, question)
        at, here = came.patient, np.isfinite(came.arrival)
        basket = np.where(here, basket_of[who.type_code][at], -1)
        arrival = np.where(here, came.arrival, came.arrival[:, :1] + 1e6)  # nobody of a basket comes after those who come
        known = arrival + verdict.known_day[at]
        played = play_baskets(ready, BasketResponses(basket, arrival, verdict.success[at], known, verdict.evaluable[at]))
        column = np.array([names.index(kind) if kind in names else -1 for kind in who.groups["tumour_type"]])
        mine = (column >= 0) & _entitled_groups(design, who)
        enrolled = played.enrolled.sum(axis=1)
        last = np.where(np.isin(basket, np.arange(len(names))), came.arrival, -np.inf)
        last = np.where(last <= played.end_day[:, None], last, -np.inf).max(axis=1)
        return Outcome(
            treats=played.positive[:, np.maximum(column, 0)] & mine,
            enrolled=enrolled,
            screened=(stream.arrival <= last[:, None]).sum(axis=1),
            end_day=played.end_day,
            estimate=_none(at),
            truth=np.nan,
            covered=_none(at),
        )

    return Player(play)


def _historical(design: HistoricalControlSettings, question: Question, rng: np.random.Generator) -> Player:
    """Rapalog and partner against the rapalog alone, whose rate is borrowed in part."""
    asked = design.history
    counts = historical_counts(asked.drug, asked.tumour_types, asked.age_group, design.outcome)
    success = success_table(historical_design(design, counts["events"], counts["n"]))
    size = design.treated + design.control

    def play(who: Population, stream: Stream, rng: np.random.Generator) -> Outcome:
        came = enough(eligible(design, who, stream, question), size)
        at, arrival = came.patient[:, :size], came.arrival[:, :size]
        treated = rng.permuted(np.tile(np.arange(size) < design.treated, (len(at), 1)), axis=1)
        verdicts = [who.verdict(name, design.outcome, design.assess_weeks) for name in (ALONE, DRUG)]
        responds, known = (
            np.where(treated, *(getattr(one, name)[at] for one in reversed(verdicts))) for name in ("success", "known_day")
        )
        y, control = (responds & treated).sum(axis=1), (responds & ~treated).sum(axis=1)
        mine = _entitled(design, who)
        rates = [float(one.success[mine].mean()) for one in verdicts]
        seen = control / design.control if design.control else np.full(len(at), np.nan)
        return Outcome(
            treats=_treated(success[y, control], who, design),
            enrolled=np.full(len(at), size),
            screened=screened(stream, came, np.full(len(at), size), design, question),
            end_day=(arrival + known).max(axis=1),
            estimate=y / design.treated - seen,
            truth=rates[1] - rates[0],
            covered=_none(at),
        )

    return Player(play, size, _positive_only(design), ALONE)


FAMILIES: dict[type, Callable[[Any, Question, np.random.Generator], Player]] = {
    ResponseRateSettings: _single_arm,
    RandomisedSettings: _randomised,
    MarkerDesignSettings: _marked,
    MultiArmSettings: _several_arms,
    BasketSettings: _baskets,
    HistoricalControlSettings: _historical,
}


# ---- what they share


def _positive_only(design: ResponderSettings) -> bool:
    return design.eligible == "marker_positive"


def eligible(design: ResponderSettings, who: Population, stream: Stream, question: Question) -> Stream:
    """Those who may enter, in the order in which they can."""
    return only(stream, who.positive, question.turnaround) if _positive_only(design) else stream


def check_accrual(player: Player, positive: np.ndarray, stream: Stream) -> None:
    """Whether a design can be played on every replicate: it may be told before any patient is simulated.

    Args:
        positive: whom the assay calls positive, by row of the bank.

    Raises:
        ConfigError: there are not enough patients.
    """
    enough(only(stream, positive) if player.marker_positive else stream, player.needs)


def enough(stream: Stream, needed: int) -> Stream:
    """The stream, if every replicate has that many patients."""
    here = np.isfinite(stream.arrival).sum(axis=1).min()
    if here < needed:
        raise ConfigError(
            "analysis.most_screened", stream.arrival.shape[1], f"more: a trial needs {needed} patients, {here} were eligible"
        )
    return stream


def screened(stream: Stream, came: Stream, enrolled: np.ndarray, design: ResponderSettings, question: Question) -> np.ndarray:
    """Patients who had come when the last of those enrolled had."""
    if not _positive_only(design):
        return enrolled
    last = np.take_along_axis(came.arrival, np.maximum(enrolled - 1, 0)[:, None], axis=1) - question.turnaround
    return (stream.arrival <= last + 1e-9).sum(axis=1)


def true_log_hr(
    arms: list[tuple[np.ndarray, np.ndarray]], stratum: np.ndarray | None = None, of: np.ndarray | None = None
) -> float:
    """Log hazard ratio, drug over control, with every patient of the bank (or those named) in both arms."""
    keep = np.ones(len(arms[0][0]), bool) if of is None else of
    time, event = (np.concatenate([arm[i][keep] for arm in arms]) for i in (0, 1))
    label = None if stratum is None else np.tile(stratum[keep], 2)
    return float(cox(time, event, np.repeat([False, True], keep.sum()), label).log_hr)


def _positive_groups(who: Population) -> np.ndarray:
    return who.groups["marker"].to_numpy() == POSITIVE


def _entitled(design: ResponderSettings, who: Population) -> np.ndarray:
    """Patients whom the design is about."""
    return who.positive if _positive_only(design) else np.ones(len(who.group), bool)


def _entitled_groups(design: ResponderSettings, who: Population) -> np.ndarray:
    return _positive_groups(who) if _positive_only(design) else np.ones(len(who.groups), bool)


def _treated(decision: np.ndarray, who: Population, design: ResponderSettings) -> np.ndarray:
    """One decision for all groups that the design is about: (replicates,) -> (replicates, groups)."""
    return np.asarray(decision, bool)[:, None] & _entitled_groups(design, who)


def _covered(estimate: np.ndarray, se: np.ndarray, truth: float) -> np.ndarray:
    return np.where(np.isfinite(se), np.abs(estimate - truth) <= Z95 * se, np.nan)


def _none(at: np.ndarray) -> np.ndarray:
    return np.full(len(at), np.nan)
