"""Attribution of non-response: recovery of a known cause, and the whole run from settings to page."""

import numpy as np
import pandas as pd
import pytest
from settings_of import settings_of

import trialsim.analyses.escape_routes as module
from trialsim import compose, load_run, run
from trialsim.analyses.attribution import members
from trialsim.mechanism.routes import Routes
from trialsim.schema import ConfigError
from trialsim.schema.faults import flatten

TINY = {"cohort.size": 24, "compute.solver_check_patients": 0, "compute.progress": "off", "analysis.bootstrap": 200}
ROUTES = Routes._fields
CAUSES = ((), ("bypass",), ("feedback", "bypass"), ("partial_4EBP1", "adaptation", "bypass"))  # by patient_id % 5; 4: nothing helps
TITLE = "<script>alert(1)</script> & escape"


def tables(patients, routes):
    """Twins of known cause, as the simulation gives them: a patient responds once all routes of the patient's cause are cut."""
    held, ids = members(len(routes)), patients["patient_id"].to_numpy()
    names = [module.named(row, routes) for row in held]
    reached = np.array([
        [i % 5 < 4 and all(held[s, routes.index(name)] for name in CAUSES[i % 5]) for s in range(len(held))] for i in ids
    ])  # fmt: skip
    best = np.where(reached, -0.5, 0.4 - 0.02 * held.sum(axis=1))
    key = {"patient_id": np.repeat(ids, len(held)), "cut": np.tile(names, len(ids))}
    columns = {"best_change": best, "final_change": best + 0.1} | dict.fromkeys(module.OUTCOMES, reached)
    twins = pd.DataFrame(key | {name: value.ravel() for name, value in columns.items()}).assign(integration_ok=True)
    shown = np.tile(np.isin(held.sum(axis=1), (0, 1, len(routes))), len(ids))
    markers = {name: np.where(np.repeat(ids, len(held)) % 2, 0.5, 1.5) for name in module.MARKERS}
    seen = pd.DataFrame(key | {"week_1": 0.5 * best.ravel(), "week_2": best.ravel()} | markers)[shown]
    return {"who": patients.assign(dependence=0.1 + 0.8 * (ids % 7) / 7), "twins": twins, "seen": seen}


@pytest.fixture
def simulated(monkeypatch):
    """The simulation replaced by patients of known cause; the first patient of each block that was asked for."""
    asked = []

    def block(config, patients, routes):
        asked.append(int(patients["patient_id"].iloc[0]))
        return tables(patients, routes)

    monkeypatch.setattr(module, "_block", block)
    return asked


@pytest.fixture(scope="module")
def config():
    return compose("escape_routes", TINY | {"study.title": TITLE})


@pytest.fixture(scope="module")
def attributed():
    flags = dict.fromkeys(("pik3ca", "pten_loss", "akt1", "kras", "tsc", "mtor"), False)
    patients = pd.DataFrame({"patient_id": np.arange(50), "tumour_type": ["a", "b"] * 25, "growth_rate_per_day": 0.01} | flags)
    return module.attribute(*tables(patients, ROUTES).values(), ROUTES, 200, 1)


# ---- what is found of a known truth


def test_shares_recover_the_cause_and_add_up(attributed):
    """40 without response, ten of each cause: bypass 1 + 1/2 + 1/3 of three tens, feedback half of one, and so on."""
    table = attributed["attribution"].query("outcome == 'response' and grouping == 'all'").set_index(["measure", "route"])
    assert (table["n"] == 40).all()
    shapley = table.loc["shapley", "estimate"]
    wanted = {"bypass": 11 / 24, "feedback": 1 / 8, "partial_4EBP1": 1 / 12, "adaptation": 1 / 12, "unexplained": 1 / 4}
    for route in (*ROUTES, "unexplained"):
        assert shapley[route] == pytest.approx(wanted.get(route, 0.0)), route
    assert shapley.sum() == pytest.approx(1.0)
    assert table.loc[("alone", "bypass"), "estimate"] == 10 / 40 and table.loc[("alone", "feedback"), "estimate"] == 0
    assert table.loc[("needed", "bypass"), "estimate"] == 30 / 40 and table.loc[("needed", "adaptation"), "estimate"] == 10 / 40
    known = table["low"].notna()
    assert known.all() and (table["low"] <= table["estimate"] + 1e-12).all() and (table["estimate"] <= table["high"] + 1e-12).all()


def test_shares_of_every_group_add_up(attributed):
    table = attributed["attribution"].query("measure == 'shapley' and n > 0")
    assert np.allclose(table.groupby(["outcome", "grouping", "group"])["estimate"].sum(), 1.0)
    whole = table.query("grouping == 'all' and outcome == 'response'")["n"].iloc[0]
    for grouping in ("tumour_type", "genotype", "dependence_third"):
        found = table[(table["outcome"] == "response") & (table["grouping"] == grouping)].drop_duplicates("group")
        assert found["n"].sum() == whole


def test_sets_and_sizes_are_those_of_the_cause(attributed):
    sets = attributed["sets"].query("outcome == 'response'").set_index("cut")["estimate"]
    assert sets.to_dict() == {"bypass": 0.25, "feedback+bypass": 0.25, "partial_4EBP1+adaptation+bypass": 0.25}
    sizes = attributed["sizes"].query("outcome == 'response'").set_index("size")["estimate"]
    assert sizes[[1, 2, 3, -1]].tolist() == [0.25] * 4 and sizes[[4, 5, 6, 7]].sum() == 0


def test_shrinkage_leads_from_all_open_to_all_cut(attributed):
    mean = attributed["shrinkage"].set_index("step")["estimate"]
    assert mean["none"] + mean[list(ROUTES)].sum() == pytest.approx(mean["all"])


def test_a_patient_who_failed_is_counted_and_left_out():
    patients = pd.DataFrame({"patient_id": np.arange(10), "tumour_type": "a", "growth_rate_per_day": 0.01})
    patients = patients.assign(**dict.fromkeys(("pik3ca", "pten_loss", "akt1", "kras", "tsc", "mtor"), False))
    made = tables(patients, ROUTES)
    made["twins"].loc[(made["twins"]["patient_id"] == 3) & (made["twins"]["cut"] == "stroma"), "integration_ok"] = False
    found = module.attribute(*made.values(), ROUTES, 100, 1)
    assert found["patients"]["integration_ok"].sum() == 9 and found["shrinkage"]["n"].eq(9).all()
    assert set(found["twins"]["patient_id"]) == set(range(10)) - {3} == set(found["twins"]["patient_id"])


def test_exceptions_count_tumours_that_a_cut_makes_larger():
    final = np.zeros((3, 4))  # none, a, b, both
    final[:, 1] = [0.2, 0.005, -0.3]
    found = module._exceptions(final, ("a", "b")).set_index("route")
    assert found.loc["a", ["worse", "largest"]].tolist() == [1, pytest.approx(0.2)] and found.loc["b", "worse"] == 0


@pytest.mark.parametrize(
    ("sizes_mm", "expected"),
    [  # at scans 1, 2, 3; baseline 100 mm: (response, disease control, growth arrest), best and final change
        ([90, 70, 80], (True, True, True, -0.3, -0.2)),
        ([90, 71, 80], (False, True, True, -0.29, -0.2)),
        ([69, 83, 101], (True, False, False, -0.31, 0.01)),  # 83 is 20 % and 14 mm above 69
        ([121, 60, 60], (False, False, True, -0.4, -0.4)),  # what comes after progression does not count
        ([110, 119, 119], (False, True, False, 0.1, 0.19)),
    ],
)
def test_outcomes_are_those_of_recist_on_target_lesions(sizes_mm, expected):
    scanned = np.array([True, False, True, True])
    sld = np.array([sizes_mm[0], 1.0, *sizes_mm[1:]])  # what no scan sees does not count either
    found = module.judged(np.float64(100.0), sld, scanned)
    told = (found.response, found.disease_control, found.growth_arrest, found.best_change, found.final_change)
    assert tuple(np.asarray(value).item() for value in told) == pytest.approx(expected)


def test_genotype_is_the_first_class_that_fits():
    columns = ("pik3ca", "pten_loss", "akt1", "kras", "tsc", "mtor")
    found = {"kras_and_pathway": ("kras", "pten_loss"), "kras": ("kras",), "tsc_or_mtor": ("mtor", "pik3ca"), "pi3k": ("akt1",)}
    who = pd.DataFrame([{name: name in has for name in columns} | {"dependence": 0.1} for has in (*found.values(), ())])
    assert module.described(who)["genotype"].tolist() == [*found, "wild_type"]
    assert module.described(who)["dependence_third"].value_counts().max() <= 2


# ---- settings


@pytest.mark.parametrize(
    ("changes", "key", "allowed"),
    [
        ({"analysis.weeks": 2}, "analysis.weeks", "at least 4"),
        ({"analysis.weeks": 6}, "analysis.weeks", "endpoint.scan_interval_weeks, 8"),
        ({"analysis.weeks": 60, "regimen.max_treatment_days": 200}, "analysis.weeks", "regimen.max_treatment_days, 29 weeks"),
        ({"analysis.bootstrap": 10}, "analysis.bootstrap", "at least 100"),
        ({"mechanism": "no_escape"}, "mechanism", "two open routes or more"),
        ({"mechanism.feedback": "no"}, "mechanism.feedback", "true or false"),
        ({"+mechanism.feed_back": True}, "mechanism.feed_back", "feedback"),
    ],
)
def test_faults_name_key_and_what_is_allowed(changes, key, allowed):
    with pytest.raises(ConfigError) as caught:
        settings_of("escape_routes", changes)
    assert any(fault.key == key and allowed in fault.allowed for fault in flatten(caught.value)), str(caught.value)


def test_published_facts_are_of_the_full_mechanism():
    with pytest.raises(ConfigError, match="mechanism.bypass"):
        compose("laboratory", {"mechanism.bypass": False})


# ---- the whole run, the simulation replaced


def test_a_run_leaves_tables_figures_and_a_page(simulated, config, tmp_path):
    summary = run(config, tmp_path)
    saved = load_run(tmp_path)
    assert summary["kind"] == "escape_routes" and saved.summary == summary
    n = sum(i % 5 != 0 for i in range(24))
    assert summary["results"]["not_by_one_route"]["n"] == n
    assert summary["results"]["non_response_bypass"]["n"] == n and summary["results"]["response_all_open"]["estimate"] == 5 / 24
    figures = {path.stem for path in (tmp_path / "figures").glob("*.json")}
    drawn = ("waterfall_response", "alone_response", "sizes", "sets_response", "biology", "change", "course", "pathway")
    assert {f"escape_{name}" for name in drawn} <= figures
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert all(f'data-figure="{key}"' in page for key in figures)
    assert "alert(1)</script>" not in page and "&lt;script&gt;alert(1)" in page
    for chapter in ("summary", "shares", "together", "who", "tumours", "methods", "assumptions"):
        assert f'<section id="{chapter}">' in page
    assert "mechanism.feedback" in page and "Checks passed: all 24 patients" in page


def test_where_blocks_of_patients_end_changes_nothing(simulated, config):
    small = config.model_copy(update={"compute": config.compute.model_copy(update={"block": 1024})})  # 8 patients x 128
    first = module.run(small, module.Steps(mode="off"))
    assert simulated == [0, 8, 16]
    second = module.run(config, module.Steps(mode="off"))
    assert first.results == second.results
    for name, table in first.tables.items():
        pd.testing.assert_frame_equal(table, second.tables[name])


def test_a_route_that_the_study_lacks_is_no_part_of_the_attribution(simulated, tmp_path):
    summary = run(compose("escape_routes", TINY | {"mechanism": "no_stroma"}), tmp_path)
    assert summary["results"]["routes"] == [name for name in ROUTES if name != "stroma"]
    assert "no part of the attribution: stroma" in (tmp_path / "report.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_a_page_where_nobody_or_everybody_responds(monkeypatch, config, tmp_path, share):
    def block(config, patients, routes):
        made = tables(patients, routes)
        made["twins"][list(module.OUTCOMES)] = bool(share)
        return made

    monkeypatch.setattr(module, "_block", block)
    assert run(config, tmp_path)["results"]["response_all_open"]["estimate"] == share
    assert (tmp_path / "report.html").is_file()


@pytest.mark.slow
def test_twins_without_a_route_are_the_same_patients_with_a_smaller_tumour(tmp_path):
    """The simulation itself: markers that a switch holds, shares that add up, and no median made worse by a cut."""
    found = module.run(compose("escape_routes", TINY | {"cohort.size": 40}), module.Steps(mode="off"))
    assert not found.faults
    pathway = found.tables["pathway"].set_index(["cut", "measure"])
    assert pathway.loc[("feedback", "pakt"), "high_90"] <= 1.001 and pathway.loc[("feedback", "perk"), "high_90"] <= 1.001
    assert pathway.loc[("autophagy", "autophagy"), ["low_90", "high_90"]].tolist() == pytest.approx([1.0, 1.0])
    assert pathway.loc[("partial_4EBP1", "p4ebp1"), "median"] < pathway.loc[("none", "p4ebp1"), "median"]
    last = found.tables["course"].query("week == 24").set_index("cut")["median"]
    assert (last <= last["none"] + 1e-6).all()
    shares = found.tables["attribution"].query("grouping == 'all' and measure == 'shapley' and n > 0")
    assert np.allclose(shares.groupby("outcome")["estimate"].sum(), 1.0)
