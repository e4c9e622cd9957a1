"""Escalations of a study: the design plays the simulated patients' own DLT days."""

import numpy as np
import pytest

from trialsim.cli import compose
from trialsim.cohort import sample_cohort
from trialsim.designs import allocate as module
from trialsim.designs.allocate import allocate, outlook_by_level
from trialsim.protocol.visits import arrival_days

PATIENTS = 60  # two whole virtual studies of 26 and a short one


@pytest.fixture(scope="module")
def children():
    config = compose("everolimus_paediatric", {"cohort.size": PATIENTS})
    return sample_cohort(config.cohort, config.tumour, config.seed, np.arange(PATIENTS))


@pytest.fixture(scope="module")
def outlook(children):
    return outlook_by_level(compose("everolimus_paediatric", {"cohort.size": PATIENTS}), children)


def test_outlook_is_coherent(outlook):
    toxic = np.isfinite(outlook.dlt_day)
    assert toxic.any() and not np.any(toxic & ~outlook.evaluable)
    assert np.all(outlook.known_day[toxic] == outlook.dlt_day[toxic]) and outlook.dlt_day[toxic].max() < 28
    assert np.all(outlook.known_day[outlook.evaluable & ~toxic] == 28) and outlook.known_day.max() <= 28


@pytest.mark.parametrize("kind", ["three_plus_three", "rolling_six", "crm", "tite_crm", "boin", "tite_boin"])
def test_every_kind_treats_the_patients_of_a_study(kind, children, outlook, monkeypatch):
    monkeypatch.setattr(module, "outlook_by_level", lambda config, covariates: outlook)
    config = compose("everolimus_paediatric", {"cohort.size": PATIENTS, "design": kind})
    found = allocate(config, children)
    come = arrival_days(config.seed, np.arange(PATIENTS), 26, config.design.accrual_months)
    assert len(found.mtd) == 3 and np.all(np.isnan(found.mtd) | np.isin(found.mtd, [0.0, *config.design.levels]))
    assert np.isnan(found.mtd[2])  # eight patients decide nothing
    assert np.array_equal(found.treated, np.isfinite(found.dose_level)) and np.array_equal(found.treated, found.phase != "")
    assert np.all(found.start_day[found.treated] >= come[found.treated] - 1e-9)
    for study in range(3):
        own = found.treated & (found.replicate == study)
        assert found.dose_level[own][0] == config.regimen.dose and found.start_day[own][0] == 0
        assert np.all(np.diff(found.start_day[own]) >= 0)


def test_the_first_cohort_goes_up_only_if_it_may(children, outlook, monkeypatch):
    """3+3 on the outlook: of those judged in the first cohort at the lowest level, none has a DLT wherever the fourth goes up."""
    monkeypatch.setattr(module, "outlook_by_level", lambda config, covariates: outlook)
    found = allocate(compose("everolimus_paediatric", {"cohort.size": PATIENTS}), children)
    for study in range(3):
        own = np.flatnonzero(found.replicate == study)
        judged = own[outlook.evaluable[own, 0]][:3]
        second = own[found.step[own] == 2][0]
        dlts = np.isfinite(outlook.dlt_day[judged, 0]).sum()
        assert (found.dose_level[second] == 3.0) == (dlts == 0)
        settled = (found.start_day[judged] + outlook.known_day[judged, 0]).max()
        assert found.start_day[second] >= settled
