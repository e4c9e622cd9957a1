"""Bad settings: each names the key, the value and what is allowed, and all faults come at once."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from settings_of import settings_of

from trialsim.cli import compose
from trialsim.schema import ConfigError
from trialsim.schema.faults import ConfigErrors, flatten, near
from trialsim.schema.study import StudyConfig, validate

ADULT = compose().model_dump(mode="json")
CHILD = compose("everolimus_paediatric").model_dump(mode="json")


def changed(data: dict[str, Any], **values: Any) -> dict[str, Any]:
    """A copy with the given values; double underscores separate the levels."""
    data = copy.deepcopy(data)
    for path, value in values.items():
        *parents, last = path.split("__")
        here = data
        for name in parents:
            here = here[name]
        here[last] = value
    return data


def faults(data: dict[str, Any]) -> dict[str, ConfigError]:
    with pytest.raises(ConfigError) as caught:
        validate(data)
    return {fault.key: fault for fault in flatten(caught.value)}


def test_a_valid_configuration_survives_the_round_trip() -> None:
    assert validate(ADULT).model_dump(mode="json") == ADULT
    assert validate(CHILD).model_dump(mode="json") == CHILD


def test_a_configuration_is_immutable() -> None:
    with pytest.raises(ValidationError):
        validate(ADULT).seed = 2  # type: ignore[misc]


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        ("regimen__dose", -5, "at least 0"),
        ("regimen__dose", "ten", "a number"),
        ("regimen__dose", "5", "a number"),
        ("regimen__dose", True, "a number"),
        ("regimen__dose", None, "a number"),
        ("regimen__dose", float("nan"), "finite"),
        ("regimen__dose", float("inf"), "finite"),
        ("regimen__dose", 5000, "at most 250 mg"),
        ("regimen__unit", "mg/kg", "'mg' or 'mg/m2'"),
        ("regimen__schedule", "dayly", "'daily'"),
        ("regimen__adherence", 0, "greater than 0"),
        ("regimen__adherence", 1.2, "at most 1"),
        ("regimen__max_treatment_days", 731.5, "whole number"),
        ("seed", -1, "at least 0"),
        ("seed", 1.5, "whole number"),
        ("seed", True, "whole number"),
        ("resume", "yes", "true or false"),
        ("cohort__size", 0, "at least 1"),
        ("cohort__size", "many", "whole number"),
        ("cohort", 5, "section"),
        ("compute__block", 10, "16"),
        ("compute__progress", "loud", "'auto'"),
        ("modification__dose_fractions", [1.0, 0.5, 0.5], "strictly smaller"),
        ("modification__dose_fractions", [0.5], "1.0 first"),
        ("modification__resume_at", 3, "at most 1"),
        ("design__kind", "coin_toss", "'single_arm'"),
        ("design__cutoff_months", 12, "more than design.accrual_months"),
        ("design__max_follow_up_months", 36, "at most 24"),
        ("study__name", "a/b", "text matching"),
        ("study__published", "NEJM 2011", "TRIAL or TRIAL/ARM"),
    ],
)  # fmt: skip
def test_each_fault_names_key_value_and_what_is_allowed(path: str, value: Any, words: str) -> None:
    found = faults(changed(ADULT, **{path: value}))
    key = path.replace("__", ".")
    assert key in found, found
    assert words in found[key].allowed
    assert found[key].value == value or value != value
    assert str(found[key]) == f"{key} = {found[key].value!r} is not allowed: {found[key].allowed}"


def test_all_faults_are_told_at_once() -> None:
    found = faults(changed(ADULT, seed=-1, regimen__dose=-5, cohort__size=0, compute__block=7))
    assert set(found) == {"seed", "regimen.dose", "cohort.size", "compute.block"}


def test_one_fault_is_a_plain_error_and_several_are_joined() -> None:
    with pytest.raises(ConfigErrors) as caught:
        validate(changed(ADULT, seed=-1, cohort__size=0))
    assert str(caught.value).count("is not allowed") == 2
    assert caught.value.key == caught.value.errors[0].key


def test_an_unknown_key_says_what_was_probably_meant() -> None:
    found = faults(changed(ADULT, regimen__does=5))
    assert "did you mean 'dose'?" in found["regimen.does"].allowed
    assert "schedule" in found["regimen.does"].allowed


def test_a_choice_says_what_was_probably_meant() -> None:
    told = faults(changed(ADULT, compute__precision="Float64"))["compute.precision"].allowed
    assert "use one of 'float32' or 'float64'; did you mean 'float64'?" in told


def test_a_missing_key_is_required() -> None:
    data = copy.deepcopy(ADULT)
    del data["regimen"]["dose"]
    assert "required" in faults(data)["regimen.dose"].allowed


def test_a_nested_unknown_key_is_found_in_its_section() -> None:
    name = next(iter(ADULT["tumour"]))
    found = faults(changed(ADULT, **{f"tumour__{name}__growth__rate_median": 0.1}))
    assert f"tumour.{name}.growth.rate_median" in found


def test_an_impossible_prevalence_is_refused() -> None:
    name = next(iter(ADULT["tumour"]))
    assert f"tumour.{name}.genotype.pik3ca" in faults(changed(ADULT, **{f"tumour__{name}__genotype__pik3ca": 1.5}))


def test_shares_of_tumour_types_sum_to_one() -> None:
    name = next(iter(ADULT["cohort"]["mix"]))
    found = faults(changed(ADULT, **{f"cohort__mix__{name}": 0.9}))
    assert "sum to 1" in found["cohort.mix"].allowed


def test_a_tumour_type_of_the_mix_must_be_described() -> None:
    mix = {**{name: 0.0 for name in ADULT["cohort"]["mix"]}, "colorectl": 1.0}
    found = faults(changed(ADULT, cohort__mix=mix))
    assert "did you mean 'colorectal'?" in found["cohort.mix.colorectl"].allowed


def test_an_escalation_starts_at_one_of_its_levels() -> None:
    found = faults(changed(CHILD, regimen__dose=4.0))
    assert "2.1, 3, 5, 6.5" in found["regimen.dose"].allowed
    assert validate(changed(CHILD, regimen__dose=3.0)).regimen.dose == 3


def test_an_escalation_needs_rising_levels_and_threes() -> None:
    assert "design.dose_levels" in faults(changed(CHILD, design__dose_levels=[3.0, 2.1]))
    assert "design.dose_levels" in faults(changed(CHILD, design__dose_levels=[]))
    assert "design.cohort_size" in faults(changed(CHILD, design__cohort_size=4))


def test_young_children_are_dosed_by_body_surface() -> None:
    assert "mg/m2" in faults(changed(CHILD, regimen__unit="mg"))["regimen.unit"].allowed


@pytest.mark.parametrize("section", ["modification__hold_at", "modification__stop_at", "design__dlt__min_grade"])
def test_a_misspelt_adverse_event_is_refused(section: str) -> None:
    found = faults(changed(ADULT, **{f"{section}__stomatits": 4}))
    key = section.replace("__", ".") + ".stomatits"
    assert "did you mean 'stomatitis'?" in found[key].allowed


def test_a_dose_is_reduced_only_after_a_hold() -> None:
    assert "modification.reduce_at.rash" in faults(changed(ADULT, modification__hold_at__rash=4))
    data = copy.deepcopy(ADULT)
    del data["modification"]["hold_at"]["rash"]
    assert "modification.reduce_at.rash" in faults(data)


def test_treatment_ends_no_later_than_follow_up() -> None:
    found = faults(changed(ADULT, design__max_follow_up_months=6.0))
    assert "regimen.max_treatment_days" in found


def test_near_is_silent_when_nothing_is_close() -> None:
    assert near("zzz", ["dose", "unit"]) == ""
    types = ["glioblastoma", "high_grade_glioma", "low_grade_glioma", "melanoma"]
    assert near("glioma", types) == "; did you mean 'high_grade_glioma' or 'low_grade_glioma'?"  # not what is spelt alike


def test_near_tells_as_many_as_it_may_whatever_their_case() -> None:
    assert near("ARM_A", ["arm_a", "arm_b", "arm_c", "size"]) == "; did you mean 'arm_a'?"
    assert near("arm_x", ["arm_a", "arm_b", "arm_c", "size"], 3).count("arm_") == 3


@pytest.mark.parametrize(
    ("study", "path", "value", "key", "words"),
    [
        ("everolimus_adult", "kind", "blood", "drug.pk.kind", "'well_stirred', 'whole_blood', 'parent_metabolite'"),
        ("everolimus_adult", "comedication", "much", "drug.pk.comedication", "'usual' or 'strong'"),
        ("everolimus_adult", "Vd", 3.0, "drug.pk.Vd", "CLint"),  # of the keys of its own form
        ("sirolimus_adult", "CLint", 340.0, "drug.pk.CLint", "blood_to_plasma"),
        ("sirolimus_adult", "stages", 5, "drug.pk.stages", "at most 4, as drug.pk.MAT is above 1 h"),
        ("sirolimus_adult", "hepatic_CL", {"normal": 1.0}, "drug.pk.hepatic_CL", "child_pugh_a"),
        ("temsirolimus_adult", "metabolite__CL", 0.0, "drug.pk.metabolite.CL", "greater than 0"),
        ("temsirolimus_adult", "interactions__strong__inducer__clearance", -1.0,
         "drug.pk.interactions.strong.inducer.clearance", "greater than 0"),
    ],
)  # fmt: skip
def test_a_fault_in_the_kinetics_is_told_of_its_form(study: str, path: str, value: Any, key: str, words: str) -> None:
    found = faults(changed(settings_of(study, []).model_dump(mode="json"), **{f"drug__pk__{path}": value}))
    assert set(found) == {key} and words in found[key].allowed


def test_the_form_of_the_kinetics_is_required() -> None:
    data = copy.deepcopy(ADULT)
    del data["drug"]["pk"]["kind"]
    assert "required" in faults(data)["drug.pk.kind"].allowed


LEAVES = [
    ("regimen", "dose"), ("regimen", "unit"), ("regimen", "schedule"), ("regimen", "adherence"), ("design", "kind"),
    ("design", "dose_levels"), ("design", "dlt"), ("compute", "block"), ("cohort", "size"), ("cohort", "mix"),
    ("modification", "hold_at"), ("modification", "dose_fractions"), ("study", "name"), ("drug", "pk"), ("drug", "pk", "kind"),
]  # fmt: skip
JUNK = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(LEAVES), JUNK)
def test_no_value_whatever_escapes_as_another_error(leaf: tuple[str, ...], value: Any) -> None:
    try:
        assert isinstance(validate(changed(ADULT, **{"__".join(leaf): value})), StudyConfig)
    except ConfigError as error:
        assert all(fault.key and fault.allowed for fault in flatten(error))


COMPARED = [
    ("designs.all_comers.replicate_size=900", "designs.all_comers.replicate_size", "analysis.most_screened = 800"),
    ("design.max_follow_up_months=5", "designs.basket_exnex.assess_weeks", "design.max_follow_up_months"),
    ("cohort.mix.ovarian=0 cohort.mix.colorectal=0.36", "designs.basket_exnex.baskets", "cohort.mix: "),
    ("+design@designs.borrowing=historical_control", "designs.borrowing.kind", "partner"),
    ("designs.basket_exnex.looks=[9,3]", "designs.basket_exnex.looks", "increasing"),
    ("designs.crm.cutoff_months=1", "designs.crm.cutoff_months", "designs.crm.accrual_months"),
    ("+designs.crm.dlt.min_grade.hiccups=3", "designs.crm.dlt.min_grade.hiccups", "adverse event"),
    ("analysis.dose_finding.start=7", "analysis.dose_finding.start", "5, 10, 20"),
    ("designs.crm.dose_levels=[5,40]", "designs.crm.dose_levels", "designs.three_plus_three"),
]


@pytest.mark.parametrize(("override", "key", "words"), COMPARED)
def test_a_design_that_asks_for_more_than_the_study_offers_is_told_by_its_name(override: str, key: str, words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        settings_of("compare_designs", override.split(" "))
    faults = {fault.key: fault.allowed for fault in flatten(caught.value)}
    assert key in faults and words in faults[key], faults


def test_of_several_unknown_keys_those_that_there_are_are_told_once() -> None:
    found = faults(changed(ADULT, regimen__dosis=5, regimen__schedul="daily"))
    assert set(found) == {"regimen.dosis", "regimen.schedul"}
    assert sum("keys here: " in fault.allowed for fault in found.values()) == 1
    assert all("did you mean" in fault.allowed for fault in found.values())


@pytest.mark.parametrize(("given", "write"), [
    ("1e6", "write 1000000 or 1.0e+6,"), ("2.5e-3", "write 0.0025 or 2.5e-3,"), ("5", "write 5,"), ("1e30", "write 1.0e+30,"),
])  # fmt: skip
def test_a_number_that_stands_as_text_is_told_how_to_write_it(given: str, write: str) -> None:
    allowed = faults(changed(ADULT, regimen__dose=given))["regimen.dose"].allowed
    assert f"YAML takes {given!r} for text: {write} without quotes" in allowed


def test_no_unit_is_guessed() -> None:
    assert "did you mean" not in faults(changed(ADULT, regimen__unit="mg/kg"))["regimen.unit"].allowed
