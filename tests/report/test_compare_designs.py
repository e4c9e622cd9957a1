"""The page of the comparison of designs, from tables small enough to be worked out by hand."""

import json
from pathlib import Path
from typing import get_args

import numpy as np
import pandas as pd
import pytest
import yaml

from trialsim.analyses.compare_designs import characteristics, differences, recommend, too_often_false
from trialsim.report import decision_curve, design_words, write_report
from trialsim.report.analyses.compare_designs import page
from trialsim.report.analyses.page import read_saved

DLT = {"window_days": 28}
DOSES = pd.DataFrame({"level": [0, 1, 2], "dose": [5.0, 10.0, 20.0], "rate": [0.1, 0.25, 0.4], "n": [90, 80, 70]})
GROUPS = pd.DataFrame(
    {
        "tumour_type": ["nsclc", "nsclc"], "marker": ["negative or unknown", "positive"], "n": [600, 400], "share": [0.6, 0.4],
        "drug": [0.25, 0.5], "control": [0.2, 0.2], "gain": [0.05, 0.3],
    }
)  # fmt: skip
CONFIG = {
    "analysis": {
        "kind": "compare_designs", "replicates": 20, "batches": 5, "most_screened": 100, "per_month": 10.0,
        "dose_finding_per_month": 3.0, "resamples": 200,
        "dose_finding": {"start": 5.0, "target": 0.25, "tolerance": 0.1, "too_toxic": 0.33},
        "outcomes": {"kind": "mechanism"}, "benefit": {
            "outcome": "disease_control", "weeks": 24.0, "confirmed": False, "reader": "site", "survival": "pfs",
            "marker": "pathway", "worthwhile": 0.1, "max_type_one_error": 0.1, "assays": {"turnaround_days": 21.0},
        },
        "assurance": {"draws": 0, "patients": 400, "replicates": 40},
    },
    "study": {"name": "small", "title": "Small"},
    "cohort": {"size": 1000, "mix": {"nsclc": 1.0}},
    "tumour": {"nsclc": {"label": "Lung <b>cancer</b>"}},
    "drug": {"name": "everolimus"},
    "regimen": {"dose": 10.0, "unit": "mg", "schedule": "daily"},
    "design": {"kind": "single_arm", "dlt": DLT},
}  # fmt: skip
ESCALATION = {"dose_levels": [5.0, 10.0, 20.0], "dlt": DLT}
DESIGNS = {
    "crm": {"kind": "crm", "time_to_event": False, **ESCALATION},
    "rolling_six": {"kind": "rolling_six", **ESCALATION},
    "all_comers": {"kind": "all_comers", "dlt": DLT},
    "enriched": {"kind": "enriched", "dlt": DLT},
}
BATCH = np.repeat(np.arange(5), 4)


def escalated(name: str, mtd: list[float]) -> pd.DataFrame:
    """Twenty trials that choose these levels in turn."""
    level = np.tile(np.asarray(mtd, float), 20 // len(mtd))
    return pd.DataFrame(
        {
            "question": "dose_finding", "design": name, "batch": BATCH, "mtd": level, "correct": level == 1.0, "near": level == 1.0,
            "overdose": level == 2.0, "treated_0": 3.0, "treated_1": 3.0, "treated_2": 1.0, "enrolled": 7.0, "above": 1.0,
            "dlts": 2.0, "months": np.where(np.isnan(level), np.nan, 8.0), "dlt_rate": np.nan, "dlt_rate_error": np.nan,
            "dlt_rate_covered": np.nan,
        }
    )  # fmt: skip


def declared(name: str, negative: list[float], positive: list[float], enrolled: float) -> pd.DataFrame:
    """Twenty trials after which the two groups are treated or not, in turn."""
    treats = np.stack([np.tile(np.asarray(flag, float), 20 // len(flag)) for flag in (negative, positive)], axis=1)
    worth = GROUPS["gain"].to_numpy() > 0.1
    return pd.DataFrame(
        {
            "question": "benefit", "design": name, "batch": BATCH, "declared": treats.any(axis=1), "declared_without_effect": 0.0,
            "net_benefit": 100 * treats @ (GROUPS["share"] * (GROUPS["gain"] - 0.1)).to_numpy(),
            "better_off": 100 * treats @ (GROUPS["share"] * GROUPS["gain"]).to_numpy(),
            "right": (treats == worth) @ GROUPS["share"].to_numpy(), "enrolled": enrolled, "screened": 100.0, "months": 12.0,
            "estimate": -0.5, "error": 0.125, "covered": 1.0, "group_0": treats[:, 0], "group_1": treats[:, 1],
        }
    )  # fmt: skip


@pytest.fixture
def saved(tmp_path):
    """Write a run of these trials and read it back."""

    def write(parts, designs=None, config=None, drop=(), **results):
        trials = pd.concat(parts, ignore_index=True)
        numbers = [name for name in trials.columns if name not in ("question", "design", "batch")]
        trials[numbers] = trials[numbers].astype(float)
        false = too_often_false(trials, 0.1)
        fit = trials[~trials["design"].isin(false)]
        tables = {"replicates": trials, "characteristics": characteristics(trials), "differences": differences(trials, fit)}
        found: dict = {"too_often_false": false}
        found |= {"n_patients": 1000, "replicates": 20, "right_dose": 10.0, "attainable": 8.0, "solver_check": None}
        for question, part in fit.groupby("question"):
            measure = {"dose_finding": "near", "benefit": "net_benefit"}[question]
            found[f"recommended_{question}"] = recommend(part, measure, 200, 1)
        tables |= {"doses": DOSES} if (trials["question"] == "dose_finding").any() else {}
        tables |= {"groups": GROUPS} if (trials["question"] == "benefit").any() else {}
        for name, table in tables.items():
            table.drop(columns=[c for c in drop if c in table]).to_parquet(tmp_path / f"{name}.parquet")
        whole = CONFIG | {"designs": designs or DESIGNS} | (config or {})
        (tmp_path / "config.yaml").write_text(yaml.safe_dump(json.loads(json.dumps(whole))))  # no aliases, as a run writes it
        (tmp_path / "provenance.json").write_text("{}")
        summary = {
            "kind": "compare_designs", "study": "small", "title": "Small", "seed": 1, "tables": list(tables),
            "diagnostics": {"ok": True, "messages": []}, "results": found | results,
        }  # fmt: skip
        (tmp_path / "summary.json").write_text(json.dumps(summary, default=float))
        return read_saved(tmp_path)

    return write


BOTH = [
    escalated("crm", [1, 1, 1, 2]),  # near in 75 %
    escalated("rolling_six", [1, -1, 0, np.nan]),  # near in 25 %, a quarter without a decision
    declared("all_comers", [1, 0], [1, 0], 90.0),  # everybody in half the trials
    declared("enriched", [0, 0], [1, 1], 40.0),  # positive patients always
]


def plain(text: str) -> str:
    return text.replace("\u00a0", " ")


def column(table, title: str) -> list[str]:
    return [plain(cell) for cell in table.shown[title]]


def of(made, key: str):
    return next(section for section in made.chapters if section.key == key)


def test_a_design_that_finds_a_benefit_where_there_is_none_is_not_recommended(saved):
    liar = declared("enriched", [0, 0], [1, 1], 40.0).assign(declared_without_effect=np.tile([1.0, 0.0], 10))
    everyone = declared("all_comers", [1, 0], [1, 0], 90.0)
    found = saved([everyone, liar])
    assert found.results["too_often_false"] == {"enriched": 0.5}
    assert found.results["recommended_benefit"]["design"] == "all_comers"
    assert set(found.table("differences")["reference"]) == {"all_comers"}
    told = plain(" ".join(page(found).summary))
    assert "all comers. It has" in told and "too often where there is none: enriched (50 %)" in told
    assert "None. Not considered" in plain(" ".join(page(saved([liar])).summary))


def test_the_tables_show_what_the_trials_did(saved):
    made = page(saved(BOTH))
    dose, benefit = of(made, "dose").tables[0], of(made, "benefit").tables[0]
    assert list(dose.shown["Design"]) == ["CRM", "Rolling six"]
    assert column(dose, "Near target, %") == ["75.0 ± 0.0", "25.0 ± 0.0"] and column(dose, "Months") == ["8.0 ± 0.0", "8.0 ± 0.0"]
    assert "Coverage, %" not in dose.shown  # no trial has one
    # all comers: half of 100 (0.6 x (0.05 - 0.1) + 0.4 x 0.2) = 2.5; enriched: 100 x 0.4 x 0.2 = 8
    assert column(benefit, "Net benefit") == ["+2.50 ± 0.00", "+8.00 ± 0.00"]
    assert column(benefit, "Right advice, %") == ["50.0 ± 0.0", "100.0 ± 0.0"]
    assert column(benefit, "Error, log HR") == ["+0.125 ± 0.000"] * 2
    ahead = of(made, "benefit").tables[1]
    assert column(ahead, "Net benefit") == ["−5.50 (−5.50 to −5.50)"] and column(ahead, "Patients") == ["+50 (+50 to +50)"]


def test_groups_are_listed_by_their_gain(saved):
    groups = of(page(saved(BOTH)), "benefit").tables[2]
    assert column(groups, "Marker") == ["positive", "not positive"] and column(groups, "Gain, points") == ["+30.0", "+5.0"]
    assert column(groups, "All comers") == ["50 %", "50 %"] and column(groups, "Enriched") == ["100 %", "0 %"]


def test_the_recommendation_says_how_sure_it_is_and_what_it_costs(saved):
    told = [plain(text) for text in page(saved(BOTH)).summary]
    assert told[1].startswith("Recommended for finding the dose: CRM. It chooses a dose near the target in 75.0 % of trials")
    assert "50.0 points more than rolling six" in told[1] and "best of 2 designs with probability 1.00." in told[1]
    assert "A trial takes 7.0 patients and 8.0 months." in told[1]
    assert "enriched. It has a net benefit of 8.00 patients in 100" in told[2] and "5.50 above all comers" in told[2]
    assert "40 patients (of 100 screened) and 12.0 months" in told[2]


def test_designs_that_cannot_be_told_apart_are_said_to_be(saved):
    rng = np.random.default_rng(1)
    level = lambda: list(rng.permutation([1.0] * 10 + [0.0] * 10))
    found = saved([escalated("crm", level()), escalated("rolling_six", level())])
    found.results["recommended_dose_finding"]["probability"] = 0.5
    assert found.results["recommended_dose_finding"]["probability"] < design_words.SURE
    assert "these replicates do not tell it from" in page(found).summary[1]


def test_the_figures_show_selection_and_net_benefit(saved):
    made = page(saved(BOTH))
    heat = next(trace for trace in of(made, "dose").panels[0].figure.data if trace.type == "heatmap")
    # none, three levels, no decision
    np.testing.assert_allclose(np.asarray(heat.z, float), [[0, 0, 75, 25, 0], [25, 25, 25, 0, 25]])
    lines = {trace.name: trace for trace in of(made, "benefit").panels[0].figure.data if trace.name}
    at = np.asarray(lines["enriched"].x, float) / 100
    np.testing.assert_allclose(lines["enriched"].y, 100 * 0.4 * (0.3 - at), atol=1e-9)
    np.testing.assert_allclose(lines["all comers"].y, 50 * (0.15 - at), atol=1e-9)
    np.testing.assert_allclose(lines["treat everybody"].y, 100 * (0.15 - at), atol=1e-9)
    np.testing.assert_allclose(lines["true gains known"].y, 60 * np.maximum(0.05 - at, 0) + 40 * np.maximum(0.3 - at, 0), atol=1e-9)
    bars = {trace.name: list(trace.x) for trace in of(made, "benefit").panels[1].figure.data}
    assert bars["worth it, treated"] == pytest.approx([40, 20, 40]) and bars["not worth it, treated"] == pytest.approx([0, 30, 0])


def test_other_thresholds_ask_for_other_designs():
    trials = pd.concat([declared("all", [1, 1], [1, 1], 9.0), declared("some", [0, 0], [1, 1], 9.0)])
    curves = decision_curve.curves(trials, GROUPS, ["all", "some"])
    # all: 15 - 100 w, some: 12 - 40 w: they cross at 0.05; some reaches 0 at 0.3
    found = decision_curve.best_by_threshold(curves, 0.4)
    assert [stretch.best for stretch in found] == ["all", "some", None]
    assert [stretch.low for stretch in found] == pytest.approx([0, 0.05, 0.3], abs=0.0011) and found[-1].high == 0.4
    assert decision_curve.net_benefit(curves["some"], 0.1).estimate == pytest.approx(8.0)
    assert decision_curve.everybody_better_below({"some": curves["some"]}, GROUPS, 0.4) == pytest.approx(0.05, abs=0.0011)


def test_the_interval_of_a_change_of_places_holds_where_the_difference_may_be_nothing():
    rng, batch = np.random.default_rng(2), np.repeat(np.arange(5), 200)
    first = decision_curve.Curve(rng.normal(6.0, 1.0, 1000), np.full(1000, 0.2), batch)
    second = decision_curve.Curve(rng.normal(7.5, 1.0, 1000), np.full(1000, 0.5), batch)  # they cross at 0.05
    low, high = decision_curve.not_told_apart(first, second, 0.3)
    assert 0.03 < low < high < 0.07
    for at, apart in ((low - 0.002, True), ((low + high) / 2, False), (high + 0.002, True)):
        means = (first.at(at) - second.at(at)).reshape(5, 200).mean(axis=1)
        half = 2.776445 * means.std(ddof=1) / np.sqrt(5)  # t, 4 degrees of freedom
        assert (abs(means.mean()) > half) == apart


@pytest.mark.parametrize(("parts", "keys"), [(BOTH[:2], ["dose"]), (BOTH[2:], ["benefit"]), (BOTH[:1], ["dose"])])
def test_a_run_may_ask_one_question_or_one_design(saved, parts, keys):
    made = page(saved(parts, designs={name: DESIGNS[name] for part in parts for name in part["design"].unique()}))
    assert [section.key for section in made.chapters] == keys and len(made.cards) == 2
    assert ("the next best" in made.summary[1]) == (len(parts) > 1)


def test_without_designs_the_design_of_the_study_is_told(saved):
    design = {"kind": "boin", "time_to_event": True, **ESCALATION}
    one = saved([escalated("boin", [1, 0])], config={"designs": {}, "design": design})
    assert list(of(page(one), "dose").tables[0].shown["Design"]) == ["TITE-BOIN"]


def test_what_is_missing_is_shown_as_missing(saved):
    made = page(saved([escalated("crm", [np.nan]), *BOTH[1:3]], drop=["group_0"], right_dose=None))
    dose = of(made, "dose").tables[0]
    assert column(dose, "Months") == ["–", "8.0 ± 0.0"] and "crm" not in dose.raw.query("measure == 'mtd'")["design"].to_list()
    assert "every level is an overdose" in of(made, "dose").lead
    assert [panel.figure for panel in of(made, "benefit").panels] == [None, None]
    assert any("CRM 100 %" in plain(text) for text in made.cautions)


def test_assurance_has_its_chapter_if_it_was_asked(saved):
    row = {"estimate": 0.6, "low": 0.5, "high": 0.7, "n": 30, "method": "", "point": 0.75}
    made = page(saved(BOTH, assurance={"all_comers": row, "enriched": row | {"estimate": None}}))
    table = of(made, "assurance").tables[0]
    assert [plain(cell) for cell in table.shown.iloc[0]] == ["All comers", "75.0 %", "60.0 % (50.0 to 70.0)", "−15.0", "30"]
    assert len(table.shown) == 1  # what is no number is left out
    assert all(section.key != "assurance" for section in page(saved(BOTH)).chapters)


def test_names_from_files_are_text(saved):
    name = "<script>alert(1)</script>"
    designs = DESIGNS | {name: DESIGNS["crm"]}
    found = saved([*BOTH, escalated(name, [1, 1])], designs=designs)
    text = Path(write_report(found.folder)).read_text(encoding="utf-8")
    assert "alert(1)" in text and name not in text and "CRM (&lt;script&gt;" in text and "Lung <b>" not in text


@pytest.mark.parametrize(
    ("design", "told"),
    [
        ({"kind": "crm", "time_to_event": True}, "TITE-CRM"),
        ({"kind": "two_stage", "criterion": "minimax", "given": None}, "Simon minimax"),
        ({"kind": "two_stage", "criterion": "minimax", "given": {"n": 9}}, "two-stage"),
        ({"kind": "single_stage", "eligible": "marker_positive"}, "single-stage, marker-positive"),
        ({"kind": "adaptive_randomisation", "drop": "predictive", "power": 0.0}, "arm dropping"),
        ({"kind": "adaptive_randomisation", "drop": "none", "power": None}, "adaptive randomisation"),
        ({"kind": "randomised", "look_fractions": [0.5, 1]}, "group-sequential"),
        ({"kind": "randomised", "look_fractions": [1]}, "randomised, one look"),
        ({"kind": "basket", "model": {"kind": "exnex"}}, "EXNEX baskets"),
        ({"kind": "not_yet_known"}, "not yet known"),
    ],
)
def test_designs_are_called_by_their_kind(design, told):
    assert design_words.labels({"a": design}) == {"a": told}
    assert design_words.labels({"a": design, "b_c": design}) == {"a": f"{told} (a)", "b_c": f"{told} (b c)"}


def test_every_kind_of_design_has_words():
    from trialsim.schema.design import Design

    kinds = {get_args(one.model_fields["kind"].annotation)[0] for one in _members(Design)}
    assert {"crm", "basket", "enriched"} <= kinds
    assert kinds - {"basket"} <= set(design_words.KINDS)


def _members(union) -> list[type]:
    """The classes of a union, whichever way it is nested."""
    return [union] if isinstance(union, type) else [one for part in get_args(union) for one in _members(part) if one is not None]


@pytest.mark.parametrize(
    ("number", "error", "scale", "told"),
    [
        (0.62051, 0.0133, design_words.SHARE, "62.1 ± 1.3"),
        (-0.0004, 0.0, design_words.POINTS, "0.0 ± 0.0"),
        (3.12, 0.02, design_words.COUNT, "3.1 ± <0.1"),
        (427.9, 1.27, design_words.WHOLE, "428 ± 1"),
        (-0.916, np.nan, design_words.NET, "−0.92"),
        (np.nan, np.nan, design_words.NET, "–"),
        (1234.5, 0.4, design_words.WHOLE, "1,234 ± <1"),
    ],
)
def test_means_with_their_error(number, error, scale, told):
    assert plain(design_words.plus_minus(number, error, scale)) == told
