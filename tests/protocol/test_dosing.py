"""The dose-modification state machine, day by day."""

import jax.numpy as jnp
import numpy as np
import pytest

from trialsim.protocol import dosing
from trialsim.protocol.dosing import Rules

# terms: 0 holds at 2 and reduces at 3, stops at 4; 1 never acts
RULES = Rules(
    hold_at=jnp.array([2, 5]),
    reduce_at=jnp.array([3, 5]),
    stop_at=jnp.array([4, 5]),
    resume_at=jnp.int32(1),
    fractions=jnp.array([1.0, 0.5, 0.25]),
    max_hold_days=jnp.int32(28),
)


def run(first_term_grades, second_term_grades=None):
    """Doses (mg), actions and final state for a course of grades."""
    state, doses, actions = dosing.first_day(), [], []
    second = second_term_grades or [0] * len(first_term_grades)
    yes = jnp.ones((), bool)
    for a, b in zip(first_term_grades, second, strict=True):
        state, action = dosing.modify(state, jnp.array([a, b]), RULES)
        doses.append(float(dosing.dose_today(state, RULES, jnp.float32(10.0), yes, yes)))
        actions.append(int(action))
    return doses, actions, state


def test_no_toxicity_full_dose():
    doses, actions, _ = run([0, 1, 1, 0])
    assert doses == [10.0] * 4 and actions == [0] * 4


def test_grade_2_holds_until_grade_1_and_restarts_at_full_dose():
    doses, actions, state = run([0, 2, 2, 1, 0])
    assert doses == [10.0, 0.0, 0.0, 10.0, 10.0]
    assert actions == [0, dosing.ACTION_HOLD, 0, 0, 0]
    assert int(state.n_holds) == 1 and int(state.n_reductions) == 0


def test_grade_3_holds_and_restarts_one_level_lower():
    doses, actions, state = run([3, 3, 0, 0, 3, 0, 0])
    assert doses == [0.0, 0.0, 5.0, 5.0, 0.0, 2.5, 2.5]
    assert actions[0] == dosing.ACTION_REDUCE and int(state.n_reductions) == 2


def test_worsening_during_a_hold_counts():
    doses, _, _ = run([2, 3, 0, 0])
    assert doses == [0.0, 0.0, 5.0, 5.0]


def test_third_reduction_ends_treatment():
    doses, actions, state = run([3, 0, 3, 0, 3, 0, 0])
    assert int(state.status) == dosing.TOXICITY and doses[-2:] == [0.0, 0.0]


def test_grade_4_ends_treatment_for_good():
    doses, _, state = run([4, 0, 0])
    assert doses == [0.0] * 3 and int(state.status) == dosing.TOXICITY


def test_hold_longer_than_allowed_ends_treatment():
    doses, _, state = run([2] * 28 + [0])
    assert int(state.status) == dosing.ON and doses[-1] == 10.0
    _, _, state = run([2] * 29 + [0])
    assert int(state.status) == dosing.TOXICITY


def test_a_term_without_rules_never_acts():
    doses, _, _ = run([0] * 5, [3, 4, 4, 4, 3])
    assert doses == [10.0] * 5


@pytest.mark.parametrize("name, expected", [("daily", 14), ("alternate_day", 7), ("weekly", 2), ("five_days_a_week", 10)])
def test_doses_due_in_two_weeks(name, expected):
    due = dosing.scheduled(dosing.make_schedule(name), jnp.arange(14))
    assert int(np.sum(due)) == expected


def days_due(*schedule, days=60, **cycle):
    return np.flatnonzero(dosing.scheduled(dosing.make_schedule(*schedule, **cycle), jnp.arange(days))).tolist()


def test_cycles_of_days_on_and_off_start_the_pattern_afresh():
    assert days_due("daily", days_on=4, days_off=3, days=14) == [0, 1, 2, 3, 7, 8, 9, 10]
    assert days_due("weekly", days_on=21, days_off=7) == [0, 7, 14, 28, 35, 42, 56]  # three weeks of four
    assert days_due("daily", days_on=1, days_off=27) == [0, 28, 56]  # a monthly depot
    assert days_due("alternate_day", days_on=5, days_off=5, days=15) == [0, 2, 4, 10, 12, 14]


def test_a_drug_starts_and_stops_on_its_own_days():
    assert days_due("weekly", start_day=10, stop_day=31) == [10, 17, 24]
    assert days_due("daily", start_day=3, stop_day=12, days_on=2, days_off=3) == [3, 4, 8, 9]


def test_after_leaving_nothing_is_given():
    state = dosing.leave(dosing.first_day(), dosing.PROGRESSION, jnp.ones((), bool))
    yes = jnp.ones((), bool)
    assert float(dosing.dose_today(state, RULES, jnp.float32(10.0), yes, yes)) == 0.0
    assert int(dosing.leave(state, dosing.DEATH, yes).status) == dosing.PROGRESSION  # the first reason stands


def test_a_milder_event_does_not_prolong_the_hold():
    """Held for term 0; term 2 (holds from grade 3) is at grade 2 throughout and must not keep the dose away."""
    rules = RULES._replace(hold_at=jnp.array([2, 3]), reduce_at=jnp.array([3, 3]))
    state, yes = dosing.first_day(), jnp.ones((), bool)
    doses = []
    for a, b in [(2, 2), (2, 2), (0, 2), (0, 2)]:
        state, _ = dosing.modify(state, jnp.array([a, b]), rules)
        doses.append(float(dosing.dose_today(state, rules, jnp.float32(10.0), yes, yes)))
    assert doses == [0.0, 0.0, 10.0, 10.0]
