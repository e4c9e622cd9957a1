"""The central reader: same scans, other errors."""

import numpy as np
import pytest

from trialsim.conduct import central
from trialsim.conduct.inputs import LESIONS
from trialsim.conduct.observe import observe
from trialsim.conduct.tables import make_tables
from trialsim.streams import normals


@pytest.fixture(scope="module")
def seen(study):
    cohort, course, schedule, _ = study
    return observe(course, schedule, np.full(len(cohort), 240.0))


def test_with_the_sites_own_errors_the_central_reader_reads_what_the_site_read(config, study, seen, monkeypatch):
    cohort, course, schedule, _ = study
    scans = schedule.days.shape[1]

    def sites_errors(seed, name, ids, count):
        whole = normals(seed, "scan_reading", ids, scans * (LESIONS + 1)).reshape(len(ids), scans, LESIONS + 1)
        return whole[:, 1:]

    monkeypatch.setattr(central, "normals", sites_errors)
    read = central.review(config, course, schedule, seen, cohort)
    done = np.isfinite(seen.sum_mm)
    # a diameter at half a millimetre may be rounded either way in single precision
    assert np.mean(np.abs(read.size[done] - seen.sum_mm[done]) > 0.5) < 0.01
    assert np.mean(read.response[done] != seen.response[done]) < 0.01 and done.sum() > 100


def test_errors_of_two_readers_are_independent_and_unbiased(config, study, seen):
    cohort, course, schedule, _ = study
    read = central.review(config, course, schedule, seen, cohort)
    done = np.isfinite(seen.sum_mm) & (seen.sum_mm > 30)
    difference = np.log(read.size[done] / seen.sum_mm[done])
    n, sd = done.sum(), np.sqrt(2.0) * config.endpoint.reader_cv
    assert abs(np.mean(difference)) < 4.0 * sd / np.sqrt(n)
    assert sd < np.std(difference) < 2.0 * sd  # fewer or smaller lesions than in the reference patient are read less well


def test_progression_that_is_not_confirmed_is_censored_at_the_sites_last_scan(config, study):
    cohort, course, schedule, _ = study
    reviewed = config.model_copy(update={"endpoint": config.endpoint.model_copy(update={"central_review": True})})
    p = make_tables(reviewed, course, schedule, cohort, np.full(len(cohort), 240.0)).patients
    unconfirmed = p[p["pfs_event"] & ~p["pfs_event_central"]]
    assert 0 < len(unconfirmed) < 0.5 * p["pfs_event"].sum()
    assert (unconfirmed["pfs_days_central"] <= unconfirmed["pfs_days"]).all()


def test_progression_lies_between_two_scans(study):
    p, visits = study[3].patients, study[3].visits
    events = p[p["pfs_event"]]
    died = events["os_event"] & (events["pfs_days"] == events["os_days"])
    assert (events["progression_by_days"] == events["pfs_days"]).all()
    assert (events.loc[died, "progression_after_days"] == events.loc[died, "pfs_days"]).all()
    for row in events[~died].itertuples():
        mine = visits[(visits["patient_id"] == row.patient_id) & (visits["response"] != "") & visits["sld_mm"].notna()]
        earlier = mine.loc[mine["day"] < row.pfs_days, "day"]
        assert row.progression_after_days == (earlier.max() if len(earlier) else 0)
    free = p[~p["pfs_event"]]
    assert np.isinf(free["progression_by_days"]).all() and (free["progression_after_days"] == free["pfs_days"]).all()
