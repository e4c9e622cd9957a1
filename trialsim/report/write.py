"""The report of a run, whichever question it answered."""

from __future__ import annotations

import json
from pathlib import Path

from trialsim.report.findings import write_findings
from trialsim.report.trial import write_trial


def write_report(run_dir: Path | str) -> Path:
    """Write report.html, figures/*.json and tables/*.csv from the saved artefacts of a run.

    Args:
        run_dir: run folder with at least summary.json.

    Returns:
        Path of report.html.
    """
    folder = Path(run_dir)
    summary = folder / "summary.json"
    if not summary.is_file():
        raise FileNotFoundError(f"{folder} is not a finished run: it has no summary.json")
    kind = json.loads(summary.read_text(encoding="utf-8")).get("kind", "trial")
    return write_trial(folder) if kind == "trial" else write_findings(folder)
