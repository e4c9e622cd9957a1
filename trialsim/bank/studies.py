"""Trials of a given size drawn from a bank of virtual patients, and what each of them would publish."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd
from scipy import special

from trialsim.bank.treatments import CENTRAL, arm_of, enrolled
from trialsim.cohort import sample_cohort
from trialsim.cohort.selection import refuse_rare
from trialsim.conduct.tables import make_patients_and_events
from trialsim.endpoints.comparison import kaplan_meier
from trialsim.endpoints.hazards import cox
from trialsim.schema.design.treatments import CONTROL, CROSSOVER, DRUG
from trialsim.simulation import simulate_patients
from trialsim.units import DAYS_PER_MONTH, DAYS_PER_WEEK

if TYPE_CHECKING:
    from trialsim.schema.analysis.predict import PredictSettings
    from trialsim.schema.study import StudyConfig

SEVERE = 3  # CTCAE grade from which an adverse event is published as severe
GRADE = "grade_3_4_"
BOTH = "drug against control"
CANDIDATES = 4000  # sampled at a time when patients are sought
LANDMARKS = {"pfs": 6, "os": 12}  # months, as `summary.endpoints`
GRACE_DAYS = 10.0  # a scan at the week of a landmark may be that much late
LEAST = 1e-4  # a share is kept off 0 and 1 by this
PATHWAY = ("ps6_tumour_d28", "pakt_tumour_d28", "ps6_pbmc_d28")


class Drawn(NamedTuple):
    """Which patients of the bank each trial has, and until when it sees them.

    Attributes:
        patient: place in the bank, (studies, patients). follow_up: days from the first dose to the data cut-off, same shape.
    """

    patient: np.ndarray
    follow_up: np.ndarray


def eligible(config: StudyConfig, settings: PredictSettings, count: int) -> np.ndarray:
    """The first ``count`` patients whose tumours are as ``selection`` asks, by patient_id.

    Raises:
        ConfigError: hardly anybody is.
    """
    refuse_rare(config.cohort, config.tumour, settings.selection)
    found: list[np.ndarray] = []
    start = had = 0
    while had < count:
        ids = np.arange(start, start + CANDIDATES)
        cohort = sample_cohort(config.cohort, config.tumour, config.seed, ids)
        fits = np.ones(len(ids), bool)
        for gene, altered in settings.selection.items():
            fits &= cohort[gene].to_numpy(bool) == altered
        found.append(ids[fits])
        had += int(fits.sum())
        start += CANDIDATES
    return np.concatenate(found)[:count]


def treated(config: StudyConfig, ids: np.ndarray, arm: str, crossover: bool) -> pd.DataFrame:
    """Patients of one arm: the columns of the patients table, and ``grade_3_4_<term>``: whether it was seen at grade 3 or 4."""
    treatment = CROSSOVER if arm == CONTROL and crossover else arm
    patients, events = [], []
    of_arm = arm_of(config, arm)
    for found, seen in simulate_patients(of_arm, enrolled(of_arm, ids, treatment), make=make_patients_and_events):
        patients.append(found)
        events.append(seen.loc[seen["grade"] >= SEVERE, ["patient_id", "term", "start_day"]])
    table, severe = pd.concat(patients, ignore_index=True), pd.concat(events, ignore_index=True)
    if treatment == CROSSOVER:  # what comes with the drug is not the control's
        crosses = severe["patient_id"].map(table.set_index("patient_id")["pfs_days"])
        severe = severe[severe["start_day"] <= crosses]
    for term in of_arm.terms:
        table[f"{GRADE}{term}"] = table["patient_id"].isin(severe.loc[severe["term"] == term, "patient_id"])
    return table


def drawn(rng: np.random.Generator, at_hand: int, patients: int, settings: PredictSettings) -> Drawn:
    """Trials of ``patients`` each, with replacement: the bank stands for a population without end."""
    shape = (settings.studies_per_draw, patients)
    arrival = rng.uniform(0.0, settings.accrual_months, shape)
    months = settings.accrual_months + settings.follow_up_months - arrival
    return Drawn(rng.integers(0, at_hand, shape), months * DAYS_PER_MONTH)


class Times(NamedTuple):
    """Time to an event as the trials see it, days, and whether it was one; both (studies, patients)."""

    time: np.ndarray
    event: np.ndarray


def _times(table: pd.DataFrame, of: Drawn, name: str, suffix: str) -> Times:
    time = table[f"{name}_days{suffix}"].to_numpy(float)[of.patient]
    event = table[f"{name}_event{suffix}"].to_numpy(bool)[of.patient]
    return Times(np.minimum(time, of.follow_up), event & (time <= of.follow_up))


class Beyond(NamedTuple):
    """By how much published numbers differ beyond patients and chance (readers, definitions): SD of the logit of a response
    rate, of that of another rate, of survival at a median, and of a log hazard ratio. rng: of these differences."""

    response: float
    control: float
    time: float
    ratio: float
    rng: np.random.Generator

    def moved(self, share: np.ndarray, by: np.ndarray) -> np.ndarray:
        """Shares moved on the logit scale."""
        return np.where(by == 0.0, share, special.expit(special.logit(np.clip(share, LEAST, 1.0 - LEAST)) + by))

    def rates(self, share: np.ndarray, patients: int, sd: float) -> np.ndarray:
        """Rates of trials of that many patients, whose expected share is the mean of ``share``, (studies,)."""
        expected = np.full(len(share), np.mean(share))
        return self.rng.binomial(patients, self.moved(expected, sd * self.rng.normal(size=len(share)))) / patients


def published(
    tables: Mapping[str, pd.DataFrame],
    of: Mapping[str, Drawn],
    settings: PredictSettings,
    months: np.ndarray,
    beyond: Beyond,
    unit: str = "mg",
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """What each trial would publish.

    Args:
        tables: of each arm, from `treated`. of: of each arm. months: grid of the curves. beyond: what the model does not hold.
        unit: of the dose levels.

    Returns:
        Table of study, arm, endpoint, value (rates as fractions, times in months; inf: median not reached, NaN: no estimate; pfs_z,
        os_z: log hazard ratio over its standard error), and
        table of study, arm, endpoint (pfs, os), months, survival.
    """
    suffix = CENTRAL if settings.reader == "central" else ""
    rows, curves, seen = [], [], {}
    for arm, table in tables.items():
        values, shown = _of_arm(table, of[arm], suffix, months, settings, beyond, on_drug=arm == DRUG)
        if arm == DRUG and settings.dose_levels:
            values |= _by_level(table, of[arm], settings.dose_levels, unit)
        seen[arm] = {name: _times(table, of[arm], name, suffix if name == "pfs" else "") for name in LANDMARKS}
        rows += [_long(arm, name, value) for name, value in values.items()]
        curves += [shown.assign(arm=arm)]
    if len(tables) == 2:
        for name in LANDMARKS:
            drug, control = seen[DRUG][name], seen[CONTROL][name]
            arm = np.r_[np.ones(drug.time.shape[1], int), np.zeros(control.time.shape[1], int)]
            both = lambda field, a=drug, b=control: np.concatenate([getattr(a, field), getattr(b, field)], axis=1)
            fit = cox(both("time"), both("event"), np.broadcast_to(arm, both("time").shape))
            log_hr = fit.log_hr + beyond.ratio * beyond.rng.normal(size=len(fit.log_hr))
            rows += [_long(BOTH, f"{name}_hr", np.exp(log_hr)), _long(BOTH, f"{name}_z", log_hr / fit.se)]
    return pd.concat(rows, ignore_index=True), pd.concat(curves, ignore_index=True)


def _long(arm: str, endpoint: str, value: np.ndarray) -> pd.DataFrame:
    return pd.DataFrame({"study": np.arange(len(value)), "arm": arm, "endpoint": endpoint, "value": value})


def _of_arm(
    table: pd.DataFrame,
    of: Drawn,
    suffix: str,
    months: np.ndarray,
    settings: PredictSettings,
    beyond: Beyond,
    on_drug: bool,
) -> tuple[dict[str, np.ndarray], pd.DataFrame]:
    """Endpoints of one arm, (studies,) each, and its curves."""
    column = lambda name: table[name].to_numpy()[of.patient]
    share = lambda flag: flag.mean(axis=1)
    rate = lambda flag, sd: beyond.rates(flag, flag.shape[1], sd)
    seen = column(f"response_day{suffix}").astype(float) <= of.follow_up
    controlled = column(f"disease_control{suffix}").astype(bool)
    if settings.disease_control_weeks is not None:
        free = column(f"pfs_event{suffix}").astype(bool)
        until = settings.disease_control_weeks * DAYS_PER_WEEK + GRACE_DAYS
        controlled = ~free | (column(f"pfs_days{suffix}").astype(float) > until)
    found = {
        "orr": rate(column(f"responder{suffix}").astype(bool) & seen, beyond.response),
        "dcr": rate(controlled, beyond.control),
        "clinical_benefit_rate": rate(column("clinical_benefit").astype(bool), beyond.control),
    }
    curves = []
    for name, landmark in LANDMARKS.items():
        curve = kaplan_meier(*_times(table, of, name, suffix if name == "pfs" else ""))
        moved = beyond.time * beyond.rng.normal(size=len(of.patient))
        found[f"median_{name}_months"] = curve.median(special.expit(-moved)) / DAYS_PER_MONTH
        at = curve.at(landmark * DAYS_PER_MONTH)[0][:, 0]
        found[f"{name}_{landmark}_months"] = beyond.moved(at, beyond.control * beyond.rng.normal(size=len(at)))
        survival = curve.at(months * DAYS_PER_MONTH)[0]
        study, when = np.indices(survival.shape)
        curves.append(pd.DataFrame({"study": study.ravel(), "endpoint": name, "months": months[when.ravel()],
                                    "survival": survival.ravel()}))  # fmt: skip
    if on_drug:
        judged = column("dlt_evaluable").astype(bool)
        with np.errstate(invalid="ignore"):
            found["dlt_rate"] = (column("dlt").astype(bool) & judged).sum(axis=1) / judged.sum(axis=1)
        found["median_relative_dose_intensity"] = _median(column("relative_dose_intensity").astype(float))
        found |= {name: _median(column(name).astype(float)) for name in PATHWAY}
    found |= {name: share(column(name).astype(bool)) for name in table.columns if name.startswith(GRADE)}
    return found, pd.concat(curves, ignore_index=True)


def _by_level(table: pd.DataFrame, of: Drawn, levels: Sequence[float], unit: str) -> dict[str, np.ndarray]:
    """Patients with a dose-limiting toxicity at each level, as the evidence tables name it, (studies,)."""
    column = lambda name: table[name].to_numpy()[of.patient]
    limited = column("dlt").astype(bool) & column("dlt_evaluable").astype(bool)
    given = column("dose_level").astype(float)
    return {f"dlt_count_{level:g}{unit}": (limited & (given == level)).sum(axis=1).astype(float) for level in levels}


def _median(values: np.ndarray) -> np.ndarray:
    """Median of each trial over the patients who have a value, (studies,); NaN where nobody has."""
    known = np.isfinite(values).any(axis=1)
    return np.where(known, np.nanmedian(np.where(known[:, None], values, 0.0), axis=1), np.nan)
