"""Published arms behind a prediction: by tumour type and partner drug, of the studies that were fitted."""

from trialsim.evidence.likeness import Asked
from trialsim.evidence.load import load_efficacy
from trialsim.evidence.related import apart, beside_a_rapalog, by_alteration, related

BREAST = Asked("everolimus", 10.0, "mg", "daily", ("exemestane",), ("breast_hr",), {}, "adult")


def test_the_most_alike_arm_comes_first_and_says_what_it_shares():
    found = related(BREAST, {"BOLERO2", "HORIZON", "RADIANT3"})
    first = found.iloc[0]
    assert (first.study, first.arm, first.shares) == ("BOLERO2", "everolimus_exemestane", "tumour type, exemestane, everolimus")
    assert set(found.study) == {"BOLERO2", "HORIZON"}  # RADIANT3 shares the rapalog alone
    assert found.loc[found.study == "HORIZON", "shares"].eq("tumour type").all()
    assert first.median_pfs_months == 7.8 and first.source_url


def test_studies_that_were_not_fitted_do_not_count():
    assert related(BREAST, {"RADIANT3"}).empty and related(BREAST, set()).columns[0] == "study"


def test_arms_that_had_a_partner_beside_a_rapalog_are_found_also_where_they_were_not_fitted():
    found = beside_a_rapalog("trametinib")
    assert list(found["study"]) == ["TOLCHER15", "TOLCHER15"] and set(found["drug"]) == {"everolimus"}
    assert found.set_index("arm").loc["pancreatic", ["n", "orr_percent"]].tolist() == [21, 5]
    assert "letrozole" not in set(beside_a_rapalog("letrozole")["drug"])  # the control of HORIZON
    assert beside_a_rapalog("capivasertib").empty


def test_what_no_arm_had_together_is_said():
    every = set(load_efficacy()["trial_id"])
    told = lambda **changed: apart(BREAST._replace(**changed), every)
    assert told() == []  # BOLERO-2
    assert told(partners=("octreotide",)) == ["everolimus with octreotide in these tumours"]
    assert told(selection={"pik3ca": True}) == ["patients chosen by PIK3CA in these tumours"]
    assert told(tumour_types=("breast_her2",), partners=(), selection={"pik3ca": True, "pten_loss": False}) == []  # ANDRE16
    assert told(tumour_types=("mesothelioma",), partners=()) == ["everolimus in these tumours"]
    mixed = ("mesothelioma", "bone_sarcoma")  # as phase I trials in solid tumours of any kind have them
    assert told(tumour_types=mixed, partners=()) == []
    children = told(tumour_types=("neuroblastoma",), partners=("letrozole",), age_group="paediatric")
    assert children == ["everolimus in these tumours of children"]
    assert apart(BREAST._replace(drug="ridaforolimus", partners=("mk2206",)), {"GUPTA15"}) == []
    assert apart(BREAST, {"HORIZON"}) == ["everolimus in these tumours"]


def test_arms_in_her2_positive_cancer_are_not_of_the_hormone_dependent_type():
    assert related(BREAST, {"ANDRE16"}).empty
    assert set(related(BREAST._replace(tumour_types=("breast_her2",)), {"ANDRE16"})["shares"]) >= {"tumour type, everolimus"}


def test_findings_by_alteration_are_those_of_the_drug_and_the_genes_each_once():
    found = by_alteration("everolimus", ["pik3ca", "pten_loss"]).set_index(["study", "status"])
    assert found.loc[("ANDRE16", "mutant"), ["n", "finding"]].tolist() == [166, "PFS HR 0.67 (0.45-1.00) against placebo"]
    assert "independent of each gene" in found.loc[("HORTOBAGYI16", "any"), "finding"]
    assert list(found.loc["VOSS18"].index) == ["lost v retained"]  # three rows of one finding, and none of TSC
    assert found.loc[("KIM17", "PIK3CA amplified or mutant and/or PTEN lost"), "finding"].startswith("0 of 10 responded; 4 of 10")
    assert set(by_alteration("temsirolimus", ["pten_loss"])["study"]) == {"OZA11", "ROLDAN19"}
    assert by_alteration("everolimus", []).empty
