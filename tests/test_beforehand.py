"""What is told of a study before it runs."""

import pytest
import yaml

from trialsim import beforehand, compose, compose_trial
from trialsim.cli.trial_file import shipped
from trialsim.schema import ConfigError
from trialsim.schema.faults import flatten

EXPERIMENTS = ("everolimus_adult", "everolimus_paediatric", "ridaforolimus_adult", "sirolimus_adult", "temsirolimus_adult")


ALIKE = ("bolero2", "evolve1", "granite1", "ng13", "oza11", "radiant3", "record1")  # as published in every word
TOLD = {  # of the others: words, beside in what they differ from what was published
    "andre16_pik3ca": ("alterations of PIK3CA",), "andre16_pik3ca_wild": ("alterations of PIK3CA",),
    "andre16_pten": ("alterations of PTEN",), "andre16_pten_normal": ("alterations of PTEN",), "template": ("alterations of PTEN",),
    "gupta15_breast": ("Mk2206",), "gupta15_prostate": ("alterations of PTEN", "Mk2206"), "aspen": ("sunitinib",),
    "espn": ("sunitinib",),
    "record3": ("sunitinib",), "hess09": ("gemcitabine",), "intorsect": ("sorafenib",), "tolcher15_pancreatic": ("trametinib",),
    "johnston18": ("Hodgkin",), "lau18": ("Biliary",), "tinker13": ("Cervical",), "horizon": ("gave it so often",),
}  # fmt: skip
FEW = (*ALIKE, "template", "aspen")


@pytest.mark.parametrize("name", [name if name in FEW else pytest.param(name, marks=pytest.mark.slow) for name in shipped()])
def test_the_trials_that_come_along_need_no_caution(name):
    """But where a trial's file can say only nearly what was published, as it mixes types or lacks a drug, and where no fitted
    trial tells of something."""
    config = compose_trial(name)
    beforehand.check(config)
    told = beforehand.cautions(config)
    if name in ALIKE:
        assert told == []
    allowed = ("differs from this study in", *TOLD.get(name, ()))
    assert all(any(words in one for words in allowed) for one in told), told
    assert all(any(words in one for one in told) for words in allowed[1:]), told


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_the_studies_that_come_along_need_no_caution(name):
    config = compose(name)
    beforehand.check(config)
    assert beforehand.cautions(config) == []


def test_every_fault_is_told_at_once():
    config = compose_trial("radiant3", {
        "study.published": "OZA11/chemo_naive", "analysis.published_control": "RECORD1/everolimus",
        "+analysis.selection": {"tsc": True, "akt1": True, "mtor": True},
    })  # fmt: skip
    with pytest.raises(ConfigError) as error:
        beforehand.check(config)
    keys = [fault.key for fault in flatten(error.value)]
    assert keys == ["analysis.selection", "study.published", "analysis.published_control"]


def test_a_prediction_beside_another_treatment_and_other_patients_is_told():
    told = beforehand.cautions(compose_trial("ng13", {"regimen.dose": 100, "study.published": "RADIANT3/everolimus"}))
    assert len(told) == 2
    assert "Everolimus 100 mg daily: the evidence tables hold no dose so high" in told[0] and "18332470" in told[0]
    assert "the dose, 10 mg daily oral continuous (here: 100 mg daily)" in told[1]
    assert "the tumour type, pancreatic NET (here: colorectal)" in told[1]


def test_a_trial_beside_a_study_of_another_drug_is_told():
    words = ["drug=temsirolimus", "modification=temsirolimus", "regimen=temsirolimus_25mg_weekly"]
    (told,) = beforehand.cautions(compose(None, words))
    assert "CPCT03" in told and "the drug everolimus (here: temsirolimus)" in told


def test_the_highest_level_of_an_escalation_counts():
    config = compose("everolimus_paediatric", {"design.dose_levels": [2.1, 5, 6.5, 9]})
    assert any("Everolimus 9 mg/m2 daily" in told for told in beforehand.cautions(config))


def test_that_trials_hardly_tell_of_an_alteration_is_told():
    chosen = {"+analysis.selection": {"pik3ca": True, "pten_loss": False}}
    told = beforehand.cautions(compose_trial("ng13", chosen))
    assert told[-1].startswith("What alterations of PIK3CA, PTEN change rests on facts about cells")


def test_where_no_patient_is_given_the_regimen_nothing_is_told():
    assert beforehand.cautions(compose("dose_response", {"regimen.dose": 100})) == []


def test_what_no_fitted_trial_tells_of_is_told():
    """Neither alpelisib nor carcinoma of the cervix is in the fitted evidence."""
    asked = {"+partner": ["alpelisib"], "+tumour": ["cervical"], "~cohort.mix": None, "+cohort.mix.cervical": 1.0,
             "cohort.clinical.line": [0, 0, 0, 0, 0, 0, 1], "analysis.draws": 10, "analysis.follow_up_months": 60,
             "partner.alpelisib.regimen.dose": 1200}  # fmt: skip
    told = " ".join(beforehand.cautions(compose("predict", asked)))
    for part in ("fitted trial tells: Cervical", "fitted trial tells: alpelisib", "in line 6 or later", "times its usual exposure",
                 "Only 10 draws", "later medians are not reached"):  # fmt: skip
        assert part in told, told


def test_children_with_a_tumour_of_adults_are_told_of(tmp_path):
    words = {"drug": "everolimus", "dose": 5, "unit": "mg/m2", "schedule": "daily", "age_group": "paediatric", "patients": 20}
    told = {}
    for kind in ("hcc", "osteosarcoma"):
        file = tmp_path / f"{kind}.yaml"
        file.write_text(yaml.safe_dump(words | {"title": kind, "tumour_types": {kind: 1.0}}), encoding="utf-8")
        told[kind] = " ".join(beforehand.cautions(compose_trial(str(file))))
    assert "the same in children: Hepatocellular carcinoma" in told["hcc"] and "adults" not in told["osteosarcoma"]


def test_a_type_of_children_asked_in_among_adults_is_told(tmp_path):
    words = {"title": "T", "drug": "everolimus", "dose": 5, "unit": "mg/m2", "patients": 9}
    words |= {"tumour_types": {"low_grade_glioma": 1.0}}
    told = {}
    for group in ("adult", "paediatric"):
        (tmp_path / f"{group}.yaml").write_text(yaml.safe_dump(words | {"age_group": group}))
        told[group] = " ".join(beforehand.cautions(compose_trial(str(tmp_path / f"{group}.yaml"))))
    assert "those asked in are of 18 to 21. age_group: paediatric" in told["adult"] and "other ages" not in told["paediatric"]


def test_the_highest_level_of_a_prediction_counts_and_not_the_dose_that_nobody_is_given():
    told = lambda dose, levels: " ".join(beforehand.cautions(compose_trial("ng13", {
        "regimen.dose": dose, "analysis.dose_levels": levels, "study.published": None})))  # fmt: skip
    assert "Everolimus 200 mg daily" in told(10, [100, 200]) and "no dose so high" not in told(20, [5, 10])


def test_what_was_published_of_a_partner_but_not_fitted_is_told():
    told = " ".join(beforehand.cautions(compose_trial("tolcher15_pancreatic")))
    assert "Published, but not fitted. Everolimus with trametinib" in told and "no tolerable dose found" in told
