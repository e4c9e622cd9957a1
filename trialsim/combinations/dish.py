"""A pair of drugs in a dish: every dose of one with every dose of the other, measured, and set against what no interaction would
give."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy import stats

from trialsim.assays import experiment, metrics, readouts
from trialsim.combinations import surfaces
from trialsim.combinations.surfaces import SingleAgent
from trialsim.schema.analysis.assay import RAPALOG, VEHICLE, AssaySettings, TreatmentSettings

if TYPE_CHECKING:
    from trialsim.schema.analysis.combination import InVitroSettings
    from trialsim.schema.cell_line import CellLineSettings
    from trialsim.schema.study import StudyConfig

NULLS = ("bliss", "hsa", "loewe")
SCALES = ("viability", "growth")  # effect on living cells at read-out, and on the rate of net growth until then
SAME = 1e-9  # replicates closer than this do not differ, and there is nothing to test
POINTS = ["replicate", "rapalog_nM", "partner_nM"]


def assay_of(settings: InVitroSettings, partner: str) -> AssaySettings:
    """The assay whose plates hold the surface: the rapalog alone, and its dose range beside each dose of the partner."""
    range_of = lambda beside: TreatmentSettings(
        label=RAPALOG, drug=RAPALOG, doses_nM=settings.rapalog_nM, sampled_nM=settings.rapalog_nM[:1], beside=beside
    )
    treatments = {RAPALOG: range_of({})} | {f"beside_{dose:g}": range_of({partner: dose}) for dose in settings.partner_nM}
    return settings.model_copy(update={"treatments": treatments})


def measure(config: StudyConfig, settings: InVitroSettings, partner: str, name: str, line: CellLineSettings) -> pd.DataFrame:
    """One line.

    Returns:
        One row a pair of doses a replicate, and of replicate 0, which is what is there without the errors of measuring:
        line, replicate, rapalog_nM, partner_nM (0: not given), viability and growth: effect on either scale.
    """
    assay = assay_of(settings, partner)
    states = experiment.grow_line(config, assay, name, line)
    wells = experiment.read_plates(states, config, assay)
    measured = wells[wells["treatment"].isin(assay.treatments)]
    seen = measured.groupby(["replicate", "treatment", "dose_nM"], sort=False)[["viability", "GR"]].mean().reset_index()
    seen = seen.assign(viability=1.0 - seen["viability"], growth=1.0 - np.log2(np.maximum(1.0 + seen["GR"], 1e-6)))
    exact = states[(states["hours"] == settings.plate.hours) & (states["treatment"] != VEHICLE)].assign(replicate=0)
    live = exact["live"].to_numpy()
    untreated = states.query("hours == @settings.plate.hours and treatment == @VEHICLE")["live"].iloc[0]
    exact = exact.assign(viability=1.0 - live / untreated, growth=1.0 - readouts.net_growth(live, 1.0, untreated))
    columns = ["replicate", "treatment", "dose_nM", *SCALES]
    table = pd.concat([exact[columns], seen[columns]], ignore_index=True)
    beside = {treatment: next(iter(of.beside.values()), 0.0) for treatment, of in assay.treatments.items()}
    table = table.assign(line=name, rapalog_nM=table["dose_nM"], partner_nM=table["treatment"].map(beside))
    return table.sort_values(POINTS)[["line", *POINTS, *SCALES]].reset_index(drop=True)


def single_agents(points: pd.DataFrame) -> tuple[SingleAgent, SingleAgent]:
    """Hill curves of the rapalog and of the partner alone, fitted to effects on viability. A drug whose points are no better
    described by a curve than by a flat line has no effect that doses could be compared by."""

    def fit(drug: str, other: str) -> SingleAgent:
        alone = points[(points[other] == 0.0) & (points[drug] > 0.0)]
        curve = metrics.fit_curve(alone[drug].to_numpy(), 1.0 - alone["viability"].to_numpy(), lowest=0.0)
        return SingleAgent(1.0 - curve.bottom, curve.relative, curve.hill) if curve.fit == "sigmoid" else SingleAgent(0.0, 1.0, 1.0)

    return fit("rapalog_nM", "partner_nM"), fit("partner_nM", "rapalog_nM")


def excesses(points: pd.DataFrame) -> pd.DataFrame:
    """What each pair of doses does beyond no interaction, in each replicate by its own single agents.

    Returns:
        The rows of `measure` with both drugs, and expected_<null>, excess_<null> on viability (Loewe by the curves of
        `single_agents`), loewe_defined (both drugs alone can reach the expected effect), excess_loewe_strict (NaN where they
        cannot), combination_index, growth_excess_<bliss|hsa> on the rate of growth.
    """
    found = []
    for _, group in points.groupby(["line", "replicate"], sort=False):
        both = group[(group["rapalog_nM"] > 0) & (group["partner_nM"] > 0)].copy()
        at = group.set_index(["rapalog_nM", "partner_nM"])
        alone = {
            scale: (
                at[scale].reindex([(a, 0.0) for a in both["rapalog_nM"]]).to_numpy(),
                at[scale].reindex([(0.0, b) for b in both["partner_nM"]]).to_numpy(),
            )
            for scale in SCALES
        }
        drugs = single_agents(group)
        doses = both["rapalog_nM"].to_numpy(), both["partner_nM"].to_numpy()
        loewe = surfaces.loewe(*doses, *drugs)
        expected = {"bliss": surfaces.bliss(*alone["viability"]), "hsa": surfaces.hsa(*alone["viability"]), "loewe": loewe.effect}
        for null, effect in expected.items():
            both[f"expected_{null}"], both[f"excess_{null}"] = effect, both["viability"] - effect
        both["loewe_defined"] = loewe.defined
        both["excess_loewe_strict"] = both["excess_loewe"].where(loewe.defined)
        both["combination_index"] = surfaces.combination_index(*doses, both["viability"].to_numpy(), *drugs)
        both["growth_excess_bliss"] = both["growth"] - surfaces.bliss_of_rates(*alone["growth"])
        both["growth_excess_hsa"] = both["growth"] - surfaces.hsa(*alone["growth"])
        found.append(both)
    return pd.concat(found, ignore_index=True)


SUMMARISED = (
    "viability", *(f"excess_{null}" for null in NULLS), "excess_loewe_strict", "growth_excess_bliss", "growth_excess_hsa",
    "combination_index",
)  # fmt: skip


def surface(points: pd.DataFrame, beyond: pd.DataFrame) -> pd.DataFrame:
    """Means over replicates with their t intervals, and the exact values, one row a pair of doses of a line a measure:
    line, rapalog_nM, partner_nM, measure, n, estimate, low, high, exact. ``loewe_defined`` belongs to the exact surface."""
    single = points[(points["rapalog_nM"] == 0) | (points["partner_nM"] == 0)]
    tables = [_over_replicates(single, "viability"), *(_over_replicates(beyond, name) for name in SUMMARISED)]
    defined = beyond[beyond["replicate"] == 0].set_index(["line", "rapalog_nM", "partner_nM"])["loewe_defined"]
    table = pd.concat(tables, ignore_index=True)
    keys = pd.MultiIndex.from_frame(table[["line", "rapalog_nM", "partner_nM"]])
    return table.assign(loewe_defined=[bool(defined.get(key, True)) for key in keys])


def _over_replicates(table: pd.DataFrame, measure: str) -> pd.DataFrame:
    rows = []
    for (line, a, b), group in table.groupby(["line", "rapalog_nM", "partner_nM"], sort=False):
        values = group.loc[group["replicate"] > 0, measure].dropna().to_numpy()
        exact = float(group.loc[group["replicate"] == 0, measure].iloc[0])
        mean, low, high = metrics.mean_interval(values)
        key = {"line": line, "rapalog_nM": a, "partner_nM": b, "measure": measure}
        rows.append(key | {"n": len(values), "estimate": mean, "low": low, "high": high, "exact": exact})
    return pd.DataFrame(rows)


def scores(beyond: pd.DataFrame) -> pd.DataFrame:
    """Mean excess over all pairs of doses, one row a line a measure: line, measure, n (replicates), estimate, low, high (95 % t
    interval over replicates), p (two-sided, against 0), exact."""
    rows = []
    names = [name for name in SUMMARISED if "excess" in name]
    of_replicate = beyond.groupby(["line", "replicate"], sort=False)[names].mean().reset_index()
    for line, group in of_replicate.groupby("line", sort=False):
        for name in names:
            values = group.loc[group["replicate"] > 0, name].to_numpy()
            mean, low, high = metrics.mean_interval(values)
            p = float(stats.ttest_1samp(values, 0.0).pvalue) if np.ptp(values) > SAME else np.nan
            exact = float(group.loc[group["replicate"] == 0, name].iloc[0])
            key = {"line": line, "measure": name, "n": len(values)}
            rows.append(key | {"estimate": mean, "low": low, "high": high, "p": p, "exact": exact})
    return pd.DataFrame(rows)


def isoboles(points: pd.DataFrame, share: float) -> pd.DataFrame:
    """Pairs of doses with one effect on viability, as shares of the doses that have it alone, from the mean of all replicates.

    Args:
        share: level of the effect, over the larger effect that the weaker drug alone has at any dose.

    Returns:
        line, level, fraction_rapalog, fraction_partner; no rows of a line where a drug alone does not reach it.
    """
    rows = []
    for line, group in points[points["replicate"] > 0].groupby("line", sort=False):
        grid = group.pivot_table(index="rapalog_nM", columns="partner_nM", values="viability")
        grid.loc[0.0, 0.0] = 0.0
        grid = grid.sort_index().sort_index(axis=1)
        effect, a, b = grid.to_numpy(), grid.index.to_numpy(float), grid.columns.to_numpy(float)
        level = share * min(effect[:, 0].max(), effect[0].max())
        pairs = surfaces.isobole(a, b, effect, level)
        alone_a, alone_b = pairs[pairs[:, 1] == 0.0, 0], pairs[pairs[:, 0] == 0.0, 1]
        if level <= 0 or not len(alone_a) or not len(alone_b):
            continue
        rows += [
            {"line": line, "level": level, "fraction_rapalog": x / alone_a[0], "fraction_partner": y / alone_b[0]} for x, y in pairs
        ]
    return pd.DataFrame(rows, columns=["line", "level", "fraction_rapalog", "fraction_partner"])
