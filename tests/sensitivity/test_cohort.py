"""Many parameter sets side by side: each is what it would be alone, and what nothing uses changes nothing."""

import numpy as np
import pytest

from trialsim import compose
from trialsim.sensitivity import cohort as module
from trialsim.sensitivity.cohort import OUTCOMES, Trial
from trialsim.sensitivity.priors import priors_of

NAMES = ["d_S6K", "k_T308", "KRAS_shift", "partition_tumour", "cell_loss"]
SMALL = {"cohort.size": 24, "analysis.weeks": 12, "analysis.parameters": NAMES}


@pytest.fixture(scope="module")
def trial():
    config = compose("sensitivity", SMALL)
    return Trial(config, priors_of(config))


@pytest.fixture(scope="module")
def found(trial):
    """Rows: present values, then one parameter moved to the end of its range in each."""
    ends = [np.where(np.arange(5) == j, prior.high, trial.present[0]) for j, prior in enumerate(trial.priors)]
    return trial.outcomes(np.array([trial.present[0], *ends]))


def test_every_outcome_is_a_number_and_no_course_fails(found):
    assert list(found.columns) == [*OUTCOMES, "failed"]
    assert np.isfinite(found.to_numpy(float)).all() and (found["failed"] == 0).all()
    assert found["orr"].between(0, 1).all() and (found["orr"] <= found["dcr"]).all()
    assert (found["pfs_mean"] <= 12 * 7 / 30.4).all()


def test_a_set_is_the_same_whatever_stands_beside_it(trial, found):
    alone = trial.outcomes(trial.present)
    assert alone.iloc[0].to_dict() == pytest.approx(found.iloc[0].to_dict(), rel=1e-6)
    assert {name: one.estimate for name, one in trial.estimates(trial.present).items()} == pytest.approx(
        found.iloc[0][list(OUTCOMES)].to_dict(), rel=1e-6
    )


def test_effects_have_the_signs_of_the_biology(trial, found):
    names = [prior.name for prior in trial.priors]
    row = lambda name: found.iloc[1 + names.index(name)]
    assert row("partition_tumour")["ps6_week_4"] < found.iloc[0]["ps6_week_4"]  # more drug in the tumour
    assert row("cell_loss")["size_week_8"] < found.iloc[0]["size_week_8"]  # a tumour that loses more cells shrinks more


def test_a_parameter_of_tumours_that_the_cohort_lacks_changes_nothing(monkeypatch):
    config = compose("sensitivity", SMALL)
    sampled = module.sample_cohort
    monkeypatch.setattr(module, "sample_cohort", lambda *args: sampled(*args).assign(kras=False))
    trial = Trial(config, priors_of(config))
    j = [prior.name for prior in trial.priors].index("KRAS_shift")
    moved = trial.present.repeat(2, axis=0)
    moved[1, j] = trial.priors[j].high
    found = trial.outcomes(moved)
    assert found.iloc[0].to_dict() == found.iloc[1].to_dict()
