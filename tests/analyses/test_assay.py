"""The assay as an analysis: settings, published facts, and the whole run from settings to page."""

import numpy as np
import pandas as pd
import pytest

from trialsim import analyse, compose, load_run, run
from trialsim.analyses.laboratory_facts import measured, sought_facts
from trialsim.evidence.laboratory import load_laboratory
from trialsim.schema import ConfigError
from trialsim.schema.analysis.assay import Expectation
from trialsim.schema.faults import flatten

EXPERIMENTS = ["assay_burkitt", "assay_hepatocytes", "assay_pancreas", "assay_genotypes"]
TITLE = "<script>alert(1)</script> & plates"
TINY = [
    "cell_line=[ca46,raji]", "~analysis.treatments.mk2206", "analysis.treatments.rapamycin.doses_nM=[0.1,1,30,100]",
    "analysis.treatments.dactolisib.doses_nM=[1,10,100]", "analysis.replicates=2", "compute.progress=off",
]  # fmt: skip
COURSES = [f"course_{band}" for band in ("s6", "s473", "bp", "t308")]
BANDS = [f"bands_{band}" for band in ("t308", "s473", "s6k", "s6", "bp", "erk")]


@pytest.fixture(scope="module")
def config():
    return compose("assay_burkitt", TINY)


@pytest.fixture(scope="module")
def found(config):
    return analyse(config)


# ---- settings


RAPAMYCIN, MK2206 = "analysis.treatments.rapamycin", "analysis.compounds.mk2206.inhibits"
WRONG_VALUES = {  # change: key, what is allowed
    "+analysis.replicate=2": ("analysis.replicate", "did you mean 'replicates'"),
    f"{RAPAMYCIN}.doses_nM=[0]": (f"{RAPAMYCIN}.doses_nM", "at least 2"),
    "analysis.treatments.dactolisib.doses_nM=[0,30]": ("analysis.treatments.dactolisib.doses_nM.0", "greater than 0"),
    f"+{MK2206}.S6K={{IC50_nM:1,hill:1,max:1,source:x}}": (f"{MK2206}.S6K", "one of 'PI3K'"),
    "analysis.blot.bands=[S7]": ("analysis.blot.bands.0", "one of 'IRS1'"),
    "analysis.plate.edge=maybe": ("analysis.plate.edge", "'avoid' or 'use'"),
    "analysis.instrument.edge_loss=[0.1,0.2,1.0]": ("analysis.instrument.edge_loss.2", "less than 1"),
    "~analysis.instrument.sources.band_cv": ("analysis.instrument.sources", "missing: band_cv"),
}
WRONG_TOGETHER = {
    f"{RAPAMYCIN}.drug=rapalogue": (f"{RAPAMYCIN}.drug", "did you mean 'rapalog'"),
    f"+{RAPAMYCIN}.beside.torin=5": (f"{RAPAMYCIN}.beside.torin", "one of rapalog, mk2206"),
    f"{RAPAMYCIN}.doses_nM=[3,1,30]": (f"{RAPAMYCIN}.doses_nM", "strictly increasing"),
    f"{RAPAMYCIN}.sampled_nM=[20]": (f"{RAPAMYCIN}.sampled_nM", "one of doses_nM"),
    "+analysis.treatments.mk2206.beside.mk2206=5": ("analysis.treatments.mk2206.beside.mk2206", "another drug"),
    f"{MK2206}.AKT_allosteric.max=2": (f"{MK2206}.AKT_allosteric.max", "at most 1"),
    f"+{MK2206}.supply={{IC50_nM:1,hill:1,max:0.5,source:x}}": (f"{MK2206}.supply", "no vessels"),
    "+partner=[bevacizumab]": ("partner", "takes away the vessels"),
    "analysis.blot.shown_h=25": ("analysis.blot.shown_h", "one of analysis.blot.hours"),
    "analysis.blot.hours=[24,4]": ("analysis.blot.hours", "ascending"),
    "culture.pulse_h=6": ("culture.pulse_h", "culture.G2M_h = 4 h"),
    "cell_line=[]": ("cell_line", "at least one line"),
}


@pytest.mark.parametrize("wrong", [WRONG_VALUES, WRONG_TOGETHER], ids=["values", "together"])
def test_faults_name_key_and_what_is_allowed(wrong):
    with pytest.raises(ConfigError) as caught:
        compose("assay_burkitt", list(wrong))
    told = {fault.key: fault.allowed for fault in flatten(caught.value)}
    for key, allowed in wrong.values():
        assert allowed in told.get(key, "not told"), f"{key}: {told.get(key)}"


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_every_shipped_experiment_measures_the_facts_that_it_names(name):
    config = compose(name)
    shown, not_shown = sought_facts(config.analysis, config.cell_line)
    assert not not_shown and [fact.fact_id for fact in shown] == list(config.analysis.expected)


# ---- published facts


def test_an_unknown_fact_is_told_and_one_of_another_line_left_out(config):
    shown, not_shown = sought_facts(config.analysis, config.cell_line)
    assert not_shown == {"pptp_burkitt_ic50": "no line ramos", "dg75_pathway_block": "no line dg75"}
    assert len(shown) == len(config.analysis.expected) - 2
    misspelt = config.analysis.model_copy(update={"expected": {"gcsi_burkit_ec50": config.analysis.expected["gcsi_burkitt_ec50"]}})
    with pytest.raises(ConfigError, match="did you mean 'gcsi_burkitt_ec50'"):
        sought_facts(misspelt, config.cell_line)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"measure": "IRS1"}, "no band IRS1"),
        ({"hours": 5.0}, "no blot at 5 h"),
        ({"at": {"line": "ca46", "treatment": "rapamycin", "dose_nM": 1.0}}, "no S6 at 1.0 nM rapamycin"),
        ({"at": {"line": "ca46", "treatment": "torin", "dose_nM": 1.0}}, "no treatment torin"),
        ({"over": {"line": "dg75", "treatment": "vehicle"}}, "no line dg75"),
        ({"measure": "viability", "at": {"line": "ca46", "treatment": "rapamycin", "dose_nM": 1.0}}, ""),
        ({"measure": "GR50", "at": {"line": "ca46", "treatment": "rapamycin"}}, ""),
        ({"at": {"line": "ca46", "treatment": "vehicle"}}, ""),
    ],
)
def test_what_is_not_measured_is_said_in_words(config, changes, why):
    sought = {"measure": "S6", "at": {"line": "ca46", "treatment": "rapamycin", "dose_nM": 30.0}} | changes
    assert config.analysis.unmeasured(Expectation(**sought), config.cell_line) == why


def test_a_fact_is_the_geometric_mean_of_the_replicates_with_its_interval(config, found):
    fact = load_laboratory()[0]
    at = {"line": "ca46", "treatment": "rapamycin", "dose_nM": 30.0}
    row = measured(fact, Expectation(measure="S6", at=at), found.tables, config.analysis)
    blots = found.tables["blots"]
    folds = blots[
        (blots["line"] == "ca46") & (blots["treatment"] == "rapamycin") & (blots["band"] == "S6") & (blots["hours"] == 24)
    ]
    assert row["estimate"] == pytest.approx(np.exp(np.log(folds["fold"]).mean())) and row["n"] == 2
    assert row["low_95"] < row["estimate"] < row["high_95"] and row["inside"] == fact.holds(row["estimate"])
    ratio = measured(fact, Expectation(measure="S6", at=at, over=at), found.tables, config.analysis)
    assert ratio["estimate"] == pytest.approx(1.0) and ratio["over_line"] == "ca46"


# ---- the whole run


def test_a_lines_results_do_not_depend_on_the_company_it_keeps(config, found):
    alone = analyse(compose("assay_burkitt", [*TINY[1:], "cell_line=[ca46]", "analysis.panel=2"]))
    for name in ("wells", "stains", "counts", "fits"):
        pick = lambda table: table[table["line"] == "ca46"].reset_index(drop=True)
        one, two = pick(alone.tables[name]), pick(found.tables[name])
        assert len(one)
        if name == "stains":  # LC3-II is in units of the first line, which is the same here
            assert (one["stain"] == two["stain"]).all()
        pd.testing.assert_frame_equal(one, two)
    assert set(alone.tables["wells"]["line"]) == {"ca46", "virtual_0", "virtual_1"}
    assert set(alone.tables["states"]["line"]) == {"ca46"}


def test_uneven_plates_are_a_fault(config):
    rough = config.model_copy(update={"analysis": config.analysis.model_copy(update={
        "instrument": config.analysis.instrument.model_copy(update={"seeding_cv": 0.6})
    })})  # fmt: skip
    assert any("vehicle wells vary by more than 20 %" in fault for fault in analyse(rough).faults)


def test_a_run_leaves_tables_figures_and_a_page(tmp_path):
    summary = run(compose("assay_burkitt", [*TINY, "analysis.panel=3", f"study.title='{TITLE}'"]), tmp_path)
    saved = load_run(tmp_path)
    assert summary["kind"] == "assay" and summary["diagnostics"]["ok"]
    assert summary["tables"] == ["lines", "states", "wells", "fits", "blots", "stains", "counts", "expected"]
    assert len(saved.table("lines")) == 5 and len(saved.table("fits")) == 10
    assert summary["results"]["GRmax_dactolisib_raji"]["estimate"] < summary["results"]["GRmax_rapamycin_raji"]["estimate"]
    figures = {path.stem for path in (tmp_path / "figures").glob("*.json")}
    assert figures >= {"facts", "viability_rapamycin", "gr_dactolisib", "forest_gr50", "forest_grmax", "panel_rapamycin", "blot_1",
                       "stain_edu", "stain_annexin_v", "stain_lc3_flux", "growth_ca46", "plate_layout", "plate_light", "basal_s473",
                       *BANDS, *COURSES}  # fmt: skip
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert all(f'data-figure="{key}"' in page for key in figures)
    assert "alert(1)</script>" not in page and "&lt;script&gt;alert(1)" in page
    assert "dg75_pathway_block (no line dg75)" in page and "Checks passed: vehicle wells of all 20 plates" in page
