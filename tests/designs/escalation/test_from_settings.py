"""Settings to rules: every choice of the group ``design`` that escalates."""

import pytest
from settings_of import settings_of

from trialsim.designs.escalation.boin import BOIN
from trialsim.designs.escalation.conduct import Backfill
from trialsim.designs.escalation.crm import CRM
from trialsim.designs.escalation.from_settings import rule_of
from trialsim.designs.escalation.rolling_six import RollingSix
from trialsim.designs.escalation.three_plus_three import ThreePlusThree
from trialsim.schema import ConfigError


def rule(kind: str, *changes: str, start: int = 0):
    return rule_of(settings_of("everolimus_paediatric", [f"design={kind}", *changes]).design, start)


@pytest.mark.parametrize(
    ("kind", "form", "tite"),
    [
        ("three_plus_three", ThreePlusThree, False),
        ("rolling_six", RollingSix, False),
        ("crm", CRM, False),
        ("tite_crm", CRM, True),
        ("boin", BOIN, False),
        ("tite_boin", BOIN, True),
    ],
)
def test_each_choice_has_its_rule(kind, form, tite):
    found = rule(kind, start=2)
    assert isinstance(found, form) and found.how.start == 2
    assert (getattr(found, "tite", None) is not None) == tite


def test_settings_reach_the_rule():
    assert rule("three_plus_three", "design.deescalate=false").deescalate is False
    changes = {"backfill_cap": 9, "dlt.window_days": 42, "target_rate": 0.3, "cohort_size": 2}
    found = rule("tite_boin", *(f"design.{name}={value}" for name, value in changes.items()))
    assert found.how.backfill == Backfill(9, 0.33) and found.tite.window_days == 42
    assert (found.target, found.cohort, found.max_patients, found.max_at_level) == (0.3, 2, 18, 9)
    found = rule("crm", "design.model=logistic", "design.skip_levels=true", "design.stop_confidence=0.8")
    assert found.model.kind == "logistic" and found.skipping and found.confidence == 0.8
    assert found.model.skeleton[2] == pytest.approx(0.25)  # design.prior_mtd is the third level
    assert rule("boin", "design.suspend_accrual=false", "design.expansion_patients=0").how[1:] == (False, True, None, 0)


@pytest.mark.parametrize(
    ("kind", "change"),
    [
        ("crm", "design.prior_mtd=4"),
        ("crm", "design.skeleton_halfwidth=0.25"),
        ("boin", "design.max_patients=27"),
        ("three_plus_three", "design.cohort_size=4"),
    ],
)
def test_what_does_not_fit_together_is_refused(kind, change):
    with pytest.raises(ConfigError, match=change.split("=")[0]):
        rule(kind, change)
    with pytest.raises(ConfigError, match="design.high_fraction"):
        rule("boin", "design.target_rate=0.5", "design.high_fraction=2")
