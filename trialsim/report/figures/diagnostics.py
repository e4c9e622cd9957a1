"""May the inference be believed: rank plots, posterior predictive check, leave-one-out."""

from __future__ import annotations

import numpy as np

from trialsim.report.figures.panel import Panel
from trialsim.report.posterior import (
    Loo,
    convergence_table,
    flat_parameters,
    leave_one_out,
    predictive_check,
    rank_histogram,
)
from trialsim.report.reader import Run
from trialsim.report.theme import ABOVE_WIDTH, colour, figure, names_above, reference_line, row_above, style_axes
from trialsim.report.wording import number, plot_lines, plural, words

CHAIN_TONES = 4
ROWS_DRAWN = 24
ROOM = 560  # px below which the names of the cells stand above their rows


def rank_panel(run: Run) -> Panel:
    """Rank histograms of the parameters with the largest R-hat, one step line a chain."""
    from plotly.subplots import make_subplots

    title = "Do the chains agree? Rank plots"
    table = convergence_table(run.posterior)
    names = table["parameter"].head(run.settings.max_parameters_drawn).tolist()
    if not names:
        return Panel("rank", title, "The fit was not saved, so the chains cannot be shown.")
    draws = flat_parameters(run.posterior)
    columns = 2 if len(names) > 1 else 1
    rows = -(-len(names) // columns)
    base = figure(80 + 170 * rows)
    made = make_subplots(
        rows=rows,
        cols=columns,
        shared_xaxes=True,
        shared_yaxes=True,
        horizontal_spacing=0.05,
        vertical_spacing=min(0.9 / max(1, rows - 1), 60 / (80 + 170 * rows)),
        subplot_titles=[plot_lines(words(name), 30) for name in names],
        figure=base,
    )
    made.update_layout(base.layout)
    style_axes(made)
    for place, name in enumerate(names):
        histogram = rank_histogram(draws[name])
        edges = np.linspace(0, 100, histogram.shape[1] + 1)
        for chain, heights in enumerate(histogram):
            made.add_scatter(
                x=edges.astype("f4"),
                y=np.append(heights, heights[-1]).astype("f4"),
                mode="lines",
                line=dict(shape="hv", width=1.5, color=colour(f"chain_{chain % CHAIN_TONES + 1}")),
                name=f"chain {chain + 1}",
                legendgroup=f"chain {chain + 1}",
                showlegend=place == 0,
                hoverinfo="skip",
                row=place // columns + 1,
                col=place % columns + 1,
            )
    for note in made.layout.annotations:
        note.font = dict(size=11, color=colour("muted"))
    reference_line(made, y=1.0, row="all", col="all")
    highest = max(float(rank_histogram(draws[name]).max()) for name in names)
    made.update_yaxes(range=[0, max(2.0, highest * 1.05)])
    made.update_xaxes(range=[0, 100], tickvals=[20, 50, 80])
    made.update_xaxes(title_text="rank of the draw (%)", row=rows)
    made.update_layout(legend=dict(y=1.06 if rows > 1 else 1.12))
    worst = table.iloc[0]
    caption = (
        f"Flat lines near 1 mean that all chains explore the same values. Shown: the {plural(len(names), 'parameter')} "
        f"with the largest R-hat; the largest is {number(worst['rhat'], 4)} ({worst['parameter']})."
    )
    return Panel("rank", title, caption, made)


def predictive_panel(run: Run) -> Panel:
    """Observed counts against what the fitted model would expect to see again."""
    title = "Does the model reproduce what it was fitted to? Posterior predictive check"
    table = predictive_check(run.posterior)
    if table.empty:
        return Panel("ppc", title, "The fit carries no posterior predictive draws beside its observations.")
    inside = table["observed"].between(table["low_90"], table["high_90"])
    # the cells that fit worst first, should there be more than can be drawn
    span = (table["high_90"] - table["low_90"]).clip(lower=1.0)
    misfit = ((table["observed"] - table["median"]).abs() / span).sort_values(ascending=False, kind="stable")
    drawn = table.loc[sorted(misfit.index[:ROWS_DRAWN])]
    y, names = np.arange(len(drawn), dtype=float), [_cell(text) for text in drawn["label"]]
    made = figure(110 + 40 * len(drawn))  # room for names of two lines
    for low, high, tone, width, name in (
        ("low_90", "high_90", "simulated_90", 13, "predicted, 90 %"),
        ("low_50", "high_50", "simulated_50", 13, "predicted, 50 %"),
    ):
        gap = np.full(len(drawn), np.nan)
        x = np.column_stack([drawn[low], drawn[high], gap]).reshape(-1).astype("f4")
        made.add_scatter(
            x=x,
            y=np.column_stack([y, y, gap]).reshape(-1),
            mode="lines",
            name=name,
            hoverinfo="skip",
            line=dict(color=colour(tone), width=width),
        )
    made.add_scatter(
        x=drawn["observed"],
        y=y,
        mode="markers",
        name="observed",
        marker=dict(color=colour("ink"), size=7),
        hovertemplate="%{x:.0f} observed<extra></extra>",
    )
    made.update_yaxes(
        tickvals=y,
        ticktext=[plot_lines(name, 50) for name in names],
        range=[len(drawn) - 0.4, -0.6],
        showgrid=False,
        ticks="",
    )
    edge = float(drawn[["observed", "high_90"]].to_numpy().max()) * 1.04 or 1.0
    made.update_xaxes(title_text="patients", range=[-0.015 * edge, edge])
    above = [plot_lines(name, ABOVE_WIDTH) for name in names]
    names_above(made, ROOM, {"y": above}, 110 + row_above(above) * len(drawn), layout={"yaxis.range": [len(drawn) - 0.5, -1.0]})
    caption = (
        f"{int(inside.sum())} of {len(table)} observed counts lie inside the 90 % intervals that the fitted model "
        "predicts for them."
    )
    if len(drawn) < len(table):
        caption += f" The {len(drawn)} that fit worst are drawn."
    return Panel("ppc", title, caption, made)


def _cell(name: str) -> str:
    """``dcr | breast_hr, not later_line`` -> ``DCR: breast HR, not later line``."""
    return ": ".join(", ".join(words(part) for part in side.split(", ")) for side in name.split(" | "))


def loo_panel(run: Run, found: Loo | None = None) -> Panel:
    """Pareto k of every observation: how much the fit hangs on it."""
    title = "Does the fit hang on single observations? Leave-one-out"
    found = found or leave_one_out(run.posterior)
    if found is None:
        return Panel("loo", title, "The fit carries no usable log likelihood, so leave-one-out could not be computed.")
    k = found.pareto_k
    bad = k > found.good_k
    made = figure(290, showlegend=False)
    made.add_scatter(
        x=np.arange(1, len(k) + 1),
        y=k.astype("f4"),
        mode="markers",
        text=[plot_lines(text, 40) for text in found.labels],
        marker=dict(
            size=7,
            color=[colour("bad") if high else colour("simulated") for high in bad],
            symbol=["x" if high else "circle" for high in bad],
        ),
        hovertemplate="k = %{y:.2f}<extra>%{text}</extra>",
    )
    reference_line(made, y=found.good_k, text=f"limit {found.good_k:.2f}", annotation_position="top left")
    made.update_xaxes(title_text="observation")
    made.update_yaxes(title_text="Pareto k", range=[min(-0.1, float(np.nanmin(k)) - 0.1), max(0.9, float(np.nanmax(k)) + 0.1)])
    caption = (
        f"Expected log predictive density {found.elpd:.1f} (standard error {found.se:.1f}), "
        f"effective parameters {found.p:.1f}. "
        f"{int(bad.sum())} of {plural(len(k), 'observation')} lie above the limit, where leave-one-out is not reliable."
    )
    return Panel("loo", title, caption, made)
