"""The page of the comparison with published laboratory facts."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from trialsim.report.analyses.page import Page, Saved
from trialsim.report.figures.panel import Panel
from trialsim.report.page import Card, Section
from trialsim.report.table import Table
from trialsim.report.theme import colour, figure
from trialsim.report.wording import interval, number, percent, plot_lines, plural

SETTINGS = ("network", "cell_line", "panel", "culture", "drug")
ROW_PX = 19
FURTHEST = 1.0  # band widths beyond the band at which a miss is drawn


def page(saved: Saved) -> Page:
    facts, topics, results = saved.table("facts"), saved.table("topics"), saved.results
    chapters = [
        Section(
            "overview",
            "Held and missed, by part of the network",
            "Each fact has a band for the model's value that was set from the source before the model was asked.",
            [_by_topic(topics)],
            [_misses(facts)],
        ),
        Section(
            "quantitative",
            "Facts with a band on both sides",
            "Grey: the band. The dot is the model's value on the scale of that fact's band.",
            [_bands(facts)],
            [],
        ),
        Section("facts", "Every fact", "By part of the network.", [], [_of_topic(facts, topic) for topic in topics["topic"]]),
    ]
    return Page(
        summary=[_what(facts), _found(facts, results)],
        cards=_cards(results, facts),
        chapters=chapters,
        methods=_methods(saved),
        settings=SETTINGS,
        cautions=_cautions(facts),
    )


def _what(facts: pd.DataFrame) -> str:
    return (
        f"The model of signalling and cell fate was put through {plural(len(facts), 'published experiment')}: blots, counts and "
        "panels of cells in culture, and biopsies of patients. One set of parameters serves all of them; a fact is held if the "
        "model's value lies in the band that was stated from the source before the model was asked."
    )


def _found(facts: pd.DataFrame, results: dict[str, Any]) -> str:
    every, two = results["facts_held"], results["two_sided_held"]
    missed = int((~facts["holds"]).sum())
    return (
        f"{percent(every['estimate'], 0)} of the facts are held ({plural(missed, 'miss', 'misses')}, each explained below), and "
        f"{percent(two['estimate'], 0)} of the {two['n']} whose band has two sides, which are the harder test: one-sided facts are "
        "signs and orderings."
    )


def _cards(results: dict[str, Any], facts: pd.DataFrame) -> list[Card]:
    def card(name: str, found: dict[str, Any]) -> Card:
        limits = interval(found["low"], found["high"], "proportion")
        return Card(name, percent(found["estimate"], 0), f"of {found['n']}; 95 % interval {limits}")

    return [card("All facts held", results["facts_held"]), card("Facts with a two-sided band held", results["two_sided_held"])]


def _cautions(facts: pd.DataFrame) -> list[str]:
    grades = facts["seen"].str.split(":").str[0].value_counts()
    told = ", ".join(f"{count} from {grade}" for grade, count in grades.items())
    return [
        f"How the sources were seen: {told}. Where only a sign is printed the band is a threshold of ours, stated with the fact.",
        "The constants were calibrated to these facts together, so that being held is a fit, not a prediction.",
    ]


def _methods(saved: Saved) -> list[str]:
    culture = saved.config["culture"]
    return [
        "Cells in culture are those of patients (binding, signalling, growth) in a well of "
        f"{culture['V_well_uL']:g} uL seeded with {culture['seeded']:g} cells: uptake empties the medium, division shares out what "
        "a cell holds, and dying cells stay countable for about a day. Folds are of the untreated start unless said.",
        "Other inhibitors act as fractions of their node: 95 % for catalytic mTOR inhibitors, 90 % for others.",
        f"Clinical facts are asked of {saved.config['cohort']['size']} virtual patients of the population, without holds.",
    ]


def _by_topic(topics: pd.DataFrame) -> Panel:
    made = figure(60 + 26 * len(topics))
    names = topics["topic"].tolist()[::-1]
    held, missed = topics["held"].to_numpy()[::-1], (topics["facts"] - topics["held"]).to_numpy()[::-1]
    for values, name, tone in ((held, "held", "simulated"), (missed, "missed", "published")):
        made.add_bar(
            y=names, x=values, orientation="h", name=name, showlegend=True, marker_color=colour(tone),
            hovertemplate="%{y}: %{x} " + name + "<extra></extra>",
        )  # fmt: skip
    made.update_layout(barmode="stack")
    made.update_xaxes(title_text="facts")
    told = f"{int(topics['held'].sum())} of {int(topics['facts'].sum())} facts held."
    return Panel("laboratory_topics", "Facts held", told, made)


def _bands(facts: pd.DataFrame) -> Panel:
    both = facts[facts["low"].notna() & facts["high"].notna()].iloc[::-1]
    place = np.clip((both["model"] - both["low"]) / (both["high"] - both["low"]), -FURTHEST, 1.0 + FURTHEST)
    made = figure(90 + ROW_PX * len(both))
    y = np.arange(len(both))
    names = [name.replace("_", " ") for name in both["fact_id"]]
    made.add_bar(
        y=y, x=np.ones(len(both)), base=0.0, orientation="h", width=0.62, marker_color=colour("rule"), hoverinfo="skip", name="band"
    )
    for held, tone, symbol in ((True, "simulated", "circle"), (False, "published", "diamond")):
        some = (both["holds"] == held).to_numpy()
        hover = [
            f"{plot_lines(row.claim, 60)}<br>model {number(row.model)}, band {number(row.low)} to {number(row.high)}"
            for row in both[some].itertuples()
        ]
        made.add_scatter(
            x=place[some], y=y[some], mode="markers", name="held" if held else "missed", showlegend=True, customdata=hover,
            marker=dict(size=8, color=colour(tone), symbol=symbol), hovertemplate="%{customdata}<extra></extra>",
        )  # fmt: skip
    made.update_yaxes(tickmode="array", tickvals=y, ticktext=names, tickfont_size=10, range=[-0.7, len(both) - 0.3])
    made.update_xaxes(tickmode="array", tickvals=[0, 1], ticktext=["lower limit", "upper limit"], range=[-1.1, 2.1])
    caption = "Values further than one band width outside are drawn at the margin."
    return Panel("laboratory_bands", "Model against the published band", caption, made)


def _band(low: float, high: float) -> str:
    if pd.isna(low):
        return f"at most {number(high)}"
    return f"at least {number(low)}" if pd.isna(high) else f"{number(low)} to {number(high)}"


def _rows(facts: pd.DataFrame) -> pd.DataFrame:
    limits = lambda row: _band(row.low, row.high)
    shown = [
        [row.claim, row.system, row.treatment, row.published, limits(row), number(row.model), _verdict(row), row.source]
        for row in facts.itertuples()
    ]
    return pd.DataFrame(shown, columns=["Claim", "System", "Treatment", "Published", "Band", "Model", "Verdict", "Source"])


def _verdict(row: Any) -> str:
    return "held" if row.holds else f"missed: {row.why}" if row.why else "missed"


def _of_topic(facts: pd.DataFrame, topic: str) -> Table:
    some = facts[facts["topic"] == topic]
    title = f"{topic if topic[1].isupper() else topic[0].upper() + topic[1:]}: {int(some['holds'].sum())} of {len(some)} held"
    return Table(f"facts_{topic.replace(' ', '_')}", title, some, _rows(some), folded=True)


def _misses(facts: pd.DataFrame) -> Table:
    some = facts[~facts["holds"]]
    shown = _rows(some)[["Claim", "Published", "Band", "Model", "Verdict", "Source"]]
    return Table("misses", "What the model misses, and why", some, shown)
