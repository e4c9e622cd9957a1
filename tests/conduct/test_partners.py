"""A partner drug alone in the trial that its potency was set by."""

import numpy as np
import pytest

from trialsim import compose, simulate


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
