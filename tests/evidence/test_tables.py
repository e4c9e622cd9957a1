"""The shipped tables obey their schema, and the schema refuses what breaks it."""

from importlib.resources import files

import pandas as pd
import pytest

from trialsim.evidence import (
    load,
    load_biomarkers,
    load_doses,
    load_efficacy,
    load_exposure,
    load_interactions,
    load_phase1,
    load_survival_points,
    schema,
)
from trialsim.schema import ConfigError

LOADERS = {
    "efficacy": load_efficacy, "phase1": load_phase1, "biomarkers": load_biomarkers, "survival_points": load_survival_points,
    "exposure": load_exposure, "interactions": load_interactions, "doses": load_doses,
}  # fmt: skip


@pytest.mark.parametrize("table", LOADERS)
def test_every_row_has_a_source_and_every_column_a_meaning(table):
    frame = LOADERS[table]()
    assert len(frame) and list(frame.columns) == [column.name for column in schema.FILES[table][1]]
    assert frame["source_url"].str.startswith("http").all()
    assert all(column.meaning for column in schema.FILES[table][1])


@pytest.mark.parametrize("table", LOADERS)
def test_nothing_remembered_is_loaded(table):
    text = LOADERS[table]().select_dtypes(["object", "string"])
    assert not any(text[column].str.contains("memory:", case=False).any() for column in text)


def test_a_dose_that_is_only_remembered_is_emptied():
    frame = load_efficacy().set_index("trial_id")
    assert frame.loc["SPUNT11", "dose"] == "" and frame.loc["FOULADI07", "dose"] == "2.1/3/5/6.5 mg/m2"


def test_types():
    frame = load_efficacy()
    assert str(frame["n_pr"].dtype) == "Int64" and frame["orr_percent"].dtype == "float64"
    assert frame["n_pr"].isna().any(), "an empty cell is absent, not zero"


def test_callers_cannot_change_the_table():
    frame = load_efficacy()
    frame["n_pr"] = 99
    assert (load_efficacy()["n_pr"].dropna() < 99).all()


ROW = {
    "trial_id": "X", "arm_id": "a", "short_citation": "X 2020", "drug": "everolimus", "tumour_type": "gastric",
    "age_group": "adult", "n_enrolled": "40", "n_evaluable_response": "30", "n_cr": "0", "n_pr": "3", "n_sd": "12", "n_pd": "15",
    "orr_percent": "10", "dcr_percent": "50.0", "source_url": "https://example.org/x", "how_seen": "abstract",
    "role": "fit", "trust": "good",
}  # fmt: skip


def efficacy(**changes):
    columns = [column.name for column in schema.EFFICACY]
    return load.check("efficacy", pd.DataFrame([dict.fromkeys(columns, "") | ROW | changes]))


def test_a_sound_row_passes():
    assert efficacy().loc[0, "n_sd"] == 12


@pytest.mark.parametrize(
    ("column", "value", "says"),
    [
        ("n_pr", "31", "add up to at most"),
        ("n_pr", "2.5", "whole number"),
        ("n_pr", "-1", "not negative"),
        ("n_pr", "three", "a number"),
        ("n_evaluable_response", "41", "at most n_enrolled"),
        ("orr_percent", "101", "0 to 100"),
        ("orr_percent", "12", "that the counts give"),
        ("dcr_percent", "51.0", "that the counts give"),
        ("orr_ci", "28-3", "not above the upper"),
        ("orr_ci", "about 5", "low-high"),
        ("age_group", "elderly", "adult, paediatric, mixed"),
        ("source_url", "a colleague", "an address"),
        ("source_url", "", "a value"),
        ("how_seen", "memory", "never memory"),
        ("how_seen", "", "a value"),
        ("dose", "memory: 10 mg", "unverified remarks belong in notes"),
        ("year", "19", "a year"),
        ("role", "", "a value"),
        ("role", "test", "fit, validation"),
        ("trust", "", "a value"),
        ("trust", "fair", "good, low"),
        ("trust", "low", "says low trust and why"),
    ],
)
def test_a_faulty_cell_is_refused_by_name(column, value, says):
    with pytest.raises(ConfigError, match=says) as caught:
        efficacy(**{column: value})
    assert caught.value.key.startswith("evidence.efficacy[line 2].")


def test_missing_and_unknown_columns_are_named():
    with pytest.raises(ConfigError, match="missing.*trial_id.*unknown.*tral_id"):
        load.check("phase1", pd.DataFrame(columns=["tral_id"]))


def test_an_interaction_outside_its_limits_is_refused():
    row = load_interactions().iloc[[0]].astype(str).replace("nan", "")
    with pytest.raises(ConfigError, match="between its limits"):
        load.check("interactions", row.assign(ratio="40"))


def test_a_rising_survival_curve_is_refused():
    rows = [{"trial_id": "X", "arm_id": "a", "months": m, "survival_percent": s, "n_at_risk": "", "source_url": "https://e.org"}
            for m, s in (("6", "40"), ("12", "41"))]  # fmt: skip
    with pytest.raises(ConfigError, match="does not rise"):
        load.check("survival_points", pd.DataFrame(rows))


def test_low_trust_says_why():
    sound = efficacy(trust="low", how_seen="abstract; low trust: a copy site")
    assert sound.loc[0, "trust"] == "low"
    with pytest.raises(ConfigError, match="says low trust and why"):
        efficacy(how_seen="abstract; low trust: a copy site")


def test_the_readme_counts_the_arms():
    roles = load_efficacy()["role"].value_counts()
    told = (files("trialsim.evidence") / "data" / "README.md").read_text(encoding="utf-8")
    assert f"Of the {roles.sum()} arms {roles['fit']} are `fit` and {roles['validation']} `validation`" in told


def test_enough_arms_are_kept_for_validation():
    frame = load_efficacy()
    kept = frame[frame["role"] == "validation"]
    assert kept[["orr_percent", "median_pfs_months"]].notna().any(axis=1).sum() >= 25
    assert not set(kept["trial_id"]) & set(frame.loc[frame["role"] == "fit", "trial_id"]), "a study has one role"
