"""The patients of an event table as the package sees them: whole blood and pathway under the doses of the table.

Concentrations are sums over all doses given before, each in closed form, at any times of dose and sample. The pathway is solved by
the engine, for which doses come at the starts of equal intervals.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd

from trialsim.cohort import sample_cohort
from trialsim.conduct.full_dose import at_full_dose
from trialsim.conduct.inputs import start_dose_mg
from trialsim.engine import Regimen, simulate
from trialsim.exchange.events import EventTable, check_compartment, doses_of
from trialsim.mechanism.individual_pk import kinetics_of
from trialsim.schema import ConfigError
from trialsim.units import HOURS_PER_DAY

if TYPE_CHECKING:
    from trialsim.conduct.kernel import Subject
    from trialsim.mechanism.pharmacokinetics import DrugKinetics
    from trialsim.schema.study import StudyConfig

MARKERS = ("ps6", "p4ebp1", "pakt", "perk", "autophagy")
PAIRS = 2**16  # of a dose and a later sample, evaluated at once
MOST_VALUES = 5_000_000  # subjects times distinct times of the pathway, a GB in all
LEFT = (0.9, 0.01)  # share of the subjects, and what of a dose may be unabsorbed in them at the end of an interval


def simulate_events(
    events: EventTable,
    config: StudyConfig,
    times: Sequence[float] | None = None,
    *,
    interval: float = HOURS_PER_DAY,
    pathway: bool = True,
    patients: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Whole-blood concentrations and tumour pathway of the subjects of an event table, under its doses (mg, hours).

    The n-th subject is patient n - 1 of the study's cohort; with ``cohort.covariates_file`` from ``covariates_of`` it has the
    subject's covariates. What is not given, deviations between subjects and occasions included, is sampled with the study's seed:
    other seeds give other subjects of the same kind. Without residual error. The pathway has the absorption time of the first
    occasion throughout.

    Args:
        events: from ``read_events``. config: the study: drug, network, population, seed; its regimen and design are not used.
        times: hours at which every subject is read; None: those of its observations.
        interval: hours; pathway only: every dose must be at a multiple of it.
        pathway: False: concentrations only, of doses at any times.
        patients: rows of a cohort, one a subject in the table's order, in place of the study's own.

    Returns:
        One row a subject and time: ID, TIME, DV (where ``times`` is None), c_ng_ml (whole blood; of a dose at that very time,
        nothing yet), and ps6_tumour, p4ebp1_tumour, pakt_tumour, perk_tumour, autophagy_tumour, folds of the untreated tumour.

    Raises:
        ConfigError: the cohort has another number of patients, the study has partner drugs, or the doses cannot be simulated.
    """
    subjects_of = events.covariates.index
    _check(events, config, times, patients)
    if patients is None:
        patients = sample_cohort(config.cohort, config.tumour, config.seed)
    rows = _rows(events, times)
    largest = events.doses.groupby("ID")["AMT"].max().reindex(subjects_of, fill_value=0.0).to_numpy()
    whole = at_full_dose(config, patients, largest / start_dose_mg(config, patients, np.ones(len(patients))), days=1)
    kinetics, every = kinetics_of(config.drug), config.drug.pk.occasion_days * HOURS_PER_DAY
    of_row, of_dose = (subjects_of.get_indexer(table["ID"]) for table in (rows, events.doses))
    occasion = np.minimum(events.doses["TIME"].to_numpy() // every, whole.subjects.parameters.iov_F.shape[1] - 1).astype(int)
    rows["c_ng_ml"] = _whole_blood(kinetics, whole.subjects, events.doses, of_dose, occasion, rows["TIME"].to_numpy(), of_row)
    if pathway:
        kind: Any = kinetics.parameters
        pk = kind(*(whole.parameters[name] for name in kind._fields))
        _check_absorbed(kinetics, pk, interval)
        moments, place = np.unique(rows["TIME"], return_inverse=True)
        if len(moments) * len(patients) > MOST_VALUES:
            allowed = f"at most {MOST_VALUES // len(patients)} for {len(patients)} subjects; give fewer, or round TIME"
            raise ConfigError("times", f"{len(moments)} distinct ones", allowed)
        # bioavailability of an occasion is as good as a larger dose
        factor = np.minimum(_iov(whole.subjects, "F", of_dose, occasion), 1.0) / pk.F[of_dose]
        regimen = _regimen(events, interval, factor, moments[-1] if len(moments) else 0.0)
        plan = whole.plan._replace(steps=int(np.ceil(whole.plan.steps * max(1.0, interval / HOURS_PER_DAY))))
        seen = simulate(whole.model, whole.parameters, regimen, moments.tolist(), plan) if len(moments) else None
        for name in MARKERS:
            rows[f"{name}_tumour"] = getattr(seen, name)[of_row, place] if len(moments) else np.zeros(0)
    return rows


def _check(events: EventTable, config: StudyConfig, times: Sequence[float] | None, patients: pd.DataFrame | None) -> None:
    count = len(events.covariates)
    check_compartment(events)
    if config.partner:
        allowed = "none: an event table has the doses of one drug"
        raise ConfigError("partner", ", ".join(config.partner), allowed)
    key, size = ("cohort.size", config.cohort.size) if patients is None else ("patients", len(patients))
    if size != count:
        raise ConfigError(key, size, f"{count}, the number of subjects in {events.path}")
    if times is not None:
        given = np.asarray(times, float)
        if given.ndim != 1 or not (np.isfinite(given) & (given >= 0)).all():
            raise ConfigError("times", str(times)[:80], "a list of hours, at least 0")


def _rows(events: EventTable, times: Sequence[float] | None) -> pd.DataFrame:
    if times is None:
        return events.observations[["ID", "TIME", "DV"]].copy()
    ids, moments = events.covariates.index, np.asarray(times, float)
    return pd.DataFrame({"ID": np.repeat(ids, len(moments)), "TIME": np.tile(moments, len(ids))})


def _iov(subjects: Subject, name: str, who: np.ndarray, occasion: np.ndarray) -> np.ndarray:
    """F or MAT of a subject on an occasion."""
    p = subjects.parameters
    return np.asarray(getattr(p.pk, name)[who] * getattr(p, f"iov_{name}")[who, occasion], float)


def _whole_blood(
    kinetics: DrugKinetics, subjects: Subject, doses: pd.DataFrame, of_dose: np.ndarray, occasion: np.ndarray,
    times: np.ndarray, of_row: np.ndarray,
) -> np.ndarray:  # fmt: skip
    """ng/mL in each row, the sum of what each earlier dose of its subject left."""
    pk = jax.tree.map(lambda leaf: np.asarray(leaf, float), subjects.parameters.pk)
    at, mg = doses["TIME"].to_numpy(), doses["AMT"].to_numpy()
    F, MAT = np.minimum(_iov(subjects, "F", of_dose, occasion), 1.0), _iov(subjects, "MAT", of_dose, occasion)
    # doses stand by subject and time, so those before a sample are a run: from the subject's first one on
    begin, end = np.searchsorted(of_dose, of_row), np.searchsorted(of_dose, of_row, "right")
    before = np.array([np.searchsorted(at[a:b], t) for a, b, t in zip(begin, end, times, strict=True)], int)
    plasma, ends = np.zeros((len(kinetics.analytes), len(times))), np.cumsum(before)
    pairs = int(before.sum())
    with jax.enable_x64(True):
        for start in range(0, pairs, PAIRS):
            pair = np.minimum(np.arange(start, start + PAIRS), pairs - 1)
            row = np.searchsorted(ends, pair, "right")
            dose = begin[row] + pair - (ends[row] - before[row])
            own = _picked(pk, of_row[row])._replace(F=F[dose], MAT=MAT[dose])
            left = np.asarray(_left_of(kinetics, own, mg[dose], times[row] - at[dose]))
            real = min(PAIRS, pairs - start)
            for total, value in zip(plasma, left, strict=True):
                np.add.at(total, row[:real], value[:real])
        return np.asarray(kinetics.whole_blood(_picked(pk, of_row), tuple(plasma)))


def _picked(pk: Any, who: np.ndarray) -> Any:
    return jax.tree.map(lambda leaf: leaf[who], pk)


@partial(jax.jit, static_argnums=0)
def _left_of(kinetics: DrugKinetics, pk: Any, mg: jax.Array, hours: jax.Array) -> list[jax.Array]:
    """Concentration of each analyte some hours after one dose."""
    return [one.rows(pk, hours)[0][one.dose_into] * one.dose(pk, mg) for one in kinetics.analytes]


def _check_absorbed(kinetics: DrugKinetics, pk: Any, interval: float) -> None:
    """Absorption in stages begins anew with each interval, so little may be left of the dose by its end."""
    if not interval > 0:
        raise ConfigError("interval", interval, "a positive number of hours")
    share, most = LEFT
    left = np.asarray(kinetics.propagator(pk, jnp.full(len(pk.F), interval))[kinetics.dose_into, kinetics.dose_into])
    if getattr(kinetics, "stages", 0) != 1 and np.quantile(left, share) > most:
        allowed = "an interval in which the drug is absorbed (12 or 24 h), or pathway = False for concentrations alone"
        raise ConfigError("interval", interval, allowed)


def _regimen(events: EventTable, interval: float, factor: np.ndarray, last: float) -> Regimen:
    """The doses, each times its factor, up to the last time that is wanted."""
    doses = events.doses.assign(AMT=events.doses["AMT"].to_numpy() * factor)
    scaled = EventTable(events.path, doses, events.observations, events.covariates, events.varying)
    end = max(np.round(doses["TIME"].max() / interval) + 1 if len(doses) else 1, np.ceil(last / interval), 1)
    return doses_of(scaled, interval, int(end))
