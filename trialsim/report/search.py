"""The report of a search: how the best setting was found, then all its trials as runs side by side."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from trialsim.report.figures.panel import Panel
from trialsim.report.figures.sweep import scale_of, told
from trialsim.report.page import Card, Section
from trialsim.report.summary_text import inside_sentence
from trialsim.report.sweep import write_sweep
from trialsim.report.table import Table
from trialsim.report.theme import colour, figure
from trialsim.report.wording import amount, interval, join, kind_of, label, number, plot_text, plural
from trialsim.sweeps.runs import Run, Runs
from trialsim.sweeps.search import STARTUP, Outcome, Question, best

LIMITS = {"estimate": "", "low": ", lower limit of the 95 % interval", "high": ", upper limit of the 95 % interval"}


def write_search(question: Question, outcomes: Sequence[Outcome], runs: Runs, folder: Path) -> Path:
    """Write the report of a search; see ``sweep.write_sweep``. At least two of its trials are complete."""
    found = best(outcomes, question.maximise)
    by_folder = {run.folder: run for run in runs.complete}
    top = by_folder.get(folder / found.job.folder) if found is not None else None
    name = inside_sentence(label(question.name))
    goal = f"{'highest' if question.maximise else 'lowest'} {name}{LIMITS[question.field]}"
    # a trial that failed only in what was asked of it has a run all the same; it is no failure of the run
    return write_sweep(
        runs,
        folder,
        top.name if top is not None else None,
        [Section("search", "The search", "Value of each trial in the order of the search, and the best so far.",
                 [_course(question, outcomes)], [_trials(question, outcomes)])],
        title=f"Search for the {goal}",
        kicker="Search",
        told=_told(question, outcomes, top, goal, runs),
        cards=[_card(question, top)] if top is not None else [],
        methods=_methods(question),
    )  # fmt: skip


def _told(question: Question, outcomes: Sequence[Outcome], top: Run | None, goal: str, runs: Runs) -> list[str]:
    ranges = [f"{one.key} ({join(one.choices, 'or') if one.choices else f'{one.low:g} to {one.high:g}'})" for one in question.space]
    rules = f", under the condition that {join(map(str, question.rules))}" if question.rules else ""
    count = plural(len(outcomes), "trial")
    lines = [f"A search of {count} in the same virtual patients looked for the {goal} over {join(ranges)}{rules}."]
    if top is None:
        lines.append("No trial met every condition.")
    else:
        result = top.results[question.name]
        kind = kind_of(question.name, result.unit)
        value, limits = amount(result.estimate, kind), interval(result.low, result.high, kind)
        name = inside_sentence(label(question.name))
        lines.append(f"The best: {told(top, runs.keys)}, with {name} {value} (95 % interval {limits}).{_tied(outcomes, question)}")
    unmet = sum(one.feasible is False for one in outcomes)
    failed = [one for one in outcomes if one.value is None]
    lines += [f"{plural(unmet, 'trial')} did not meet every condition."] if unmet else []
    why = "failed or did not reach the result; the table of the search says why."
    lines += [f"{plural(len(failed), 'trial')} {why}"] if failed else []
    return lines


def _tied(outcomes: Sequence[Outcome], question: Question) -> str:
    """How many trials that met every condition are as good as the best, of which the first is told."""
    met = [one.value for one in outcomes if one.feasible and one.value is not None]
    others = met.count((max if question.maximise else min)(met)) - 1 if met else 0
    return f" {plural(others, 'other trial')} tied with it; the first is told." if others else ""


def _card(question: Question, top: Run) -> Card:
    result = top.results[question.name]
    kind = kind_of(question.name, result.unit)
    return Card(f"Best: {label(question.name)}", amount(result.estimate, kind), interval(result.low, result.high, kind))


def _course(question: Question, outcomes: Sequence[Outcome]) -> Panel:
    known = [one for one in outcomes if one.value is not None]
    title = f"{label(question.name)} by trial"
    if not known:
        return Panel("search", title, "No trial came to an end.")
    _, factor, unit = _scale(question)
    made = figure(340)
    for good, name, tone, symbol in ((True, "conditions met", "simulated", "circle"), (False, "a condition not met", "NE", "x")):
        mine = [one for one in known if one.feasible is good]
        if mine:
            texts = [plot_text(one.job.told) for one in mine]
            made.add_scatter(
                x=[one.job.number for one in mine], y=[factor * float(one.value or 0.0) for one in mine], mode="markers", name=name,
                showlegend=True, marker=dict(size=9, color=colour(tone), symbol=symbol), text=texts,
                hovertemplate="trial %{x}: %{y:.4g}<br>%{text}<extra></extra>",
            )  # fmt: skip
    better = np.maximum.accumulate if question.maximise else np.minimum.accumulate
    met = [one for one in known if one.feasible]
    if met:
        so_far = factor * better([float(one.value or 0.0) for one in met])
        made.add_scatter(
            x=[one.job.number for one in met], y=so_far.tolist(), mode="lines",
            name="best so far", showlegend=True, line=dict(color=colour("published"), width=2, shape="hv"), hoverinfo="skip",
        )  # fmt: skip
    made.update_xaxes(title_text="trial")
    made.update_yaxes(title_text=plot_text(unit))
    last = best(outcomes, question.maximise)
    caption = f"{plural(len(known), 'trial')} with a result, the first {min(STARTUP, len(known))} drawn at random."
    caption += f" The best was trial {last.job.number}." if last is not None else " None met every condition."
    return Panel("search", title, caption, made)


def _scale(question: Question) -> tuple[str, float, str]:
    from trialsim.sweeps.runs import Result

    return scale_of(question.name, Result(None, None, None))


def _trials(question: Question, outcomes: Sequence[Outcome]) -> Table:
    state = {True: "conditions met", False: "a condition not met", None: "failed"}
    rows = [
        {"trial": one.job.number, "folder": one.job.folder, **one.job.values, "value": one.value, "state": state[one.feasible],
         "cause": one.job.cause}
        for one in outcomes
    ]  # fmt: skip
    _, factor, unit = _scale(question)
    shown = [
        [str(one.job.number), one.job.told, number(None if one.value is None else factor * one.value, 4),
         f"failed: {one.job.cause}" if one.feasible is None and one.job.cause else state[one.feasible], one.job.folder]
        for one in outcomes
    ]  # fmt: skip
    columns = ["Trial", "Settings", f"Value, {unit}" if unit else "Value", "State", "Folder"]
    return Table("trials", "Trials of the search", pd.DataFrame(rows), pd.DataFrame(shown, columns=columns), folded=True)


def _methods(question: Question) -> list[str]:
    text = (
        f"Search by Optuna: the first {STARTUP} trials are drawn at random over the ranges, the others proposed by a "
        "tree-structured Parzen estimator of the earlier ones, all keys jointly (Bergstra et al., NeurIPS 2011;24:2546-54)"
    )
    text += ", with conditions as in Watanabe & Hutter (IJCAI 2023:4371-9)." if question.rules else "."
    return [
        text,
        "Every trial has the same virtual patients with the same chances, so that trials differ by their settings. The best is the "
        "best in these patients; its interval tells how far another sample of patients could lie, but not that the best of many "
        "was chosen: a run with another seed tells the result anew.",
    ]


