"""A partner drug alone in the trial that its effect was set by."""

import numpy as np
import pytest

from trialsim import compose, simulate
from trialsim.summary import endpoints


@pytest.mark.slow
@pytest.mark.parametrize(
    ("drug", "tumour", "low", "high"),
    [
        # weekly paclitaxel in breast cancer 21.5 % (J Clin Oncol 2001;19:4216); here within what 300 patients leave open (3 SE)
        ("paclitaxel", "breast_hr", 0.144, 0.286),
        # gemcitabine in pancreatic cancer about 5 % (label)
        ("gemcitabine", "pancreatic_adenocarcinoma", 0.012, 0.088),
    ],
)
def test_published_responses_to_a_cytotoxic_drug(drug, tumour, low, high):
    mix = {f"cohort.mix.{name}": float(name == tumour) for name in compose().cohort.mix}
    quiet = {"compute.solver_check_patients": 0, "compute.progress": "off"}
    alone = {"cohort.size": 300, "regimen.dose": 0.0, "+partner": [drug]} | quiet
    patients = simulate(compose(overrides=alone | mix)).patients
    assert low <= np.mean(patients["best_response"].isin(["CR", "PR"])) <= high


@pytest.mark.slow
@pytest.mark.parametrize(
    ("drug", "tumour", "regimen", "months"),
    [
        ("lenvatinib", "rcc_clear_cell", {"dose": 24}, 7.4),  # LENVA_RCC15
        ("sorafenib", "rcc_clear_cell", {}, 3.9),  # INTORSECT
        ("sunitinib", "pancreatic_net", {"dose": 37.5, "days_on": None, "days_off": 0}, 11.4),  # Raymond 2011
    ],
)
def test_published_progression_on_inhibitors_of_vegf_receptors(drug, tumour, regimen, months):
    """Within a scan interval of 8 weeks, which medians move by, and what 300 patients leave open."""
    mix = {f"cohort.mix.{name}": float(name == tumour) for name in compose().cohort.mix}
    quiet = {"compute.solver_check_patients": 0, "compute.progress": "off", "study.published": None}
    alone = {"cohort.size": 300, "regimen.dose": 0.0, "+partner": [drug], "endpoint": "recist"} | quiet
    given = {f"partner.{drug}.regimen.{key}": value for key, value in regimen.items()}
    config = compose(overrides=alone | mix | given)
    assert endpoints(simulate(config).patients, config)["median_pfs_months"]["estimate"] == pytest.approx(months, abs=2.0)
