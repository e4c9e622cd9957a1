"""The question a run answers. One file a kind; ``Analysis`` lists them, and ``kind`` in the configuration chooses."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from trialsim.schema.analysis.assay import AssaySettings
from trialsim.schema.analysis.base import AnalysisSettings as AnalysisSettings
from trialsim.schema.analysis.base import TrialSettings
from trialsim.schema.analysis.biomarkers import BiomarkerSettings
from trialsim.schema.analysis.combination import CombinationSettings
from trialsim.schema.analysis.compare_designs import CompareDesignsSettings
from trialsim.schema.analysis.dose_response import DoseResponseSettings
from trialsim.schema.analysis.escape_routes import EscapeRoutesSettings
from trialsim.schema.analysis.laboratory import LaboratorySettings
from trialsim.schema.analysis.options import OptionsSettings
from trialsim.schema.analysis.predict import PredictSettings
from trialsim.schema.analysis.sensitivity import SensitivitySettings

Analysis = Annotated[
    TrialSettings
    | AssaySettings
    | BiomarkerSettings
    | CombinationSettings
    | CompareDesignsSettings
    | DoseResponseSettings
    | EscapeRoutesSettings
    | LaboratorySettings
    | OptionsSettings
    | PredictSettings
    | SensitivitySettings,
    Field(discriminator="kind"),
]
