"""The comparison of designs, from settings to page: on stated probabilities against exact values, and on the mechanism."""

import json

import numpy as np
import pytest
from scipy import stats

import trialsim.analyses.compare_designs as module
from trialsim import ConfigError, compose, load_run, run
from trialsim.designs.randomised.from_settings import trial_of
from trialsim.designs.randomised.sizes import schoenfeld_power
from trialsim.designs.single_arm.binomial import positive_probability
from trialsim.designs.single_arm.from_settings import looks_of

SMALL = {"cohort.size": 20000, "analysis.replicates": 2000, "analysis.batches": 10, "compute.progress": "off"}
TABLES = ("replicates", "characteristics", "differences", "doses", "groups")


@pytest.fixture(scope="module")
def textbook(tmp_path_factory):
    """A run on plain outcomes, its settings and its folder."""
    config, folder = compose("textbook_designs", SMALL), tmp_path_factory.mktemp("runs") / "textbook"
    run(config, folder)
    return config, folder


def measure(folder, design, name):
    """Estimate and Monte Carlo error of one measure."""
    table = load_run(folder).table("characteristics").set_index(["design", "measure"])
    return table.loc[(design, name), ["estimate", "error"]].to_numpy(float)


def agrees(found, error, wanted, slack=0.0):
    """By Student's t over ten batches: a false alarm in 10,000."""
    return abs(found - wanted) < stats.t.ppf(1 - 5e-5, 9) * error + slack


@pytest.mark.parametrize("design", ["single_stage", "simon_optimal"])
def test_type_one_error_and_power_of_single_arms_are_exact(textbook, design):
    config, folder = textbook
    looks = looks_of(config.designs[design])
    for name, rate in (("declared", 0.3), ("declared_without_effect", 0.1)):
        assert agrees(*measure(folder, design, name), float(positive_probability(looks, rate))), name
    assert agrees(*measure(folder, design, "error"), 0.0), "the estimate is unbiased whatever the looks"


def test_type_one_error_and_power_of_a_randomised_trial(textbook):
    config, folder = textbook
    design = config.designs["randomised_fixed"]
    power = float(schoenfeld_power(np.log(4 / 6), trial_of(design).events[-1], design.alpha, ratio=2.0))
    assert agrees(*measure(folder, "randomised_fixed", "declared"), power, slack=0.01), "the formula is good to a point of power"
    assert agrees(*measure(folder, "randomised_fixed", "declared_without_effect"), design.alpha, slack=0.003)


def test_the_tables_are_those_documented(textbook):
    _, folder = textbook
    saved = load_run(folder)
    assert set(TABLES) <= set(saved.summary["tables"])
    rates = saved.table("doses")
    assert list(rates["dose"]) == [5, 10, 20, 40, 80, 160]
    assert np.allclose(rates["rate"], [0.02, 0.06, 0.12, 0.25, 0.4, 0.55], atol=4 * np.sqrt(0.25 / 20000))
    groups = saved.table("groups")
    assert groups["share"].sum() == pytest.approx(1.0)
    assert groups["gain"].to_numpy() == pytest.approx((groups["drug"] - groups["control"]).to_numpy())
    found = saved.table("differences")
    every = saved.table("characteristics").set_index(["design", "measure"])["estimate"]
    for row in found.itertuples():
        assert row.estimate == pytest.approx(every[(row.design, row.measure)] - every[(row.reference, row.measure)], abs=1e-9)
    trials = saved.table("replicates")
    assert (trials.groupby("design").size() == 2000).all()
    best = saved.summary["results"]["recommended_dose_finding"]
    assert best["design"] == "crm" and best["probability"] == pytest.approx(1.0)


def test_the_page_says_that_no_disease_was_modelled(textbook):
    _, folder = textbook
    html = (folder / "report.html").read_text(encoding="utf-8")
    assert "drawn from stated probabilities" in html and "everolimus 10" not in html
    assert "numerical error" not in html


def test_an_interrupted_run_goes_on_to_the_same_result(textbook, tmp_path, monkeypatch):
    _, whole = textbook
    play, calls = module.benefit.play, []

    def breaks(*given):
        calls.append(1)
        if len(calls) == 15:  # within the second design
            raise KeyboardInterrupt
        return play(*given)

    monkeypatch.setattr(module.benefit, "play", breaks)
    with pytest.raises(KeyboardInterrupt):
        run(compose("textbook_designs", SMALL), tmp_path / "broken")
    monkeypatch.setattr(module.benefit, "play", play)
    run(compose("textbook_designs", SMALL | {"resume": True}), tmp_path / "broken")
    for name in TABLES:
        assert (tmp_path / "broken" / f"{name}.parquet").read_bytes() == (whole / f"{name}.parquet").read_bytes(), name
    assert json.loads((tmp_path / "broken" / "summary.json").read_text()) == json.loads((whole / "summary.json").read_text())


def test_block_size_changes_nothing(textbook, tmp_path):
    _, whole = textbook
    run(compose("textbook_designs", SMALL | {"compute.block": 3000}), tmp_path / "blocks")
    for name in TABLES:
        assert (tmp_path / "blocks" / f"{name}.parquet").read_bytes() == (whole / f"{name}.parquet").read_bytes(), name


def test_too_few_eligible_patients_are_told_before_anything_is_simulated(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "_dose_finding", None)
    rare = {"analysis.outcomes.groups.everyone.marker": False, "designs.single_stage.eligible": "marker_positive"}
    with pytest.raises(ConfigError, match="analysis.most_screened = 410 .* needs 25 patients"):
        run(compose("textbook_designs", SMALL | rare | {"analysis.most_screened": 410}), tmp_path / "run")


@pytest.mark.slow
def test_on_the_mechanism_with_assurance(tmp_path):
    """All that the shipped experiment does, with fewer patients: checks passed, designs played, a page with all chapters."""
    small = {"cohort.size": 4200, "analysis.batches": 5, "analysis.replicates": 100, "compute.progress": "off"}
    small |= {"analysis.assurance.draws": 2, "analysis.assurance.patients": 900, "analysis.assurance.replicates": 20}
    config = compose("compare_designs", small)
    summary = run(config, tmp_path / "run")
    assert summary["diagnostics"]["ok"], summary["diagnostics"]
    saved = load_run(tmp_path / "run")
    assert set(saved.table("replicates")["design"]) == set(config.designs)
    assert set(saved.table("assurance")["draw"]) == {0, 1}
    assert saved.table("doses")["rate"].is_monotonic_increasing
    html = (tmp_path / "run" / "report.html").read_text(encoding="utf-8")
    assert "Which dose" in html and "In whom it works" in html and 'id="assurance"' in html
