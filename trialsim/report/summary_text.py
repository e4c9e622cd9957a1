"""The first page in plain language: what was simulated, what came out, whether to believe it, and how it compares."""

from __future__ import annotations

from typing import Any

from trialsim.report.page import Card, Verdict
from trialsim.report.reader import Run
from trialsim.report.wording import (
    ENDPOINT_NAMES,
    amount,
    benefit_words,
    dose,
    interval,
    is_number,
    join,
    kind_of,
    label,
    lie,
    number,
    percent,
    plural,
    texts,
    unit_text,
    words,
)

SCHEDULES = {
    "daily": "every day",
    "alternate_day": "every other day",
    "weekly": "once a week",
    "five_days_a_week": "five days a week",
}
TIMES_A_DAY = {1: "", 2: "twice a day", 3: "three times a day", 4: "four times a day"}
ADULT_FROM_Y = 18.0
EXPLAINING = {"median_pfs_turnbull_months", "median_pfs_weibull_months", "progression_delay_weeks"}  # told below the PFS curve


def what_was_simulated(run: Run) -> str:
    """Who was treated, with what, for how long."""
    verb = "was" if run.count == 1 else "were"
    text = f"In a computer simulation, {_people(run)} {verb} given {treatment(run)}."
    if cut := [name for name, is_open in run.section("mechanism").items() if not is_open]:
        text += f" Escape routes of their tumours were cut: {join(words(name) for name in cut)}."
    partners = [f"{words(name)}, {prescription(partner)}" for name, partner in run.part("partner").items()]
    text += f" Beside it they were given {join(partners)}." if partners else ""
    if "replicate" in run.patients and run.patients["replicate"].nunique() > 1:
        sizes = run.patients["replicate"].value_counts()
        each = "each" if sizes.min() == sizes.max() else f"each but the last, of {number(float(sizes.min()))}"
        text += f" They make up {sizes.size} virtual studies of {number(float(sizes.max()))} patients {each}."
    if "tumour_type" in run.patients and run.count:
        top = run.patients["tumour_type"].value_counts(normalize=True)
        named = join(f"{inside_sentence(run.tumour_name(str(name)))} ({percent(part, 0)})" for name, part in top.head(3).items())
        verb = "is" if len(top) == 1 else "are"
        text += f" They have {plural(len(top), 'tumour type')}; the most frequent {verb} {named}."
    return text


def treatment(run: Run) -> str:
    """``everolimus, 10 mg every day``, as it was given; not the partners."""
    drug = run.summary.get("drug")
    drug = drug.get("name") if isinstance(drug, dict) else drug
    regimen = run.section("regimen")
    unit = str(regimen.get("unit") or run.dose_unit)
    if run.escalation and run.dose_levels:
        given = f"{join(f'{level:g}' for level in run.dose_levels)} {unit_text(unit)} (dose levels)"
    else:
        given = dose(regimen.get("dose"), unit)
    return f"{drug or 'the study drug'}, {given} {days_of(regimen)}".rstrip()


def prescription(partner: dict[str, Any]) -> str:
    """``300 mg every day`` of a partner drug's settings."""
    regimen = partner.get("regimen") or {}
    times = TIMES_A_DAY.get(int(regimen.get("doses_a_day") or 1), "")
    return " ".join(part for part in (dose(regimen.get("dose"), str(regimen.get("unit") or "")), times, days_of(regimen)) if part)


def days_of(regimen: dict[str, Any]) -> str:
    """When a drug is due, in words: ``once a week, 21 days on and 7 days off, from day 29``."""
    name = str(regimen.get("schedule") or "")
    told = [SCHEDULES.get(name, words(name))]
    if regimen.get("days_off"):
        told.append(f"{plural(int(regimen['days_on']), 'day')} on and {plural(int(regimen['days_off']), 'day')} off")
    if regimen.get("start_day"):
        told.append(f"from day {int(regimen['start_day']) + 1}")
    if regimen.get("stop_day"):
        told.append(f"until day {int(regimen['stop_day'])}")
    return ", ".join(part for part in told if part)


def _people(run: Run) -> str:
    if not run.count or "age_y" not in run.patients:
        return plural(run.count, "virtual patient")
    age = run.patients["age_y"].dropna()
    kind = "adult" if age.min() >= ADULT_FROM_Y else "child" if age.max() < 22 else "patient"
    many = {"child": "children and adolescents"}.get(kind, f"{kind}s")
    years = (
        f"aged {age.min():.0f} to {age.max():.0f} years (median {age.median():.0f})"
        if run.count > 1
        else f"aged {age.iloc[0]:.0f} years"
    )
    return f"{plural(run.count, f'virtual {kind}', f'virtual {many}')}, {years},"


def inside_sentence(name: str) -> str:
    """Small first letter, unless the name starts with an abbreviation or a person."""
    return name if name[1:2].isupper() or name[1:2] == "-" or name.startswith("Ewing ") else name[:1].lower() + name[1:]


def cards(run: Run) -> list[Card]:
    """Headline numbers in the field's order, dose-limiting toxicity last; what explains another number stands beside that one."""
    found = {name: value for name, value in run.section("endpoints").items() if isinstance(value, dict) and name not in EXPLAINING}
    order = [
        *[name for name in ENDPOINT_NAMES if name in found],
        *[name for name in found if name not in ENDPOINT_NAMES],
    ]
    published = run.section("comparison")
    meaning = {"clinical_benefit_rate": benefit_words(run.part("endpoint"))}
    return [_card(name, found[name], published.get(name) or {}, meaning.get(name, "")) for name in order]


def _card(name: str, value: dict[str, Any], published: dict[str, Any], meaning: str) -> Card:
    kind = kind_of(name, value.get("unit"))
    # a curve that never falls below one half has no median; any other missing number could not be determined
    empty = "not reached" if kind == "months" and name.startswith("median") else "not determined"
    beside = ""
    if is_number(published.get("published")):
        beside = amount(published["published"], kind)
        limits = published.get("published_low"), published.get("published_high")
        if is_number(limits[0]) and is_number(limits[1]):
            beside += f" ({interval(*limits, kind)})"
    shown = (
        f"95 % interval {interval(value.get('low'), value.get('high'), kind)}"
        if is_number(value.get("low")) or is_number(value.get("high"))
        else ""
    )
    return Card(f"{label(name)}: {meaning}" if meaning else label(name), amount(value.get("estimate"), kind, empty), shown, beside)


def verdict(run: Run) -> Verdict:
    """The run's judgement of its own inference and solver."""
    found = run.section("diagnostics")
    messages = [str(message) for message in found.get("messages") or []]
    if not found:
        return Verdict(False, "No diagnostics were saved: do not rely on the inference in this report.", messages)
    figures = [
        f"largest R-hat {number(found.get('max_rhat'), 4)}",
        f"smallest effective sample size {number(found.get('min_ess'), 4)}",
        plural(int(found.get("divergences") or 0), "divergent step"),
    ]
    if found.get("ok") is True:
        return Verdict(True, f"Diagnostics passed: {join(figures)}.", messages)
    return Verdict(
        False,
        "Diagnostics FAILED: do not rely on the inferred numbers in this report.",
        [*messages, f"For reference: {join(figures)}."],
    )


def agreement(run: Run) -> list[str]:
    """How the simulated study compares with the published one, in sentences."""
    compared = {
        name: value
        for name, value in run.section("comparison").items()
        if isinstance(value, dict) and is_number(value.get("published"))
    }
    study = run.summary.get("published_trial") or run.part("study").get("published")
    if not compared:
        return [f"No published result was compared{f' ({study})' if study else ': no published study was chosen'}."]
    inside = [name for name, value in compared.items() if value.get("inside_90")]
    told = [
        f"{len(inside)} of {plural(len(compared), 'published result')}{f' of {study}' if study else ''} "
        f"{lie(len(inside))} inside the 90 % predictive interval of a virtual study of the same size; predicted is "
        "the median of such studies."
    ]
    for name, value in compared.items():
        kind = kind_of(name)
        limits = interval(value.get("low_90"), value.get("high_90"), kind)
        told.append(
            f"{label(name)}: published {amount(value['published'], kind)}, "
            f"predicted {amount(value.get('predicted'), kind)} ({limits}), "
            f"{'inside' if value.get('inside_90') else 'OUTSIDE'}."
        )
    missing = run.summary.get("not_published") or []
    if missing:
        told.append(f"Not published and so not compared: {join(label(name) for name in missing)}.")
    return told


def cautions(run: Run) -> list[str]:
    """What a reader must keep in mind."""
    told = [
        "No real patient took part. The numbers follow from the assumptions listed below and are no basis for treating a patient.",
        "The 95 % intervals tell the error of a limited number of virtual patients, and the diagnostics whether the statistics are "
        "sound; neither tells whether the model is right. That is what the comparison with published studies is for.",
    ]
    if run.summary.get("published_trial"):
        told.append(
            "Whether the published patients had the same dose, tumour type and selection as these is told only where the evidence "
            "tables hold it; line of therapy and scan intervals are not compared."
        )
    told += texts(run.summary.get("cautions"))
    if run.count < 5:
        told.append(f"Only {plural(run.count, 'virtual patient')}: intervals are wide and the figures show little.")
    failed = int(run.summary.get("n_failed") or 0)
    if failed:
        told.append(f"{plural(failed, 'patient')} could not be simulated and {'is' if failed == 1 else 'are'} left out.")
    if run.posterior is None:
        told.append("The statistical fit was not saved, so there is no inference in this report.")
    return told
