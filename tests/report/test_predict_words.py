"""The first sentence of a prediction: who, with which tumours, on what."""

from pathlib import Path

import pytest

from trialsim import compose_trial
from trialsim.report.analyses.page import Saved
from trialsim.report.analyses.predict import _names, _what


def first_sentence(trial: str, **changed: object) -> str:
    config = compose_trial(trial, changed)
    saved = Saved(Path(), config.model_dump(mode="json"), {}, {"kind": "predict"})
    return _what(saved, _names(saved)).replace("\u00a0", " ")


@pytest.mark.parametrize(("trial", "told"), [
    ("radiant3", "207 patients with pancreatic neuroendocrine tumour on everolimus 10 mg every day and 203 on placebo, with 22"),
    ("bolero2", "with hormone-receptor-positive breast carcinoma on everolimus 10 mg every day and exemestane 25 mg every day"),
    ("template", "40 patients with endometrial carcinoma on everolimus 10 mg every day, all with PTEN protein loss, with 18"),
    ("oza11", "on temsirolimus 25 mg once a week"),
])  # fmt: skip
def test_it_names_tumours_drug_and_dose(trial, told):
    assert told in first_sentence(trial)


def test_several_tumour_types_are_told_with_their_shares_and_many_by_the_most_frequent():
    two = {"cohort.mix.colorectal": 0.7, "+cohort.mix.ewing_sarcoma": 0.3, "+tumour": ["ewing_sarcoma"]}
    assert "with colorectal adenocarcinoma (70 %) or Ewing sarcoma (30 %) on" in first_sentence("ng13", **two)
    mix = {"colorectal": 0.1, "hcc": 0.4, "nsclc": 0.2, "melanoma": 0.3}
    four = {f"{'' if kind == 'colorectal' else '+'}cohort.mix.{kind}": share for kind, share in mix.items()}
    told = first_sentence("ng13", **four)
    assert "with tumours of 4 types, most often hepatocellular carcinoma (40 %), melanoma (30 %) and non-small-cell" in told


def test_how_pretreated_the_patients_are_is_said():
    told = first_sentence("ng13", **{"cohort.clinical.line": [0.2, 0.5, 0.2, 0.1]})
    assert told.endswith("Lines of therapy: 20 % in line 1, 50 % in line 2, 20 % in line 3 and 10 % in line 4.")
    second = first_sentence("ng13", **{"cohort.clinical.line": [0, 1]})
    assert second.endswith("All are treated in line 2 of their metastatic disease.")


def test_children_levels_reader_and_the_drugs_of_the_other_arm_are_said():
    told = first_sentence("fouladi07")
    assert "children and adolescents of " in told and "everolimus 2.1 mg/m², 3 mg/m², 5 mg/m² or 6.5 mg/m² every day" in told
    assert "read by central review" in first_sentence("radiant3") or "read by the local radiologist" in first_sentence("radiant3")
    active = first_sentence("gog3007")
    assert "placebo" not in active and " on everolimus" in active
