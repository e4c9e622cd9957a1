"""The page of the documentation: verdicts, tables and rank histograms, as Markdown with drawings that follow the page's colours."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import stats

from trialsim.sbc.judge import FALSE_ALARM, Verdict, judged
from trialsim.sbc.models import MODELS, Model
from trialsim.sbc.ranks import LEVELS, RANKS
from trialsim.sbc.repeated import TOLD

BINS = 20  # of a histogram, of two ranks each
BAND = 0.99  # of a bin; one in a hundred bins lies outside by chance
WIDTH, HEIGHT, ACROSS = 176, 92, 5  # px of one histogram with its title, histograms a row
PLOT = (8, 26, 160, 54)  # left, top, width, height of its bars

HEAD = """# Simulation-based calibration

Made by `python -m trialsim.sbc docs/simulation_based_calibration.md`, with trialsim's own models, samplers and estimators.

Is a posterior as certain as it should be? Parameters are drawn from the prior and data from the model's own likelihood, and the
model is fitted to them. If prior, likelihood and computation agree, the rank of the true value among {ranks} posterior draws is
uniform on 0 to {ranks}, for every parameter and every function of parameters and data (Cook, Gelman & Rubin, J Comput Graph Stat
2006;15:675; Talts et al., arXiv 1804.06788). A posterior that is too narrow piles ranks up at both ends, one that is too wide in
the middle, one that is shifted at one end. *Log likelihood* and *towards data* are functions of the data, which also see a
posterior that does not heed them (Modrák et al., arXiv 2211.02383).

**{passed} of {models} models pass.**{missing}

Two checks, each with a false alarm of {alarm:g} for a model that is right:

* **Ranks**: the exact p-value of the distribution of a quantity's ranks, from simultaneous limits of its cumulative curve
  (Säilynoja, Bürkner & Vehtari, Stat Comput 2022;32:32). A model's smallest p-value is at least {alarm:g} over their number.
* **Coverage**: the share of quantities inside their central 50, 80 and 90 % intervals. The unit is the repetition, as the
  quantities of one hang together.

That any of {models} right models fails by chance has a probability of at most {all_alarm:.1%}.
"""

FIGURES = """
## How to read the histograms

{bins} bins of the ranks from 0, the truth below all draws, on the left to {ranks} on the right. Shaded: where a bin of uniform
ranks lies with {band:.0%}; of a hundred bins one lies outside by chance, and what counts is the p-value, which sees the whole.
"""


class Repeated(NamedTuple):
    """One model. Attributes: model, rows: see `repeated`. verdict: on them."""

    model: Model
    rows: pd.DataFrame
    verdict: Verdict

    @property
    def ranks(self) -> pd.DataFrame:
        return self.rows.drop(columns=list(TOLD))


def judged_rows(model: Model, rows: pd.DataFrame) -> Repeated:
    return Repeated(model, rows, judged(rows.drop(columns=list(TOLD))))


def document(found: Mapping[str, Repeated]) -> str:
    """The whole page."""
    passed = sum(not one.verdict.faults for one in found.values())
    missing = [name for name in MODELS if name not in found]
    told = f" Not repeated for this page: {', '.join(missing)}." if missing else ""
    text = HEAD.format(
        ranks=RANKS, passed=passed, models=len(found), alarm=FALSE_ALARM, all_alarm=2 * FALSE_ALARM * len(found), missing=told
    )
    text += "\n## Verdicts\n\n" + summary(found)
    text += FIGURES.format(bins=BINS, band=BAND, ranks=RANKS)
    group = ""
    for name, one in found.items():
        if one.model.group != group:
            group = one.model.group
            text += f"\n## {group}\n"
        text += f"\n### {name[0].upper()}{name[1:]}\n\n{facts(one)}\n\n{coverages(one)}\n{histograms(one)}\n"
    return text


def summary(found: Mapping[str, Repeated]) -> str:
    """One row a model."""
    heads = ["model", "repetitions", "quantities", "smallest p", "must be at least", *(f"{level} % cover" for level in LEVELS),
             "core time", "verdict"]  # fmt: skip
    lines = ["| " + " | ".join(heads) + " |", "|" + " --- |" * len(heads)]
    for name, one in found.items():
        covered = [f"{100 * one.verdict.coverage[level].covered:.1f} %" for level in LEVELS]
        verdict = "passes" if not one.verdict.faults else "**fails**: " + "; ".join(one.verdict.faults)
        cells = [f"[{name}](#{_anchor(name)})", len(one.rows), len(one.verdict.p), f"{min(one.verdict.p.values()):.2g}",
                 f"{one.verdict.limit:.1g}", *covered, _duration(one.rows["seconds"].sum()), verdict]  # fmt: skip
        lines.append("| " + " | ".join(map(str, cells)) + " |")
    return "\n".join(lines) + "\n"


def _anchor(name: str) -> str:
    """As Markdown makes it of the heading."""
    kept = "".join(letter for letter in name.lower() if letter.isalnum() or letter in " -_")
    return "-".join(kept.split())


def _duration(seconds: float) -> str:
    """Of a processor core."""
    return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"


def facts(one: Repeated) -> str:
    """What was repeated, and how well the sampler did."""
    rows, model = one.rows, one.model
    words = [f"`{model.code}`", f"data: {model.data}", f"posterior: {model.computed}"]
    words.append(f"{len(rows)} repetitions, seeds 0 to {len(rows) - 1}")
    if np.isfinite(rows["ess"]).all():
        size = f"{rows['ess'].median():.0f} (median over repetitions; least {rows['ess'].min():.0f})"
        words += [f"effective sample size of the slowest quantity {size}", f"{rows['divergences'].sum():.0f} divergences"]
    return "; ".join(words) + "."


def coverages(one: Repeated) -> str:
    """Coverage with its limits, a line."""
    told = [
        f"{level} % intervals cover {100 * seen.covered:.1f} % (within {100 * seen.low:.1f} to {100 * seen.high:.1f})"
        for level, seen in one.verdict.coverage.items()
    ]
    return "; ".join(told) + ".\n"


def histograms(one: Repeated) -> str:
    """Small multiples, one a quantity, in one drawing."""
    names = list(one.verdict.p)
    rows = -(-len(names) // ACROSS)
    parts = [
        f'<g transform="translate({WIDTH * (k % ACROSS)} {HEIGHT * (k // ACROSS)})">'
        + histogram(name, one.ranks[name].to_numpy(), one.verdict.p[name], one.verdict.limit)
        + "</g>"
        for k, name in enumerate(names)
    ]
    width = WIDTH * min(len(names), ACROSS)
    label = f"rank histograms of {len(names)} quantities"
    return (
        f'<div class="ranks"><svg viewBox="0 0 {width} {HEIGHT * rows}" style="width: {width}px" role="img" aria-label="{label}">'
        + "".join(parts) + "</svg></div>"
    )  # fmt: skip


def histogram(name: str, ranks: np.ndarray, p: float, limit: float) -> str:
    """One histogram: the band of a bin, the bars, the mean, the name and the p-value."""
    left, top, width, height = PLOT
    counts = np.bincount(ranks * BINS // (RANKS + 1), minlength=BINS)
    low, high = stats.binom.ppf([(1 - BAND) / 2, (1 + BAND) / 2], len(ranks), 1 / BINS)
    most = max(counts.max(), high) * 1.05
    y = lambda count: round(top + height * (1 - count / most), 1)
    step = width / BINS
    bar = lambda k, count: f"M{left + step * k + 0.75:g} {y(0)}V{y(count)}h{step - 1.5:g}V{y(0)}z"
    bars = "".join(bar(k, count) for k, count in enumerate(counts) if count)
    tone = "wrong" if p < limit else "p"
    shown = name if len(name) <= 27 else f"{name[:26]}…"
    return (
        f"<title>{name}: p = {p:.2g}</title>"
        f'<text x="{left}" y="11">{shown}</text><text x="{left}" y="21" class="{tone}">p = {p:.2g}</text>'
        f'<path class="bars" d="{bars}"/>'
        f'<rect class="band" x="{left}" y="{y(high)}" width="{width}" height="{round(y(low) - y(high), 1)}"/>'
        f'<path class="mean" d="M{left} {y(len(ranks) / BINS)}h{width}"/>'
    )
