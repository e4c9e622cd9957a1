"""A whole calibration: simulate, emulate, fit, judge. Every piece is kept as soon as it is done."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from trialsim import console, provenance
from trialsim.artefacts.files import atomic
from trialsim.calibration import criticism, informed, posterior
from trialsim.calibration.fits import Fit, geometry_of, kept
from trialsim.calibration.judging import summary
from trialsim.calibration.left_out import judged, left_out
from trialsim.calibration.likelihood import SPREADS
from trialsim.calibration.problem import Evidence, Opponent, Problem, alone, evidence_of, opponent_of, problem_of
from trialsim.calibration.sampling import Sampler
from trialsim.calibration.stored import library

if TYPE_CHECKING:
    from trialsim.schema.study import StudyConfig

# parameters hang together, so that NUTS needs their covariance; a first fit, of a diagonal metric, tells it
PILOT = Sampler(warmup=300, samples=300)
STEP_SIZE = 150  # iterations of warm-up where the covariance is known
OF_AN_AGE = 400  # draws of a chain, of the fits to adults and to children
# a study left out: the sampler knows the posterior with it. Of 400 draws the ratio of the mean CRPS of the two models for response
# varies by 0.02 from run to run
OF_A_FOLD = Sampler(chains=1, warmup=150, samples=1600, target_accept=0.8, depth=6)


class Calibrated(NamedTuple):
    """Attributes: posterior; found, problem, opponent: what it was fitted to; fit: all draws."""

    posterior: posterior.Posterior
    found: Evidence
    problem: Problem
    opponent: Opponent
    fit: Fit


def posterior_of(problem: Problem, fit: Fit, draws: int, told: Mapping[str, Any]) -> posterior.Posterior:
    """Evenly spaced draws of a fit."""
    d = fit.draws
    which = np.linspace(0, len(d["rho"]) - 1, draws).round().astype(int)
    stacked = lambda *names: np.stack([d[name][which] for name in names], axis=1)
    return posterior.Posterior(
        names=problem.system.shifts,
        shifts=d["shifts"][which],
        mu=stacked("mu_growth", "mu_dependence", "mu_death"),
        tau=stacked("tau_growth", "tau_dependence", "tau_death"),
        rho=d["rho"][which],
        child=stacked("child_growth", "child_dependence"),
        low_grade=d["low_grade_growth"][which],
        omega=stacked("omega_growth", "omega_dependence"),
        error=stacked(*(f"tau_{kind}" for kind in SPREADS)),
        provenance=dict(told),
    )


def calibrate(
    trials: Sequence[StudyConfig],
    folder: Path,
    patients: int,
    draws: int,
    sampler: Sampler,
    seed: int,
    mode: console.Mode = "auto",
) -> Calibrated:
    """From trials to a posterior, saved as ``folder/posterior.npz``.

    Args:
        trials: settings of the trials that may inform it. patients: simulated for each arm of one tumour type. draws: kept.
    """
    found = evidence_of(trials)
    cells = library(found.arms, patients, folder, mode)
    with console.step("fitting emulators", mode):
        problem = problem_of(found, cells)
    with console.step("fitting the hierarchy: where it lies", mode):
        pilot = kept(folder, "pilot", problem, PILOT._replace(chains=sampler.chains), seed)
    with console.step("fitting the hierarchy", mode):
        known = geometry_of(problem, pilot)
        whole = kept(folder, "mechanistic", problem, sampler._replace(warmup=STEP_SIZE), seed + 1, known=known)
    told = {
        "trials": [config.study.name for config in trials],
        "studies": sorted({one.study for one in found.numbers}),
        "numbers": len(found.numbers),
        "patients": int(sum(len(rows) for _, rows in cells)),
        "seconds": pilot.diagnostics["seconds"] + whole.diagnostics["seconds"],
        "sampler": sampler._asdict(),
        "diagnostics": whole.diagnostics,
        "seed": seed,
    } | {key: value for key, value in provenance.collect().items() if key in ("trialsim", "python", "cpus", "packages", "git")}
    made = posterior_of(problem, whole, draws, told)
    with atomic(folder / posterior.SHIPPED) as path:
        made.save(path)
    return Calibrated(made, found, problem, opponent_of(found), whole)


def judge(made: Calibrated, sampler: Sampler, seed: int, folder: Path, mode: console.Mode = "auto") -> dict[str, pd.DataFrame]:
    """How far the posterior may be believed.

    Returns:
        Tables (columns): left_out, see `left_out.judged`; scores, see `judging.summary`; fitted: as left_out, of the fit to all;
        loo, see `criticism.loo`; checks, see `criticism.checks`; contraction, see `informed.contraction`; age_numbers,
        age_parameters, see `informed.by_age`, and age_loo: as loo, of the studies that each fit has seen,
        with children, fitted; alone, see `problem.alone`.
    """
    numbers = made.problem.numbers
    with console.step("fitting the meta-analysis", mode):
        statistical = kept(folder, "statistical", made.opponent, sampler, seed)
    fits = {"mechanistic": made.fit, "statistical": statistical}
    fitted = [judged(numbers, made.fit.predicted, "mechanistic", seed), judged(numbers, statistical.predicted, "statistical", seed)]
    with console.step("leave-one-out by importance weights", mode):
        weighted = criticism.loo(made.problem, made.fit, sampler.chains, seed)
    every = left_out(made.problem, made.opponent, fits, weighted, OF_A_FOLD, seed, folder, mode)
    of_ages = sampler._replace(warmup=STEP_SIZE, samples=min(sampler.samples, OF_AN_AGE))
    with console.step("fitting adults and children apart", mode):
        ages, by_fit = informed.by_age(made.found, made.problem, made.fit, of_ages, seed, folder)
        young = {arm.study: informed.is_of_children(arm) for arm in made.found.arms}
        seen = {name: [study for study in young if young[study] == (name == "children")] for name in ("adults", "children")}
        of_fit = lambda name: criticism.loo(made.problem, by_fit[name], sampler.chains, seed, seen.get(name)).table
        by_age = [of_fit(name).assign(fitted=name) for name in by_fit]
    age_loo = pd.concat(by_age, ignore_index=True)
    age_loo["children"] = age_loo["study"].map(young)
    return {
        "left_out": every,
        "scores": summary(every),
        "fitted": pd.concat(fitted, ignore_index=True),
        "loo": weighted.table,
        "checks": criticism.checks(numbers, made.fit.predicted),
        "contraction": informed.contraction(made.problem, made.fit.draws, seed),
        "age_numbers": ages["numbers"],
        "age_parameters": ages["parameters"],
        "age_loo": age_loo,
        "alone": alone(made.found),
    }
