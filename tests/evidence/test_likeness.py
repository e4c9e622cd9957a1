"""A published arm is held to the study it is set beside: another drug is refused, other differences are told."""

import pytest

from trialsim.evidence import load_efficacy
from trialsim.evidence.likeness import (
    SCHEDULES,
    Asked,
    control_differences,
    drug_differences,
    drugs_in,
    refuse_another_drug,
    refuse_the_drug_in_control,
)
from trialsim.schema import ConfigError

PNET = Asked("everolimus", 10.0, "mg", "daily", (), ("pancreatic_net",), {}, "adult")


def test_the_trial_itself_is_silent():
    assert drug_differences(PNET, "RADIANT3/everolimus") is None and control_differences(PNET, "RADIANT3/placebo") is None
    breast = PNET._replace(tumour_types=("breast_hr",), partners=("exemestane",))
    assert drug_differences(breast, "BOLERO2/everolimus_exemestane") is None
    assert control_differences(breast, "BOLERO2/placebo_exemestane") is None
    mixed = PNET._replace(tumour_types=("colorectal", "hcc", "nsclc"))
    assert drug_differences(mixed, "CPCT03") is None  # whose dose was not seen
    child = Asked("everolimus", 3.0, "mg/m2", "daily", (), ("ewing_sarcoma", "osteosarcoma"), {}, "paediatric")
    assert drug_differences(child, "FOULADI07") is None  # a level of the escalation


@pytest.mark.parametrize(("changed", "told"), [
    ({"dose": 5.0}, "the dose, 10 mg daily oral continuous (here: 5 mg daily)"),
    ({"unit": "mg/m2"}, "(here: 10 mg/m2 daily)"),
    ({"schedule": "weekly"}, "(here: 10 mg weekly)"),
    ({"tumour_types": ("colorectal",)}, "the tumour type, pancreatic NET (here: colorectal)"),
    ({"tumour_types": ("colorectal", "pancreatic_net")}, "(here: colorectal, pancreatic net)"),
    ({"selection": {"tsc": True}}, "the selection, none by alterations (here: tsc altered)"),
    ({"partners": ("octreotide",)}, "the drugs beside it, none (here: octreotide)"),
    ({"age_group": "paediatric"}, "the age group, adult (here: paediatric)"),
    ({"drug": "sirolimus"}, "the drug everolimus (here: sirolimus)"),
])  # fmt: skip
def test_what_differs_is_told(changed, told):
    found = drug_differences(PNET._replace(**changed), "RADIANT3/everolimus")
    assert found is not None and told in found and found.count("(here:") == 1


def test_a_control_with_other_drugs_or_patients_is_told():
    assert "the drugs beside it, exemestane (here: none)" in control_differences(PNET, "BOLERO2/placebo_exemestane")
    assert "RCC (here: pancreatic net)" in control_differences(PNET, "RECORD1/placebo")


def test_selection_by_alterations_is_told_where_the_study_has_none():
    assert "the selection, TSC/LAM" in drug_differences(PNET, "EXIST2/everolimus")


def test_another_drug_is_refused_and_arms_of_the_drug_are_named():
    with pytest.raises(ConfigError) as error:
        refuse_another_drug(PNET._replace(drug="temsirolimus", tumour_types=("endometrial",)), "RADIANT3/everolimus", "published")
    assert (error.value.key, error.value.value) == ("published", "RADIANT3/everolimus")
    assert "was given everolimus" in error.value.allowed and "OZA11/chemo_naive" in error.value.allowed
    with pytest.raises(ConfigError, match="placebo"):
        refuse_another_drug(PNET, "RADIANT3/placebo", "published")
    refuse_another_drug(PNET, "NG13/10mg_d", "published")  # of another tumour: told, not refused


def test_a_control_that_was_given_a_rapalog_is_refused():
    with pytest.raises(ConfigError, match="without a rapalog.*Of that study: RADIANT3/placebo"):
        refuse_the_drug_in_control("RADIANT3/everolimus", "published_control")
    refuse_the_drug_in_control("RADIANT3/placebo", "published_control")


def test_drugs_are_read_out_of_every_cell_of_the_tables():
    table = load_efficacy()
    found = {drug for column in ("drug", "partner_drugs") for cell in table[column] for drug in drugs_in(cell)}
    assert found >= {"everolimus", "interferon alfa", "octreotide", "hydroxychloroquine", "megestrol acetate", "tamoxifen"}
    assert not any(character.isdigit() for drug in found for character in drug)
    assert drugs_in("letrozole 2.5 mg daily; metformin 500 mg BID") == ["letrozole", "metformin"]
    assert drugs_in("vinorelbine 25 mg/m2 weekly; trastuzumab 2 mg/kg weekly") == ["vinorelbine", "trastuzumab"]
    assert drugs_in("") == []


def test_schedules_of_rapalog_arms_are_known_or_left_out_on_purpose():
    table = load_efficacy()
    rapalog = table[table["drug"].isin(["everolimus", "temsirolimus", "ridaforolimus"])]
    unknown = set(rapalog["schedule"]) - set(SCHEDULES)
    assert unknown == {"", "weekly or daily oral", "daily or intermittent oral", "d1,8,15 of 21", "oral daily x5 every 2 weeks"}
