"""Phase I: dose-limiting toxicity by dose level, and which dose the virtual studies declared the maximum tolerated."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pandas as pd

from trialsim.endpoints.proportions import clopper_pearson
from trialsim.report.figures.panel import Panel
from trialsim.report.reader import Run
from trialsim.report.theme import colour, figure, reference_line
from trialsim.report.wording import dose, is_number, join, percent, plot_text, plural, share, unit_text, words

TARGET = 1 / 3  # a level with a third or more DLTs is what 3+3 means by too toxic
PARTS = ("estimate", "low", "high")
NUMBER = re.compile(r"-?\d+(?:\.\d+)?")


def dlt_table(run: Run) -> pd.DataFrame:
    """DLTs by dose level: columns dose_level, n_treated, n_evaluable, n_dlt, rate, low, high (exact 95 %)."""
    columns = ["dose_level", "n_treated", "n_evaluable", "n_dlt", "rate", "low", "high"]
    if not {"dlt", "dose_level"} <= set(run.patients.columns):
        return pd.DataFrame(columns=columns)
    had, judged = (
        run.flag("dlt"),
        run.flag("dlt_evaluable") if "dlt_evaluable" in run.patients else pd.Series(True, run.patients.index),
    )
    rows = []
    for level in run.dose_levels:
        here = run.patients["dose_level"] == level
        n, k = int((here & judged).sum()), int((here & judged & had).sum())
        stored = _stored_rate(run, level)
        exact = clopper_pearson(k, n)
        rate, low, high = (stored.get(name, float(value)) for name, value in zip(PARTS, exact[:3], strict=True))
        rows.append([level, int(here.sum()), n, k, rate, low, high])
    return pd.DataFrame(rows, columns=columns)


def _stored_rate(run: Run, level: float) -> dict[str, Any]:
    """The summary's own ``dlt_rate_<level><unit>``, which goes before anything recomputed."""
    for name, value in run.section("endpoints").items():
        if name.startswith("dlt_rate_") and isinstance(value, dict):
            found = NUMBER.match(name.removeprefix("dlt_rate_"))
            if found and float(found.group()) == level and is_number(value.get("estimate")):
                return {key: value[key] for key in PARTS if is_number(value.get(key))}
    return {}


def dlt_panel(run: Run) -> Panel:
    """DLT rate by level with exact 95 % intervals."""
    title = "Dose-limiting toxicity by dose level"
    table = dlt_table(run)
    table = table[table["n_evaluable"] > 0] if len(table) else table
    if table.empty:
        return Panel("dlt", title, "No patient could be judged for dose-limiting toxicity.", wide=False)
    made = figure(330, showlegend=False)
    x = np.arange(len(table))
    rate = table["rate"].to_numpy(float) * 100
    made.add_bar(
        x=x,
        y=rate.astype("f4"),
        width=0.5,
        marker=dict(color=colour("simulated_50"), line=dict(width=0)),
        hoverinfo="skip",
    )
    made.add_scatter(
        x=x,
        y=rate.astype("f4"),
        mode="markers",
        marker=dict(color=colour("simulated"), size=9),
        error_y=dict(
            type="data",
            array=(table["high"] * 100 - rate).to_numpy("f4"),
            arrayminus=(rate - table["low"] * 100).to_numpy("f4"),
            color=colour("simulated"),
            thickness=2,
            width=6,
        ),
        customdata=table[["n_dlt", "n_evaluable"]].to_numpy("i4"),
        hovertemplate="%{y:.1f} % (%{customdata[0]} of %{customdata[1]})<extra></extra>",
    )
    reference_line(made, y=TARGET * 100, text="one in three", annotation_position="top left")
    made.update_xaxes(
        tickvals=x,
        ticktext=[f"{plot_text(_dose(run, row.dose_level))}<br>{row.n_dlt} / {row.n_evaluable}" for row in table.itertuples()],
        title_text="dose level (DLTs / evaluable patients)",
        range=[-0.6, len(x) - 0.4],
    )
    made.update_yaxes(title_text="% with DLT", range=[0, max(40.0, float(table["high"].max()) * 104)])
    told = join(
        f"{percent(row.rate)} at {_dose(run, row.dose_level)} ({row.n_dlt} of {row.n_evaluable})" for row in table.itertuples()
    )
    return Panel(
        "dlt",
        title,
        f"Share of evaluable virtual patients with a dose-limiting toxicity, with exact 95 % intervals: {told}.",
        made,
        wide=False,
    )


def mtd_distribution(run: Run) -> pd.DataFrame:
    """Share of virtual studies by declared MTD: columns mtd (text), level (number or NaN), share."""
    found = run.section("mtd")
    columns = ["mtd", "level", "share"]
    kinds = [found[key] for key in ("counts", "distribution", "shares") if isinstance(found.get(key), dict)]
    inner: dict[str, Any] = kinds[0] if kinds else {}
    pairs = [(str(key), float(value)) for key, value in inner.items() if is_number(value)]
    if is_number(found.get("none")):
        pairs.append(("none", float(found["none"])))
    if is_number(found.get("undecided")) and found["undecided"] > 0:
        pairs.append(("undecided", float(found["undecided"])))
    total = sum(value for _, value in pairs)
    rows = (
        [(key, float(match.group()) if (match := NUMBER.match(key)) else np.nan, value / total) for key, value in pairs]
        if total > 0
        else []
    )
    table = pd.DataFrame(rows, columns=columns)
    return table.sort_values("level", na_position="first", ignore_index=True, kind="stable")


def mtd_panel(run: Run) -> Panel:
    """Distribution of the declared MTD over virtual studies of the published size."""
    title = "Maximum tolerated dose declared"
    table = mtd_distribution(run)
    if table.empty:
        return Panel(
            "mtd",
            title,
            "No virtual study declared a maximum tolerated dose, or the design does not look for one.",
            wide=False,
        )
    names = [_mtd_name(run, row.mtd, row.level) for row in table.itertuples()]
    published = _published(run)
    made = figure(330, showlegend=False)
    made.add_bar(
        x=[plot_text(name) for name in names],
        y=(table["share"] * 100).to_numpy("f4"),
        width=0.55,
        marker=dict(color=[colour("published") if row.level == published else colour("simulated") for row in table.itertuples()]),
        text=[percent(value, 0) for value in table["share"]],
        textposition="outside",
        cliponaxis=False,
        hoverinfo="skip",
    )
    made.update_xaxes(type="category", title_text="declared MTD")
    made.update_yaxes(title_text="% of virtual studies", range=[0, float(table["share"].max()) * 115])
    replicates = int(run.patients["replicate"].nunique()) if "replicate" in run.patients else 0
    top = int(table["share"].to_numpy().argmax())
    studies = plural(replicates, "virtual study", "virtual studies")
    most = percent(table["share"][top], 0)
    caption = f"Across {studies} of the published size, {names[top]} was declared most often ({most})."
    if published is not None:
        agreeing = float(table.loc[table["level"] == published, "share"].sum())
        seen = " (orange)" if agreeing else ""  # a bar of no height has no colour
        caption += f" The published study declared {_dose(run, published)}{seen}, as did "
        caption += f"{percent(agreeing, 0)} of the virtual studies."
    return Panel("mtd", title, caption, made, wide=False)


def _published(run: Run) -> float | None:
    """The MTD that the published study declared: in the comparison, or beside the simulated one."""
    compared = run.section("comparison").get("mtd") or {}
    value = compared.get("published", run.section("mtd").get("published"))
    return float(value) if is_number(value) else None


def _dose(run: Run, level: float) -> str:
    return dose(level, run.dose_unit)


def _mtd_name(run: Run, text: str, level: float) -> str:
    if not np.isnan(level):
        return _dose(run, level)
    return {"none": "none found", "null": "none found", "None": "none found", "-1": "none found"}.get(text, unit_text(text))


def dlt_terms(run: Run) -> str:
    """Which adverse events were dose-limiting, in words."""
    if "dlt_terms" not in run.patients:
        return ""
    terms = run.patients.loc[run.flag("dlt"), "dlt_terms"].dropna().astype(str)
    counts = pd.Series([term.strip() for text in terms for term in re.split(r"[;,|+ ]+", text) if term.strip()]).value_counts()
    total = int(run.flag("dlt").sum())
    return join(f"{words(term)} {share(int(count), total)}" for term, count in counts.items()) if len(counts) else ""
