"""Published arms behind a prediction: by tumour type and partner drug, of the studies that were fitted."""

from trialsim.evidence.likeness import Asked
from trialsim.evidence.related import related

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
