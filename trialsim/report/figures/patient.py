"""One patient in a few lines: what the waterfall, spider and swimmer plots show of the patient under the pointer."""

from __future__ import annotations

from typing import Any

import pandas as pd

from trialsim.report.reader import Run
from trialsim.report.theme import RECIST_NAMES
from trialsim.report.wording import GENES, MISSING, amount, dose, is_number, plot_text, words
from trialsim.units import DAYS_PER_MONTH, DAYS_PER_WEEK

COLUMNS = ("Patient", "Tumour", "Genotype", "Dose", "Best response", "Best change", "PFS", "On treatment", "Reason off")


def patient_table(run: Run, chosen: pd.Index) -> pd.DataFrame:
    """Some patients, one row each, as text in ``COLUMNS``; what was not saved is ``MISSING``. Same index as ``chosen``."""
    responses = run.responses
    rows = [_row(run, patient, str(responses[place])) for place, patient in zip(chosen, _records(run, chosen), strict=True)]
    return pd.DataFrame(rows, columns=list(COLUMNS), index=chosen)


def patient_hovers(run: Run, chosen: pd.Index) -> pd.Series:
    """The same for a figure, escaped, the lines broken for its label."""
    rows = patient_table(run, chosen).map(plot_text).to_dict("records")
    lines = [
        f"<b>Patient {row['Patient']}</b>, {row['Tumour']}<br>{row['Genotype']}<br>{row['Dose']}<br>{row['Best response']}, "
        f"best change {row['Best change']}<br>PFS {row['PFS']}<br>on treatment {row['On treatment']}, {row['Reason off']}"
        for row in rows
    ]
    return pd.Series(lines, index=chosen, dtype=object)


def _records(run: Run, chosen: pd.Index) -> list[dict[str, Any]]:
    return [{str(key): value for key, value in row.items()} for row in run.patients.loc[chosen].to_dict("records")]


def _row(run: Run, patient: dict[str, Any], response: str) -> list[str]:
    change, days, treated = (patient.get(name) for name in ("best_sld_change_percent", "pfs_days", "days_on_treatment"))
    known = [name for name in GENES if isinstance(patient.get(name), bool)]
    altered = [GENES[name] for name in known if patient[name]]
    pfs = MISSING
    if is_number(days):
        pfs = amount(days / DAYS_PER_MONTH, "months") + (" (event)" if patient.get("pfs_event") else " (censored)")
    reason = patient.get("off_treatment_reason")
    kind = patient.get("tumour_type")
    return [
        str(patient.get("patient_id", MISSING)),
        run.tumour_name(str(kind)) if kind is not None else MISSING,
        ", ".join(altered) or ("none of the modelled alterations" if known else MISSING),
        dose(patient.get("dose_level"), run.dose_unit),
        RECIST_NAMES[response],
        f"{change:+.0f} %" if is_number(change) else "no scan",
        pfs,
        amount(treated / DAYS_PER_WEEK, "weeks") if is_number(treated) else MISSING,
        _ending(str(reason)) if reason is not None and reason == reason else MISSING,
    ]


def _ending(reason: str) -> str:
    return words(reason) if reason in ("ongoing", "completed") else f"ended: {words(reason)}"
