"""The CONSORT-like flow: how many virtual patients came this far, who left, and why."""

from __future__ import annotations

from typing import NamedTuple

from trialsim.report.reader import RESPONSES, Run
from trialsim.report.theme import RECIST_NAMES
from trialsim.report.wording import is_number, words


class Box(NamedTuple):
    """One box: text and patients."""

    text: str
    patients: int


class Step(NamedTuple):
    """One level of the flow.

    Attributes:
        box: the box in the main line.
        aside: who is not counted further, and why.
        parts: what the box splits into, side by side below it.
    """

    box: Box
    aside: list[Box]
    parts: list[Box]


REASONS = {
    "progression": "Progression",
    "toxicity": "Toxicity",
    "death": "Death",
    "withdrawal": "Withdrawal",
    "ongoing": "Still on treatment",
    "completed": "Completed",
}


def flow(run: Run) -> list[Step]:
    """Steps from sampling to analysis. Counts of summary.json go before what the patients table yields."""
    stated = {key: int(value) for key, value in run.section("flow").items() if is_number(value)}
    treated = stated.get("treated", run.count)
    enrolled = stated.get("enrolled", treated)
    sampled = stated.get("screened", enrolled)
    failed = int(run.summary.get("n_failed") or stated.get("failed_integration", 0))
    steps = []
    if sampled > enrolled:
        steps.append(Step(Box("Virtual patients sampled", sampled), [Box("Not enrolled", sampled - enrolled)], []))
    if enrolled > treated:
        steps.append(Step(Box("Enrolled", enrolled), [Box("Did not start treatment", enrolled - treated)], []))
    first = "Started treatment" if steps else "Virtual patients enrolled and treated"
    steps.append(Step(Box(first, treated), _unless_zero("Simulation failed", failed), []))
    if "dlt_evaluable" in run.patients and run.escalation:
        judged = stated.get("evaluable_dlt", int(run.flag("dlt_evaluable").sum()))
        aside = _unless_zero("Not evaluable for it", treated - judged)
        steps.append(Step(Box("Evaluable for dose-limiting toxicity", judged), aside, []))
    responses = run.responses.value_counts()
    read = stated.get("evaluable_response", run.count - int(responses.get("NE", 0)))
    aside = _unless_zero("No scan that could be read", treated - read)
    parts = [Box(RECIST_NAMES[name].capitalize(), int(responses.get(name, 0))) for name in RESPONSES if name != "NE"]
    steps.append(Step(Box("Evaluable for response", read), aside, parts))
    return steps


def treatment_ends(run: Run) -> list[Box]:
    """Why treatment ended, most usual reasons first; those still treated at the cut-off come last."""
    if "off_treatment_reason" not in run.patients:
        return []
    counts = run.patients["off_treatment_reason"].astype(str).value_counts()
    order = [*[name for name in REASONS if name in counts], *[name for name in counts.index if name not in REASONS]]
    return [Box(REASONS.get(name, words(name).capitalize()), int(counts[name])) for name in order]


def _unless_zero(text: str, count: int) -> list[Box]:
    return [Box(text, count)] if count > 0 else []
