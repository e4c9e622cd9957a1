"""Combinations in patients: time to progression, schedules, and partners by genotype."""

from __future__ import annotations

import numpy as np
import pandas as pd

from trialsim.report.figures.at_risk import Arm, curve, frame
from trialsim.report.figures.panel import Panel
from trialsim.report.figures.surfaces import SYMBOLS, diverging, grid, signed
from trialsim.report.theme import at_least, colour, figure, on_cells, reference_line
from trialsim.report.wording import fixed, fixed_spread, join, number, percent, plot_lines, plot_text

GENOTYPES = {
    "wild_type": "none of these", "pik3ca": "PIK3CA", "pten_loss": "PTEN loss", "akt1": "AKT1", "tsc": "TSC1/2", "mtor": "MTOR",
    "kras": "KRAS",
}  # fmt: skip
SHORT = {"best_of_two": "better of two"}  # beside the numbers at risk
LEAST_AT_RISK = 0.05  # share of the patients from which a curve is drawn: its tail hangs on a few
SURE = 0.8  # probability from which a partner is called the best
MEASURES = {"tumour": "ln of tumour volume", "pfs": "months without progression"}


def progression(curves: pd.DataFrame, ratios: dict[str, dict], drugs: tuple[str, str]) -> Panel:
    """Progression-free survival under none, one and both, and of the better of the two in each patient."""
    names = {
        "none": ("no drug", "series_9", "dot"), "rapalog": (drugs[0], "series_1", "solid"),
        "partner": (drugs[1], "series_2", "solid"),
        "both": ("both", "series_3", "solid"), "best_of_two": ("better of the two in each patient", "series_7", "dash"),
    }  # fmt: skip
    arms, ends = [], []
    for key, (name, tone, dash) in names.items():
        found = curves[curves["arm"] == key]
        ends.append(float(found.loc[found["at_risk"] >= LEAST_AT_RISK * found["at_risk"].max(), "months"].max()))
        time, survival, at_risk = (found[column].to_numpy(float) for column in ("months", "survival", "at_risk"))
        line: dict[str, object] = dict(width=3 if key == "both" else 2, dash=dash)
        arms.append(Arm(plot_text(name), SHORT.get(key, plot_text(name)), time, survival, at_risk, tone, line))
    made = frame(arms, max(ends), 380)
    for arm, end in zip(arms, ends, strict=True):
        curve(made, arm, end)
    made.update_yaxes(title_text="alive without progression (%)", row=1, col=1)
    told = {name: fixed_spread(row["estimate"], row["low"], row["high"]) for name, row in ratios.items()}
    beyond = ratios["best_of_two"]
    verdict = "more than" if beyond["high"] < 1 else "less than" if beyond["low"] > 1 else "no clear difference from"
    caption = (
        f"Hazard ratio of both drugs over {drugs[0]} {told['rapalog']}, over {drugs[1]} {told['partner']}, over the better of the "
        "two in "
        f"each patient {told['best_of_two']}: {verdict} what independent action of the drugs would give."
    )
    return Panel("cohort_pfs", "Progression-free survival and independent action", caption, made)


FOREST = {
    "hazard_ratio": ("hazard ratio of<br>progression or death", 1.0, "series_1"),
    "best_change": ("mean best change of<br>diameters (%)", 1.0, "series_3"),
    "severe": ("grade 3 or 4<br>event (%)", 100.0, "series_2"),
    "stopped": ("stopped for<br>toxicity (%)", 100.0, "series_4"),
}


def schedules(table: pd.DataFrame, labels: dict[str, str], reference: str) -> Panel:
    """Each way to give the pair: efficacy and toxicity side by side."""
    order = list(labels)
    made = grid(
        1, len(FOREST), 120 + 44 * len(order), shared_yaxes=True, horizontal_spacing=0.035,
        column_titles=[name for name, *_ in FOREST.values()],
    )  # fmt: skip
    y = np.arange(len(order))
    for place, (measure, (_, factor, tone)) in enumerate(FOREST.items()):
        found = table[table["measure"] == measure].set_index("schedule").loc[order]
        x, low, high = (factor * found[name].to_numpy(float) for name in ("estimate", "low", "high"))
        made.add_scatter(
            x=x, y=y, mode="markers", marker=dict(size=9, color=colour(tone), symbol=SYMBOLS[place]),
            error_x=dict(type="data", array=high - x, arrayminus=x - low, thickness=1.4, width=0, color=colour(tone)),
            hovertemplate="%{x:.2f}<extra></extra>", row=1, col=place + 1,
        )  # fmt: skip
        made.add_vline(
            x=x[order.index(reference)], line=dict(color=colour("muted"), width=1, dash="dash"), layer="below", row=1, col=place + 1
        )
    names = [f"<b>{plot_lines(labels[n], 26)}</b>" if n == reference else plot_lines(labels[n], 26) for n in order]
    made.update_yaxes(tickvals=list(y), ticktext=names, range=[len(order) - 0.5, -0.5], showgrid=False, ticks="")
    found = table.pivot(index="schedule", columns="measure", values="estimate")
    both = found[found["intensity_rapalog"].notna() & found["intensity_partner"].notna()]
    better = [labels[n] for n in both.index if table.query("schedule == @n and measure == 'hazard_ratio'")["high"].item() < 1.0]
    mildest = both["severe"].idxmin()
    told = join(better) or "none of the other ways to give both drugs"
    first = f"A lower hazard of progression than {labels[reference]}: {told}"
    caption = (
        f"{first}. Fewest grade 3 or 4 events among the ways to give both: {labels[mildest]} "
        f"({percent(both.loc[mildest, 'severe'], 0)}, against {percent(both.loc[reference, 'severe'], 0)}), at a hazard ratio of "
        f"{fixed(both.loc[mildest, 'hazard_ratio'])}. Dashed: {labels[reference]}."
    )
    return Panel("schedules", "Schedules: benefit and toxicity", caption + " Bars: 95 % intervals over the same patients.", made)


def courses(table: pd.DataFrame, labels: dict[str, str]) -> Panel:
    """Median tumour size under each schedule."""
    made = figure(470)
    for place, (name, label) in enumerate(labels.items()):
        found = table[table["schedule"] == name]
        made.add_scatter(
            x=found["week"], y=100 * found["median"], mode="lines+markers", name=plot_text(label),
            line=dict(color=colour(f"series_{place % 9 + 1}"), width=2), marker=dict(size=6, symbol=SYMBOLS[place % 9]),
            hovertemplate="week %{x}: %{y:.1f} %<extra>" + plot_text(label) + "</extra>",
        )  # fmt: skip
    reference_line(made, y=0.0)
    made.update_layout(legend=dict(entrywidth=0.5, entrywidthmode="fraction", font=dict(size=12)))
    made.update_xaxes(title_text="weeks since first dose", rangemode="tozero")
    made.update_yaxes(title_text="median change of sum of diameters (%)")
    week = min(24, int(table["week"].max()))
    at = table[table["week"] == week].set_index("schedule")["median"]
    smallest, largest = at.idxmin(), at.idxmax()
    caption = (
        f"True sizes of all patients, on treatment or not any more. At week {week} the median lies between "
        f"{signed(100 * at.min())} % "
        f"({labels[smallest]}) and {signed(100 * at.max())} % ({labels[largest]})."
    )
    return Panel("schedule_courses", "Tumour size under each schedule", caption, made)


def heat(table: pd.DataFrame, measure: str, names: dict[str, str], rapalog: str, what: str) -> Panel:
    """Gain over the rapalog alone, partner by genotype, with the probability of being the best."""
    table = table[table["measure"] == measure]
    genotypes = list(table["genotype"].unique())
    order = list(table.groupby("partner")["estimate"].mean().sort_values(ascending=False).index)
    wide = lambda name: table.pivot(index="partner", columns="genotype", values=name).loc[order, genotypes].to_numpy(float)
    gain, best = wide("estimate"), wide("best")
    digits = 2 if measure == "tumour" else 1
    text = [
        [f"{_bold(signed(g, digits), b >= SURE)}<br>{'best ' if b >= 0.005 else ''}{percent(b, 0) if b >= 0.005 else '–'}"
         for g, b in zip(*row, strict=True)] for row in zip(gain, best, strict=True)
    ]  # fmt: skip
    limit = float(np.abs(gain).max()) or 1.0
    made = at_least(figure(100 + 50 * len(order), showlegend=False), 620)
    made.add_heatmap(
        z=gain.round(3), x=[plot_text(GENOTYPES[g]) for g in genotypes], y=[plot_text(names[p]) for p in order], text=text,
        texttemplate="%{text}", textfont=on_cells(), colorscale=diverging(), zmin=-limit, zmax=limit, showscale=False, xgap=2,
        ygap=2,
        hovertemplate="%{y}, %{x}: %{z:.2f}<extra></extra>",
    )  # fmt: skip
    made.update_yaxes(autorange="reversed", showgrid=False, ticks="")
    made.update_xaxes(side="top", showgrid=False, ticks="", title_text="altered in the tumour")
    rows = table.sort_values("best", ascending=False).drop_duplicates("genotype").set_index("genotype").loc[genotypes]
    sure = best_by_partner(rows[rows["best"] >= SURE], names)
    open_ = [GENOTYPES[g] for g, row in rows.iterrows() if row["best"] < SURE]
    told = f"Best with a probability of {percent(SURE, 0)} or more: {sure}." if sure else "No partner is the best for certain."
    told += f" Open: {join(open_)}." if open_ and sure else ""
    caption = f"Upper number: gain in {what} over {rapalog} alone; lower: probability of being the best of these partners. {told}"
    return Panel(f"partners_{measure}", f"Partners by genotype: {MEASURES[measure]}", caption, made)


def best_by_partner(rows: pd.DataFrame, names: dict[str, str]) -> str:
    """``trametinib (PTEN loss, KRAS) and exemestane (TSC1/2)``: the best partners, and with which gene altered.

    Args:
        rows: one a genotype, which is the index; partner.
    """
    found = {partner: [GENOTYPES[g] for g in of.index] for partner, of in rows.groupby("partner", sort=False)}
    return join(f"{names[partner]} ({', '.join(genes)})" for partner, genes in found.items())


def _bold(text: str, is_bold: bool) -> str:
    return f"<b>{text}</b>" if is_bold else text


def added(table: pd.DataFrame, names: dict[str, str], rapalog: str) -> Panel:
    """What the rapalog adds to each partner alone: below zero the partner does better by itself."""
    table = table[table["measure"] == "pfs"]
    genotypes = list(table["genotype"].unique())
    order = list(table.groupby("partner")["added"].mean().sort_values(ascending=False).index)
    wide = lambda name: table.pivot(index="partner", columns="genotype", values=name).loc[order, genotypes].to_numpy(float)
    value, low, high = (wide(name) for name in ("added", "added_low", "added_high"))
    text = [
        [f"<b>{signed(v, 1)}</b><br>{signed(a, 1)} to {signed(b, 1)}" for v, a, b in zip(*row, strict=True)]
        for row in zip(value, low, high, strict=True)
    ]
    limit = float(np.abs(value).max()) or 1.0
    made = at_least(figure(100 + 50 * len(order), showlegend=False), 760)
    made.add_heatmap(
        z=value.round(3), x=[plot_text(GENOTYPES[g]) for g in genotypes], y=[plot_text(names[p]) for p in order], text=text,
        texttemplate="%{text}", textfont=on_cells(), colorscale=diverging(), zmin=-limit, zmax=limit, showscale=False, xgap=2,
        ygap=2, hovertemplate="%{y}, %{x}: %{z:.2f}<extra></extra>",
    )  # fmt: skip
    made.update_yaxes(autorange="reversed", showgrid=False, ticks="")
    made.update_xaxes(side="top", showgrid=False, ticks="", title_text="altered in the tumour")
    worse, better = table[table["added_high"] < 0], table[table["added_low"] > 0]
    caption = (
        f"Mean months without progression or death that {rapalog} adds to the partner alone, with the 95 % interval. It adds time "
        "in "
        f"{number(len(better))} of {number(len(table))} pairs of partner and genotype"
    )
    if len(worse):
        caption += f", and takes time away in {number(len(worse))}: {best_by_partner(worse.set_index('genotype'), names)}"
    return Panel("partners_added", f"What {rapalog} adds to the partner", f"{caption}.", made)


def ranks(table: pd.DataFrame, names: dict[str, str]) -> Panel:
    """Rank of each partner in each genotype with its interval."""
    table = table[table["measure"] == "tumour"]
    genotypes = list(table["genotype"].unique())
    order = list(table.groupby("partner")["estimate"].mean().sort_values(ascending=False).index)
    made = grid(
        1, len(genotypes), 110 + 34 * len(order), shared_yaxes=True, horizontal_spacing=0.015,
        column_titles=[plot_text(GENOTYPES[g]) for g in genotypes],
    )  # fmt: skip
    y = np.arange(len(order))
    for col, genotype in enumerate(genotypes):
        found = table[table["genotype"] == genotype].set_index("partner").loc[order]
        x = found["rank"].to_numpy(float)
        bars = dict(
            type="data", array=found["rank_high"] - x, arrayminus=x - found["rank_low"], thickness=2.2, width=0,
            color=colour("simulated_50"),
        )  # fmt: skip
        made.add_scatter(
            x=x, y=y, mode="markers", error_x=bars, marker=dict(size=9, color=colour("simulated")), row=1, col=col + 1,
            hovertemplate="rank %{x}<extra></extra>",
        )  # fmt: skip
    made.update_xaxes(tickvals=list(range(1, len(order) + 1)), range=[0.4, len(order) + 0.6], tickfont=dict(size=10))
    made.update_xaxes(title_text="rank", row=1, col=(len(genotypes) + 1) // 2)
    made.update_yaxes(
        tickvals=list(y), ticktext=[plot_text(names[p]) for p in order], range=[len(order) - 0.5, -0.5], showgrid=False, ticks=""
    )
    exact = int((table["rank_low"] == table["rank_high"]).sum())
    caption = (
        f"Rank by gain in tumour volume, 1 the best; bars hold 95 % of the resamples of the patients. {number(exact)} of "
        f"{number(len(table))} ranks are the same in all of those."
    )
    return Panel("partner_ranks", "Ranks with their uncertainty", caption, made)


def price(table: pd.DataFrame, names: dict[str, str]) -> Panel:
    """Gain of each partner against the toxicity that it adds, mean over genotypes."""
    found = table[table["measure"] == "pfs"].groupby("partner", sort=False)[["estimate", "severe", "severe_alone"]].mean()
    x, y = 100 * (found["severe"] - found["severe_alone"]).to_numpy(), found["estimate"].to_numpy()
    made = figure(400)
    for place, partner in enumerate(found.index):
        tone = colour(f"series_{place % 9 + 1}")
        made.add_scatter(
            x=[x[place]], y=[y[place]], mode="markers", name=plot_text(names[partner]),
            marker=dict(size=13, color=tone, symbol=SYMBOLS[place % 9]),
            hovertemplate="+%{x:.0f} points of patients, %{y:.2f} months<extra>" + plot_text(names[partner]) + "</extra>",
        )  # fmt: skip
    reference_line(made, x=0.0)
    reference_line(made, y=0.0)
    made.update_xaxes(title_text="patients with a grade 3 or 4 event,<br>points more than on the rapalog alone")
    made.update_yaxes(title_text="months without progression gained")
    worst, least = found.index[int(np.argmax(x))], found.index[int(np.argmin(x))]
    caption = (
        f"Mean over the genotypes. {names[worst][:1].upper()}{names[worst][1:]} adds the most grade 3 or 4 events "
        f"({signed(x.max())} points), {names[least]} "
        "the fewest "
        f"({signed(x.min())}). Upwards and to the left is better."
    )
    return Panel("partner_price", "Benefit and its price", caption[:1].upper() + caption[1:], made)
