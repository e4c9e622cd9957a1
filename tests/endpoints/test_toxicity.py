"""Episodes, DLTs and dose intensity: counted by hand, and by a loop that looks at one day at a time."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from trialsim.endpoints import toxicity
from trialsim.schema import ConfigError

TERMS = ("stomatitis", "thrombocytopenia")


def one(*columns):
    """Daily grades of one patient, a list a term."""
    return np.array(columns).T[None]


def test_episodes_by_hand():
    found = toxicity.episodes(one([0, 1, 2, 1, 0, 0, 3], [1, 0, 0, 0, 0, 2, 0]))
    assert found.term.tolist() == [0, 0, 1, 1]
    assert found.start_day.tolist() == [1, 6, 0, 5]
    np.testing.assert_array_equal(found.end_day, [4, np.nan, 1, 6])  # the second was still there at the end
    assert found.grade.tolist() == [2, 3, 1, 2]


def test_days_after_the_end_of_observation_do_not_exist():
    found = toxicity.episodes(one([0, 1, 1, 4], [0, 0, 0, 4]), observed_days=np.array([3]))
    assert found.grade.tolist() == [1] and np.isnan(found.end_day[0])
    assert toxicity.worst_grades(one([0, 1, 1, 4], [0, 0, 0, 4]), np.array([3])).tolist() == [[1, 0]]


def episode_oracle(grades, observed, min_grade):
    out = []
    for p in range(grades.shape[0]):
        for t in range(grades.shape[2]):
            start, worst = None, 0
            for day in range(observed[p]):
                grade = grades[p, day, t]
                if grade >= min_grade:
                    start = day if start is None else start
                    worst = max(worst, grade)
                elif start is not None:
                    out.append((p, t, start, day, worst))
                    start, worst = None, 0
            if start is not None:
                out.append((p, t, start, -1, worst))
    return out


@settings(max_examples=150, deadline=None)
@given(
    hnp.arrays(
        np.int8, st.tuples(st.integers(1, 3), st.integers(1, 12), st.integers(1, 3)), elements=st.integers(0, 4)
    ),
    st.integers(1, 3),
    st.data(),
)
def test_episodes_agree_with_oracle(grades, min_grade, data):
    observed = np.array([data.draw(st.integers(0, grades.shape[1])) for _ in grades])
    found = toxicity.episodes(grades, observed, min_grade)
    end = np.where(np.isnan(found.end_day), -1, found.end_day).astype(int)
    listed = list(
        zip(*(array.tolist() for array in (found.patient, found.term, found.start_day, end, found.grade)), strict=True)
    )
    assert listed == episode_oracle(grades, observed, min_grade)
    worst = toxicity.worst_grades(grades, observed)
    for p, t, _, _, grade in listed:
        assert grade <= worst[p, t]


def test_incidence_and_counts():
    worst = np.array([[0, 1], [3, 1], [4, 0], [2, 0]])
    any_grade = toxicity.incidence(worst)
    assert any_grade.estimate.tolist() == [0.75, 0.5] and any_grade.n.tolist() == [4, 4]
    assert toxicity.incidence(worst, 3).estimate.tolist() == [0.5, 0.0]
    assert toxicity.incidence(worst, 1, 2).estimate.tolist() == [0.25, 0.5]
    assert toxicity.grade_counts(worst).tolist() == [[1, 0, 1, 1, 1], [2, 2, 0, 0, 0]]
    assert toxicity.grade_counts(worst).sum(axis=1).tolist() == [4, 4]


def test_dlt_within_the_window_only():
    thresholds = toxicity.dlt_thresholds(TERMS, {"stomatitis": 3})
    calm, late, early = np.zeros((3, 40, 2), int)
    late[28, 0], early[27, 0] = 3, 3
    lesser, other = early.copy(), np.zeros((40, 2), int)
    lesser[27, 0] = 2
    other[5, 1] = 4  # no rule for this term
    grades = np.stack([calm, late, early, lesser, other])
    found = toxicity.dose_limiting(grades, thresholds, 28)
    assert found[:, 0].tolist() == [False, False, True, False, False] and not found[:, 1].any()
    assert not toxicity.dose_limiting(grades, thresholds, 28, np.full(5, 27)).any()  # had left the day before


@pytest.mark.parametrize(("rule", "key"), [({"stomatitus": 3}, "stomatitus"), ({"stomatitis": 5}, "stomatitis")])
def test_dlt_rules_that_cannot_be(rule, key):
    with pytest.raises(ConfigError, match=f"design.dlt.min_grade.{key}"):
        toxicity.dlt_thresholds(TERMS, rule)


def test_dlt_evaluability():
    planned = np.ones((5, 60))
    taken = planned.copy()
    taken[1, :7] = 0  # 21 of 28: enough
    taken[2, :8] = 0  # 20 of 28: not enough
    taken[3, :20] = 0  # not enough, but had a DLT
    observed = np.array([60, 60, 60, 60, 27])  # the last left before the window was over
    dlt = np.array([False, False, False, True, False])
    assert toxicity.dlt_evaluable(dlt, taken, planned, 28, observed).tolist() == [True, True, False, True, False]


def test_relative_dose_intensity():
    planned = np.tile([10.0, 0.0], (3, 5))  # alternate days
    taken = planned.copy()
    taken[1, 4:] *= 0.5
    assert toxicity.relative_dose_intensity(taken, planned).tolist() == [1.0, 0.7, 1.0]
    assert toxicity.relative_dose_intensity(taken, planned, np.array([4, 4, 10])).tolist() == [1.0, 1.0, 1.0]
    assert np.isnan(toxicity.relative_dose_intensity(taken, planned, np.zeros(3))).all()


@pytest.mark.parametrize(
    ("doses", "holds", "reductions"),
    [
        ([10, 10, 10], 0, 0),
        ([10, 0, 0, 10], 1, 0),
        ([10, 0, 0, 5, 5], 1, 1),
        ([10, 5, 0, 2.5, 0, 2.5], 2, 2),
        ([10, 0, 0], 1, 0),
        ([10, 5, 10, 5], 0, 2),
    ],
)
def test_holds_and_reductions(doses, holds, reductions):
    found = toxicity.dose_changes(np.array([doses]))
    assert (found.holds[0], found.reductions[0]) == (holds, reductions)


def test_nothing_counts_after_treatment():
    found = toxicity.dose_changes(np.array([[10.0, 10.0, 0.0, 0.0]]), np.array([2]))
    assert (found.holds[0], found.reductions[0]) == (0, 0)
