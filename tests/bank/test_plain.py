"""Patients of stated probabilities: the rates, the twins, the marker, and what is refused."""

import numpy as np
import pytest
from settings_of import settings_of

from trialsim.bank import plain
from trialsim.bank.dose_finding import outlook_of, rates
from trialsim.bank.treatments import READ
from trialsim.biomarkers.assay import genes_called
from trialsim.biomarkers.markers import genetic
from trialsim.schema import ConfigError
from trialsim.schema.faults import flatten
from trialsim.simulation import Block

N = 40_000
ALL = Block(0, N)
MONTH = 30.4375
TWO_GROUPS = {
    "positive": {"tumour_type": "any", "marker": True, "share": 0.3, "response": {"control": 0.1, "drug": 0.5},
                 "median_pfs_months": {"control": 4.0, "drug": 8.0}, "median_os_months": {"control": 12.0, "drug": 12.0}},
    "negative": {"tumour_type": "other", "marker": False, "share": 0.7, "response": {"control": 0.1, "drug": 0.1},
                 "median_pfs_months": {"control": 4.0, "drug": 4.0}, "median_os_months": {"control": 12.0, "drug": 12.0}},
}  # fmt: skip


def config(*overrides):
    return settings_of("textbook_designs", overrides)


@pytest.fixture(scope="module")
def two_groups():
    found = config("~analysis.outcomes.groups", "+analysis.outcomes.groups=" + literal(TWO_GROUPS), "~designs.simon_optimal")
    stated = found.analysis.outcomes

    def draw(name, block=ALL, marker="pathway_kras_wt"):
        return plain.patients(found, stated, marker, block, name)["patients"]

    return found, draw


def literal(value) -> str:
    if isinstance(value, dict):
        return "{" + ",".join(f"{key}:{literal(item)}" for key, item in value.items()) + "}"
    return str(value).lower() if isinstance(value, bool) else str(value)


def agrees(found, wanted, n=N):
    """Within four standard errors: a false alarm in 16,000."""
    return abs(found - wanted) < 4.0 * np.sqrt(wanted * (1.0 - wanted) / n)


def test_rates_are_those_stated(two_groups):
    _, draw = two_groups
    drug, control = draw("drug"), draw("control")
    positive = drug["tumour_type"] == "any"
    assert agrees(positive.mean(), 0.3)
    for table, rate in ((drug[positive], 0.5), (drug[~positive], 0.1), (control, 0.1)):
        assert agrees((table["best_response"] == "PR").mean(), rate, len(table))
    for table, median in ((drug[positive], 8.0), (control, 4.0)):
        assert agrees((table["pfs_days"] > median * MONTH).mean(), 0.5, len(table))
        assert agrees((table["pfs_days"] > 2 * median * MONTH).mean(), 0.25, len(table)), "exponential"
    assert (control["pfs_days"] <= control["os_days"]).all() and control["pfs_event"].all()


def test_a_patient_has_the_same_luck_under_every_treatment(two_groups):
    _, draw = two_groups
    drug, control = draw("drug"), draw("control")
    ratio = drug["pfs_days"] / control["pfs_days"]
    assert np.allclose(ratio, np.where(drug["tumour_type"] == "any", 2.0, 1.0))
    assert not ((control["best_response"] == "PR") & (drug["best_response"] != "PR")).any(), "who responds without, responds with"


def test_the_same_patients_in_any_blocks(two_groups):
    _, draw = two_groups
    whole, part = draw("drug"), draw("drug", Block(1000, 1010))
    assert part.equals(whole.iloc[1000:1010].reset_index(drop=True))


@pytest.mark.parametrize("marker", ["pik3ca", "akt1", "mtor", "tsc", "pten_loss", "pathway", "kras_wt", "pathway_kras_wt"])
def test_a_perfect_assay_finds_the_marker(two_groups, marker):
    found, draw = two_groups
    table = draw("control", marker=marker)
    truth = (table["tumour_type"] == "any").to_numpy(float)
    assert np.array_equal(genetic(table)[marker].to_numpy(float), truth)
    assays = found.analysis.benefit.assays
    perfect = assays.ngs.model_copy(update={"sensitivity": 1.0, "specificity": 1.0, "failure": 0.0})
    assert np.array_equal(genetic(genes_called(table, perfect, perfect, 1))[marker].to_numpy(float), truth)


# share called positive of the carriers and of the others; KRAS wild type is the absence of what the assay finds
ASSAY = {"sensitivity": 0.9, "specificity": 0.8, "failure": 0.15}
ERRS = {"pik3ca": (0.9, 0.2), "pten_loss": (0.9, 0.2), "kras_wt": (0.8, 0.1)}


@pytest.mark.parametrize(("marker", "called"), ERRS.items())
def test_an_imperfect_assay_errs_as_it_says(two_groups, marker, called):
    found, draw = two_groups
    table = draw("control", marker=marker)
    assay = found.analysis.benefit.assays.ngs.model_copy(update=ASSAY)
    result = genetic(genes_called(table, assay, assay, 1))[marker].to_numpy(float)
    assert agrees(np.isnan(result).mean(), 0.15)
    carries, known = (table["tumour_type"] == "any").to_numpy(), ~np.isnan(result)
    for those, share in zip((carries & known, ~carries & known), called, strict=True):
        assert agrees(result[those].mean(), share, those.sum())


def test_dlt_rates_and_twins():
    found = config()
    stated, design = found.analysis.outcomes, found.designs["three_plus_three"]
    outlook = outlook_of(plain.doses(found, stated, design, Block(0, N))["doses"], 6)
    assert all(agrees(at, rate) for at, rate in zip(rates(outlook), stated.dlt_rates, strict=True))
    toxic = np.isfinite(outlook.dlt_day)
    assert not (toxic[:, :-1] & ~toxic[:, 1:]).any(), "who has a DLT has one at every higher dose"
    assert np.all(outlook.dlt_day[toxic] <= 28) and np.all(outlook.known_day <= 28) and outlook.evaluable.all()


def test_the_central_reader_reads_the_same():
    found = config("endpoint.central_review=true")
    table = plain.patients(found, found.analysis.outcomes, "pathway", Block(0, 50), "drug")["patients"]
    assert all(table[name].equals(table[f"{name}_central"].rename(name)) for name in READ)


FAULTY = [
    ("analysis.outcomes.groups.everyone.share=0.5", "analysis.outcomes.groups", "add up to 1"),
    ("analysis.outcomes.dlt_rates=[0.1,0.2]", "analysis.outcomes.dlt_rates", "6 probabilities"),
    ("analysis.outcomes.dlt_rates=[0.1,0.2,0.3,0.4,0.5,1.5]", "analysis.outcomes.dlt_rates.5", "at most 1"),
    ("~analysis.outcomes.groups.everyone.response.drug", "analysis.outcomes.groups.everyone.response", "drug, control"),
    ("analysis.outcomes.groups.everyone.median_os_months.drug=5", "analysis.outcomes.groups.everyone.median_os_months.drug", "6"),
    ("analysis.outcomes.groups.everyone.response.drug=1.2", "analysis.outcomes.groups.everyone.response.drug", "at most 1"),
    ("analysis.outcomes.kind=simple", "analysis.outcomes.kind", "plain"),
    ("analysis.outcomes.response_weeks=30", "analysis.outcomes.response_weeks", "no response is seen in time"),
    ("analysis.assurance.draws=8", "analysis.assurance.draws", "0"),
    ("+design@designs.exnex=basket_exnex", "designs.exnex.baskets", "analysis.outcomes.groups"),
    ("+design@designs.doses=select_the_winner", "analysis.outcomes.groups.everyone.response", "dose_5"),
]


@pytest.mark.parametrize(("override", "key", "words"), FAULTY)
def test_what_does_not_fit_is_told(override, key, words):
    with pytest.raises(ConfigError) as caught:
        config(override)
    faults = {fault.key: fault.allowed for fault in flatten(caught.value)}
    assert key in faults and words in faults[key], faults
