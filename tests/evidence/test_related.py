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


def test_what_studies_that_were_not_fitted_found_of_a_partner_beside_a_rapalog_is_told():
    whole, part = beside_a_rapalog("trametinib", {"BOLERO2"})
    assert whole.startswith("Everolimus with trametinib in solid tumours, mixed: response 7 % of 67; no tolerable dose found")
    assert part == ("Everolimus with trametinib in pancreatic adenocarcinoma: response 5 % of 21, who are part of TOLCHER15/all "
                    "(TOLCHER15).")  # fmt: skip
    assert beside_a_rapalog("trametinib", {"TOLCHER15"}) == [] and beside_a_rapalog("capivasertib", set()) == []
    of_horizon = lambda studies: any("HORIZON" in text for text in beside_a_rapalog("letrozole", studies))
    assert of_horizon(set()) and not of_horizon({"HORIZON"})


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
    assert "HER2-positive" in found.loc[("ANDRE16", "mutant"), "notes"]
    assert "independent of each gene" in found.loc[("HORTOBAGYI16", "any"), "finding"]
    assert found.loc[("HAAS19", "any"), "finding"] == "no correlation"  # of mutations in the PI3K pathway
    assert list(found.loc["VOSS18"].index) == ["lost v retained"]  # three rows of one finding, and none of TSC
    assert set(by_alteration("temsirolimus", ["pten_loss"])["study"]) == {"OZA11", "ROLDAN19"}
    (tsc,) = by_alteration("everolimus", ["tsc"]).query("study == 'KRUEGER10'")["finding"]
    assert tsc == "9 of 28 responded; 21 of 28 >=30% volume; >=50% in 9"
    assert by_alteration("everolimus", []).empty


def test_arms_in_solid_tumours_of_any_kind_are_like_patients_of_their_age_alone():
    asked = BREAST._replace(tumour_types=("colorectal", "pancreatic_adenocarcinoma"), partners=())
    assert related(asked, {"FOULADI07"}).empty and not related(asked._replace(age_group="paediatric"), {"FOULADI07"}).empty
    glioma = BREAST._replace(tumour_types=("low_grade_glioma",), partners=())
    assert apart(glioma, {"POETIC_LGG20"}) == ["everolimus in these tumours of adults"]
