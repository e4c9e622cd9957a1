"""What options answer, in words."""

from types import SimpleNamespace

import pandas as pd

from trialsim.options.truths import HAZARD_RATIO
from trialsim.report.option_tables import gain_table
from trialsim.report.option_words import _best_treatments, _of_laboratory, _size_of, _without_trial

NAMES = SimpleNamespace(
    who={"all": "all comers", "pten": "PTEN lost"}, what={"alone": "everolimus alone", "letrozole": "letrozole"},
    base="everolimus alone", reference=("all", "alone"), judged_by=HAZARD_RATIO,
)  # fmt: skip


def told(best: str, probability: float = 0.97) -> str:
    """Where one treatment is the best in both populations with this probability."""
    rows = [{"kind": "treatment", "endpoint": HAZARD_RATIO, "who": who, "what": what,
             "probability": probability if what == best else 1 - probability}
            for who in NAMES.who for what in NAMES.what]  # fmt: skip
    judged = pd.DataFrame([{"who": who, "what": "letrozole", "median": 0.5, "low_90": 0.4, "high_90": 0.6, "error": 0.01,
                            "ratio": True} for who in NAMES.who])  # fmt: skip
    return _best_treatments(judged, pd.DataFrame(rows), NAMES).replace("\u00a0", " ")


def test_what_is_best_everywhere_is_said_once():
    text = told("letrozole")
    assert text.count("letrozole") == 1 and "in every population" in text
    assert "all comers 0.50 (0.40 to 0.60) and PTEN lost 0.50 (0.40 to 0.60)" in text


def test_that_nothing_betters_the_reference_is_said():
    assert "is everolimus alone, with a probability of 90 % or more in every population." in told("alone")


def test_what_is_not_sure_is_told_by_population():
    assert "does NOT tell" in told("letrozole", 0.6) and "in PTEN lost letrozole (60 %" in told("letrozole", 0.6)


def without(best: str, not_fitted: dict) -> str:
    """Where no fitted trial gave trametinib."""
    names = SimpleNamespace(what={"alone": "everolimus alone", "mek": "trametinib (MEK)"}, who={"all": "all comers"},
                            judged_by=HAZARD_RATIO, reference=("all", "alone"))  # fmt: skip
    rows = [{"kind": "treatment", "endpoint": HAZARD_RATIO, "who": "all", "what": what, "probability": float(what == best)}
            for what in names.what]  # fmt: skip
    orr = [{"who": "all", "what": "mek", "endpoint": "orr", "median": 0.62, "low_90": 0.04, "high_90": 0.87}]
    saved = SimpleNamespace(
        results={"posterior": {"untold": ["partner trametinib"], "not_fitted": not_fitted}}, config={"partner": {"trametinib": {}}},
        settings={"what": {"alone": {"partners": []}, "mek": {"partners": ["trametinib"]}}}, table=lambda name: pd.DataFrame(orr),
    )  # fmt: skip
    return _without_trial(saved, pd.DataFrame(rows), names).replace("\u00a0", " ")


def test_what_was_published_of_a_partner_but_not_fitted_stands_beside_the_answer():
    text = without("mek", {"trametinib": ["Response 7 % of 67 (TOLCHER15)."]})
    assert "NO fitted trial gave trametinib (MEK)" in text and "NOT fitted. Response 7 % of 67 (TOLCHER15). Hold" in text
    assert "response in all comers is trametinib (MEK) 62 % (4 % to 87 %) here" in text
    assert "Published" not in without("mek", {}) and without("alone", {"trametinib": ["Response 7 %."]}) == ""


def test_alterations_of_which_cells_alone_tell_are_named_and_held_against_patients():
    saved = SimpleNamespace(results={"posterior": {"of_laboratory": ["pik3ca", "pten_loss", "pten_mutation"]}},
                            table=lambda name: pd.DataFrame({"study": ["A", "A", "B"]}))  # fmt: skip
    text = _of_laboratory(saved)
    assert "alterations of PIK3CA and PTEN change" in text and "against the findings of 2 studies of patients" in text
    assert _of_laboratory(SimpleNamespace(results={"posterior": {}})) == ""


def test_a_ratio_near_one_is_said_to_matter_little():
    near, far = ({"ratio": True, "median": 0.99, "low_90": low, "high_90": 0.99, "error": 0.0001} for low in (0.99, 0.6))
    effect = pd.DataFrame([near | {"who": "all", "what": "a"}, far | {"who": "all", "what": "b"}]).set_index(["who", "what"])
    assert _size_of(effect, "all", "a") == ", 0.99 (± 0.01), which matters little"
    assert "little" not in _size_of(effect, "all", "b")


def test_a_difference_from_patients_who_lack_the_endpoint_is_missing():
    row = {"who": "all", "what": "mek", "endpoint": "dlt_rate", "ratio": False, "better": None, "better_error": None}
    names = SimpleNamespace(option=lambda who, what: what)
    for median, shown in ((float("nan"), "–"), (0.1, "+10.0 ± 1.0 points")):
        rows = pd.DataFrame([row | {"median": median, "error": median / 10}, row | {"what": "x", "median": 0.1, "error": 0.01}])
        assert gain_table("gain", "", rows, names, "treatment").shown["DLT"].iloc[0] == shown
