"""A pair of drugs: in a dish, in the same virtual patients under none, one and both, in several schedules; and which of many
partners
is best in which genotype. Every patient is in every arm, with the same chances, so that arms differ by what is given alone."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from trialsim import console
from trialsim.analyses.findings import Findings, simulation_faults
from trialsim.analyses.steps import Steps
from trialsim.combinations import arms, cohort, dish, genotypes, ranking, schedules
from trialsim.combinations.arms import Arm
from trialsim.combinations.cohort import NONE, Cell
from trialsim.conduct.solver_check import solver_check
from trialsim.schema.analysis.combination import CombinationSettings, Given
from trialsim.streams import derived_seed
from trialsim.units import DAYS_PER_MONTH, DAYS_PER_WEEK

if TYPE_CHECKING:
    from trialsim.schema.study import StudyConfig

ISOBOLE = 0.75  # level of the isobologram over the larger effect of the weaker drug
ALONE = {"none": (False, False), "rapalog": (True, False), "partner": (False, True), "both": (True, True)}
BEST_OF_TWO = "best_of_two"


def run(config: StudyConfig, steps: Steps) -> Findings:
    """Tables (columns):
    lines: line, label. dish_points: `dish.measure`. dish: `dish.surface`. dish_scores: `dish.scores`. isoboles: `dish.isoboles`.
    patients: one row a patient a pair of doses: rapalog_factor, partner_factor, `arms.simulate_arm`. effects, cohort:
    `cohort.effects`, `cohort.surface`. pfs: `cohort.curves` of none, rapalog, partner and both at their highest doses, best_of_two.
    schedules, courses: `schedules.compare`, `schedules.courses`. partners: `genotypes.ranked`.
    """
    settings = config.analysis
    assert isinstance(settings, CombinationSettings)
    enrolled = arms.patients_of(config)
    tables = _in_vitro(config, settings, steps)

    cells = [Cell(a, b) for a in (NONE, *settings.rapalog_factors) for b in (NONE, *settings.partner_factors)]
    pair = {f"dose_{cell.rapalog:g}_{cell.partner:g}": partial(_arm, config, enrolled, _at(cell, settings)) for cell in cells}
    found = steps.each(f"simulating {len(enrolled)} patients at every pair of doses", pair)
    by_cell = dict(zip(cells, (part["patients"] for part in found.values()), strict=True))
    ways = {
        f"schedule_{name}": partial(_arm, config, enrolled, _in_time(given, settings)) for name, given in settings.schedules.items()
    }
    found = steps.each("simulating schedules", ways)
    by_schedule = dict(zip(settings.schedules, (part["patients"] for part in found.values()), strict=True))
    by_partner = _by_genotype(config, settings, enrolled, steps)
    with console.step("checking the solver", config.compute.progress):
        check = solver_check(arms.config_of(config, _at(cells[-1], settings)), enrolled)

    failed = _failed([*by_cell.values(), *by_schedule.values(), *by_partner.values()])
    keep = lambda table: table[~table["patient_id"].isin(failed)].reset_index(drop=True)
    by_cell, by_schedule, by_partner = ({key: keep(t) for key, t in d.items()} for d in (by_cell, by_schedule, by_partner))
    weight = ranking.resampled(len(by_cell[cells[0]]), settings.bootstrap, derived_seed(config.seed, "combination"))
    effect = cohort.effects(by_cell)
    # beyond the last scan but one the curves hang on when that scan happened to be
    horizon = config.design.max_follow_up_months - config.endpoint.scan_interval_weeks * DAYS_PER_WEEK / DAYS_PER_MONTH
    every = [table.assign(rapalog_factor=cell.rapalog, partner_factor=cell.partner) for cell, table in by_cell.items()]
    times = _times(by_cell, settings)
    tables |= {
        "patients": pd.concat(every, ignore_index=True),
        "effects": effect,
        "cohort": cohort.surface(effect, by_cell, weight),
        "pfs": cohort.curves(times),
        "schedules": schedules.compare(by_schedule, settings.reference, settings.pair, horizon, weight),
        "courses": schedules.courses(by_schedule),
        "partners": genotypes.ranked(by_partner, horizon, settings.bootstrap, derived_seed(config.seed, "combination_genotypes")),
    }
    results = _results(tables, times, settings, weight)
    return Findings(tables, results | {"n_patients": len(enrolled), "solver_check": check}, simulation_faults(len(failed), check))


# ---- simulation


def _in_vitro(config: StudyConfig, settings: CombinationSettings, steps: Steps) -> dict[str, pd.DataFrame]:
    lines = {
        f"line_{name}": lambda name=name, line=line: {"points": dish.measure(config, settings.in_vitro, settings.pair, name, line)}
        for name, line in config.cell_line.items()
    }
    found = steps.each("growing cells at every pair of doses", lines)
    points = pd.concat([part["points"] for part in found.values()], ignore_index=True)

    def judge() -> dict[str, pd.DataFrame]:
        beyond = dish.excesses(points)
        return {
            "dish": dish.surface(points, beyond), "dish_scores": dish.scores(beyond), "isoboles": dish.isoboles(points, ISOBOLE)
        }  # fmt: skip

    labels = pd.DataFrame([{"line": name, "label": line.label} for name, line in config.cell_line.items()])
    return {"lines": labels, "dish_points": points} | dict(steps.one("judging_surfaces", judge))


def _arm(config: StudyConfig, enrolled: pd.DataFrame, arm: Arm) -> dict[str, pd.DataFrame]:
    return arms.simulate_arm(config, enrolled, arm, config.analysis.week)


def _at(cell: Cell, settings: CombinationSettings) -> Arm:
    """Both drugs on their prescribed days at a pair of doses."""
    given = lambda factor: Given(dose_factor=factor) if factor > NONE else None
    partner = given(cell.partner)
    return Arm(given(cell.rapalog), {settings.pair: partner} if partner else {})


def _in_time(schedule: Any, settings: CombinationSettings) -> Arm:
    return Arm(schedule.rapalog, {settings.pair: schedule.partner} if schedule.partner else {})


def _by_genotype(
    config: StudyConfig, settings: CombinationSettings, enrolled: pd.DataFrame, steps: Steps
) -> dict[genotypes.Key, pd.DataFrame]:
    """Patients under the rapalog alone, each partner alone and both, once with every genotype."""
    some, full = enrolled.iloc[: settings.genotype_patients], Given()
    given = {(genotypes.RAPALOG_ALONE, genotypes.ALONE): Arm(full, {})}
    for name in config.partner:
        given |= {(name, genotypes.ALONE): Arm(None, {name: full}), (name, genotypes.BOTH): Arm(full, {name: full})}
    keys = [(*drugs, genotype) for drugs in given for genotype in settings.genotypes]
    every = {
        f"partner_{name}_{how}_{genotype}": partial(_arm, config, genotypes.bearing(some, genotype), given[name, how])
        for name, how, genotype in keys
    }
    found = steps.each(f"simulating {len(config.partner)} partners in {len(settings.genotypes)} genotypes", every)
    return dict(zip(keys, (part["patients"] for part in found.values()), strict=True))


def _failed(tables: list[pd.DataFrame]) -> set[int]:
    """Patients whose course could not be integrated in some arm: they are left out of all, so that arms stay comparable."""
    return {int(i) for table in tables for i in table.loc[~table["integration_ok"], "patient_id"]}


# ---- results


def _times(by_cell: dict[Cell, pd.DataFrame], settings: CombinationSettings) -> dict[str, cohort.Times]:
    """Times to progression or death at the highest doses, and what the better of the two drugs would give each patient."""
    most = Cell(settings.rapalog_factors[-1], settings.partner_factors[-1])
    cell = lambda rapalog, partner: Cell(most.rapalog if rapalog else NONE, most.partner if partner else NONE)
    times = {name: cohort.times_of(by_cell[cell(*given)]) for name, given in ALONE.items()}
    return times | {BEST_OF_TWO: cohort.Times(*cohort.best_of(*times["rapalog"], *times["partner"]))}


def _results(
    tables: dict[str, pd.DataFrame], times: dict[str, cohort.Times], settings: CombinationSettings, weight: np.ndarray
) -> dict[str, Any]:
    """Headline numbers."""
    found: dict[str, Any] = {}
    for row in tables["dish_scores"].itertuples():
        found[f"{row.measure}_{row.line}"] = {
            "estimate": row.estimate, "low": row.low, "high": row.high, "n": row.n, "unit": "fraction",
            "method": "mean over the surface; 95 % t interval over replicates",
        }  # fmt: skip
    at_most = tables["cohort"].query(
        f"rapalog_factor == {settings.rapalog_factors[-1]} and partner_factor == {settings.partner_factors[-1]}"
    )
    for row in at_most.itertuples():
        found[f"cohort_{row.measure}"] = {
            "estimate": row.estimate, "low": row.low, "high": row.high, "n": row.n, "unit": "fraction",
            "method": "highest doses; mean over patients, bootstrap 95 %",
        }  # fmt: skip
    for name, control in (("rapalog", "rapalog"), ("partner", "partner"), (BEST_OF_TWO, BEST_OF_TWO)):
        found[f"pfs_hazard_ratio_both_over_{name}"] = cohort.hazard_ratio(times["both"], times[control], weight) | {
            "unit": "ratio", "method": "Cox, the same patients in both arms; bootstrap 95 %"
        }  # fmt: skip
    best = tables["partners"].query("measure == 'tumour' and rank == 1").drop_duplicates("genotype")
    found["best_partner"] = {
        row.genotype: {"partner": row.partner, "probability": row.best, "gain": row.estimate} for row in best.itertuples()
    }
    return found
