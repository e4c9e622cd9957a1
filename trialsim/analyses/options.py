"""Options of one trial in the same worlds: whom to ask in, what to give, how many patients it takes.

An option is a treatment (``what``) in a population (``who``). In each world, a draw of the posterior (`calibration`), every option
is simulated in many patients, the same under every treatment, so that what is found is what is true there, and differences between
options are those between treatments and populations alone. Over the worlds they are as spread as the evidence leaves them.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from trialsim import console
from trialsim.analyses.findings import Findings, simulation_faults
from trialsim.analyses.steps import Steps
from trialsim.bank import studies, treatments
from trialsim.calibration import posterior
from trialsim.conduct.solver_check import meet_accuracy
from trialsim.engine.population import over_devices
from trialsim.evidence.related import beside_a_rapalog, by_alteration
from trialsim.options import over_worlds, populations, truths
from trialsim.options.truths import COMPARED, GRADE, HAZARD_RATIO
from trialsim.schema.analysis.options import OptionsSettings
from trialsim.schema.design.treatments import CONTROL, DRUG
from trialsim.streams import derived_seed

if TYPE_CHECKING:
    from trialsim.schema.study import StudyConfig

INHIBITION = "ps6_tumour_d28"
METHOD = "median over worlds drawn from the posterior; 90 % interval of the true value"
Option = tuple[str, str]  # who, what


class Pair(NamedTuple):
    """Two options that are compared. kind: treatment, of the same patients; population, under the same treatment; reference,
    neither."""

    kind: str
    one: Option
    other: Option


def run(config: StudyConfig, steps: Steps) -> Findings:
    """Tables (columns):
    options: who, what, endpoint, unit, median, low_50, ... high_90 (of the true values of worlds), error (Monte Carlo, of the
        median).
    compared: kind (`Pair`), who, what, against_who, against_what, endpoint, ratio (whether it is one, or a difference), median,
        low_50, ... high_90, error (Monte Carlo, of the median; of the log of a ratio), better (probability; missing where neither
        higher nor lower is), better_error. With ``kind``
        population, pfs_hr is the ratio of the two populations' hazard ratios against the reference treatment.
    best: kind (treatment: of those of a population; population: of those under a treatment), who, what, endpoint, probability,
        error.
    people: who, prevalence (share of the screened), screened (to find one), patients (simulated, all worlds), failed.
    sizes: who, what, test (log_rank, response), patients (an arm), total, screened, assurance, error, with_misfit, ceiling,
        ceiling_error. needed: who, what, test, patients, total, screened, patients_with_misfit (missing: no size of the grid).
    matched: who, endpoint (exposure, ps6_tumour_d28), unit, schedule, median, low_50, ... high_90 (dose at which it is that of the
        reference), error (Monte Carlo), inside (share of worlds in which it lies between the doses given).
    exposure: who, what, endpoint, low, median, high (5, 50, 95 % of patients).
    by_alteration: what was published of the alterations that a population is selected by (`evidence.related.by_alteration`).
    worlds: world, kind ("" of an option itself), who, what, against_who, against_what, endpoint, value (log of ratios), error.
    """
    settings = config.analysis
    assert isinstance(settings, OptionsSettings)
    fitted = posterior.chosen(settings.posterior)
    with console.step("choosing the steps of the solver", config.compute.progress):
        config, check = _exact_enough(config, settings)
    groups = _groups(config, settings)
    seed = derived_seed(config.seed, "options")
    worlds = [posterior.worlds(cohort, fitted, settings.draws, seed) for cohort, _ in groups]
    names = [who for _, who in groups]
    made = {f"world_{k}": partial(_world, settings, [w[k] for w in worlds], names, k) for k in range(settings.draws)}
    across = over_devices(config.compute.devices, settings.patients_per_draw, settings.draws * len(settings.options))
    found = steps.each(f"{len(settings.options)} options in {settings.draws} worlds", made, across)
    every = {name: pd.concat([part[name].assign(world=k) for k, part in enumerate(found.values())], ignore_index=True)
             for name in next(iter(found.values()))}  # fmt: skip
    people = over_worlds.screened(every["people"])
    tables = {
        "options": over_worlds.true_values(every["worlds"], seed),
        "compared": over_worlds.compared(every["worlds"], seed),
        "best": over_worlds.best(every["worlds"], settings, seed),
        "people": people,
        "worlds": every["worlds"],
    }
    if settings.sizes is not None:
        tables["sizes"], tables["needed"] = over_worlds.sizes_needed(every, people, settings, seed)
    if settings.match is not None:
        tables["matched"] = over_worlds.matched(every["matched"], seed)
        tables["exposure"] = over_worlds.exposure(every["exposure"], settings)
    genes = sorted({gene for who in settings.who.values() for gene in who.selection})
    if genes:
        tables["by_alteration"] = by_alteration(config.drug.name, genes)
    failed = int(people["failed"].sum())
    untold = sorted(posterior.untold(config, fitted))
    told: dict[str, Any] = {"n_patients": int(people["patients"].sum()), "solver_check": check}
    told["posterior"] = {
        "trials": len(fitted.provenance["studies"]),
        "numbers": fitted.provenance["numbers"],
        "unknown_types": sorted({kind for cohort, _ in groups for kind in posterior.unknown_types(cohort, fitted)}),
        "untold": untold,
        "of_laboratory": posterior.of_laboratory(genes, fitted),
        "not_fitted": {name: beside_a_rapalog(name, fitted.provenance["studies"]) for name in config.partner},
    }
    return Findings(tables, _headlines(tables, settings) | told, simulation_faults(failed, check))


# ---- simulation


def _exact_enough(config: StudyConfig, settings: OptionsSettings) -> tuple[StudyConfig, dict[str, Any]]:
    """Steps that are exact enough for the option with the largest dose, in the first of its patients."""
    dosed = [option for option in settings.options if settings.what[option[1]].rapalog] or settings.options
    size = lambda option: treatments.enrolled(_study(config, settings, option), np.arange(64), DRUG)["start_dose_mg"].mean()
    who, what = max(sorted(dosed), key=size)
    study = _study(config, settings, (who, what))
    ids = populations.eligible(study, {who: settings.who[who]}, max(config.compute.solver_check_patients, 1), 0)[who].ids
    exact, check = meet_accuracy(study, treatments.enrolled(study, ids, DRUG))
    return config.model_copy(update={"compute": exact.compute}), check


def _study(config: StudyConfig, settings: OptionsSettings, option: Option) -> StudyConfig:
    who, what = option
    return populations.given(populations.of_population(config, settings.who[who]), settings.what[what])


def _groups(config: StudyConfig, settings: OptionsSettings) -> list[tuple[StudyConfig, list[str]]]:
    """Populations that are selected from the same cohort, so that patients who may be in several are simulated once."""
    found: list[tuple[StudyConfig, list[str]]] = []
    for name, who in settings.who.items():
        study = populations.of_population(config, who)
        for other, names in found:
            if other.cohort == study.cohort:
                names.append(name)
                break
        else:
            found.append((study, [name]))
    return found


def _world(settings: OptionsSettings, worlds: list[posterior.World], names: list[list[str]], k: int) -> dict[str, pd.DataFrame]:
    """Every option in one world. ``worlds``: the world for each group of populations. ``names``: of the populations in each."""
    tables: dict[Option, pd.DataFrame] = {}
    weight: dict[str, np.ndarray] = {}
    people = []
    for world, who in zip(worlds, names, strict=True):
        found = populations.eligible(world.config, {name: settings.who[name] for name in who}, settings.patients_per_draw, k)
        seen, failed = _treated(world.config, settings, {name: one.ids for name, one in found.items()})
        tables |= seen
        seed = derived_seed(world.config.seed, "options")
        for name, one in found.items():
            ids = one.ids[~np.isin(one.ids, failed)]
            weight[name] = truths.weights(seed, ids, settings.resamples)
            people.append({"who": name, "screened": one.screened, "eligible": one.eligible, "patients": len(one.ids),
                           "failed": len(one.ids) - len(ids)})  # fmt: skip
    months = worlds[0].config.design.max_follow_up_months
    truth = {option: truths.endpoints(table, weight[option[0]], months) for option, table in tables.items()}
    ratio = _log_ratios(tables, weight, settings)
    rows = [_row(Pair("", option, ("", "")), name, v) for option, values in truth.items() for name, v in values.items()]
    rows += [_row(pair, name, v) for pair in _pairs(settings) for name, v in _difference(pair, truth, ratio, settings)]
    made = {"worlds": pd.DataFrame(rows), "people": pd.DataFrame(people)}
    if settings.sizes is not None:
        plan = settings.sizes
        seen_events = lambda table: truths.seen_events(table, plan.accrual_months, plan.follow_up_months)
        events = [{"who": who, "what": what, "events": seen_events(table)} for (who, what), table in tables.items()]
        made["events"] = pd.DataFrame(events).assign(misfit=float(worlds[0].error[-1]))
    if settings.match is not None:
        columns = ["who", "endpoint", "unit", "schedule", "value", "error"]
        made["matched"] = pd.DataFrame(list(_matching(worlds[0].config, settings, truth)), columns=columns)
        made["exposure"] = pd.concat(
            [table[[settings.match]].assign(who=who, what=what) for (who, what), table in tables.items()], ignore_index=True
        ).dropna()
    return made


def _treated(
    config: StudyConfig, settings: OptionsSettings, ids: dict[str, np.ndarray]
) -> tuple[dict[Option, pd.DataFrame], np.ndarray]:
    """Patients of every option of populations from one cohort, and the patient_ids of those who could not be integrated under some
    treatment and are left out of all."""
    found: dict[str, pd.DataFrame] = {}
    for what, asked in settings.what.items():
        who = [name for name in ids if (name, what) in settings.options]
        if who:
            every = np.unique(np.concatenate([ids[name] for name in who]))
            study = populations.given(config, asked)
            found[what] = studies.treated(study, every, DRUG if asked.rapalog else CONTROL, crossover=False)
    bad = [table.loc[~table["integration_ok"].astype(bool), "patient_id"].to_numpy() for table in found.values()]
    failed = np.unique(np.concatenate(bad)) if bad else np.array([], int)
    keep = lambda table, name: table[table["patient_id"].isin(ids[name]) & ~table["patient_id"].isin(failed)].reset_index(drop=True)
    return {(who, what): keep(found[what], who) for who, what in settings.options if who in ids}, failed


# ---- what is compared


def _pairs(settings: OptionsSettings) -> list[Pair]:
    """Each option with the reference treatment in its population, with the reference population under its treatment, and, where
    there is neither, with the reference itself."""
    here, reference = set(settings.options), settings.reference
    found = []
    for who, what in settings.options:
        same_who, same_what, both = (who, reference.what), (reference.who, what), (reference.who, reference.what)
        if what != reference.what and same_who in here:
            found.append(Pair("treatment", (who, what), same_who))
        if who != reference.who and same_what in here:
            found.append(Pair("population", (who, what), same_what))
        if (who, what) != both and same_who not in here and same_what not in here:
            found.append(Pair("reference", (who, what), both))
    return found


def _log_ratios(
    tables: dict[Option, pd.DataFrame], weight: dict[str, np.ndarray], settings: OptionsSettings
) -> dict[Option, np.ndarray]:
    """Log hazard ratio of each option over the reference treatment in the same patients, where they are given that."""
    base = settings.reference.what
    return {
        (who, what): truths.log_ratio(table, tables[who, base], weight[who])
        for (who, what), table in tables.items() if (who, base) in tables
    }  # fmt: skip


def _difference(
    pair: Pair, truth: dict[Option, dict[str, np.ndarray]], ratio: dict[Option, np.ndarray], settings: OptionsSettings
) -> Iterator[tuple[str, np.ndarray]]:
    """Difference or log ratio of the two in each endpoint that options are compared by."""
    one, other = truth[pair.one], truth[pair.other]
    for name in one | other:
        of = COMPARED.get(name)
        if name.startswith(GRADE):  # an adverse event that no drug of an option has does not happen there
            yield name, np.asarray(one.get(name, 0.0) - other.get(name, 0.0))
        elif of and not of.ratio:
            yield name, one[name] - other[name]
        elif of:
            with np.errstate(divide="ignore", invalid="ignore"):
                yield name, np.log(one[name]) - np.log(other[name])
    if pair.kind == "treatment":
        yield HAZARD_RATIO, ratio[pair.one]
    elif pair.kind == "population" and pair.one in ratio and pair.other in ratio and pair.one[1] != settings.reference.what:
        yield HAZARD_RATIO, ratio[pair.one] - ratio[pair.other]


def _row(pair: Pair, endpoint: str, values: np.ndarray) -> dict[str, Any]:
    row = {"kind": pair.kind, "who": pair.one[0], "what": pair.one[1], "against_who": pair.other[0], "against_what": pair.other[1]}
    return row | {"endpoint": endpoint, "value": float(values[0]), "error": truths.error(values)}


def _matching(
    config: StudyConfig, settings: OptionsSettings, truth: dict[Option, dict[str, np.ndarray]]
) -> Iterator[tuple[str, str, str, str, float, float]]:
    """Dose with the reference's exposure, and with its inhibition in the tumour, by interpolation of their logs over log dose
    between the doses given; infinite beyond."""
    assert settings.match is not None
    reference = truth[settings.reference.who, settings.reference.what]
    for who in settings.who:
        if who == settings.reference.who:
            continue
        by: dict[tuple[str, str], list[tuple[float, str]]] = {}
        for what in (what for name, what in settings.options if name == who and settings.what[what].rapalog):
            regimen = populations.given(config, settings.what[what]).regimen
            by.setdefault((regimen.unit, regimen.schedule), []).append((regimen.dose, what))
        for (unit, schedule), doses in by.items():
            if len(doses) < 2:
                continue
            doses.sort()
            x = np.log([dose for dose, _ in doses])
            for endpoint, sign in ((settings.match, 1.0), (INHIBITION, -1.0)):  # pS6 falls with the dose
                y = sign * np.log(np.stack([truth[who, what][endpoint] for _, what in doses], axis=1))
                target = sign * np.log(reference[endpoint])
                dose = [np.exp(np.interp(t, row, x, left=-np.inf, right=np.inf)) for t, row in zip(target, y, strict=True)]
                yield who, endpoint, unit, schedule, float(dose[0]), truths.error(np.asarray(dose))


def _headlines(tables: dict[str, pd.DataFrame], settings: OptionsSettings) -> dict[str, Any]:
    """Of every option what options are judged by, for summary.json."""
    name = settings.judged_by
    table = tables["compared"] if name == HAZARD_RATIO else tables["options"]
    rows = table[table["endpoint"] == name]
    rows = rows[rows["kind"] == "treatment"] if name == HAZARD_RATIO else rows
    number = lambda value: float(value) if np.isfinite(value) else None
    unit = COMPARED[name].unit
    return {
        f"{name}_{row['who']}_{row['what']}": {
            "estimate": number(row["median"]), "low": number(row["low_90"]), "high": number(row["high_90"]),
            "n": settings.draws * settings.patients_per_draw, "unit": unit, "method": METHOD,
        } for row in rows.to_dict("records")
    }  # fmt: skip
