"""Counts to borrow from, as the published tables have them."""

import pytest

from trialsim.evidence import drugs_given_alone, historical_counts, load_biomarkers, load_efficacy, monotherapy
from trialsim.schema import ConfigError


def test_counts_are_those_of_the_table():
    found = historical_counts("everolimus", ["colorectal", "endometrial"]).set_index("trial_id")
    assert found.loc["NG13", ["events", "n"]].tolist() == [0, 71]  # no objective response in 71
    assert found.loc["SLOMOVITZ10", ["events", "n"]].tolist() == [0, 28]
    assert found["source"].str.contains("http").all()
    control = historical_counts("everolimus", ["endometrial"], endpoint="disease_control")
    assert control[["events", "n"]].iloc[0].tolist() == [12, 28]


def test_age_groups_are_kept_apart():
    assert set(historical_counts("temsirolimus", age_group="paediatric")["age_group"]) == {"paediatric"}


def test_a_selection_without_arms_is_refused():
    with pytest.raises(ConfigError, match="tumour_types"):
        historical_counts("everolimus", ["osteosarcoma"])
    with pytest.raises(ConfigError, match="at least one"):
        historical_counts("ridaforolimus", age_group="paediatric")
    with pytest.raises(ConfigError, match="single-agent"):
        historical_counts("aspirin")


@pytest.fixture
def one_arm_kept(monkeypatch):
    """The shipped table with one arm that would be pooled turned over to validation."""
    table = load_efficacy()
    table.loc[table["trial_id"] == "NG13", "role"] = "validation"
    monkeypatch.setattr(monotherapy, "load_efficacy", table.copy)


def test_arms_kept_for_validation_are_never_pooled(one_arm_kept):
    assert "NG13" not in set(monotherapy.monotherapy_counts()["trial_id"])
    assert "NG13" not in set(historical_counts("everolimus")["trial_id"])
    with pytest.raises(ConfigError, match="tumour_types"):
        historical_counts("everolimus", ["colorectal"])  # the only arm of that type


def test_a_drug_with_arms_for_validation_only_has_none_to_fit(monkeypatch):
    table = load_efficacy().assign(role="validation")
    monkeypatch.setattr(monotherapy, "load_efficacy", table.copy)
    assert monotherapy.drugs_given_alone() == ()
    with pytest.raises(ConfigError, match="single-agent"):
        historical_counts("everolimus")


@pytest.mark.parametrize("drug", drugs_given_alone())
def test_what_is_pooled_has_the_role_fit(drug):
    roles = load_efficacy().set_index(["trial_id", "arm_id"])["role"]
    pooled = monotherapy.monotherapy_counts(drug, recovered=True)
    assert {roles[key] for key in zip(pooled["trial_id"], pooled["arm"], strict=True)} <= {"fit"}


def test_no_marker_finding_is_of_a_study_kept_for_validation():
    table = load_efficacy()
    kept = set(table.loc[table["role"] == "validation", "trial_id"])
    assert not kept & set(load_biomarkers()["trial_id"])
