"""Arms: what is given, and that a patient keeps his or her chances whatever that is."""

import numpy as np
import pytest

from trialsim import compose
from trialsim.combinations.arms import Arm, config_of, patients_of, simulate_arm
from trialsim.schema.analysis.combination import Given

SMALL = {
    "cohort.size": 30, "analysis.genotype_patients": 20, "analysis.week": 4, "design.max_follow_up_months": 3,
    "regimen.max_treatment_days": 91, "compute.progress": "off",
}  # fmt: skip
LATE = Given(start_day=700)  # after the end of the study


@pytest.fixture(scope="module")
def config():
    return compose("combination", SMALL)


def test_what_is_not_given_leaves_with_its_rules(config):
    none = config_of(config, Arm(None, {}))
    assert none.regimen.dose == 0.0 and not none.partner and set(none.terms) == set(config.drug.toxicity.terms)
    assert set(none.rules.hold_at) == set(config.modification.hold_at)
    one = config_of(config, Arm(Given(dose_factor=0.5), {"alpelisib": Given(dose_factor=2, days_on=4, days_off=3)}))
    assert list(one.partner) == ["alpelisib"] and one.regimen.dose == 0.5 * config.regimen.dose
    given = one.partner["alpelisib"].regimen
    assert (given.dose, given.days_on, given.days_off) == (2 * config.partner["alpelisib"].regimen.dose, 4, 3)
    assert given.schedule == config.partner["alpelisib"].regimen.schedule


def test_a_rule_about_an_absent_drugs_toxicity_is_dropped(config):
    dlt = config.design.dlt
    term = next(term for term in config.terms if term not in config.drug.toxicity.terms)
    with_rule = dlt.model_copy(update={"min_grade": dlt.min_grade | {term: 3}})
    changed = config.model_copy(update={"design": config.design.model_copy(update={"dlt": with_rule})})
    assert term not in config_of(changed, Arm(Given(), {})).design.dlt.min_grade


def test_the_same_patients_with_the_same_chances(config):
    enrolled = patients_of(config)
    arm = lambda rapalog, partner: simulate_arm(config, enrolled, Arm(rapalog, {"alpelisib": partner}), 4)["patients"]
    both, alone, neither = arm(Given(), Given()), arm(Given(), LATE), arm(None, LATE)
    for table in (both, alone, neither):
        assert table["patient_id"].tolist() == enrolled["patient_id"].tolist() and table["integration_ok"].all()
    assert (both["log_volume"] <= alone["log_volume"] + 1e-6).mean() > 0.9
    assert (both["log_volume"] < neither["log_volume"]).mean() > 0.9 and both["log_volume"].mean() < neither["log_volume"].mean()
    # untreated lesions grow as in the patient's own parameters: nobody shrinks, and whoever has no drug has no dose intensity
    assert (neither["week_4"] > 1.0).all() and neither["relative_dose_intensity"].isna().all()
    assert both["intensity_alpelisib"].between(0, 1).all() and alone["intensity_alpelisib"].isna().all()
    assert list(both.filter(like="week_")) == ["week_4", "week_8", "week_12"]
    assert np.isfinite(both["log_volume"]).all()
