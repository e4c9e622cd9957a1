"""What a published study reports, endpoint by endpoint, as the simulation names them: read by rules, not by hand."""

from __future__ import annotations

import re
from dataclasses import dataclass

import pandas as pd

from trialsim.evidence import counts
from trialsim.evidence.counts import Count
from trialsim.evidence.intervals import clopper_pearson, split_interval
from trialsim.evidence.load import load_efficacy, load_phase1, load_survival_points
from trialsim.schema import ConfigError
from trialsim.schema.faults import near

NEAREST = 4  # studies told for a misspelt one


@dataclass(frozen=True)
class PublishedEndpoint:
    """One published number.

    Attributes:
        name: as in summary.json, e.g. ``orr``, ``median_pfs_months``, ``dlt_count_5mg/m2``.
        value: rates as fractions 0-1, times in months, DLTs as counts, doses in the unit that the definition names.
        low, high: 95 % limits, or None where neither the paper nor its counts give them.
        n: denominator, or None where it was not seen.
        definition: what was counted, over whom, and where the interval comes from.
        source: citation and address.
    """

    name: str
    value: float
    low: float | None
    high: float | None
    n: int | None
    definition: str
    source: str


_MTD = re.compile(r"\bMTD (\d+(?:\.\d+)?) ?(mg(?:/m2)?)")
_SIX_MONTHS = re.compile(r"six-month|PFS6|6-month PFS|PFS >=6 mo")
_LIMITS = re.compile(r"\((\d+(?:\.\d+)?)-(\d+(?:\.\d+)?)\)")
_FRACTION = re.compile(r"\b(\d+)/(\d+)\b")
_EXACT = "95 % interval: exact (Clopper-Pearson), computed here from the counts"


def published_arm(trial_id: str, arm_id: str | None = None) -> pd.Series:
    """The row of the efficacy table that holds an arm.

    Args:
        trial_id: label of the study, e.g. ``"CPCT03"``.
        arm_id: arm; may be left out where the study has one.

    Raises:
        ConfigError: no such study or arm, or several arms and none named.
    """
    table = load_efficacy()
    arms = table[table["trial_id"] == trial_id]
    if arms.empty:
        allowed = f"a study of the evidence tables{near(trial_id, table['trial_id'], NEAREST)}; `trialsim evidence` lists them all"
        raise ConfigError("trial_id", trial_id, allowed)
    chosen = arms if arm_id is None else arms[arms["arm_id"] == arm_id]
    if len(chosen) != 1:
        hint = "" if arm_id is None else near(arm_id, arms["arm_id"])
        raise ConfigError("arm_id", arm_id, f"one of the arms of {trial_id}, {trial_id}/ARM: {', '.join(arms['arm_id'])}{hint}")
    return chosen.iloc[0]


def published_endpoints(trial_id: str, arm_id: str | None = None) -> list[PublishedEndpoint]:
    """All endpoints that the tables hold for a study; what was not seen is absent.

    Args, Raises: as for `published_arm`.
    """
    return endpoints_of(published_arm(trial_id, arm_id))


def endpoints_of(row: pd.Series) -> list[PublishedEndpoint]:
    """The same of a row of the efficacy table."""
    source = f"{row['short_citation']}; {row['source_url']}"
    return [*_rates(row, source), *_times(row, source), *_landmarks(row, source), *_toxicity(row, source)]


def named_arm(name: str, key: str = "study.published") -> pd.Series:
    """The row of the arm named in the settings.

    Args:
        name: a trial_id, or ``trial_id/arm_id`` where a study has several arms. key: of the setting that names it.

    Raises:
        ConfigError: on that key.
    """
    trial_id, _, arm_id = name.partition("/")
    try:
        return published_arm(trial_id, arm_id or None)
    except ConfigError as error:
        raise ConfigError(key, name, error.allowed) from error


def published_study(name: str | None, key: str = "study.published") -> list[PublishedEndpoint]:
    """What the study named in the settings reported; empty for None. Args, Raises: as for `named_arm`."""
    if name is None:
        return []
    row = named_arm(name, key)
    return published_endpoints(row["trial_id"], row["arm_id"])


def published_hazard_ratio(name: str | None) -> PublishedEndpoint | None:
    """Hazard ratio of progression or death against the study's control arm, or None where none was seen.

    Args:
        name: as for `published_study`.
    """
    if name is None:
        return None
    trial_id, _, arm_id = name.partition("/")
    table = load_efficacy()
    rows = table[(table["trial_id"] == trial_id) & ((table["arm_id"] == arm_id) | (not arm_id))]
    rows = rows[rows["pfs_hr"].notna()]
    return hazard_ratio_of(rows.iloc[0]) if len(rows) == 1 else None


def hazard_ratio_of(row: pd.Series) -> PublishedEndpoint | None:
    """The same of a row of the efficacy table."""
    if pd.isna(row["pfs_hr"]):
        return None
    limits = split_interval(row["pfs_hr_ci"]) if row["pfs_hr_ci"] else None
    low, high = (float(limits[0]), float(limits[1])) if limits and not limits[2] and limits[1] != "NE" else (None, None)
    definition = f"hazard ratio of progression or death, control: {row['control'] or 'not stated'}"
    source = f"{row['short_citation']}; {row['source_url']}"
    return PublishedEndpoint("pfs_hr", float(row["pfs_hr"]), low, high, None, definition, source)


def _rates(row: pd.Series, source: str) -> list[PublishedEndpoint]:
    found = []
    control = row["dcr_definition"] or "CR+PR+SD, derived from the counts"
    criteria = row["response_criteria"]
    objective = f"objective response (CR+PR), {criteria}" if criteria else "objective response (CR+PR), criteria not stated"
    benefit = row["clinical_benefit"]
    for name, percent, interval, count, definition in (
        ("orr", row["orr_percent"], row["orr_ci"], counts.response(row), objective),
        ("dcr", row["dcr_percent"], "", counts.disease_control(row), f"disease control: {control}"),
        ("clinical_benefit_rate", counts.benefit_percent(row), "", counts.clinical_benefit(row), f"clinical benefit: {benefit}"),
    ):
        if count is None:
            known = counts.denominator(row) is not None
            definition = f"{definition}; {'the rate fits no whole count of the patients' if known else 'denominator not seen'}"
        endpoint = _rate(name, percent, interval, count, definition, source)
        if endpoint:
            found.append(endpoint)
    return found


def _rate(name: str, percent: float, interval: str, count: Count | None, definition: str, source: str) -> PublishedEndpoint | None:
    """A proportion: from counts where there are any, with the paper's own 95 % interval where it prints one."""
    limits = split_interval(interval) if interval else None
    if limits and (limits[2] or limits[1] == "NE"):  # a remark means another level or another analysis
        limits = None
    if count is None:
        if pd.isna(percent):
            return None
        low, high = (float(limits[0]) / 100, float(limits[1]) / 100) if limits else (None, None)
        return PublishedEndpoint(name, percent / 100, low, high, None, definition, source)
    if limits:
        low, high, origin = float(limits[0]) / 100, float(limits[1]) / 100, "95 % interval: as published"
    else:
        (low, high), origin = clopper_pearson(count.events, count.n), _EXACT
    words = [definition, f"{count.events}/{count.n} {count.denominator}", count.remark, origin]
    return PublishedEndpoint(name, count.events / count.n, low, high, count.n, "; ".join(filter(None, words)), source)


def _times(row: pd.Series, source: str) -> list[PublishedEndpoint]:
    """Medians of time to progression or death, and of survival."""
    n = None if pd.isna(row["n_enrolled"]) else int(row["n_enrolled"])
    progression = "median_ttp_months" if row["pfs_kind"] == "ttp" else "median_pfs_months"
    silent = "progression-free survival, judge not stated"
    judged = {"ttp": "time to progression", "local": "progression-free survival, judged locally",
              "central": "progression-free survival, judged centrally"}.get(row["pfs_kind"], silent)  # fmt: skip
    found = []
    for name, value, interval, definition in (
        (progression, row["median_pfs_months"], row["pfs_ci"], f"median {judged}"),
        ("median_os_months", row["median_os_months"], row["os_ci"], "median overall survival"),
    ):
        if pd.isna(value):
            continue
        limits = split_interval(interval) if interval else None
        if limits and limits[2]:
            definition, limits = f"{definition}; published interval not used: {interval}", None
        low = float(limits[0]) if limits else None
        high = float(limits[1]) if limits and limits[1] != "NE" else None
        found.append(PublishedEndpoint(name, float(value), low, high, n, definition, source))
    return found


def _landmarks(row: pd.Series, source: str) -> list[PublishedEndpoint]:
    """Fractions free of progression at a landmark: the six-month column and the curve points, which must agree."""
    points = load_survival_points()
    mine = points[(points["trial_id"] == row["trial_id"]) & (points["arm_id"] == row["arm_id"])]
    percent = dict(zip(mine["months"], mine["survival_percent"], strict=True))
    if pd.notna(row["six_month_pfs_percent"]):
        if abs(percent.get(6.0, row["six_month_pfs_percent"]) - row["six_month_pfs_percent"]) > 1e-9:
            raise ConfigError(
                "evidence.survival_points", percent[6.0], f"{row['six_month_pfs_percent']:g} %, as in the efficacy table"
            )
        percent[6.0] = row["six_month_pfs_percent"]
    said = [part.strip() for part in row["notes"].split(";") if _SIX_MONTHS.search(part)]
    kind = "efs" if any("EFS" in part for part in said) else "pfs"
    found = []
    for months, value in sorted(percent.items()):
        remark = said[0] if said and months == 6.0 else ""
        limits = _LIMITS.search(remark)
        low, high = (float(limits[1]) / 100, float(limits[2]) / 100) if limits else (None, None)
        words, n = [f"{'event' if kind == 'efs' else 'progression'}-free at {months:g} months", remark], None
        fraction = _FRACTION.search(remark)
        if fraction:  # a plain proportion, not a Kaplan-Meier estimate
            n, value = int(fraction[2]), 100.0 * int(fraction[1]) / int(fraction[2])
            low, high = clopper_pearson(int(fraction[1]), n)
            words.append(_EXACT)
        found.append(
            PublishedEndpoint(f"{kind}_{months:g}_months", value / 100, low, high, n, "; ".join(filter(None, words)), source)
        )
    return found


def _toxicity(row: pd.Series, source: str) -> list[PublishedEndpoint]:
    """DLTs by dose level, and the maximum tolerated dose."""
    table = load_phase1()
    levels = table[table["trial_id"] == row["trial_id"]]
    found, mtd = [], {(float(dose), unit) for dose, unit in _MTD.findall(row["dlt_or_grade34_notes"])}
    for _, level in levels.iterrows():
        dose = pd.to_numeric(level["dose_level"], errors="coerce")
        label = f"{dose:g}{level['unit']}" if pd.notna(dose) else level["dose_level"]
        said = f"{dose:g} {level['unit']}" if pd.notna(dose) else label
        kinds, implied = level["dlt_kinds"], "no DLT" in level["dlt_kinds"]
        if pd.notna(dose) and re.match(r"MTD\s*(;|$)", kinds):
            mtd.add((float(dose), level["unit"]))
        if pd.isna(level["n_dlt"]) and not implied:
            continue
        events = 0 if pd.isna(level["n_dlt"]) else int(level["n_dlt"])
        size = level["n_evaluable_dlt"] if pd.notna(level["n_evaluable_dlt"]) else level["n_treated"]
        n = None if pd.isna(size) else int(size)
        low, high = (n * limit for limit in clopper_pearson(events, n)) if n else (None, None)
        words = [f"patients with a dose-limiting toxicity at {said}, {level['schedule'] or 'schedule not seen'}", kinds]
        if pd.isna(level["n_dlt"]):
            words.append("implied: a level without a number, none listed by the source")
        words.append(_EXACT if n else "patients at the level not seen, so no interval")
        found.append(PublishedEndpoint(f"dlt_count_{label}", float(events), low, high, n, "; ".join(words), source))
    if len(mtd) > 1:
        raise ConfigError("evidence.phase1.dlt_kinds", sorted(mtd), f"one maximum tolerated dose for {row['trial_id']}")
    for dose, unit in mtd:
        found.append(PublishedEndpoint("mtd", dose, None, None, None, f"maximum tolerated dose, {unit}", source))
    return found
