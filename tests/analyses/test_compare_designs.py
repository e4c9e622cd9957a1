"""The comparison of designs, from settings to page: on stated probabilities against exact values, and on the mechanism."""

import json

import numpy as np
import pytest
from scipy import stats

import trialsim.analyses.compare_designs as module
from trialsim import ConfigError, compose, load_run, run
from trialsim.designs.escalation.three_plus_three import mtd_probabilities
from trialsim.designs.randomised.from_settings import trial_of
from trialsim.designs.randomised.sizes import schoenfeld_power
from trialsim.designs.single_arm.binomial import positive_probability
from trialsim.designs.single_arm.from_settings import looks_of

SMALL = {"cohort.size": 20000, "analysis.replicates": 2000, "analysis.batches": 10, "compute.progress": "off"}
SMALL |= {"designs.three_plus_three.deescalate": False}  # whose MTD has exact probabilities in closed form
TOLD = ["estimate", "low", "high", "error", "n"]
TABLES = {  # and their columns
    "characteristics": ["question", "design", "measure", *TOLD],
    "differences": ["question", "design", "reference", "measure", *TOLD],
    "doses": ["level", "dose", "rate", "n"],
    "groups": ["tumour_type", "marker", "n", "share", "drug", "control", "gain"],
    "replicates": ["question", "design", "batch"],  # with what `play` documents
}


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


def test_3_plus_3_chooses_each_dose_as_often_as_it_must(textbook):
    """Storer, Biometrics 1989;45:925-937. The two levels that fewer than one trial in fifty chooses are left out."""
    config, folder = textbook
    trials = load_run(folder).table("replicates").query("design == 'three_plus_three'")
    exact = mtd_probabilities(np.array(config.analysis.outcomes.dlt_rates))
    for level in range(5):
        chosen = (trials["mtd"] == level).groupby(trials["batch"]).mean()
        assert agrees(chosen.mean(), chosen.sem(), exact[level + 1]), level


def test_type_one_error_and_power_of_a_randomised_trial(textbook):
    """Slack: in 80,000 trials of fresh patients, 1:2, at 295 events, the log-rank test errs in 0.0272 and has power 0.916, where
    theory has 0.025 and 0.907."""
    config, folder = textbook
    design = config.designs["randomised_fixed"]
    power = float(schoenfeld_power(np.log(4 / 6), trial_of(design).events[-1], design.alpha, ratio=2.0))
    assert agrees(*measure(folder, "randomised_fixed", "declared"), power, slack=0.01), "the formula is good to a point of power"
    assert agrees(*measure(folder, "randomised_fixed", "declared_without_effect"), design.alpha, slack=0.003)


def test_the_tables_are_those_documented(textbook):
    _, folder = textbook
    saved = load_run(folder)
    for name, columns in TABLES.items():
        assert name in saved.summary["tables"] and set(columns) <= set(saved.table(name)), name
        assert name == "replicates" or set(columns) == set(saved.table(name)), name
    rates = saved.table("doses")
    assert list(rates["dose"]) == [5, 10, 20, 40, 80, 160]
    assert list(rates["rate"]) == [0.02, 0.06, 0.12, 0.25, 0.4, 0.55], "as stated, not as sampled"
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
    assert "Nobody drops out" in html, "the table of settings lists rates of withdrawal"


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


@pytest.mark.slow
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


def played(folder, *overrides):
    """Results of a small run of designs added to a study without any."""
    off = [f"~designs.{name}" for name in compose("textbook_designs").designs]
    small = ["cohort.size=20000", "analysis.replicates=200", "analysis.batches=10", "compute.progress=off"]
    run(compose("textbook_designs", [*off, *small, *overrides]), folder)
    return load_run(folder)


def test_the_dose_that_won_is_the_one_that_future_patients_get(tmp_path):
    """The dose of the regimen does nothing, half of it does: a trial that finds it is worth its gain."""
    rates = "{control:0.1,drug:0.1,dose_5:0.6}"
    months, alive = "{control:4,drug:4,dose_5:4}", "{control:12,drug:12,dose_5:12}"
    group = "analysis.outcomes.groups.everyone"
    stated = f"response:{rates},median_pfs_months:{months},median_os_months:{alive}"
    saved = played(
        tmp_path / "run",
        "+design@designs.winner=select_the_winner",
        "designs.winner.outcome=response",
        f"~{group}",
        f"+{group}={{tumour_type:any,marker:true,share:1,{stated}}}",
    )
    trials = saved.table("replicates")
    assert trials["declared"].mean() > 0.95
    assert trials.loc[trials["declared"] == 1, "net_benefit"].to_numpy() == pytest.approx(100 * (0.5 - 0.1), abs=1.5)


def test_nothing_is_recommended_that_does_more_harm_than_good(tmp_path):
    saved = played(tmp_path / "run", "+design@designs.one=randomised_fixed", "analysis.benefit.worthwhile=0.5")
    assert saved.summary["results"]["recommended_benefit"]["estimate"] < 0
    html = (tmp_path / "run" / "report.html").read_text(encoding="utf-8")
    assert "None: treating nobody is better than following any of them" in html


@pytest.mark.parametrize(("rates", "best"), [("[1,1,1,1,1,1]", None), ("[0,0,0,0,0,0]", 160.0)])
def test_where_no_dose_is_near_the_target_the_best_level_decides(tmp_path, rates, best):
    """All too toxic: rightly none is chosen. None toxic at all: the highest."""
    designs = ["+design@designs.a=boin", "+design@designs.b=three_plus_three"]
    levels = [f"designs.{name}.dose_levels=[5,10,20,40,80,160]" for name in "ab"]
    saved = played(tmp_path / "run", *designs, *levels, f"analysis.outcomes.dlt_rates={rates}")
    found = saved.summary["results"]
    assert found["right_dose"] == best
    assert found["recommended_dose_finding"]["measure"] == "correct" and found["recommended_dose_finding"]["estimate"] > 0.9
    assert set(saved.table("differences")["reference"]) <= {found["recommended_dose_finding"]["design"]}


UNPLAYABLE = [
    ("group_sequential_spending", ["futility.parameter=40", "crossover_probability=0"], "designs.x.futility.parameter"),
    ("randomised_fixed", ["power=0.999999"], "designs.x.replicate_size"),
    ("simon_optimal", ["beta=1e-9"], "designs.x.max_patients"),
    ("basket_independent", ["efficacy_above=0.3"], "designs.x.efficacy_above"),
    ("historical_control", ["history.drug=nothing"], "designs.x.history.drug"),
]


@pytest.mark.parametrize(("kind", "changed", "key"), UNPLAYABLE)
def test_a_design_that_cannot_be_made_is_told_by_its_name(tmp_path, kind, changed, key):
    group = "analysis.outcomes.groups.everyone"
    words = [f"+design@designs.x={kind}", *(f"designs.x.{change}" for change in changed)]
    if kind == "historical_control":
        words += [f"+{group}.{table}.alone={value}" for table, value in
                  (("response", 0.1), ("median_pfs_months", 4), ("median_os_months", 12))]  # fmt: skip
    if kind == "basket_independent":
        words += [f"~designs.x.baskets.{name}" for name in ("breast_hr", "endometrial", "pancreatic_net", "rcc_clear_cell")]
        words += [f"{group}.tumour_type=urothelial"]
    with pytest.raises(ConfigError) as caught:
        played(tmp_path / "run", *words)
    assert caught.value.key == key, caught.value


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
