"""A whole calibration: simulate, emulate, fit, leave each study out. Every piece is kept as soon as it is done.

A piece is named by a digest of all that it was made from, so that a folder can be used again after settings have changed: what they
touch is made anew, the rest is read.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from trialsim import console, provenance
from trialsim.artefacts.files import atomic
from trialsim.calibration import emulator, likelihood, meta, model, posterior, predictive, scores
from trialsim.calibration.arms import CHILDREN_BELOW_Y, Arm, arms_of
from trialsim.calibration.library import PFS_MONTHS, Cell, cells_of, simulated
from trialsim.calibration.published import JUDGED, Number, numbers_of
from trialsim.calibration.sampling import Sampler, sample
from trialsim.calibration.system import System, shift_name, system
from trialsim.schema.study import StudyConfig
from trialsim.streams import derived_seed

SMALLEST_CELL = 256  # patients, of a tumour type that few of a mixed trial's patients have
ACCURACY = 0.01  # compute.accuracy of the library: its error is far below that of a few thousand patients (ours)
ROUNDING = {"orr": 0.005, "dcr": 0.005, "median_pfs": 0.05, "pfs_hr": 0.005}  # half of the last digit that is printed
VERSION = 1  # of what a piece holds; a change makes all anew
MODELS = ("mechanistic", "statistical")


class Evidence(NamedTuple):
    """Arms of published trials and what was published of them. Attributes: arms, numbers; bases: of every tumour type, see
    `posterior.base_of`; children: tumour types of children."""

    arms: list[Arm]
    numbers: list[Number]
    bases: dict[str, tuple[float, float, float]]
    children: set[str]


def evidence_of(trials: Sequence[StudyConfig]) -> Evidence:
    """From the settings of trials, each made of a trial's file."""
    arms, numbers, bases, children = [], [], {}, set()
    for config in trials:
        of_trial = arms_of(config)
        arms += of_trial
        numbers += numbers_of(of_trial)
        bases |= {kind: posterior.base_of(tumour) for kind, tumour in config.tumour.items()}
        if config.cohort.age.maximum_y < CHILDREN_BELOW_Y:
            children |= set(config.cohort.mix)
    return Evidence(arms, numbers, bases, children)


def patients_of(cell: Cell, patients: int) -> int:
    """Patients simulated for a cell: a power of two, fewer for a small share of an arm."""
    return patients if cell.share == 1.0 else int(2 ** np.ceil(np.log2(max(patients * cell.share, SMALLEST_CELL))))


def library(found: Evidence, patients: int, folder: Path, mode: console.Mode = "auto") -> list[tuple[Cell, pd.DataFrame]]:
    """Patients of every cell, simulated or read from ``folder/library``."""
    cells = [cell for arm in found.arms for cell in cells_of(arm)]
    made = []
    with console.progress("simulating arms of published trials", len(cells), mode) as advance:
        for cell in cells:
            count = patients_of(cell, patients)
            path = folder / "library" / f"{cell.name.replace('/', '-')}-{_digest(cell, count)}.parquet"
            if not path.is_file():
                rows = simulated(_coarse(cell), count)
                with atomic(path) as partial_path:
                    rows.to_parquet(partial_path, index=False, engine="pyarrow")
            made.append((cell, pd.read_parquet(path)))
            advance(1)
    return made


def _coarse(cell: Cell) -> Cell:
    compute = cell.arm.config.compute.model_copy(update={"accuracy": ACCURACY})
    return cell._replace(arm=cell.arm._replace(config=cell.arm.config.model_copy(update={"compute": compute})))


def _digest(cell: Cell, count: int) -> str:
    """Of all that the patients of a cell are made from."""
    config = cell.arm.config
    parts = config.model_dump(
        mode="json",
        include={"seed", "cohort", "drug", "partner", "network", "mechanism", "regimen", "modification", "endpoint", "design"},
    )
    parts["cohort"].pop("mix", None)
    settings = config.analysis.model_dump(mode="json")
    parts |= {"tumour": config.tumour[cell.kind].model_dump(mode="json"), "kind": cell.kind, "arm": cell.arm.arm, "count": count}
    parts |= {key: settings[key] for key in ("selection", "dose_levels", "disease_control_weeks", "reader")}
    parts |= {"parameters": {name: list(prior) for name, prior in cell.parameters.items()}, "version": VERSION}
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]


class Problem(NamedTuple):
    """What the hierarchy is fitted to. Attributes: system, hierarchy, data: see `model.model`. numbers: in the order of data."""

    system: System
    hierarchy: model.Hierarchy
    data: likelihood.Data
    numbers: list[Number]

    @property
    def kinds(self) -> dict[str, list[Number]]:
        """The numbers by the kind of their likelihood, in order."""
        ratio = [one for one in self.numbers if one.endpoint == "pfs_hr"]
        times = [one for one in self.numbers if one.endpoint.startswith("median_")]
        rate = [one for one in self.numbers if one.endpoint != "pfs_hr" and not one.endpoint.startswith("median_")]
        return {"rate": rate, "time": times, "ratio": ratio}


def problem_of(found: Evidence, cells: Sequence[tuple[Cell, pd.DataFrame]]) -> Problem:
    """Emulators of all cells and the published numbers beside them."""
    emulators = emulator.fitted([(cell.parameters, rows, cell.arm.on_drug) for cell, rows in cells])
    made = system([cell for cell, _ in cells], emulators)
    patients = {arm.name: arm.patients for arm in found.arms}
    data = likelihood.data_of(found.numbers, made, patients, {arm.name: _followed(arm) for arm in found.arms})
    priors = {shift_name(cell, name): prior for cell, _ in cells for name, prior in cell.parameters.items()}
    return Problem(made, model.hierarchy(made, found.bases, found.children, priors), data, found.numbers)


def _followed(arm: Arm) -> np.ndarray:
    """Share of the arm's patients still followed in each interval of the PFS grid: accrual at a steady pace."""
    settings, edges = arm.config.analysis, np.array([0.0, *PFS_MONTHS])
    middle = (edges[1:] + edges[:-1]) / 2
    return np.clip((settings.accrual_months + settings.follow_up_months - middle) / settings.accrual_months, 0.02, 1.0)


def masks(kinds: Mapping[str, Sequence[Number]], left_out: str | None) -> dict[str, np.ndarray]:
    """Which numbers count when a study is left out (none: None)."""
    return {kind: np.array([one.study != left_out for one in numbers], bool) for kind, numbers in kinds.items()}


class Fit(NamedTuple):
    """Attributes: draws: by site, chains joined. diagnostics: see `sampling.sample`. predicted: by number, (draws,)."""

    draws: dict[str, np.ndarray]
    diagnostics: dict[str, Any]
    predicted: dict[str, np.ndarray]


def fit_mechanistic(problem: Problem, sampler: Sampler, seed: int, left_out: str | None = None) -> Fit:
    """The hierarchy, with one study left out if asked."""
    arguments = {"data": problem.data, "observed": masks(problem.kinds, left_out)}
    draws, told = sample(_mechanistic(problem), arguments, sampler, seed)
    rng = np.random.default_rng(derived_seed(seed, f"predictive {left_out}"))
    return Fit(draws, told, predictive.drawn(problem.system, problem.data, problem.numbers, draws, rng))


def fit_statistical(found: Evidence, sampler: Sampler, seed: int, left_out: str | None = None) -> Fit:
    """The meta-analysis of the same numbers."""
    made, run, kinds = _statistical(tuple(found.numbers), tuple(found.arms))
    draws, told = sample(run, {"observed": masks(kinds, left_out)}, sampler, seed)
    rng = np.random.default_rng(derived_seed(seed, f"predictive {left_out}"))
    return Fit(draws, told, meta.drawn(made, found.numbers, draws, rng))


_KEPT: dict[Any, Any] = {}  # models by what they are of, so that the folds of one evidence share a compiled program


def _mechanistic(problem: Problem) -> Any:
    key = ("mechanistic", id(problem.system))
    if key not in _KEPT:
        _KEPT[key] = (problem, partial(model.model, problem.system, problem.hierarchy))
    return _KEPT[key][1]


def _statistical(numbers: tuple[Number, ...], arms: tuple[Arm, ...]) -> Any:
    key = ("statistical", tuple(one.name for one in numbers))
    if key not in _KEPT:
        made = meta.table(numbers, arms)
        kinds = {
            "count": [one for one in numbers if one.endpoint in meta.ENDPOINTS[:3]],
            "time": [one for one in numbers if one.endpoint == "median_pfs"],
            "ratio": [one for one in numbers if one.endpoint == "pfs_hr"],
        }
        _KEPT[key] = (made, partial(meta.model, made), kinds)
    return _KEPT[key]


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
        omega=stacked("omega_growth", "omega_dependence"),
        error=stacked("tau_rate", "tau_time", "tau_ratio"),
        provenance=dict(told),
    )


def left_out(
    found: Evidence, problem: Problem, sampler: Sampler, seed: int, folder: Path, mode: console.Mode = "auto"
) -> pd.DataFrame:
    """Every study predicted by both models from all others.

    Returns:
        One row a number of `JUDGED` and model: study, arm, endpoint, value, n, model, crps, median, low_50, ... high_90, inside_50,
        inside_80, inside_90, rank.
    """
    studies = list(dict.fromkeys(one.study for one in found.numbers if one.endpoint in JUDGED))
    mark = hashlib.sha256(repr((sampler, seed, found.numbers, VERSION)).encode()).hexdigest()[:16]
    mark_system = hashlib.sha256(problem.system.coefficients.tobytes()).hexdigest()[:16]
    rows = []
    with console.progress("predicting each study from the others", len(studies) * len(MODELS), mode) as advance:
        for name in MODELS:
            for study in studies:
                stamp = f"{mark}-{mark_system}" if name == "mechanistic" else mark
                path = folder / "left_out" / f"{name}-{study}-{stamp}.parquet"
                if not path.is_file():
                    fit = (
                        fit_mechanistic(problem, sampler, seed, study)
                        if name == "mechanistic"
                        else fit_statistical(found, sampler, seed, study)
                    )
                    with atomic(path) as partial_path:
                        judged(found, fit.predicted, study, name, seed).to_parquet(partial_path, index=False, engine="pyarrow")
                rows.append(pd.read_parquet(path))
                advance(1)
    return pd.concat(rows, ignore_index=True)


def judged(found: Evidence, predicted: Mapping[str, np.ndarray], study: str, name: str, seed: int) -> pd.DataFrame:
    """Scores of the study's numbers, see `left_out`."""
    rng = np.random.default_rng(derived_seed(seed, f"ranks {name} {study}"))
    rows = []
    for one in found.numbers:
        if one.study != study or one.endpoint not in JUDGED:
            continue
        draws, half = np.asarray(predicted[one.name], float), ROUNDING[one.endpoint]
        row = {"study": study, "arm": one.arm, "endpoint": one.endpoint, "value": one.value, "n": one.n, "model": name}
        row |= {"crps": scores.scored(draws, one.value, one.endpoint), "median": float(np.median(draws))}
        for level in scores.LEVELS:
            low, high = np.quantile(draws, [0.5 - level / 200, 0.5 + level / 200], method="inverted_cdf")
            row |= {f"low_{level}": low, f"high_{level}": high, f"inside_{level}": scores.inside(draws, one.value, level, half)}
        rows.append(row | {"rank": scores.rank(draws, one.value, half, rng)})
    return pd.DataFrame(rows)


def calibrate(
    trials: Sequence[StudyConfig],
    folder: Path,
    patients: int,
    draws: int,
    sampler: Sampler,
    seed: int,
    mode: console.Mode = "auto",
) -> tuple[posterior.Posterior, Evidence, Problem]:
    """From trials to a posterior, saved as ``folder/posterior.npz``.

    Args:
        trials: settings of the trials that may inform it. patients: simulated for each arm of one tumour type. draws: kept.
    """
    started = time.perf_counter()
    found = evidence_of(trials)
    cells = library(found, patients, folder, mode)
    with console.step("fitting emulators", mode):
        problem = problem_of(found, cells)
    with console.step("fitting the hierarchy", mode):
        fit = fit_mechanistic(problem, sampler, seed)
    told = {
        "trials": [config.study.name for config in trials],
        "studies": sorted({one.study for one in found.numbers}),
        "numbers": len(found.numbers),
        "patients": int(sum(len(rows) for _, rows in cells)),
        "seconds": round(time.perf_counter() - started),
        "sampler": sampler._asdict(),
        "diagnostics": fit.diagnostics,
        "seed": seed,
    } | {key: value for key, value in provenance.collect().items() if key in ("trialsim", "python", "cpus", "packages", "git")}
    made = posterior_of(problem, fit, draws, told)
    with atomic(folder / posterior.SHIPPED) as path:
        made.save(path)
    return made, found, problem
