"""Designs that ask whether, and in whom, the drug works, played on the bank: patients under one treatment or several."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from trialsim.bank.population import POSITIVE, Population, net_benefit
from trialsim.bank.stream import Stream
from trialsim.bank.treatments import CONTROL, CROSSOVER, DRUG, at_dose
from trialsim.designs.adaptive import settings as adaptive
from trialsim.designs.adaptive.outcomes import Outcomes
from trialsim.designs.biomarker.candidates import MarkedCandidates
from trialsim.designs.biomarker.play import play as play_marked
from trialsim.designs.randomised.conduct import Decision
from trialsim.designs.randomised.conduct import play as play_trial
from trialsim.designs.randomised.outcomes import Candidates
from trialsim.designs.randomised.plan import trial_of
from trialsim.designs.single_arm import settings as single_arm
from trialsim.designs.single_arm.conduct import Responses
from trialsim.endpoints.hazards import cox
from trialsim.schema.design.adaptive import MultiArmSettings
from trialsim.schema.design.biomarker import EnrichedSettings, MarkerDesignSettings
from trialsim.schema.design.randomised import RandomisedSettings
from trialsim.schema.design.single_arm import ResponseRateSettings
from trialsim.units import DAYS_PER_MONTH

if TYPE_CHECKING:
    from trialsim.schema.design import DesignSettings

Z95 = 1.959963985


class Outcome(NamedTuple):
    """What became of each replicate. (replicates,) unless said.

    Attributes:
        treats: groups that are treated after the trial, bool, (replicates, groups).
        enrolled: patients treated or randomised. screened: who came until the last of them had. end_day: of the decision.
        estimate, truth: of the effect that the design estimates, and what is true of its population; covered: by the design's 95 %
            interval; NaN where the design gives none.
    """

    treats: np.ndarray
    enrolled: np.ndarray
    screened: np.ndarray
    end_day: np.ndarray
    estimate: np.ndarray
    truth: float
    covered: np.ndarray


def treatments_of(designs: Iterable[DesignSettings], regimen_dose: float) -> list[str]:
    """Names of the treatments that the designs compare."""
    names = [DRUG, CONTROL]
    for design in designs:
        if isinstance(design, MultiArmSettings):
            names += [at_dose(dose, regimen_dose) for dose in design.arm_doses]
        if isinstance(design, RandomisedSettings) and design.crossover_probability > 0:
            names.append(CROSSOVER)
    return list(dict.fromkeys(names))


def play(
    design: DesignSettings, population: Population, stream: Stream, turnaround: float, regimen_dose: float, seed: Any
) -> pd.DataFrame:
    """One design on a batch of replicates, and once more in a world where the drug does nothing.

    Args:
        turnaround: of the marker's assay, days. seed: of the randomisation; the same for every design.

    Returns:
        One row a replicate: declared (some group is found to benefit), declared_without_effect (the same where the drug does
        nothing: type I error), net_benefit (see `population.net_benefit`), right (share of future patients who are given or
        spared the drug as their group's true gain asks), enrolled, screened, months, estimate, error (estimate less truth),
        covered, group_<j> (whether group j is treated).
    """
    player = next(function for kind, function in PLAYERS.items() if isinstance(design, kind))
    run = lambda world: player(design, world, stream, turnaround, regimen_dose, np.random.default_rng(seed))
    found, null = run(population), run(population.without_effect)
    groups, worthwhile = population.groups, population.settings.worthwhile
    deserves, share = groups["gain"].to_numpy() > worthwhile, groups["share"].to_numpy()
    columns = {
        "declared": found.treats.any(axis=1),
        "declared_without_effect": null.treats.any(axis=1),
        "net_benefit": net_benefit(found.treats, groups, worthwhile),
        "right": (found.treats == deserves) @ share,
        "enrolled": found.enrolled,
        "screened": found.screened,
        "months": found.end_day / DAYS_PER_MONTH,
        "estimate": found.estimate,
        "error": found.estimate - found.truth,
        "covered": found.covered,
        **{f"group_{j}": found.treats[:, j] for j in range(len(groups))},
    }
    return pd.DataFrame(columns).astype(float)


def _everybody(found: np.ndarray, population: Population, groups: np.ndarray | None = None) -> np.ndarray:
    """One decision for all groups, or for those named: (replicates,) -> (replicates, groups)."""
    return found[:, None] & (np.ones(len(population.groups), bool) if groups is None else groups)


def _came(stream: Stream, day: np.ndarray) -> np.ndarray:
    return (stream.arrival <= day[:, None]).sum(axis=1)


def _single_arm(design: Any, population: Population, stream: Stream, turnaround: float, dose: float, rng: np.random.Generator):
    """Everyone is treated; a binary outcome against a fixed rate."""
    verdict = population.verdict(DRUG, design.outcome, design.assess_weeks)
    at = stream.patient
    patients = Responses(stream.arrival, verdict.success[at], verdict.known_day[at], verdict.evaluable[at])
    played = single_arm.play_design(design, patients)
    truth = verdict.success.mean() if not design.replace_inevaluable else verdict.success.sum() / verdict.evaluable.sum()
    none = np.full(len(at), np.nan)
    return Outcome(
        treats=_everybody(played.decision, population),
        enrolled=played.enrolled,
        screened=played.enrolled,
        end_day=played.end_day,
        estimate=played.umvue,
        truth=float(truth),
        covered=none,
    )


def _randomised(
    design: RandomisedSettings, population: Population, stream: Stream, turnaround: float, dose: float, rng: np.random.Generator
):
    """Drug against control, time to an event."""
    arms = [population.times(CONTROL), population.times(DRUG)]
    at = stream.patient
    time, event = (np.stack([arm[i][at] for arm in arms], axis=-1) for i in (0, 1))
    if design.crossover_probability > 0 and population.settings.survival == "os":
        crosses = rng.random(at.shape) < design.crossover_probability
        for values, switched in zip((time, event), population.times(CROSSOVER), strict=True):
            values[..., 0] = np.where(crosses, switched[at], values[..., 0])
    stratum = population.type_code[at] if design.stratified else None
    played = play_trial(rng, Candidates(stream.arrival, time, event, stratum), trial_of(design))
    truth = true_log_hr(arms, population.type_code if design.stratified else None)
    return Outcome(
        treats=_everybody(played.decision == Decision.EFFICACY, population),
        enrolled=played.enrolled,
        screened=played.enrolled,
        end_day=played.end_day,
        estimate=played.log_hr,
        truth=truth,
        covered=np.where(np.isfinite(played.se), np.abs(played.log_hr - truth) <= Z95 * played.se, np.nan),
    )


def _marked(
    design: MarkerDesignSettings, population: Population, stream: Stream, turnaround: float, dose: float, rng: np.random.Generator
):
    """Drug against control, time to an event, with a marker that is tested."""
    arms = [population.times(CONTROL), population.times(DRUG)]
    at = stream.patient
    time, event = (np.stack([arm[i][at] for arm in arms], axis=-1) for i in (0, 1))
    played = play_marked(design, MarkedCandidates(stream.arrival, time, event, population.marker[at]), rng, turnaround)
    positive = population.groups["marker"].to_numpy() == POSITIVE
    treats = np.where(positive, played.treats_positive[:, None], played.treats_negative[:, None])
    only_positive = isinstance(design, EnrichedSettings)
    estimate, se = (played.log_hr_positive, played.log_hr_positive_se) if only_positive else (played.log_hr, played.log_hr_se)
    truth = true_log_hr(arms, of=population.positive if only_positive else None)
    return Outcome(
        treats=treats,
        enrolled=played.randomised,
        screened=np.maximum(played.screened, played.randomised),
        end_day=played.end_day,
        estimate=estimate,
        truth=truth,
        covered=np.where(np.isfinite(se), np.abs(estimate - truth) <= Z95 * se, np.nan),
    )


def true_log_hr(
    arms: list[tuple[np.ndarray, np.ndarray]], stratum: np.ndarray | None = None, of: np.ndarray | None = None
) -> float:
    """Log hazard ratio, drug over control, with every patient of the bank (or those named) in both arms."""
    keep = np.ones(len(arms[0][0]), bool) if of is None else of
    time, event = (np.concatenate([arm[i][keep] for arm in arms]) for i in (0, 1))
    label = None if stratum is None else np.tile(stratum[keep], 2)
    return float(cox(time, event, np.repeat([False, True], keep.sum()), label).log_hr)


def _several_arms(design: Any, population: Population, stream: Stream, turnaround: float, dose: float, rng: np.random.Generator):
    """Several doses and control, a binary outcome."""
    at = stream.patient[:, : design.replicate_size]
    verdicts = [population.verdict(at_dose(level, dose), design.outcome, design.assess_weeks) for level in design.arm_doses]
    stacked = lambda name: np.stack([getattr(verdict, name)[at] for verdict in verdicts], axis=-1)
    arrival = stream.arrival[:, : design.replicate_size]
    played = adaptive.play_design(design, Outcomes(arrival, stacked("success"), stacked("known_day")), rng)
    none = np.full(len(at), np.nan)
    return Outcome(
        treats=_everybody(played.decision, population),
        enrolled=played.enrolled,
        screened=played.enrolled,
        end_day=played.end_day,
        estimate=none,
        truth=np.nan,
        covered=none,
    )


Player = Callable[[Any, Population, Stream, float, float, np.random.Generator], Outcome]
PLAYERS: dict[type, Player] = {
    ResponseRateSettings: _single_arm,
    RandomisedSettings: _randomised,
    MultiArmSettings: _several_arms,
    MarkerDesignSettings: _marked,
}
