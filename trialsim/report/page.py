"""What a page is made of, whatever the run asked."""

from __future__ import annotations

from typing import NamedTuple

from trialsim.report.figures.panel import Panel
from trialsim.report.table import Table


class Section(NamedTuple):
    """One chapter.

    Attributes:
        key: anchor.
        title: heading, also in the table of contents.
        lead: one sentence on how to read it.
        panels, tables: what it holds, in order.
    """

    key: str
    title: str
    lead: str
    panels: list[Panel]
    tables: list[Table]


class Card(NamedTuple):
    """One headline number.

    Attributes:
        title, value: what it is, and the number with its unit.
        interval: its uncertainty or spread, with the words that say which.
        published: the published number beside it, empty if there is none.
    """

    title: str
    value: str
    interval: str = ""
    published: str = ""


class Verdict(NamedTuple):
    """Whether the numbers may be believed.

    Attributes:
        good: the run's own judgement.
        headline: one line.
        messages: what is wrong, or the figures that say that all is well.
    """

    good: bool
    headline: str
    messages: list[str]
