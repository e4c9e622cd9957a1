"""Virtual clinical trials of rapalogs. The public names below are loaded when first used, so importing is instant."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

# Public name -> the module that defines it.
_PUBLIC = {
    "ConfigError": "trialsim.schema",
    "Findings": "trialsim.analyses",
    "Study": "trialsim.study",
    "StudyConfig": "trialsim.schema.study",
    "analyse": "trialsim.study",
    "adam": "trialsim.exchange.analysis_data",
    "compose": "trialsim.cli",
    "compose_trial": "trialsim.cli.trial_file",
    "covariates_of": "trialsim.exchange.events",
    "doses_of": "trialsim.exchange.events",
    "event_table": "trialsim.exchange.nonmem",
    "export": "trialsim.exchange.write",
    "fit": "trialsim.study",
    "load_run": "trialsim.artefacts",
    "merge": "trialsim.parts",
    "read_events": "trialsim.exchange.events",
    "run": "trialsim.study",
    "sample_cohort": "trialsim.cohort",
    "simulate": "trialsim.study",
    "simulate_events": "trialsim.exchange.simulate_events",
    "write_report": "trialsim.report",
}

__all__ = [
    "ConfigError", "Findings", "Study", "StudyConfig", "__version__", "adam", "analyse", "compose", "compose_trial",
    "covariates_of", "doses_of", "event_table", "export", "fit", "load_run", "merge", "read_events", "run", "sample_cohort",
    "simulate", "simulate_events", "write_report",
]  # fmt: skip

if TYPE_CHECKING:
    from trialsim.analyses import Findings
    from trialsim.artefacts import load_run
    from trialsim.cli import compose
    from trialsim.cli.trial_file import compose_trial
    from trialsim.cohort import sample_cohort
    from trialsim.exchange.analysis_data import adam
    from trialsim.exchange.events import covariates_of, doses_of, read_events
    from trialsim.exchange.nonmem import event_table
    from trialsim.exchange.simulate_events import simulate_events
    from trialsim.exchange.write import export
    from trialsim.parts import merge
    from trialsim.report import write_report
    from trialsim.schema import ConfigError
    from trialsim.schema.study import StudyConfig
    from trialsim.study import Study, analyse, fit, run, simulate


def __getattr__(name: str) -> Any:
    if name not in _PUBLIC:
        raise AttributeError(f"module 'trialsim' has no attribute {name!r}")
    value = getattr(importlib.import_module(_PUBLIC[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
