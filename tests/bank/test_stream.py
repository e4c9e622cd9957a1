"""Who comes to which trial."""

import numpy as np
import pytest

from trialsim.bank.stream import Stream, only, streams
from trialsim.units import DAYS_PER_MONTH


def test_no_patient_comes_twice_to_a_trial_and_batches_share_none():
    found = list(streams(1000, 120, 37, 10, 5.0, seed=3))
    assert sum(len(part.patient) for part in found) == 120
    seen = [set(part.patient.ravel().tolist()) for part in found]
    for i, part in enumerate(found):
        assert all(len(set(row)) == 37 for row in part.patient.tolist())
        assert all(seen[i].isdisjoint(other) for other in seen[:i])
    assert len(set.union(*seen)) == 1000, "every patient serves"


def test_patients_arrive_as_a_poisson_process():
    part = next(streams(4000, 2000, 400, 10, 8.0, seed=3))
    gaps = np.diff(part.arrival, axis=1, prepend=0.0)
    mean, n = DAYS_PER_MONTH / 8.0, gaps.size
    assert np.all(gaps > 0)
    assert abs(gaps.mean() - mean) < 4.0 * mean / np.sqrt(n)  # false alarm 6e-5
    assert abs(gaps.std() - mean) < 6.0 * mean / np.sqrt(n)


def test_the_same_seed_gives_the_same_trials():
    one, again = (list(streams(500, 40, 20, 5, 5.0, seed=9)) for _ in range(2))
    assert all(
        np.array_equal(a.patient, b.patient) and np.array_equal(a.arrival, b.arrival) for a, b in zip(one, again, strict=True)
    )


def test_a_bank_that_is_too_small_is_refused():
    with pytest.raises(ValueError, match="cannot serve 10 batches"):
        next(streams(99, 10, 10, 10, 5.0, seed=1))


def test_only_the_eligible_come_and_wait_for_their_result():
    stream = Stream(np.array([[4, 2, 0, 1]]), np.array([[1.0, 2.0, 3.0, 4.0]]))
    found = only(stream, np.array([True, False, False, False, True]), delay=10.0)
    assert found.patient[0, :2].tolist() == [4, 0] and found.arrival[0].tolist() == [11.0, 13.0, np.inf, np.inf]
