"""Which escape routes the simulated tumours have (mechanism/routes.py)."""

from __future__ import annotations

from pydantic import Field

from trialsim.schema.base import Settings


class MechanismSettings(Settings):
    """Each route, true: open, as in the full mechanism; false: cut under treatment, the untreated tumour being what it was."""

    feedback: bool = Field(description="release of the S6K-IRS1 and GRB10 feedbacks, which raises PI3K, AKT and ERK")
    mTORC2_sparing: bool = Field(description="mTORC2 survives in most tumours; false: it is lost with the occupancy of mTOR")
    partial_4EBP1: bool = Field(description="4E-BP1 is inhibited less than S6K and recovers; false: inhibited as S6K is")
    autophagy: bool = Field(description="autophagic flux rises under treatment")
    adaptation: bool = Field(description="dependence on the pathway drifts away under treatment")
    bypass: bool = Field(description="growth that never needed mTORC1, in sensitive and resistant cells; false: all growth does")
    stroma: bool = Field(description="stroma holds drug back where the tumour type has such stroma")
