"""The CONSORT-like flow: how many virtual patients came this far, who left, and why."""

from __future__ import annotations

from typing import NamedTuple

from trialsim.report.reader import RESPONSES, Run
from trialsim.report.theme import RECIST_NAMES
from trialsim.report.wording import is_number, words


class Box(NamedTuple):
    """One box: text and patients."""

    text: str
    count: int


class Step(NamedTuple):
    """One level of the flow: a box, those who leave beside it, or several boxes side by side below it.

    Attributes:
        box: the box in the main line.
        aside: who is not counted further, and why.
        parts: what the box splits into.
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
    """Steps from enrolment to analysis. Counts of summary.json go before what the patients table yields."""
    stated = {key: int(value) for key, value in run.section("flow").items() if is_number(value)}
    failed = int(run.summary.get("n_failed") or 0)
    enrolled = stated.get("enrolled", run.count + failed)
    treated = stated.get("treated", run.count)
    responses = run.responses.value_counts()
    evaluable = stated.get("evaluable", stated.get("evaluable_response", run.count - int(responses.get("NE", 0))))
    steps = [
        Step(Box("Virtual patients enrolled", enrolled), [Box("Could not be simulated", failed)] if failed else [], []),
        Step(
            Box("Started treatment", treated),
            _unless_zero("Did not start treatment", enrolled - treated - failed),
            _ends(run),
        ),
    ]
    if "dlt_evaluable" in run.patients and run.escalation:
        judged = stated.get("evaluable_dlt", stated.get("dlt_evaluable", int(run.flag("dlt_evaluable").sum())))
        steps.append(
            Step(
                Box("Evaluable for dose-limiting toxicity", judged),
                _unless_zero("Not evaluable for it", treated - judged),
                [],
            )
        )
    parts = [
        Box(f"{RECIST_NAMES[name].capitalize()}", int(responses.get(name, 0))) for name in RESPONSES if name != "NE"
    ]
    steps.append(
        Step(
            Box("Evaluable for response", evaluable),
            _unless_zero("No scan that could be read", treated - evaluable),
            parts,
        )
    )
    return steps


def _unless_zero(text: str, count: int) -> list[Box]:
    return [Box(text, count)] if count > 0 else []


def _ends(run: Run) -> list[Box]:
    if "off_treatment_reason" not in run.patients:
        return []
    counts = run.patients["off_treatment_reason"].astype(str).value_counts()
    order = [*[name for name in REASONS if name in counts], *[name for name in counts.index if name not in REASONS]]
    return [Box(REASONS.get(name, words(name).capitalize()), int(counts[name])) for name in order]
