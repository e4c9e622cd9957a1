"""Sensitivity: the whole run from settings to page, with the model replaced by functions whose answers are known."""

import numpy as np
import pandas as pd
import pytest
from settings_of import settings_of

import trialsim.analyses.sensitivity as module
from trialsim import compose, load_run, run
from trialsim.endpoints.estimate import Estimate
from trialsim.evidence.laboratory import load_laboratory
from trialsim.schema import ConfigError
from trialsim.schema.faults import flatten
from trialsim.sensitivity.cohort import OUTCOMES

TITLE = "<script>alert(1)</script> & sensitivity"
NAMES = ("d_S6K", "cell_loss", "K_FRB", "K_KRAS")
TINY = {
    "cohort.size": 20, "compute.progress": "off", "analysis.parameters": list(NAMES), "analysis.trajectories": 8,
    "analysis.sobol_parameters": 2, "analysis.sobol_samples": 64, "study.title": TITLE,
}  # fmt: skip
FACTS = load_laboratory()[:6]


class Known:
    """A trial whose outcomes are linear in ln(cell_loss) and ln(d_S6K), three to one; nothing else matters."""

    asked: list[int] = []
    sets_a_block = 8

    def __init__(self, config, priors):
        self.priors, self.cohort = priors, pd.DataFrame({"patient_id": range(config.cohort.size)})
        self.present = np.array([[prior.value for prior in priors]])

    def outcomes(self, values):
        self.asked.append(len(values))
        share = lambda name: np.array([
            (p.to_scale(values[:, j]) - p.ends[0]) / (p.ends[1] - p.ends[0]) for j, p in enumerate(self.priors) if p.name == name
        ])[0]  # fmt: skip
        y = 3.0 * share("cell_loss") + share("d_S6K")
        return pd.DataFrame(dict.fromkeys(OUTCOMES, 0.1 * y) | {"failed": 0})

    def estimates(self, values):
        return dict.fromkeys(OUTCOMES, Estimate(0.2, 0.1, 0.3, 20, "exact"))


@pytest.fixture
def known(monkeypatch):
    """The trial, the courses and the laboratory replaced. Facts: the first knows K_FRB well, the others nothing."""
    Known.asked = []
    monkeypatch.setattr(module, "Trial", Known)
    monkeypatch.setattr(module.facts, "facts_asked", lambda: FACTS)
    inside = lambda f: f.low if f.high is None else f.high if f.low is None else 0.5 * (f.low + f.high)
    monkeypatch.setattr(module.facts, "fact_values", lambda config: np.array([inside(fact) for fact in FACTS]))
    width = 0.5 * (FACTS[0].high - FACTS[0].low)
    monkeypatch.setattr(
        module.facts, "slope", lambda config, prior, step: np.eye(1, len(FACTS))[0] * (prior.name == "K_FRB") * 3.0 * width
    )
    monkeypatch.setattr(module.local, "slopes_of_references", lambda config: {})
    monkeypatch.setattr(module.local, "course_of", lambda config, patients: None)
    monkeypatch.setattr(module.local, "chain", lambda config, patients, prior, slopes: {prior.name: 1.0})
    monkeypatch.setattr(module.local, "slopes_of", lambda course, outcome: {"K_FRB": np.full(20, 0.1), "cell_loss": np.ones(20)})
    monkeypatch.setattr(
        module.local, "elasticities",
        lambda slopes, links, priors: np.array([np.full(20, float(prior.name == "cell_loss")) for prior in priors]),
    )  # fmt: skip


def test_a_run_finds_what_is_known_and_leaves_tables_and_a_page(known, tmp_path):
    summary = run(compose("sensitivity", TINY), tmp_path)
    saved = load_run(tmp_path)
    assert summary["kind"] == "sensitivity" and saved.summary == summary
    results = summary["results"]
    assert results["leading_orr"]["parameter"] == "cell_loss" and results["sobol_parameters"] == ["cell_loss", "d_S6K"]
    assert results["evaluations"] == 8 * 5 + 64 * 4 == sum(Known.asked)
    screening = saved.table("screening").query("outcome == 'orr'").set_index("parameter")
    assert screening["mu_star"].to_dict() == pytest.approx({"d_S6K": 0.1, "cell_loss": 0.3, "K_FRB": 0.0, "K_KRAS": 0.0}, abs=1e-9)
    first = saved.table("sobol").query("outcome == 'orr' and index == 'first'").set_index("parameter")["estimate"]
    assert first.to_dict() == pytest.approx({"cell_loss": 0.9, "d_S6K": 0.1}, abs=0.05)
    parameters = saved.table("parameters").set_index("parameter")
    assert parameters.loc["K_FRB", "shrinkage"] == pytest.approx(1 / np.sqrt(10))
    assert (results["well_informed"], results["facts"]) == (1, 6)
    assert parameters.loc["K_FRB", "first"] == FACTS[0].fact_id and parameters.loc["K_FRB", "first_share"] == pytest.approx(0.9)
    assert parameters.drop("K_FRB")["shrinkage"].tolist() == [1.0, 1.0, 1.0] and results["not_informed"] == 3

    figures = {path.stem for path in (tmp_path / "figures").glob("*.json")}
    drawn = ("morris_orr", "morris_pfs_mean", "plane_pfs_mean", "sobol", "elasticity", "facts", "shrinkage", "spectrum")
    assert {f"sensitivity_{name}" for name in drawn} <= figures
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert all(f'data-figure="{key}"' in page for key in figures)
    assert "alert(1)</script>" not in page and "&lt;script&gt;alert(1)" in page
    for chapter in ("summary", "screening", "variance", "local", "identifiability", "methods", "assumptions"):
        assert f'<section id="{chapter}">' in page
    assert "cell-loss factor of tumours" in page


def test_a_resumed_run_asks_only_for_what_is_missing_and_finds_the_same(known, tmp_path):
    config = compose("sensitivity", TINY | {"analysis.identifiability": False, "analysis.local_patients": 0})
    first = run(config, tmp_path / "a")
    whole = list(Known.asked)
    original, left = Known.outcomes, [7]

    def killed(self, values):
        left[0] -= 1
        if left[0] == 0:
            raise KeyboardInterrupt
        return original(self, values)

    Known.outcomes = killed
    try:
        with pytest.raises(KeyboardInterrupt):
            run(config, tmp_path / "b")
    finally:
        Known.outcomes = original
    Known.asked = []
    again = run(config.model_copy(update={"resume": True}), tmp_path / "b")
    assert again["results"] == first["results"] and sum(Known.asked) == sum(whole) - 6 * 8


def test_parts_that_are_switched_off_are_neither_computed_nor_shown(known, tmp_path):
    off = {"analysis.identifiability": False, "analysis.local_patients": 0, "analysis.sobol_parameters": 0}
    summary = run(compose("sensitivity", TINY | off), tmp_path)
    assert set(summary["tables"]) == {"parameters", "present", "screening", "evaluations"}
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert not any(f'<section id="{chapter}">' in page for chapter in ("variance", "local", "identifiability"))


def test_a_page_where_nothing_matters(known, monkeypatch, tmp_path):
    monkeypatch.setattr(
        Known, "outcomes", lambda self, values: pd.DataFrame(dict.fromkeys(OUTCOMES, np.zeros(len(values))) | {"failed": 1})
    )
    summary = run(compose("sensitivity", TINY | {"analysis.identifiability": False}), tmp_path)
    assert not summary["diagnostics"]["ok"] and "could not be integrated" in summary["diagnostics"]["messages"][0]
    assert "No parameter changed" in (tmp_path / "report.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("changes", "key", "allowed"),
    [
        ({"analysis.parameters": ["K_FRP"]}, "analysis.parameters", "K_FRB"),
        ({"analysis.parameters": ["K_FRB"]}, "analysis.parameters", "two different names"),
        ({"analysis.sobol_samples": 100}, "analysis.sobol_samples", "a power of two"),
        ({"design.max_follow_up_months": 12, "regimen.max_treatment_days": 300}, "analysis.weeks", "at most 42"),
        ({"analysis.ranges.K_FRB.low": 20}, "analysis.ranges.K_FRB.low", "below high"),
        ({"analysis.ranges.K_FRB.path": "drug.binding.K_FRP"}, "analysis.ranges.K_FRB.path", "K_FRB"),
        ({"analysis.ranges.K_FRB.path": "network.growth.death_burden"}, "analysis.ranges.K_FRB.path", "a number of"),
        ({"mechanism.stroma": False}, "mechanism.stroma", "analysis.identifiability"),
        ({"analysis.trajectories": 1}, "analysis.trajectories", "at least 4"),
    ],
)
def test_faults_name_key_and_what_is_allowed(changes, key, allowed):
    with pytest.raises(ConfigError) as caught:
        settings_of("sensitivity", changes)
    assert any(fault.key == key and allowed in fault.allowed for fault in flatten(caught.value)), str(caught.value)
