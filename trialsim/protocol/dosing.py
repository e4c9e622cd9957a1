"""Dose today: schedule, holds, reductions and stops for toxicity, as a small state machine one day a step."""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

FOREVER = 10**6  # days; a number that no course reaches
SCHEDULES = {"daily": 0, "alternate_day": 1, "weekly": 2, "five_days_a_week": 3}
ON, PROGRESSION, TOXICITY, DEATH, WITHDRAWAL, COMPLETED = range(6)
STATUS = ("ongoing", "progression", "toxicity", "death", "withdrawal", "completed")
ACTION_NONE, ACTION_HOLD, ACTION_REDUCE, ACTION_STOP = range(4)


class Rules(NamedTuple):
    """Dose modification by CTCAE grade. Grades of 5 mean never.

    Attributes:
        hold_at, reduce_at, stop_at: lowest grade of each term that holds the dose, makes the restart one level lower, or ends
            treatment. int32, shape (terms,).
        resume_at: highest grade at which an event that called for a hold no longer delays the restart.
        fractions: dose at each level over the full dose, shape (levels,). max_hold_days: a longer hold ends treatment.
    """

    hold_at: jax.Array
    reduce_at: jax.Array
    stop_at: jax.Array
    resume_at: jax.Array
    fractions: jax.Array
    max_hold_days: jax.Array


class Schedule(NamedTuple):
    """Days on which one drug is due: a pattern that starts afresh in every cycle of days on and days off. int32.

    Attributes:
        pattern: index into SCHEDULES, counted from the first day of a cycle.
        start_day, stop_day: first day, and the day from which nothing more is given. 0 = first day of the study.
        days_on, days_off: of a cycle.
    """

    pattern: jax.Array
    start_day: jax.Array
    stop_day: jax.Array
    days_on: jax.Array
    days_off: jax.Array


class DosingState(NamedTuple):
    """Attributes: status (index into STATUS), level, holding, pending reduction, days of the present hold, counts so far."""

    status: jax.Array
    level: jax.Array
    holding: jax.Array
    pending: jax.Array
    hold_days: jax.Array
    n_holds: jax.Array
    n_reductions: jax.Array


def first_day() -> DosingState:
    zero, no = jnp.zeros((), jnp.int32), jnp.zeros((), bool)
    return DosingState(zero, zero, no, no, zero, zero, zero)


def make_schedule(
    name: str, start_day: int = 0, stop_day: int | None = None, days_on: int | None = None, days_off: int = 0
) -> Schedule:
    """A schedule by name, see SCHEDULES; ``stop_day`` None: it goes on, ``days_on`` None: without pause."""
    last, on = (FOREVER if value is None else value for value in (stop_day, days_on))
    return Schedule(*(np.int32(value) for value in (SCHEDULES[name], start_day, last, on, days_off)))


def scheduled(schedule: Schedule, day: jax.Array) -> jax.Array:
    """Whether a dose is due on ``day`` (0 = first day of the study)."""
    since = day - schedule.start_day
    place = since % (schedule.days_on + schedule.days_off)
    every = jnp.stack([jnp.ones_like(place, bool), place % 2 == 0, place % 7 == 0, place % 7 < 5])
    return every[schedule.pattern] & (place < schedule.days_on) & (since >= 0) & (day < schedule.stop_day)


def modify(state: DosingState, grades: jax.Array, rules: Rules) -> tuple[DosingState, jax.Array]:
    """What the investigator does on seeing today's grades (terms,). Returns the state and the action taken."""
    on = state.status == ON
    must_hold = jnp.any(grades >= rules.hold_at)
    must_reduce = jnp.any(grades >= rules.reduce_at)
    must_stop = jnp.any(grades >= rules.stop_at)

    starts = on & ~state.holding & must_hold
    holding = state.holding | starts
    pending = holding & (state.pending | must_reduce)
    hold_days = jnp.where(holding, jnp.where(starts, 1, state.hold_days + 1), 0)

    # dosing restarts when no event that calls for a hold is left above resume_at; milder events do not delay it
    unresolved = jnp.any((grades >= rules.hold_at) & (grades > rules.resume_at))
    resumes = on & holding & ~starts & ~unresolved
    level = state.level + (resumes & pending)
    exhausted = level >= rules.fractions.shape[0]
    stops = on & (must_stop | exhausted | (~resumes & (hold_days > rules.max_hold_days)))

    action = jnp.where(starts, jnp.where(must_reduce, ACTION_REDUCE, ACTION_HOLD), ACTION_NONE)
    action = jnp.where(stops, ACTION_STOP, action)
    after = DosingState(
        status=jnp.where(stops, TOXICITY, state.status),
        level=jnp.minimum(level, rules.fractions.shape[0] - 1),
        holding=holding & ~resumes & on,
        pending=pending & ~resumes,
        hold_days=jnp.where(resumes, 0, hold_days),
        n_holds=state.n_holds + starts,
        n_reductions=state.n_reductions + (resumes & pending & ~exhausted),
    )
    return jax.tree.map(lambda new, old: jnp.where(on, new, old), after, state), jnp.where(on, action, ACTION_NONE)


def dose_today(state: DosingState, rules: Rules, full_dose_mg: jax.Array, due: jax.Array, taken: jax.Array) -> jax.Array:
    """mg taken today: the level's fraction of the full dose if treatment goes on, a dose is due, and it is not missed."""
    give = (state.status == ON) & ~state.holding & due & taken
    return jnp.where(give, full_dose_mg * rules.fractions[state.level], 0.0)


def leave(state: DosingState, why: int, when: jax.Array) -> DosingState:
    """End treatment for reason ``why`` where ``when`` and it was still going on."""
    return state._replace(status=jnp.where((state.status == ON) & when, why, state.status))
