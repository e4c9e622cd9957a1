"""How a calibration was judged: predicted beside published for every study left out, scores, and what the evidence tells."""

from __future__ import annotations

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from trialsim.report.figures.panel import Panel
from trialsim.report.theme import colour, figure, log_ticks, names_above, reference_line, segments
from trialsim.report.wording import join, percent, plot_lines, plot_text, plural

ROW, NARROW_ROW, ROOM, WIDTH = 26, 52, 560, 40  # px a row, and where names stand above rows; px below which they do; characters
TONES = {"mechanistic": "simulated", "statistical": "second"}
WORDS = {"mechanistic": "this model", "statistical": "meta-analysis"}
NAMES = {"orr": "Objective response", "dcr": "Disease control", "median_pfs": "Median PFS or time to progression",
         "pfs_hr": "Hazard ratio of progression or death", "all": "All"}  # fmt: skip
SPOKEN = {"orr": "response", "dcr": "disease control", "median_pfs": "median PFS", "pfs_hr": "hazard ratio", "all": "all together"}
AXES = {"orr": "% of patients", "dcr": "% of patients", "median_pfs": "months", "pfs_hr": "ratio"}
SCALE = {"orr": 100.0, "dcr": 100.0}
WANTED = (0.85, 0.95)  # share of values that the 90 % interval should hold
SMALLEST = {"median_pfs": 1.0, "pfs_hr": 0.2}  # of a logarithmic axis


def forest_panel(table: pd.DataFrame, endpoint: str) -> Panel:
    """Every number of an endpoint: 90 % interval of both models, neither of which has seen its study, and what was published.

    Args:
        table: rows of ``left_out``.
    """
    part = table[table["endpoint"] == endpoint]
    ours = part[part["model"] == "mechanistic"].sort_values("value", kind="stable")
    other = part[part["model"] == "statistical"].set_index("arm").reindex(ours["arm"])
    places, scale, logarithmic = np.arange(len(ours), dtype=float), SCALE.get(endpoint, 1.0), endpoint not in SCALE
    cut = (lambda x: np.maximum(np.asarray(x, float), SMALLEST[endpoint])) if logarithmic else (lambda x: np.asarray(x, float))
    made = figure(130 + ROW * len(ours))
    for rows, model, up in ((ours, "mechanistic", -0.16), (other, "statistical", 0.2)):
        y, tone = places + up, TONES[model]
        for level, width, shade in ((90, 5, f"{tone}_50"), (50, 5, tone)):
            made.add_scatter(
                x=segments(cut(rows[f"low_{level}"] * scale), cut(rows[f"high_{level}"] * scale)), y=segments(y, y), mode="lines",
                line=dict(color=colour(shade), width=width), name=f"{WORDS[model]}, {level} %", hoverinfo="skip",
            )  # fmt: skip
    names = [_arm(row.arm) for row in ours.itertuples()]
    hover = np.column_stack(
        [[plot_text(name) for name in names], ours["n"], (ours["low_90"] * scale).round(2), (ours["high_90"] * scale).round(2)]
    )
    missed = ~ours["inside_90"].to_numpy(bool)
    for which, name, symbol in ((~missed, "published, inside", "diamond"), (missed, "published, outside this model's 90 %", "x")):
        made.add_scatter(
            x=cut(ours["value"] * scale)[which], y=places[which], mode="markers", name=name,
            marker=dict(symbol=symbol, size=9, color=colour("published")), customdata=hover[which],
            hovertemplate="published %{x:.3g} of %{customdata[1]} patients; predicted 90 % %{customdata[2]} to "
                          "%{customdata[3]}<extra>%{customdata[0]}</extra>",
        )  # fmt: skip
    axis = dict(title_text=AXES[endpoint])
    if logarithmic:
        top = float(np.nanmax([ours["high_90"].max(), other["high_90"].max(), ours["value"].max()]))
        axis |= dict(type="log", **log_ticks(SMALLEST[endpoint], top))
        reference_line(made, x=1.0) if endpoint == "pfs_hr" else None
    else:
        axis |= dict(rangemode="tozero")
    made.update_xaxes(**axis)
    made.update_yaxes(tickvals=places, ticktext=[plot_lines(name, WIDTH) for name in names], range=[len(ours) - 0.4, -0.6],
                      showgrid=False, ticks="")  # fmt: skip
    names_above(made, ROOM, {"y": [plot_lines(name, 54) for name in names]}, 150 + NARROW_ROW * len(ours), 7)
    inside = int((~missed).sum())
    told = f"{inside} of {plural(len(ours), 'value')} inside the 90 % interval of this model, which had not seen the study"
    outside = f"; outside: {join(_arm(name) for name in ours['arm'][missed])}." if missed.any() else "."
    return Panel(f"left_out_{endpoint}", NAMES[endpoint], told + outside, made)


def _arm(name: str) -> str:
    """``record1/drug`` -> ``RECORD1``, ``record1/control`` -> ``RECORD1, control``."""
    trial, _, arm = name.partition("/")
    return trial.upper().replace("_", " ") + (", control" if arm == "control" else "")


def scores_panel(scores: pd.DataFrame) -> Panel:
    """CRPS of this model over that of the meta-analysis, by endpoint."""
    ours = scores[scores["model"] == "mechanistic"]
    places = np.arange(len(ours), dtype=float)
    made = figure(100 + 46 * len(ours))
    bar = dict(color=colour("simulated_50"), width=9)
    made.add_scatter(x=segments(ours["ratio_low"], ours["ratio_high"]), y=segments(places, places), mode="lines", line=bar,
                     name="90 % of resampled studies", hoverinfo="skip")  # fmt: skip
    made.add_scatter(x=ours["ratio"], y=places, mode="markers", marker=dict(size=11, color=colour("simulated")),
                     name="ratio of mean CRPS", hovertemplate="%{x:.2f}<extra></extra>")  # fmt: skip
    reference_line(made, x=1.0, text="as good as the meta-analysis")
    _rows(made, [f"{NAMES[row.endpoint]} ({row.n})" for row in ours.itertuples()], 46)
    made.update_xaxes(title_text="CRPS, this model over meta-analysis (lower is better)")
    better = [SPOKEN[row.endpoint] for row in ours.itertuples() if row.ratio < 1.0]
    caption = f"Below 1 this model predicts better: {join(better)}." if better else "Nowhere does this model predict better."
    return Panel("scores", "Error of prediction", caption, made, wide=False)


def coverage_panel(scores: pd.DataFrame) -> Panel:
    """Share of values inside the 90 % interval, with exact limits, by endpoint and model."""
    names = list(dict.fromkeys(scores["endpoint"]))
    made = figure(100 + 46 * len(names))
    made.add_vrect(x0=100 * WANTED[0], x1=100 * WANTED[1], fillcolor=colour("good_panel"), line_width=0, layer="below")
    for model, up in (("mechanistic", -0.14), ("statistical", 0.14)):
        part = scores[scores["model"] == model].set_index("endpoint").loc[names]
        y, tone = np.arange(len(names)) + up, TONES[model]
        made.add_scatter(x=segments(100 * part["inside_90_low"], 100 * part["inside_90_high"]), y=segments(y, y), mode="lines",
                         line=dict(color=colour(f"{tone}_50"), width=7), showlegend=False, hoverinfo="skip")  # fmt: skip
        made.add_scatter(x=100 * part["inside_90"], y=y, mode="markers", marker=dict(size=10, color=colour(tone)),
                         name=WORDS[model], hovertemplate="%{x:.0f} %<extra></extra>")  # fmt: skip
    _rows(made, [NAMES[name] for name in names], 46)
    made.update_xaxes(title_text="% of values inside the 90 % interval", range=[0, 101])
    ours = scores[(scores["model"] == "mechanistic") & (scores["endpoint"] == "all")].iloc[0]
    caption = (
        f"{percent(ours['inside_90'], 0)} of all values lie inside this model's 90 % interval (exact 95 % limits "
        f"{percent(ours['inside_90_low'], 0)} to {percent(ours['inside_90_high'], 0)}); the band is 85 to 95 %."
    )
    return Panel("coverage", "Are the intervals honest?", caption, made, wide=False)


def ranks_panel(table: pd.DataFrame, bins: int = 10) -> Panel:
    """Where the published values fall in their predictive distributions: flat if these are calibrated."""
    made = figure(300)
    edges = np.linspace(0.0, 1.0, bins + 1)
    for model in TONES:
        counts = np.histogram(table.loc[table["model"] == model, "rank"], edges)[0]
        made.add_bar(x=(edges[1:] + edges[:-1]) / 2, y=counts, name=WORDS[model], marker=dict(color=colour(TONES[model])),
                     hovertemplate="%{y}<extra></extra>")  # fmt: skip
    expected = (table["model"] == "mechanistic").sum() / bins
    reference_line(made, y=expected)
    made.update_xaxes(title_text="share of the predictive distribution below the published value", range=[0, 1])
    made.update_yaxes(title_text="values")
    low = int((table.loc[table["model"] == "mechanistic", "rank"] < 0.05).sum())
    high = int((table.loc[table["model"] == "mechanistic", "rank"] > 0.95).sum())
    caption = (
        f"Of this model's predictions {low} are too high (published in the lowest 5 %) and {high} too low (highest 5 %). Dashed: "
        "calibrated predictions have as many in each bar."
    )
    return Panel("ranks", "Too high or too low?", caption, made, wide=False)


def contraction_panel(table: pd.DataFrame) -> Panel:
    """How much narrower each parameter became, by what it belongs to."""
    kinds = list(dict.fromkeys(table["of"]))
    made = figure(90 + 44 * len(kinds))
    rng = np.random.default_rng(0)  # places of the points only
    for place, kind in enumerate(kinds):
        part = table[table["of"] == kind]
        made.add_scatter(
            x=100 * part["contraction"].clip(lower=0.0), y=place + rng.uniform(-0.26, 0.26, len(part)), mode="markers",
            marker=dict(size=8, color=colour("simulated_50"), line=dict(width=1, color=colour("simulated"))), showlegend=False,
            customdata=[plot_text(name) for name in part["parameter"]], hovertemplate="%{x:.0f} %<extra>%{customdata}</extra>",
        )  # fmt: skip
    _rows(made, [f"{kind} ({(table['of'] == kind).sum()})" for kind in kinds], 44)
    made.update_xaxes(title_text="variance that the evidence took away, %", range=[-2, 101])
    well, hardly = int((table["contraction"] > 0.75).sum()), int((table["contraction"] < 0.25).sum())
    caption = (
        f"Of {len(table)} parameters {well} lost more than three quarters of their prior variance, {hardly} less than a quarter."
    )
    return Panel("contraction", "Which parameters the evidence tells of", caption, made, wide=False)


def age_panel(table: pd.DataFrame) -> Panel:
    """Predictions of children's studies by fits to adults, to children and to both."""
    tones = {"adults": "second", "children": "grade_3", "together": "simulated"}
    rows = table[table["fitted"] == "together"].sort_values(["endpoint", "value"], kind="stable")
    made = figure(120 + 34 * len(rows))
    for j, (fitted, tone) in enumerate(tones.items()):
        part = (
            table[table["fitted"] == fitted]
            .set_index(["arm", "endpoint"])
            .loc[list(zip(rows["arm"], rows["endpoint"], strict=True))]
        )
        y = np.arange(len(rows)) + 0.24 * (j - 1)
        made.add_scatter(x=segments(100 * part["low_90"], 100 * part["high_90"]), y=segments(y, y), mode="lines", opacity=0.75,
                         line=dict(color=colour(tone), width=5), name=f"fitted to {fitted}", hoverinfo="skip")  # fmt: skip
    places, mark = np.arange(len(rows), dtype=float), dict(symbol="diamond", size=9, color=colour("published"))
    made.add_scatter(x=100 * rows["value"], y=places, mode="markers", name="published", marker=mark,
                     hovertemplate="%{x:.1f} %<extra></extra>")  # fmt: skip
    _rows(made, [f"{_arm(row.arm)}: {row.shown}" for row in rows.itertuples()], 34)
    made.update_xaxes(title_text="% of patients (90 % predictive interval)", rangemode="tozero")
    return Panel(
        "ages",
        "Studies of children, and CPCT-03",
        "Each study by what was fitted: the studies of adults, of children, or all.",
        made,
    )


def _rows(made: go.Figure, names: list[str], height: int) -> None:
    made.update_yaxes(tickvals=np.arange(len(names)), ticktext=[plot_lines(name, WIDTH) for name in names],
                      range=[len(names) - 0.4, -0.6], showgrid=False, ticks="")  # fmt: skip
    names_above(made, ROOM, {"y": [plot_lines(name, 54) for name in names]}, 120 + (height + 22) * len(names))
