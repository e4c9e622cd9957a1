"""Designs side by side on one population of virtual patients: what each decides, how often it is right, what it takes.

Two questions, each asked of the designs that can answer it: which dose (designs that escalate), and whether and in whom the drug
works (the others)."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from trialsim import console, simulation
from trialsim.analyses.findings import Findings, simulation_faults
from trialsim.analyses.steps import Steps
from trialsim.bank import benefit, dose_finding, treatments
from trialsim.bank.players import Player, Question, check_accrual, player_of
from trialsim.bank.population import Population, attainable, population_of
from trialsim.bank.source import source_of
from trialsim.bank.stream import streams
from trialsim.biomarkers.assay import genes_called
from trialsim.biomarkers.markers import genetic
from trialsim.conduct.solver_check import solver_check
from trialsim.designs import operating
from trialsim.schema import ConfigError
from trialsim.schema.analysis.compare_designs import CompareDesignsSettings
from trialsim.schema.analysis.plain import PlainSettings
from trialsim.schema.design.treatments import DRUG, treatments_of
from trialsim.schema.faults import flatten, of_design, raise_all
from trialsim.sensitivity.draws import drawn
from trialsim.streams import derived_seed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from trialsim.bank.stream import Stream
    from trialsim.schema.design import DesignSettings
    from trialsim.schema.study import StudyConfig

DOSE, BENEFIT = "dose_finding", "benefit"


def run(config: StudyConfig, steps: Steps) -> Findings:
    """Tables (columns):
    replicates: question, design, batch, and what each simulated trial did (`dose_finding.play`, `benefit.play`).
    characteristics: question, design, measure, estimate, low, high (95 % interval of the Monte Carlo error), error (its SE), n.
    differences: the same of the paired differences to the best design (column ``reference``) in the measure that decides.
    doses: level, dose, rate (true DLT probability), n. groups: tumour_type, marker, n, share, drug, control, gain (of the outcome).
    assurance: draw, design, declared, net_benefit, failed.
    """
    settings = config.analysis
    assert isinstance(settings, CompareDesignsSettings)
    designs = settings.candidates(config)
    escalating = {name: design for name, design in designs.items() if design.escalates}
    others = {name: design for name, design in designs.items() if not design.escalates}
    players = _players(config, settings, others)
    _check_accrual(config, settings, players)
    tables: dict[str, pd.DataFrame] = {}
    results: dict[str, Any] = {"n_patients": config.cohort.size, "replicates": settings.replicates}
    replicates, faults = [], ()
    if escalating:
        found, told = _dose_finding(config, settings, escalating, steps)
        tables |= found
        results |= told
        replicates.append(found.pop("replicates").assign(question=DOSE))
    if others:
        found, told, faults = _benefit(config, settings, others, players, steps)
        tables |= found
        results |= told
        replicates.append(found.pop("replicates").assign(question=BENEFIT))
    every = pd.concat(replicates, ignore_index=True)
    results["too_often_false"] = too_often_false(every, settings.benefit.max_type_one_error)
    fit = every[~every["design"].isin(results["too_often_false"])]
    tables |= {"replicates": every, "characteristics": characteristics(every), "differences": differences(every, fit)}
    for question, part in fit.groupby("question"):
        results[f"recommended_{question}"] = recommend(part, decides(part), settings.resamples, config.seed)
    return Findings(tables, results, faults)


def _dose_finding(config: StudyConfig, settings: CompareDesignsSettings, designs: Mapping[str, Any], steps: Steps):
    first = next(iter(designs.values()))  # levels and DLT are the same in all of them
    levels = first.levels
    source = source_of(config, settings)
    blocks = {f"doses_{b.start}": partial(source.doses, first, b) for b in simulation.blocks(config)}
    simulated = steps.each(f"simulating every patient at {len(levels)} dose levels", blocks)
    outlook = dose_finding.outlook_of(pd.concat([part["doses"] for part in simulated.values()], ignore_index=True), len(levels))
    asked, stated = settings.dose_finding, settings.outcomes
    true = np.array(stated.dlt_rates) if isinstance(stated, PlainSettings) else dose_finding.rates(outlook)
    right = dose_finding.right_level(true, asked)
    most = max(design.replicate_size for design in designs.values())
    ready = lambda name: lambda stream, _: dose_finding.play(designs[name], outlook, true, stream, asked)
    replicates = _played(config, settings, designs, steps, ready, len(outlook.evaluable), most, settings.dose_finding_per_month)
    table = pd.DataFrame({"level": range(len(levels)), "dose": levels, "rate": true, "n": outlook.evaluable.sum(axis=0)})
    return {"replicates": replicates, "doses": table}, {"right_dose": levels[right] if right >= 0 else None}


def _benefit(
    config: StudyConfig,
    settings: CompareDesignsSettings,
    designs: Mapping[str, Any],
    players: Mapping[str, Player],
    steps: Steps,
):
    source, blocks = source_of(config, settings), simulation.blocks(config)
    wanted = treatments_of(designs.values(), config.regimen.dose)
    simulated = steps.each(
        f"simulating every patient under {len(wanted)} treatments",
        {f"{name}_{b.start}": partial(source.patients, b, name) for b in blocks for name in wanted},
    )
    table = lambda name: pd.concat([simulated[f"{name}_{b.start}"]["patients"] for b in blocks], ignore_index=True)
    outcomes = treatments.integrated({name: table(name) for name in wanted})
    check: dict[str, Any] = {}
    if source.mechanistic:
        with console.step("checking the solver", config.compute.progress):
            check = solver_check(config, treatments.enrolled(config, blocks[0], DRUG))
    population = _population(config, settings, outcomes)
    ready = lambda name: partial(benefit.play, players[name], population)
    at_hand = len(population.group)
    replicates = _played(config, settings, designs, steps, ready, at_hand, settings.most_screened, settings.per_month)
    failed = config.cohort.size - at_hand
    told = {"solver_check": check, "attainable": attainable(population.groups, settings.benefit.worthwhile)}
    tables = {"replicates": replicates, "groups": population.groups}
    if settings.assurance.draws:
        tables["assurance"] = _assurance(config, settings, players, wanted, steps)
        told["assurance"] = assured(tables["assurance"], replicates)
    return tables, told, simulation_faults(failed, check)


def _population(config: StudyConfig, settings: CompareDesignsSettings, outcomes: dict[str, pd.DataFrame]) -> Population:
    marker = _marker(config, settings, outcomes[DRUG])
    return population_of(outcomes, marker, settings.benefit, config.endpoint)


def _marker(config: StudyConfig, settings: CompareDesignsSettings, patients: pd.DataFrame) -> np.ndarray:
    """The marker of each patient as the assay calls it: 1, 0, NaN without a result."""
    asked = settings.benefit
    called = genetic(genes_called(patients, asked.assays.ngs, asked.assays.pten, config.seed))
    return called[asked.marker].to_numpy(float)


def _players(config: StudyConfig, settings: CompareDesignsSettings, designs: Mapping[str, DesignSettings]) -> dict[str, Player]:
    question = Question(settings.benefit.assays.turnaround_days, config.regimen.dose)
    seed = derived_seed(config.seed, "calibration")
    players, faults = {}, []
    for name, design in designs.items():
        try:
            players[name] = player_of(design, question, seed)
        except ConfigError as error:
            faults += [of_design(fault, name) if config.designs else fault for fault in flatten(error)]
    raise_all(faults)
    return players


def _check_accrual(config: StudyConfig, settings: CompareDesignsSettings, players: Mapping[str, Player]) -> None:
    """A design that lacks patients is told before the minutes that simulating them takes."""
    if not players:
        return
    patients = source_of(config, settings).covariates(simulation.Block(0, config.cohort.size))
    positive = _marker(config, settings, patients) == 1.0
    for stream in _streams(config, settings, len(patients), settings.most_screened, settings.per_month):
        for player in players.values():
            check_accrual(player, positive, stream)


def _assurance(
    config: StudyConfig, settings: CompareDesignsSettings, players: Mapping[str, Player], wanted: list[str], steps: Steps
) -> pd.DataFrame:
    """The designs in worlds whose constants are drawn from their priors: draw, design, declared, net_benefit, failed (patients)."""
    asked = settings.assurance

    def one(world: StudyConfig) -> dict[str, pd.DataFrame]:
        simulated = {name: treatments.simulate(world, simulation.Block(0, asked.patients), name)["patients"] for name in wanted}
        outcomes = treatments.integrated(simulated)
        population = _population(world, settings, outcomes)
        at_hand, rows = len(population.group), []
        for name, player in players.items():
            batches = streams(
                at_hand, asked.replicates, settings.most_screened, asked.batches(settings), settings.per_month, world.seed
            )
            found = pd.concat([benefit.play(player, population, stream, [world.seed, i]) for i, stream in enumerate(batches)])
            rows.append([name, found["declared"].mean(), found["net_benefit"].mean(), asked.patients - at_hand])
        return {"assurance": pd.DataFrame(rows, columns=["design", "declared", "net_benefit", "failed"])}

    worlds = drawn(config, asked.draws, derived_seed(config.seed, "assurance"))
    found = steps.each(
        f"playing the designs in {asked.draws} worlds", {f"world_{i}": partial(one, world) for i, world in enumerate(worlds)}
    )
    return pd.concat([part["assurance"].assign(draw=i) for i, part in enumerate(found.values())], ignore_index=True)


def assured(worlds: pd.DataFrame, replicates: pd.DataFrame) -> dict[str, Any]:
    """Assurance of each design: the probability of success, averaged over worlds (O'Hagan, Stevens & Campbell, Pharm Stat
    2005;4:187-201), beside that at the present constants (``point``)."""
    found = {}
    for design, part in worlds.groupby("design", sort=False):
        mean = operating.expected(part["declared"].to_numpy(float), part["draw"].to_numpy(int))
        found[str(design)] = {
            "estimate": mean.estimate, "low": mean.low, "high": mean.high, "n": mean.n, "unit": "fraction",
            "method": "mean over draws of the constants from their priors; 95 % t interval over draws",
            "point": float(replicates.loc[replicates["design"] == design, "declared"].mean()),
        }  # fmt: skip
    return found


def _played(
    config: StudyConfig,
    settings: CompareDesignsSettings,
    designs: Mapping[str, DesignSettings],
    steps: Steps,
    ready: Callable[[str], Callable[[Stream, Any], pd.DataFrame]],
    patients_at_hand: int,
    patients: int,
    per_month: float,
) -> pd.DataFrame:
    """Every design on the same patients, arriving on the same days."""

    def one(name: str) -> dict[str, pd.DataFrame]:
        batches = _streams(config, settings, patients_at_hand, patients, per_month)
        seed = derived_seed(config.seed, "randomisation")
        play = ready(name)
        found = [play(stream, [seed, i]).assign(batch=i) for i, stream in enumerate(batches)]
        return {"replicates": pd.concat(found, ignore_index=True)}

    trials = steps.each(
        f"playing {settings.replicates} trials of each design",
        {f"trials_{name}": partial(one, name) for name in designs},
    )
    named = [part["replicates"].assign(design=name) for name, part in zip(designs, trials.values(), strict=True)]
    return pd.concat(named, ignore_index=True)


def _streams(
    config: StudyConfig, settings: CompareDesignsSettings, at_hand: int, patients: int, per_month: float
) -> Iterator[Stream]:
    return streams(at_hand, settings.replicates, patients, settings.batches, per_month, config.seed)


def characteristics(replicates: pd.DataFrame) -> pd.DataFrame:
    """Operating characteristics: the mean of every measure of each design, with its Monte Carlo error."""
    rows = []
    for (question, design), trials in replicates.groupby(["question", "design"], sort=False):
        batch = trials["batch"].to_numpy(int)
        for measure in trials.columns.difference(["question", "design", "batch"], sort=False):
            values = trials[measure].to_numpy(float)
            if not np.isfinite(values).any():
                continue
            found = operating.expected(values, batch)
            error = operating.monte_carlo_error(values, batch)
            rows.append([question, design, measure, found.estimate, found.low, found.high, error, found.n])
    return pd.DataFrame(rows, columns=["question", "design", "measure", "estimate", "low", "high", "error", "n"])


COMPARED = {
    DOSE: ("correct", "near", "overdose", "above", "dlts", "enrolled", "months"),
    BENEFIT: ("net_benefit", "declared", "enrolled", "screened", "months"),
}  # fmt: skip


def decides(trials: pd.DataFrame) -> str:
    """The measure that the recommendation on a question rests on. Where no level is near the target: to say which is the best."""
    if (trials["question"] == BENEFIT).all():
        return "net_benefit"
    return "near" if trials["near"].any() else "correct"


def too_often_false(replicates: pd.DataFrame, most: float) -> dict[str, float]:
    """Type I error of the designs that certainly find a benefit where there is none more often than ``most``: whose 95 % Monte
    Carlo interval lies above."""
    if "declared_without_effect" not in replicates:
        return {}
    found = {}
    for design, trials in replicates.groupby("design", sort=False):
        error = operating.expected(trials["declared_without_effect"].to_numpy(float), trials["batch"].to_numpy(int))
        if error.low > most:
            found[str(design)] = float(error.estimate)
    return found


def differences(replicates: pd.DataFrame, fit: pd.DataFrame) -> pd.DataFrame:
    """Each design less the best one in the measure that decides, trial by trial on the same patients.

    Args:
        fit: the replicates of the designs that can be the best. A question without any has no differences.
    """
    rows = []
    for question, trials in replicates.groupby("question", sort=False):
        measures = COMPARED[str(question)]
        values = {name: part.sort_values("batch", kind="stable") for name, part in trials.groupby("design", sort=False)}
        able = [name for name in values if name in set(fit["design"])]
        if not able:
            continue
        measure = decides(fit[fit["question"] == question])
        reference = max(able, key=lambda name: values[name][measure].mean())
        batch = values[reference]["batch"].to_numpy(int)
        for name, part in values.items():
            for measure in measures if name != reference else ():
                paired = part[measure].to_numpy(float) - values[reference][measure].to_numpy(float)
                if np.isfinite(paired).any():
                    found = operating.expected(paired, batch)
                    error = operating.monte_carlo_error(paired, batch)
                    rows.append([question, name, reference, measure, found.estimate, found.low, found.high, error, found.n])
    return pd.DataFrame(rows, columns=["question", "design", "reference", "measure", "estimate", "low", "high", "error", "n"])


def recommend(trials: pd.DataFrame, measure: str, resamples: int, seed: int) -> dict[str, Any]:
    """The design with the highest mean, and how sure the simulation is of it.

    Returns:
        design, measure, estimate, low, high, probability (that it is the best of those compared), probabilities by design.
    """
    parts = {str(name): part.sort_values("batch", kind="stable") for name, part in trials.groupby("design", sort=False)}
    values = {name: part[measure].to_numpy(float) for name, part in parts.items()}
    batch = next(iter(parts.values()))["batch"].to_numpy(int)
    rng = np.random.default_rng(derived_seed(seed, f"recommend_{measure}"))
    probability = operating.best(values, batch, resamples, rng)
    first = max(values, key=lambda name: np.nanmean(values[name]))
    found = operating.expected(values[first], batch)
    return {
        "design": first, "measure": measure, "estimate": found.estimate, "low": found.low, "high": found.high, "n": found.n,
        "unit": "", "method": operating.METHOD, "probability": probability[first], "probabilities": probability,
    }  # fmt: skip
