"""The report of a sweep, or of any runs side by side: what each found, how they differ, and which failed."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pandas as pd
from markupsafe import Markup

from trialsim import __version__
from trialsim.report.assumptions import by_section
from trialsim.report.figures import sweep as drawn
from trialsim.report.html import write_page
from trialsim.report.page import Card, Section, Verdict
from trialsim.report.table import Table
from trialsim.report.wording import MISSING, amount, interval, is_number, join, kind_of, label, number, plural, unit_text
from trialsim.schema import ConfigError
from trialsim.sweeps.differences import RESAMPLES, Difference, differences
from trialsim.sweeps.record import COMPLETE
from trialsim.sweeps.runs import SEED, Run, Runs
from trialsim.sweeps.seeds import together

BREAK = "\u200b"  # a long key may go on in a new line here
MOST_ROWS = 24  # of a table that is open from the start
MOST_LINES = 6  # values of a second setting that are drawn as lines
NOBODY = "No real patient took part. The numbers follow from the settings of each run and are no basis for treating a patient."
LUCK = (
    "Intervals tell the error of a limited number of virtual patients, not whether the model is right. With many runs and results "
    "some intervals miss 0 by chance: about one in twenty where there is no difference."
)


def write_sweep(runs: Runs, folder: Path, reference: str | None = None, more: Sequence[Section] = (), **words: Any) -> Path:
    """Write report.html, figures/*.json and tables/*.csv of several runs.

    Args:
        runs: at least two of them complete. folder: where to. reference: name of the run that the others are held against; the
            first complete one if None. more: chapters that come first.
        **words: in place of the report's own ``title``, ``told`` (paragraphs of the summary), ``kicker`` and ``cards``;
            ``methods`` come before its own.

    Returns:
        Path of report.html.

    Raises:
        ConfigError: fewer than two complete runs, or no such reference.
    """
    if len(runs.complete) < 2:
        raise ConfigError("runs", len(runs.complete), "at least two complete runs with results")
    settings = together(runs)
    base = _reference(settings, reference)
    found = differences(settings, base)
    failed = [run for run in runs.runs if run.state != COMPLETE]
    assert base.saved is not None
    title = base.saved.summary.get("title") or base.saved.summary.get("study") or "Virtual study"
    return write_page(
        folder,
        "sweep.html.j2",
        chapters=[*more, _runs_chapter(runs, folder), *_response(settings), _differences_chapter(settings, found, base)],
        tables=[],
        assumptions=by_section(base.saved.config, base.saved.provenance.get("choices")),
        provenance=_provenance(runs, base),
        title=words.get("title") or f"{title}: {plural(len(runs.runs), 'run')} compared",
        kicker=words.get("kicker") or ("Sweep" if runs.record else "Comparison"),
        meta=f"{', '.join(runs.keys) or 'no setting differs'} · reference: {drawn.name_of(base)}",
        verdict=_verdict(runs, failed),
        told=words.get("told") or [_completed(runs), *_told(settings, found, base)],
        cards=words["cards"] if "cards" in words else _cards(settings),
        cautions=[NOBODY, LUCK, *_cautions(runs, settings)],
        methods=[*words.get("methods", ()), *_methods(settings, found)],
    )


def _reference(runs: Runs, name: str | None) -> Run:
    if name is None:
        return runs.complete[0]
    for run in runs.complete:
        if any(name == one.name or Path(name).absolute() == one.folder for one in (run, *run.members)):
            return run
    names = [one.name for run in runs.complete for one in run.members or (run,)]
    raise ConfigError("--reference", name, f"a complete run: {', '.join(names)}")


# ---- chapters


def _runs_chapter(runs: Runs, folder: Path) -> Section:
    lead = "Settings that differ, the main results with 95 % intervals, and runs that did not come to an end."
    return Section("runs", "The runs", lead, [drawn.parallel(runs)], [_run_table(runs, folder), _all_results(runs)])


def _response(runs: Runs) -> list[Section]:
    """How the main results follow the settings; none where the settings span no curve and no surface."""
    keys = [key for key in runs.keys if _varies(runs, key)]
    axes = [key for key in keys if key != SEED] or keys
    numeric = [key for key in axes if runs.number_of(key) is not None]
    panels = []
    if numeric and len(keys) <= 2:
        key = numeric[0]
        by = next((other for other in keys if other != key), None)
        if by is None or _count(runs, by) <= MOST_LINES:
            panels += [drawn.curve(runs, name, key, by) for name in runs.main]
    if len(axes) == 2:
        panels += [drawn.surface(runs, name, (axes[0], axes[1])) for name in runs.main]
    if not panels:
        return []
    return [Section("response", "Results by setting", "Each main result over the settings that were swept.", panels, [])]


def _differences_chapter(runs: Runs, found: list[Difference], base: Run) -> Section:
    each = "Each setting, its seeds together," if _seeds(runs) else "Each run"
    lead = f"{each} less {drawn.name_of(base)} ({drawn.told(base, runs.keys)}), with 95 % intervals."
    return Section("differences", "Differences", lead, [drawn.forest(runs, found, base)], [_difference_table(runs, found)])


def _varies(runs: Runs, key: str) -> bool:
    return _count(runs, key) > 1


def _seeds(runs: Runs) -> bool:
    """Whether some of the runs stand for several seeds."""
    return any(len(run.members) > 1 for run in runs.runs)


def _count(runs: Runs, key: str) -> int:
    return len({drawn.value_text(run.values.get(key)) for run in runs.complete})


# ---- tables


def _run_table(runs: Runs, folder: Path) -> Table:
    raw, shown = [], []
    for run in runs.runs:
        values = [run.values.get(key) for key in runs.keys]
        row: dict[str, Any] = {"run": run.name, **dict(zip(runs.keys, values, strict=True)), "state": run.state, "cause": run.cause}
        texts = [_link(run, folder), *(drawn.value_of(run, key) for key in runs.keys)]
        for name in runs.main:
            result = run.results.get(name)
            row |= {name: getattr(result, "estimate", None)}
            row |= {f"{name}_{end}": getattr(result, end, None) for end in ("low", "high")}
            kind = kind_of(name, result.unit) if result else ""
            limits = f"{amount(result.estimate, kind, 'not reached')} ({interval(result.low, result.high, kind)})" if result else ""
            texts.append(limits or MISSING)
        raw.append(row)
        shown.append([*texts, f"{run.state}: {run.cause}" if run.cause else run.state])
    columns = ["Run", *(key.replace(".", f".{BREAK}") for key in runs.keys), *(label(name) for name in runs.main), "State"]
    note = "A run's number leads to its own report."
    note += f" The runs differ in {plural(runs.more, 'further setting')} that the table leaves out." if runs.more else ""
    table = pd.DataFrame(shown, columns=columns, dtype=object)  # pandas would make plain text of a link
    return Table("runs", "Runs", pd.DataFrame(raw), table, note)


def _link(run: Run, folder: Path) -> str:
    """Name of a run, leading to its report where there is one."""
    page = run.folder / "report.html"
    if not page.is_file():
        return run.name
    return Markup('<a href="{}">{}</a>').format(quote(Path(os.path.relpath(page, folder)).as_posix()), run.name)


def _all_results(runs: Runs) -> Table:
    rows = [
        {"run": run.name, **{key: run.values.get(key) for key in runs.keys}, "result": name, **result._asdict()}
        for run in runs.complete
        for name, result in run.results.items()
    ]
    shown = [
        [row["run"], label(row["result"]), amount(row["estimate"], kind := kind_of(row["result"], row["unit"])),
         interval(row["low"], row["high"], kind), number(row["n"]), unit_text(row["unit"])]
        for row in rows
    ]  # fmt: skip
    columns = ["Run", "Result", "Estimate", "95 % interval", "n", "Unit"]
    note = "The CSV has the settings and the method of each interval as well."
    return Table("results", "All results", pd.DataFrame(rows), pd.DataFrame(shown, columns=columns), note, folded=True)


def _difference_table(runs: Runs, found: list[Difference]) -> Table:
    raw = pd.DataFrame([d._asdict() for d in found], columns=list(Difference._fields))
    by_name = {run.name: run for run in runs.complete}
    shown = [
        [d.run, drawn.told(by_name[d.run], runs.keys), label(d.result), difference_text(d.difference, d), _limits(d), d.method]
        for d in found
        if d.result in runs.main
    ]
    columns = ["Runs" if _seeds(runs) else "Run", "Settings", "Result", "Difference", "95 % interval", "Interval by"]
    note = "The CSV has the differences of all results. Shares in percentage points."
    table = pd.DataFrame(shown, columns=columns)
    return Table("differences", "Differences to the reference run", raw, table, note, folded=len(shown) > MOST_ROWS)


def difference_text(value: float | None, of: Difference) -> str:
    """A signed difference in its unit."""
    if not is_number(value):
        return MISSING
    kind = kind_of(of.result, of.unit)
    if kind == "proportion":
        text, unit = f"{100 * value:+.1f}", "points"
    elif kind in ("months", "weeks", "days"):
        text, unit = f"{value:+.1f}", kind
    else:
        text, unit = f"{'+' if value >= 0 else '-'}{number(abs(value))}", unit_text(of.unit)
    return f"{text.replace('-', '−')} {unit}".strip()


def _limits(d: Difference) -> str:
    if not is_number(d.low) and not is_number(d.high):
        return MISSING
    text = lambda value: difference_text(value, d) if is_number(value) else "not reached"
    low, high = text(d.low), text(d.high)
    return f"{low.split(' ')[0] if is_number(d.low) else low} to {high}"


# ---- words


def _completed(runs: Runs) -> str:
    counts = [run.saved.summary.get("n_patients") for run in runs.complete if run.saved]
    who = f", each in {number(counts[0])} virtual patients" if counts and is_number(counts[0]) and len(set(counts)) == 1 else ""
    keys = [key for key in runs.keys if _varies(runs, key)]
    spans = [f"{key} ({_span(runs, key)})" for key in keys]
    what = f"that differ in {join(spans)}" if spans else "with the same settings"
    every = plural(len(runs.runs), "run")
    done = f"{len(runs.complete)} of {every}" if len(runs.complete) < len(runs.runs) else every
    return f"In a computer simulation, {done} of one question were completed{who}, {what}."


def _told(runs: Runs, found: list[Difference], base: Run) -> list[str]:
    keys = [key for key in runs.keys if _varies(runs, key)]
    told = ["Only the seed differs: what differs in the results is chance."] if keys == [SEED] else []
    if _seeds(runs):
        told.append("Runs that differ in their seed alone are taken together below, as one larger trial of each setting.")
    for name in runs.main:
        known = [run for run in runs.complete if name in run.results and run.results[name].estimate is not None]
        if not known:
            continue
        ordered = sorted(known, key=lambda run: run.results[name].estimate or 0.0)
        low, high = ordered[0], ordered[-1]
        least, most = _result_text(low, name), _result_text(high, name)
        if least == most:
            told.append(f"{label(name)} was {least} in every {'setting' if base.members else 'run'}.")
            continue
        at_least, at_most = (_where(known, run, name, keys) for run in (low, high))
        text = f"{label(name)} ranged from {least} ({at_least}) to {most} ({at_most})."
        told.append(f"{text} {_clear(found, name, base)}")
    return told


def _where(known: Sequence[Run], run: Run, name: str, keys: Sequence[str]) -> str:
    """Settings of the first run with this result, and how many others have the same."""
    same = [one for one in known if one.results[name].estimate == run.results[name].estimate]
    more = f" and {plural(len(same) - 1, 'other run')}, tied" if len(same) > 1 else ""
    return f"{drawn.told(same[0], keys)}{more}"


def _result_text(run: Run, name: str) -> str:
    return amount(run.results[name].estimate, kind_of(name, run.results[name].unit))


def _span(runs: Runs, key: str) -> str:
    numbers, unit = runs.number_of(key), runs.complete[0].units.get(key, "")
    if numbers is not None and len(set(numbers)) > 4:
        return f"{min(numbers):g} to {max(numbers):g} {unit}".strip()
    values = list(dict.fromkeys(drawn.value_of(run, key) for run in runs.complete))
    return join(values) if len(values) <= 5 else f"{len(values)} choices"


def _clear(found: list[Difference], name: str, base: Run) -> str:
    mine = [d for d in found if d.result == name and is_number(d.low) and is_number(d.high)]
    apart = [d for d in mine if d.low > 0 or d.high < 0]  # type: ignore[operator]
    verb = f"{len(apart) or 'none'} {'differs' if len(apart) < 2 else 'differ'}"
    of, reference = ("other setting", drawn.told(base, list(base.values))) if base.members else ("other run", drawn.name_of(base))
    same = ", compared in the same patients: separate trials of that size would tell less" if any(d.paired for d in apart) else ""
    return f"Of {plural(len(mine), of)}, {verb} from {reference} beyond the error of a limited number of patients{same}."


def _verdict(runs: Runs, failed: list[Run]) -> Verdict | None:
    bad = [run for run in runs.complete if run.fault]
    cause = lambda run: f", {run.cause}" if run.cause else ""
    alike: dict[str, list[Run]] = {}
    for run in failed:
        alike.setdefault(f"{run.state}{cause(run)}", []).append(run)
    names = lambda part: join(f"{run.name} ({drawn.told(run, runs.keys)})" for run in part)
    messages = [f"{'Run' if len(part) == 1 else 'Runs'} {names(part)}: {what}" for what, part in alike.items()]
    messages += [f"Checks failed in run {names([run])}: {run.fault}" for run in bad]
    if not messages:
        return Verdict(True, f"All {plural(len(runs.runs), 'run')} complete, all checks passed.", [])
    heads = [f"{plural(len(failed), 'run')} not complete"] if failed else []
    heads += [f"checks FAILED in {plural(len(bad), 'run')}"] if bad else []
    return Verdict(False, f"{join(heads)}.".capitalize(), messages)


def _cards(runs: Runs) -> list[Card]:
    cards = []
    for name in runs.main:
        known = [run for run in runs.complete if name in run.results and run.results[name].estimate is not None]
        if known:
            best = max(known, key=lambda run: run.results[name].estimate or 0.0)
            found = best.results[name]
            around = interval(found.low, found.high, kind_of(name, found.unit))
            where = _where(known, best, name, runs.keys)
            cards.append(Card(f"Highest: {label(name)}", _result_text(best, name), f"{around}; {where}"))
    return cards


def _cautions(runs: Runs, settings: Runs) -> list[str]:
    kinds = {run.saved.summary.get("kind") for run in runs.complete if run.saved}
    told = ["The runs ask different questions; only results of one name are compared."] if len(kinds) > 1 else []
    told += [f"The highest of {len(settings.complete)} estimates is, on average, higher than the truth behind it."]
    return told


def _methods(runs: Runs, found: list[Difference]) -> list[str]:
    told = [
        "Each run is a study of its own; its folder has its report with all its settings and methods. Results and their 95 % "
        "intervals are those of the runs."
    ]
    if _seeds(runs):
        told.append(
            "Runs that differ in their seed alone are taken together: the endpoints of a setting are those of all its patients, "
            "any other result is the mean over its seeds, with the interval recovered from theirs (MOVER). A patient is paired "
            "with the same patient of the same seed."
        )
    if any(d.paired for d in found):
        told.append(
            "Runs of one seed have the same virtual patients with the same chances. Where a run shares them with the reference "
            "(same number, age, sex, weight, height and tumour type), differences are taken patient by patient: shares with "
            "the adjusted Wald interval of paired proportions (Agresti & Min, Stat Med 2005;24:729-40); medians, Kaplan-Meier "
            "rates and shares that are not of the same patients in both (who can be judged for a DLT differs) with the "
            f"percentile bootstrap over patients, {RESAMPLES} resamples, the same for both runs (Efron & Tibshirani, An "
            "Introduction to the Bootstrap, 1993)."
        )
    if any(not d.paired for d in found):
        told.append(
            "Other differences take the runs as independent; their interval is recovered from those of the two results (MOVER; Zou "
            "& Donner, Stat Med 2008;27:1693-702). Where runs do share patients, as analyses of one seed do, it is too wide rather "
            "than too narrow."
        )
    told.append("Intervals are those of single differences, without correction for their number.")
    return told


def _provenance(runs: Runs, base: Run) -> dict[str, Any]:
    assert base.saved is not None
    facts: dict[str, Any] = {"trialsim": __version__, "reference": base.name}
    if runs.record is not None:
        facts |= {"started": runs.record.started, "begun_with": runs.record.version, "swept": list(runs.keys)}
    facts["runs"] = {run.name: str(run.folder) for run in runs.runs}
    own = base.saved.provenance
    return facts | {"reference_run": {key: own[key] for key in ("versions", "git", "platform", "device", "devices") if key in own}}
