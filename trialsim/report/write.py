"""The report of a run, whichever question it answered."""

from __future__ import annotations

from pathlib import Path

from trialsim.artefacts.files import refuse_links
from trialsim.artefacts.reading import read_json
from trialsim.report.findings import write_findings
from trialsim.report.trial import write_trial
from trialsim.schema import ConfigError
from trialsim.schema.plain import usable_path


def write_report(run_dir: Path | str) -> Path:
    """Write report.html, figures/*.json and tables/*.csv from the saved artefacts of a run.

    Args:
        run_dir: run folder with at least summary.json.

    Returns:
        Path of report.html.

    Raises:
        ConfigError: the folder holds no finished run, or its files are not as a run writes them; nothing was written then.
    """
    folder = usable_path("run", run_dir)
    if not (folder / "summary.json").is_file():
        raise ConfigError("run", str(run_dir), "the folder of a finished run; this one has no summary.json")
    refuse_links(folder)
    try:
        return draw_report(folder)
    except ConfigError:
        raise
    except Exception as error:  # a table or key that is not there, or is of another type: wherever the page first misses it
        allowed = f"a run whose files are as they were written ({type(error).__name__}: {error})"
        raise ConfigError("run", str(run_dir), allowed) from error


def draw_report(folder: Path) -> Path:
    """The same of a folder that this process has just written: what goes wrong is a fault of the program, told as it is."""
    kind = read_json(folder / "summary.json").get("kind", "trial")
    return write_trial(folder) if kind == "trial" else write_findings(folder)
