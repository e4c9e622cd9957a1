"""Partner drugs in a trial: dosed on their own days, held and reduced with the rapalog, each with its own dose fractions.

When toxicity ends the rapalog, the partners go on: each at the dose that it had, and held while an event is at a grade at which its
own rules hold or stop it (assumed; in BOLERO-2 patients could stop everolimus and go on with exemestane).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from trialsim.mechanism import toxicity
from trialsim.mechanism.partner_parameters import partner_toxicity
from trialsim.protocol import dosing

if TYPE_CHECKING:
    from trialsim.schema.study import StudyConfig


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Combination:
    """What all patients of a trial share.

    Attributes:
        schedule: leaves (partners,). fractions: dose at each level of the study over the full dose, (partners, levels).
        alone_at: lowest grade of each term at which a partner that goes on alone is not given, (partners, terms).
        toxicity: see `mechanism.toxicity`. own_terms: how many of the study's terms the rapalog has, which stand first.
    """

    schedule: dosing.Schedule
    fractions: Any
    alone_at: Any
    toxicity: toxicity.PartnerToxicity
    own_terms: int = field(metadata={"static": True})

    @property
    def count(self) -> int:
        return self.fractions.shape[0]


class Chances(NamedTuple):
    """Uniforms of one patient and day.

    Attributes:
        toxicity: (terms,). taken, new_lesion, leave, die: scalars. partners: whether a due dose is taken, (partners,).
    """

    toxicity: jax.Array
    taken: jax.Array
    new_lesion: jax.Array
    leave: jax.Array
    die: jax.Array
    partners: jax.Array


EVENTS = 4
NEVER = 5  # above the highest CTCAE grade simulated


def chances(uniforms: jax.Array, terms: int, combination: Combination | None) -> Chances:
    """What each of (terms + EVENTS + partners) uniforms decides. Those that a trial of the rapalog alone has are the same with
    partners, so that a patient keeps his or her chances."""
    own, count = (terms, 0) if combination is None else (combination.own_terms, combination.count)
    events = uniforms[own : own + EVENTS]
    first = own + EVENTS
    tox = uniforms[:own] if combination is None else jnp.concatenate([uniforms[:own], uniforms[first + count :]])
    return Chances(tox, *(events[i] for i in range(EVENTS)), uniforms[first : first + count])


def make_combination(config: StudyConfig) -> Combination | None:
    """Settings of the partners as arrays; None if there are none."""
    if not config.partner:
        return None
    levels = len(config.modification.dose_fractions)
    regimens = [partner.regimen for partner in config.partner.values()]
    at_level = lambda fractions: [fractions[min(level, len(fractions) - 1)] for level in range(levels)]
    return Combination(
        schedule=jax.tree.map(lambda *values: np.stack(values), *(schedule_of(regimen) for regimen in regimens)),
        fractions=np.array([at_level(regimen.dose_fractions) for regimen in regimens]),
        alone_at=np.array([[_alone_at(one.modification, term) for term in config.terms] for one in config.partner.values()]),
        toxicity=partner_toxicity(config.partner, config.terms),
        own_terms=len(config.drug.toxicity.terms),
    )


def _alone_at(rules: Any, term: str) -> int:
    return min(rules.hold_at.get(term, NEVER), rules.stop_at.get(term, NEVER))


def schedule_of(regimen: Any) -> dosing.Schedule:
    """The days on which a ``Prescription`` is due."""
    return dosing.make_schedule(regimen.schedule, regimen.start_day, regimen.stop_day, regimen.days_on, regimen.days_off)


def due(combination: Combination, day: jax.Array) -> jax.Array:
    """Which partners are due on a day, (partners,)."""
    return jax.vmap(dosing.scheduled, in_axes=(0, None))(combination.schedule, day)


def doses(
    combination: Combination,
    state: dosing.DosingState,
    rules: dosing.Rules,
    full_mg: jax.Array,
    day: jax.Array,
    taken: jax.Array,
    grades: jax.Array,
    free: jax.Array,
) -> tuple[jax.Array, jax.Array]:
    """mg of each of today's administrations as taken, and as planned at full dose, (partners,). One patient.

    Args:
        full_mg: at full dose, (partners,). taken: whether a due dose is, (partners,); the first one always is.
        grades: today's, (terms,). free: on study and not progressed.
    """
    today = due(combination, day)
    taken = taken | (day == combination.schedule.start_day)
    alone = state._replace(status=jnp.full_like(state.status, dosing.ON), holding=jnp.zeros_like(state.holding))
    stopped = state.status == dosing.TOXICITY
    open_ = today & free

    def one(fractions, mg, due, due_alone, taken, alone_at):
        own = rules._replace(fractions=fractions)
        goes_on = dosing.dose_today(alone, own, mg, due_alone & jnp.all(grades < alone_at), taken)
        return jnp.where(stopped, goes_on, dosing.dose_today(state, own, mg, due, taken))

    taken_mg = jax.vmap(one)(combination.fractions, full_mg, today, open_, taken, combination.alone_at)
    return taken_mg, jnp.where(today, full_mg, 0.0)


def timing(combination: Combination, day: jax.Array) -> jax.Array:
    """`toxicity.timing` of each partner, counted from its own first day, (partners, terms)."""
    since = jnp.maximum(day - combination.schedule.start_day.astype(day.dtype), 0.0)
    return toxicity.timing(combination.toxicity, since[:, None])
