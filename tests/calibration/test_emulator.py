"""The emulator finds a function it is told nothing of but one Bernoulli trial a patient."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from trialsim.calibration import emulator
from trialsim.calibration.library import OUTCOMES, spread
from trialsim.calibration.parameters import Parameter

PRIORS = {
    "growth": Parameter(0.0, 0.8, "type"), "dependence": Parameter(0.0, 1.0, "type"), "line_growth": Parameter(0.1, 0.15, "all"),
}  # fmt: skip


def truth(shifts: dict) -> np.ndarray:
    z = [(shifts[name] - prior.mean) / prior.sd for name, prior in PRIORS.items()]
    return -0.4 - 0.8 * z[0] + 0.5 * z[1] + 0.1 * z[0] * z[1] - 0.1 * z[0] ** 2


def patients(count: int, seed: int) -> pd.DataFrame:
    shifts = spread(PRIORS, count, seed)
    rng = np.random.default_rng(seed)
    return pd.DataFrame(shifts | {name: (rng.uniform(size=count) < expit(truth(shifts))).astype(int) for name in OUTCOMES})


def test_logits_are_found_within_their_standard_error():
    cells = [(PRIORS, patients(4096, seed), True) for seed in range(3)]
    new = spread(PRIORS, 512, 99)
    z = np.stack([(new[name] - prior.mean) / prior.sd for name, prior in PRIORS.items()], axis=1)
    for found in emulator.fitted(cells):
        error = emulator.features(z) @ found.coefficients[:, 0] - truth(new)
        assert np.sqrt(np.mean(error**2)) < 2.5 * found.error[0]
        assert np.abs(np.mean(error)) < 3.0 * np.sqrt(1.0 / (4096 * 0.22))  # 3 SE of a mean logit


def test_an_outcome_that_nobody_had_is_rare_and_finite():
    rows = patients(1024, 1).assign(orr=0)
    found = emulator.fitted([(PRIORS, rows, False)])[0]
    logit = emulator.features(np.zeros((1, 3))) @ found.coefficients[:, 0]
    assert np.isfinite(found.coefficients).all() and expit(logit[0]) < 0.003 and np.isfinite(found.error).all()


def test_patients_are_spread_evenly_over_the_prior():
    shifts = spread(PRIORS, 1024, 3)
    for name, prior in PRIORS.items():
        assert np.mean(shifts[name]) == pytest.approx(prior.mean, abs=0.01 * prior.sd)
        assert np.std(shifts[name]) == pytest.approx(prior.sd, rel=0.06)  # a little narrower: cut at 2.5 SD
