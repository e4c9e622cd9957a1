"""The table of the documentation: python -m trialsim.laboratory docs/laboratory.md"""

from __future__ import annotations

import sys
from pathlib import Path

import pandas as pd

import trialsim

HEAD = """# The mechanism, held to the laboratory

Made by `python -m trialsim.laboratory docs/laboratory.md`; the same comparison with figures: `trialsim experiment=laboratory`.

One set of parameters (`conf/network`, `conf/cell_line`) gives every value below. The band of each fact was stated from its
source before the model was asked (`trialsim/evidence/data/laboratory.csv`, where `basis` says how); a fact is held if the
model's value lies in it, limits included.

**{held} of {facts} facts held ({share:.0%}); {two_held} of the {two} whose band has two sides.**
"""


def table(facts: pd.DataFrame) -> str:
    """Markdown of one topic."""
    lines = ["| fact | system, treatment | quantity | published | band | model | verdict | source |", "|" + " --- |" * 8]
    for row in facts.itertuples():
        verdict = "held" if row.holds else f"**missed**: {row.why}"
        where, seen = f"{row.system}; {row.treatment}", f"{row.source} ({row.seen})"
        limits, model = band(row.low, row.high), f"{row.model:.3g}"
        cells = [row.claim, where, row.quantity, row.published, limits, model, verdict, seen]
        lines.append("| " + " | ".join(str(cell).replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(lines)


def band(low: float, high: float) -> str:
    """The limits in words."""
    if pd.isna(low):
        return f"<= {high:g}"
    return f">= {low:g}" if pd.isna(high) else f"{low:g} to {high:g}"


def document(facts: pd.DataFrame) -> str:
    """The whole page."""
    two = facts[facts["low"].notna() & facts["high"].notna()]
    held = int(facts["holds"].sum())
    head = HEAD.format(held=held, facts=len(facts), share=held / len(facts), two_held=int(two["holds"].sum()), two=len(two))
    parts = [head]
    for topic, some in facts.groupby("topic", sort=False):
        parts.append(f"## {topic[0].upper()}{topic[1:]}: {int(some['holds'].sum())} of {len(some)}\n\n{table(some)}\n")
    return "\n".join(parts)


def main() -> int:
    if len(sys.argv) != 2:
        sys.stderr.write("Usage: python -m trialsim.laboratory FILE.md\n")
        return 2
    found = trialsim.analyse(trialsim.compose("laboratory"))
    Path(sys.argv[1]).write_text(document(found.tables["facts"]), encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
