"""What the two studies report, read from the tables by rules that work for every arm."""

import numpy as np
import pytest
from scipy import stats

from trialsim.evidence import drugs_given_alone, load_efficacy, monotherapy_counts, named_arm, published_endpoints
from trialsim.evidence.intervals import clopper_pearson, count_from_percent, counts_from_interval, split_interval
from trialsim.evidence.tumour_types import project_name
from trialsim.schema import ConfigError


def by_name(trial, arm=None):
    return {endpoint.name: endpoint for endpoint in published_endpoints(trial, arm)}


def test_published_cpct03():
    found = by_name("CPCT03")
    assert set(found) == {"orr", "dcr", "clinical_benefit_rate"}, "PFS, OS and toxicity were not seen and must be absent"
    assert found["orr"].value == 1 / 59 and found["dcr"].value == 36 / 59 and found["clinical_benefit_rate"].value == 21 / 59
    assert all(endpoint.n == 59 and "Clopper-Pearson" in endpoint.definition for endpoint in found.values())
    assert "TTP ratio <0.7" in found["clinical_benefit_rate"].definition
    assert "43 of 59 had a ratio" in found["clinical_benefit_rate"].definition
    # limits from R: binom.test(1, 59), binom.test(36, 59)
    np.testing.assert_allclose([found["orr"].low, found["orr"].high], [0.000429, 0.090856], atol=1e-6)
    np.testing.assert_allclose([found["dcr"].low, found["dcr"].high], [0.474379, 0.734509], atol=1e-6)


def test_published_fouladi07():
    found = by_name("FOULADI07")
    assert found["orr"].value == 0 and found["orr"].n == 18 and "18 of 26" in found["orr"].definition
    dlts = {name: endpoint.value for name, endpoint in found.items() if name.startswith("dlt")}
    assert dlts == {"dlt_count_6.5mg/m2": 3, "dlt_count_5mg/m2": 0, "dlt_count_3mg/m2": 0, "dlt_count_2.1mg/m2": 0}
    assert all("implied" in found[f"dlt_count_{dose}mg/m2"].definition for dose in ("5", "3", "2.1"))
    assert "implied" not in found["dlt_count_6.5mg/m2"].definition
    assert found["dlt_count_6.5mg/m2"].low is None, "patients by level were not seen, so there is no interval"
    assert found["mtd"].value == 5 and "mg/m2" in found["mtd"].definition
    assert not {"dcr", "clinical_benefit_rate", "median_pfs_months"} & set(found)


@pytest.mark.parametrize(("trial", "arm"), list(load_efficacy()[["trial_id", "arm_id"]].itertuples(index=False, name=None)))
def test_rules_hold_for_every_arm(trial, arm):
    endpoints = published_endpoints(trial, arm)
    assert len({endpoint.name for endpoint in endpoints}) == len(endpoints)
    for endpoint in endpoints:
        assert endpoint.definition and "http" in endpoint.source
        if (
            endpoint.name in ("orr", "dcr", "clinical_benefit_rate")
            or endpoint.name.endswith("_months")
            and "fs_" in endpoint.name[:4]
        ):
            assert 0 <= endpoint.value <= 1 or endpoint.name.startswith("median")
        if endpoint.low is not None and endpoint.high is not None:
            assert endpoint.low - 0.005 <= endpoint.value <= endpoint.high + 0.005, endpoint


def test_an_interval_of_another_level_or_analysis_is_not_taken():
    barnes = by_name("BARNES13")["orr"]  # 9/24, 21-56 (90%)
    np.testing.assert_allclose([barnes.low, barnes.high], clopper_pearson(9, 24))
    assert by_name("RECORD1", "placebo")["median_pfs_months"].low is None  # 1.8-1.9 (interim)


def test_not_estimable_upper_limit():
    survival = by_name("LENVA_NCCRCC21")["median_os_months"]
    assert survival.value == 15.6 and survival.low == 9.2 and survival.high is None


def test_time_to_progression_is_not_called_pfs():
    assert "median_ttp_months" in by_name("EVOLVE1", "everolimus") and "median_pfs_months" not in by_name("EVOLVE1", "everolimus")
    assert "efs_6_months" in by_name("ARST0921", "temsirolimus_VC")


@pytest.mark.parametrize(("trial", "arm"), [("CPCT3", None), ("RADIANT3", None), ("RADIANT3", "sirolimus")])
def test_unknown_or_ambiguous_study_is_refused(trial, arm):
    with pytest.raises(ConfigError):
        published_endpoints(trial, arm)


@pytest.mark.parametrize(("name", "told"), [
    ("CPCT3", "did you mean 'CPCT03'?"), ("bolero2/placebo", "'BOLERO2'"), ("RADIENT3", "did you mean 'RADIANT3'"),
    ("RADIANT3/everolimuss", "did you mean 'everolimus'?"), ("RADIANT3", "RADIANT3/ARM: everolimus, placebo"),
])  # fmt: skip
def test_a_misspelt_study_is_told_its_neighbours_and_not_the_whole_list(name, told):
    with pytest.raises(ConfigError) as error:
        named_arm(name, "published")
    assert (error.value.key, error.value.value) == ("published", name) and told in error.value.allowed
    named = [trial for trial in set(load_efficacy()["trial_id"]) if trial in error.value.allowed]
    assert len(named) <= 4


def test_a_study_like_no_other_is_told_where_all_are_listed():
    with pytest.raises(ConfigError) as error:
        named_arm("QQQQQQQQ")
    assert error.value.allowed == "a study of the evidence tables; `trialsim evidence` lists them all"


@pytest.mark.parametrize(("events", "n"), [(0, 18), (1, 59), (36, 59), (21, 59), (59, 59)])
def test_clopper_pearson_against_its_definition(events, n):
    low, high = clopper_pearson(events, n)
    if events:
        assert stats.binom.sf(events - 1, n, low) == pytest.approx(0.025)
    if events < n:
        assert stats.binom.cdf(events, n, high) == pytest.approx(0.025)
    assert (low == 0) == (events == 0) and (high == 1) == (events == n)


def test_counts_behind_percentages():
    assert count_from_percent(2.2, 362, 0.05) == 8 and count_from_percent(56.0, 53, 0.05) is None
    assert count_from_percent(50, 400, 0.5) is None, "several counts fit a coarse percentage of a large trial"
    assert counts_from_interval("12", "3.4", "28.2") == (4, 33)
    assert counts_from_interval("56.0", "41.3", "70.0") == (28, 50)
    assert split_interval("21-56 (90%)") == ("21", "56", "90%") and split_interval("wide") is None


def test_monotherapy_counts():
    frame = monotherapy_counts().set_index("trial_id")
    assert frame.loc["CPCT03", ["n", "responders", "disease_control"]].tolist() == [59, 1, 36]
    assert frame.loc["FOULADI07", "n"] == 18 and frame.loc["FOULADI07", "age_group"] == "paediatric"
    assert frame.loc["NG13", "tumour_type"] == "colorectal" and frame.loc["EVOLVE1", "tumour_type"] == "hcc"
    assert (frame["responders"] <= frame["n"]).all() and (frame["responders"] <= frame["disease_control"]).dropna().all()
    assert frame.loc["RECORD1", ["n", "responders"]].tolist() == [277, 5], "1.8 % of all enrolled"
    assert not {"KRUEGER10", "EXIST1", "EXIST2", "HAAS19"} & set(frame.index), "volume criteria, combination"
    assert not {"ELLARD09"} & set(frame.index) and "ELLARD09" in set(monotherapy_counts(recovered=True)["trial_id"])


def test_monotherapy_of_an_unknown_drug_names_the_known_ones():
    with pytest.raises(ConfigError, match="temsirolimus"):
        monotherapy_counts("aspirin")
    assert "ridaforolimus" in drugs_given_alone() and "sirolimus" not in drugs_given_alone(), "sirolimus: validation only"


def test_every_published_tumour_type_has_a_project_name():
    table = load_efficacy()
    names = {project_name(kind, marker) for kind, marker in zip(table["tumour_type"], table["biomarker_selection"], strict=True)}
    assert all(name == name.lower() and " " not in name for name in names)
    with pytest.raises(ConfigError, match="colorectal"):
        project_name("colon")
