"""Why tumours do not respond: the same patients under the full mechanism and with every combination of escape routes cut.

A combination costs little (`mechanism.routes` makes it a parameter of the patient), so all of them are computed and the share of
non-response that each route explains is exact for these patients: nothing is sampled, and the order in which routes are cut is
averaged out. Doses are taken in full, sizes are true sizes: neither toxicity nor reading error nor chance stands between a patient
and the response.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from trialsim import console
from trialsim.analyses.attribution import members, ratio_intervals, shapley, smallest
from trialsim.analyses.findings import Findings, simulation_faults
from trialsim.analyses.steps import Steps
from trialsim.cohort import sample_cohort
from trialsim.conduct.full_dose import at_full_dose, mean_effects
from trialsim.conduct.solver_check import solver_check
from trialsim.endpoints import proportions, recist
from trialsim.engine import Regimen, simulate
from trialsim.mechanism import growth
from trialsim.schema.analysis.escape_routes import EscapeRoutesSettings
from trialsim.units import DAYS_PER_WEEK, HOURS_PER_DAY

if TYPE_CHECKING:
    from trialsim.schema.study import StudyConfig

OUTCOMES = ("response", "disease_control", "growth_arrest")
MARKERS = ("ps6", "p4ebp1", "pakt", "perk", "autophagy")
MARKER_DAY = 28
QUANTILES = {"low_90": 0.05, "low_50": 0.25, "median": 0.5, "high_50": 0.75, "high_90": 0.95}
NONE, UNEXPLAINED = "none", "unexplained"
WORSE = 0.01  # share of its size by which a tumour must be larger at the end to be called so: well above the numerical error


def run(config: StudyConfig, steps: Steps) -> Findings:
    """Tables (columns); ``cut`` names the routes cut, joined by +, or none:

    patients: one row a patient: who it is, ``dependence`` (1 - b), ``genotype`` and ``dependence_third`` (see `described`); for
        each of `OUTCOMES` whether it is reached with every route open and with every one cut, the fewest routes to cut for it (-1:
        not even all), the Shapley value of each route; best change (share of baseline) with all open and with all cut.
    twins: one row a patient for none, each one route and all cut: best_change, final_change (share of baseline), `OUTCOMES`.
    attribution: of the patients without the outcome, by outcome, grouping (all, tumour_type, genotype, dependence_third), group,
        route and measure: shapley (share of non-response explained), alone (the outcome is reached with this route cut alone),
        needed (with all cut it is, with all but this it is not); n, estimate, low, high.
    sets: outcome, cut, size, n, estimate, low, high: share of them for whom this is the smallest set (split evenly between equals).
    sizes: outcome, size (-1: not even all), n, estimate, low, high.
    shrinkage: step (none, each route, all), estimate, low, high: mean best change and what each route adds to it (Shapley).
    course: cut, week, n, `QUANTILES` of the change of SLD. pathway: cut, measure, n, `QUANTILES` on day 28. Both for the same.
    exceptions: route, n, worse: patients whose tumour ends larger if this route is cut, largest: by what share of its size.
    """
    settings = config.analysis
    assert isinstance(settings, EscapeRoutesSettings)
    routes = tuple(name for name, is_open in config.mechanism.model_dump().items() if is_open)
    cohort = sample_cohort(config.cohort, config.tumour, config.seed)
    size = max(config.compute.block >> len(routes), 1)
    blocks = {
        f"patients_{start}": partial(_block, config, cohort.iloc[start : start + size], routes)
        for start in range(0, len(cohort), size)
    }
    found = steps.each(f"simulating {len(cohort)} patients with {2 ** len(routes)} combinations of routes", blocks)
    joined = {name: pd.concat([tables[name] for tables in found.values()], ignore_index=True) for name in ("who", "twins", "seen")}
    with console.step("checking the solver", config.compute.progress):
        check = solver_check(config, cohort.assign(dose_level=config.regimen.dose))
    with console.step("attributing", config.compute.progress):
        tables = attribute(joined["who"], joined["twins"], joined["seen"], routes, settings.bootstrap, config.seed)
    failed = int((~tables["patients"]["integration_ok"]).sum())
    results = _results(tables, routes) | {"n_patients": len(cohort), "routes": list(routes), "solver_check": check}
    return Findings(tables, results, simulation_faults(failed, check))


# ---- simulation


def _block(config: StudyConfig, patients: pd.DataFrame, routes: tuple[str, ...]) -> dict[str, pd.DataFrame]:
    """Patients with every combination of routes cut."""
    n, held = len(patients), members(len(routes))
    days = int(config.analysis.weeks * DAYS_PER_WEEK)
    given = at_full_dose(config, patients, np.full(n, config.regimen.dose), days)
    twins = {name: np.repeat(value, len(held)) for name, value in given.parameters.items()}
    twins |= {name: np.tile(1.0 - held[:, i], n) for i, name in enumerate(routes)}
    if "stroma" in routes:  # it holds partner drugs back too
        freed = given.subjects.parameters
        freed = freed._replace(routes=freed.routes._replace(stroma=np.zeros(n)))
        effects = mean_effects(given.subjects._replace(parameters=freed), given.setting, days)
        twins |= {name: np.where(twins["stroma"] > 0, twins[name], np.repeat(value, len(held))) for name, value in effects.items()}
    regimen = Regimen(np.repeat(given.regimen.doses, len(held), axis=0), given.regimen.interval)
    scans = np.floor(config.endpoint.scan_interval_weeks * DAYS_PER_WEEK * np.arange(1, days + 1)).astype(int)
    scans = scans[scans <= days]
    weekly = np.arange(7, days + 1, 7)
    at = np.union1d(np.union1d(weekly, scans), [min(MARKER_DAY, days)])
    seen = simulate(given.model, twins, regimen, HOURS_PER_DAY * at, given.plan)

    s = given.subjects
    I_s, I_r = (value.reshape(n, len(held), -1) for value in (seen.I_sensitive, seen.I_resistant))
    lesion = (np.asarray(value, float)[:, None, None, :] for value in (s.lesions_mm, s.lesion_growth, s.lesion_resistant))
    sld = np.nansum(np.asarray(growth.diameters(*lesion, I_s, I_r), float), axis=-1)
    outcome = judged(np.nansum(np.asarray(s.lesions_mm, float), axis=1)[:, None], sld, np.isin(at, scans))

    names = [named(row, routes) for row in held]
    key = {"patient_id": np.repeat(patients["patient_id"].to_numpy(), len(held)), "cut": np.tile(names, n)}
    finite = np.isfinite(sld).all(axis=-1)
    table = pd.DataFrame(
        key | {name: np.ravel(value) for name, value in outcome._asdict().items()} | {"integration_ok": finite.ravel()}
    )
    shown = np.tile(np.isin(held.sum(axis=1), (0, 1, len(routes))), n)
    change = sld / np.nansum(np.asarray(s.lesions_mm, float), axis=1)[:, None, None] - 1.0
    columns = {f"week_{day // 7}": change[..., at == day].ravel() for day in weekly}
    columns |= {marker: getattr(seen, marker)[:, at == min(MARKER_DAY, days)].ravel() for marker in MARKERS}
    who = patients.assign(dependence=1.0 - np.asarray(s.parameters.growth.b, float))
    return {"who": who, "twins": table, "seen": pd.DataFrame(key | columns)[shown]}


class Judged(NamedTuple):
    """Leaves of the shape of the sizes without their last axis."""

    best_change: np.ndarray
    final_change: np.ndarray
    response: np.ndarray
    disease_control: np.ndarray
    growth_arrest: np.ndarray


def judged(baseline_mm: np.ndarray, sld_mm: np.ndarray, scanned: np.ndarray) -> Judged:
    """What became of tumours, by target lesions alone.

    Args:
        baseline_mm: sum of diameters at first dose, (...). sld_mm: later, (..., times). scanned: which of the times are scans.

    Returns:
        best_change: smallest sum at a scan, final_change: last sum, as changes over baseline. response: PR or CR before any PD.
        disease_control: no PD. growth_arrest: the last sum is no larger than baseline.
    """
    baseline = np.broadcast_to(np.asarray(baseline_mm, float), sld_mm.shape[:-1])[..., None]
    at_scans = sld_mm[..., scanned]
    nadir = np.minimum.accumulate(np.concatenate([baseline, at_scans], axis=-1), axis=-1)
    code = recist.target_response(
        np.broadcast_to(baseline, at_scans.shape), nadir[..., :-1], at_scans, np.ones(at_scans.shape, bool)
    )
    progressed = np.logical_or.accumulate(code == recist.Response.PD, axis=-1)
    responding = np.isin(code, (recist.Response.PR, recist.Response.CR)) & ~progressed
    best, final = at_scans.min(axis=-1) / baseline[..., 0], sld_mm[..., -1] / baseline[..., 0]
    return Judged(best - 1.0, final - 1.0, responding.any(axis=-1), ~progressed[..., -1], final <= 1.0)


def named(held: np.ndarray, routes: tuple[str, ...]) -> str:
    """A combination in words."""
    return "+".join(name for name, cut in zip(routes, held, strict=True) if cut) or NONE


# ---- attribution


def described(who: pd.DataFrame) -> pd.DataFrame:
    """Patients by what their tumour is: ``genotype``, the first class that fits, and ``dependence_third`` of the cohort."""
    flag = lambda *names: who[list(names)].astype(bool).any(axis=1).to_numpy()
    kras, pi3k, mtor = flag("kras"), flag("pik3ca", "pten_loss", "akt1"), flag("tsc", "mtor")
    genotype = np.select([kras & (pi3k | mtor), kras, mtor, pi3k], ["kras_and_pathway", "kras", "tsc_or_mtor", "pi3k"], "wild_type")
    rank = who["dependence"].rank(method="first", pct=True).to_numpy()
    third = np.select([rank <= 1 / 3, rank <= 2 / 3], ["low", "middle"], "high")
    return who.assign(genotype=genotype, dependence_third=third)


def attribute(
    who: pd.DataFrame, twins: pd.DataFrame, seen: pd.DataFrame, routes: tuple[str, ...], resamples: int, seed: int
) -> dict[str, pd.DataFrame]:
    """The tables of `run`. A patient with a course that failed is in ``patients`` and left out of the rest."""
    held = members(len(routes))
    grid = lambda name: twins[name].to_numpy().reshape(len(who), len(held))
    ok = grid("integration_ok").all(axis=1)
    patients = described(who).reset_index(drop=True)
    kept = patients[ok]
    rng = np.random.default_rng([seed, len(routes), resamples])
    attribution, sets, sizes, columns = [], [], [], {}
    for outcome in OUTCOMES:
        reached = grid(outcome).astype(bool)
        fewest, weight = smallest(reached)
        value = shapley(reached)
        columns |= {outcome: reached[:, 0], f"{outcome}_all_cut": reached[:, -1], f"{outcome}_fewest": fewest}
        columns |= {f"{outcome}_{route}": value[:, i] for i, route in enumerate(routes)}
        attribution.append(_shares(kept, reached[ok], value[ok], routes, resamples, rng).assign(outcome=outcome))
        missed = ok & ~reached[:, 0]
        sets.append(_sets(weight[missed], routes, resamples, rng).assign(outcome=outcome))
        sizes.append(_sizes(fewest[missed], len(routes)).assign(outcome=outcome))
    best = grid("best_change")
    columns |= {"best_change": best[:, 0], "best_change_all_cut": best[:, -1], "integration_ok": ok}
    good = seen[seen["patient_id"].isin(kept["patient_id"])]
    order = ["outcome", "grouping", "group", "route", "measure", "n", "estimate", "low", "high"]
    return {
        "patients": patients[
            ["patient_id", "tumour_type", "genotype", "dependence", "dependence_third", "growth_rate_per_day"]
        ].assign(**columns),
        "attribution": pd.concat(attribution, ignore_index=True)[order],
        "sets": pd.concat(sets, ignore_index=True)[["outcome", "cut", "size", "n", "estimate", "low", "high"]],
        "sizes": pd.concat(sizes, ignore_index=True)[["outcome", "size", "n", "estimate", "low", "high"]],
        "shrinkage": _shrinkage(best[ok], routes, resamples, rng),
        "course": _course(good),
        "pathway": _spread(good, MARKERS, "measure"),
        "exceptions": _exceptions(grid("final_change")[ok], routes),
        "twins": twins[twins["cut"].isin(good["cut"].unique()) & np.repeat(ok, len(held))].drop(columns="integration_ok"),
    }


def _shares(
    patients: pd.DataFrame,
    reached: np.ndarray,
    value: np.ndarray,
    routes: tuple[str, ...],
    resamples: int,
    rng: np.random.Generator,
) -> pd.DataFrame:
    """Shapley shares with bootstrap intervals, counts with exact ones, for all patients and by group."""
    missed = ~reached[:, 0]
    alone = reached[:, [1 << i for i in range(len(routes))]]
    all_but = reached[:, [(2 ** len(routes) - 1) ^ 1 << i for i in range(len(routes))]]
    needed = reached[:, -1:] & ~all_but
    explained = np.column_stack([value, 1.0 - value.sum(axis=1)]).round(12)  # a rounding error is no share
    rows, numerators, denominators = [], [], []
    for grouping in ("all", "tumour_type", "genotype", "dependence_third"):
        of = patients[grouping] if grouping != "all" else pd.Series("all", patients.index)
        for group in sorted(of.unique()):
            here = missed & (of == group).to_numpy()
            n = int(here.sum())
            for i, route in enumerate((*routes, UNEXPLAINED)):
                row = {"grouping": grouping, "group": group, "route": route, "n": n}
                numerators.append(here * explained[:, i])
                denominators.append(here)
                rows.append(row | {"measure": "shapley", "estimate": explained[here, i].mean() if n else np.nan})
                for measure, counted in (("alone", alone), ("needed", needed)) if route != UNEXPLAINED else ():
                    found = proportions.share(counted[here, i])
                    rows.append(row | {"measure": measure, "estimate": found.estimate, "low": found.low, "high": found.high})
    table = pd.DataFrame(rows)
    is_shapley = (table["measure"] == "shapley").to_numpy()
    limits = ratio_intervals(np.column_stack(numerators), np.column_stack(denominators).astype(float), resamples, rng)
    table.loc[is_shapley, "low"], table.loc[is_shapley, "high"] = limits
    return table


def _sets(weight: np.ndarray, routes: tuple[str, ...], resamples: int, rng: np.random.Generator) -> pd.DataFrame:
    """Combinations that are the smallest for somebody, the most frequent first."""
    held, n = members(len(routes)), len(weight)
    share = weight.mean(axis=0) if n else np.zeros(len(held))
    chosen = np.flatnonzero(share > 0)
    chosen = chosen[np.argsort(-share[chosen], kind="stable")]
    low, high = ratio_intervals(weight[:, chosen], np.ones((n, len(chosen))), resamples, rng) if len(chosen) else (np.empty(0),) * 2
    names = [named(held[i], routes) for i in chosen]
    size = held[chosen].sum(axis=1)
    return pd.DataFrame({"cut": names, "size": size, "n": n, "estimate": share[chosen], "low": low, "high": high})


def _sizes(fewest: np.ndarray, most: int) -> pd.DataFrame:
    found = [(size, proportions.share(fewest == size)) for size in (*range(1, most + 1), -1)]
    rows = [{"size": size, "n": len(fewest), "estimate": x.estimate, "low": x.low, "high": x.high} for size, x in found]
    return pd.DataFrame(rows)


def _shrinkage(best: np.ndarray, routes: tuple[str, ...], resamples: int, rng: np.random.Generator) -> pd.DataFrame:
    """From the mean best change with all routes open to that with all cut, route by route."""
    columns = np.column_stack([best[:, 0], shapley(best), best[:, -1]])
    low, high = ratio_intervals(columns, np.ones(columns.shape), resamples, rng)
    return pd.DataFrame(
        {"step": [NONE, *routes, "all"], "n": len(best), "estimate": columns.mean(axis=0), "low": low, "high": high}
    )


def _course(seen: pd.DataFrame) -> pd.DataFrame:
    weeks = [name for name in seen if name.startswith("week_")]
    table = _spread(seen, weeks, "week")
    return table.assign(week=table["week"].str.removeprefix("week_").astype(int))


def _spread(seen: pd.DataFrame, columns: list[str] | tuple[str, ...], called: str) -> pd.DataFrame:
    """Quantiles over patients, one row a combination a column."""
    rows = []
    for cut, group in seen.groupby("cut", sort=False):
        found = np.quantile(group[list(columns)].to_numpy(float), list(QUANTILES.values()), axis=0)
        for i, column in enumerate(columns):
            rows.append({"cut": cut, called: column, "n": len(group), **dict(zip(QUANTILES, found[:, i], strict=True))})
    return pd.DataFrame(rows)


def _exceptions(final: np.ndarray, routes: tuple[str, ...]) -> pd.DataFrame:
    size = 1.0 + final
    larger = size[:, [1 << i for i in range(len(routes))]] / size[:, :1] - 1.0
    rows = [(route, len(final), int((larger[:, i] > WORSE).sum()), larger[:, i].max()) for i, route in enumerate(routes)]
    return pd.DataFrame(rows, columns=["route", "n", "worse", "largest"])


# ---- results


def _results(tables: dict[str, pd.DataFrame], routes: tuple[str, ...]) -> dict[str, Any]:
    """Headline numbers: response with all routes open and all cut, shares of non-response, whom no single cut makes respond."""
    patients = tables["patients"][tables["patients"]["integration_ok"]]
    exact = lambda outcome: proportions.share(outcome.to_numpy(bool))._asdict() | {"unit": "fraction"}
    found = {
        "response_all_open": exact(patients["response"]),
        "response_all_cut": exact(patients["response_all_cut"]),
    }
    shares = tables["attribution"].query("outcome == 'response' and grouping == 'all' and measure == 'shapley'").set_index("route")
    for route in (*routes, UNEXPLAINED):
        row = shares.loc[route]
        found[f"non_response_{route}"] = {
            **{name: float(row[name]) for name in ("estimate", "low", "high")}, "n": int(row["n"]), "unit": "fraction",
            "method": "Shapley share of non-response; percentile bootstrap over patients, 95 %",
        }  # fmt: skip
    missed = patients[~patients["response"]]
    found["not_by_one_route"] = exact(missed["response_fewest"] != 1)
    return found
