"""Small virtual outcomes with known parameters."""

import numpy as np
import pandas as pd
import pytest

from trialsim.schema.inference import InferenceSettings

ALTERATIONS = ("pik3ca", "pten_mutation", "pten_loss", "akt1", "tsc", "mtor", "kras")


@pytest.fixture
def quick():
    """Fewer draws than the default: enough for interval limits, not for the default ESS threshold."""
    return InferenceSettings(warmup=300, samples=400, target_accept=0.9)


def _make_patients(n, seed=0, types=("a", "b", "c", "d"), rates=(0.02, 0.6, 0.35), spread=0.5):
    """A patients table with the columns that the inference reads. Rates: orr, dcr, clinical benefit; spread: SD between types."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({name: rng.random(n) < 0.1 for name in ALTERATIONS})
    frame["tumour_type"] = rng.choice(types, n)
    frame["line"], frame["ecog"] = rng.integers(2, 6, n), rng.integers(0, 3, n)
    frame["replicate"] = np.arange(n) // 59
    effect = frame["tumour_type"].map(dict(zip(types, rng.normal(0, spread, len(types)), strict=True)))
    for column, rate in zip(("responder", "disease_control", "clinical_benefit"), rates, strict=True):
        logit = np.log(rate / (1 - rate)) + effect
        frame[column] = rng.random(n) < 1 / (1 + np.exp(-logit))
    return frame


@pytest.fixture
def make_patients():
    """The function that makes a patients table."""
    return _make_patients
