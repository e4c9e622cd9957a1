"""Partner drugs: given beside the rapalog, each against nodes of the network of its own. Exact kinetics, day by day.

One compartment with first-order absorption, amounts (gut, body) in mg, dose D into the gut (an infusion of T hours is an absorption
of rate 2/T, which has its mean input time):

    gut(t)  = gut e^{-ka t}
    body(t) = body e^{-k t} + gut ka t e^{-a t} (1 - e^{-(b-a) t})/((b-a) t),      a, b = min, max of ka and k = CL/V
    C(t)    = 1000 F body / V,   ng/mL of plasma

The amounts are carried from day to day, so accumulation and wash-out follow from k. Within a day the effect on a node is averaged,

    i = < max c^h / (IC50^h + c^h) >,    c = C fu partition (in tumours: times penetration)      c: free drug at the cell, nM

and what the network sees goes to that value from yesterday's within hours, de/dt = (i - e)/(1 h), so that nothing jumps at
midnight. Two partners on one node act independently, 1 - prod(1 - i); killing by two cytotoxic drugs adds up.

Against the same drugs followed hour by hour, averaging over the day shifts the mean net growth of a week by up to 0.065 of the
untreated rate (sapanisertib, alpelisib; up to 0.03 for the others) and the folds of pS6, p4E-BP1, pAKT and pERK by less than 0.02.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from trialsim.engine.algebra import hill
from trialsim.mechanism import signalling
from trialsim.units import HOURS_PER_DAY

NODES = tuple(name for name in signalling.Inhibition._fields if name != "occupancy")  # the rapalog's own
ADDITIVE = ("cytotoxic",)  # a rate, 1/h; the others are fractions
CELLS = 2  # tumour and PBMC, as in `patient`
APPROACH = 1.0  # 1/h, assumed: an hour from blood to target

# Gauss-Legendre in u = sqrt(t/tau): dense just after a dose, where the concentration changes fast
_POINTS, _WEIGHTS = np.polynomial.legendre.leggauss(12)
MOMENTS = tuple((((_POINTS + 1.0) / 2.0) ** 2).tolist())  # parts of the dosing interval
WEIGHTS = tuple((_WEIGHTS * (_POINTS + 1.0) / 2.0).tolist())  # sum 1


class Target(NamedTuple):
    """A partner's number and the node it acts on."""

    partner: int
    node: str


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Partners:
    """The partner drugs of a study in its patients. Arrays (partners, patients) unless said.

    Attributes:
        ka, k: absorption and elimination, 1/h.
        ng_ml_per_mg: plasma concentration of a mg in the body; F is in it.
        free_nM: free drug in plasma, nM per ng/mL.
        delivery: free drug at the cell over free drug in plasma, (cells, partners, patients).
        IC50_nM, hill: of each target, (targets, patients).
        maximum: largest effect on each target, fraction (cytotoxic: 1/h), (cells, targets, patients); 0 in cells without it.
        targets: what acts where. doses_a_day: of each partner. Both fixed for a compiled program.
    """

    ka: Any
    k: Any
    ng_ml_per_mg: Any
    free_nM: Any
    delivery: Any
    IC50_nM: Any
    hill: Any
    maximum: Any
    targets: tuple[Target, ...] = field(metadata={"static": True})
    doses_a_day: tuple[int, ...] = field(metadata={"static": True})


class Amounts(NamedTuple):
    """Attributes: gut, body: mg, (partners, patients)."""

    gut: jax.Array
    body: jax.Array


class Exposure(NamedTuple):
    """A day's plasma concentrations, ng/mL, (partners, patients). Attributes: mean: over 24 h. trough: at its end."""

    mean: jax.Array
    trough: jax.Array


Effects = dict[str, jax.Array]  # node -> inhibition of the day, fraction (cytotoxic: 1/h)


def none_taken(p: Partners) -> Amounts:
    """Before the first dose."""
    return Amounts(jnp.zeros_like(p.k), jnp.zeros_like(p.k))


def no_effect(p: Partners | None, like: jax.Array) -> Effects:
    """The effects before the first dose, of the shape of ``like``: an entry for each node that some partner acts on."""
    return {} if p is None else {target.node: jnp.zeros_like(like) for target in p.targets}


def absorbed(ka: jax.Array, k: jax.Array, t: jax.Array) -> jax.Array:
    """Part of what was in the gut at 0 that is in the body at ``t``, smooth through ka = k."""
    z = jnp.abs(ka - k) * t
    small = z < 1e-3
    safe = jnp.where(small, 1.0, z)
    share = jnp.where(small, 1.0 - 0.5 * z, -jnp.expm1(-safe) / safe)
    return ka * t * jnp.exp(-jnp.minimum(ka, k) * t) * share


def later(amounts: Amounts, ka: jax.Array, k: jax.Array, t: jax.Array) -> Amounts:
    """Amounts ``t`` hours later, without a dose in between."""
    gut = amounts.gut * jnp.exp(-ka * t)
    return Amounts(gut, amounts.body * jnp.exp(-k * t) + amounts.gut * absorbed(ka, k, t))


def live(p: Partners, amounts: Amounts, dose_mg: jax.Array) -> tuple[Amounts, Exposure, tuple[Effects, ...]]:
    """One day: amounts at its end, exposure, and the effects in each kind of cell.

    Args:
        amounts: at the start of the day. dose_mg: of each of the day's administrations, (partners, patients); the first is at
            the start of the day, the others follow at equal intervals.
    """
    ends, means, found = [], [], [[] for _ in range(CELLS)]
    for j, times in enumerate(p.doses_a_day):
        now, mean = Amounts(amounts.gut[j], amounts.body[j]), 0.0
        effect = {(cell, e): 0.0 for cell in range(CELLS) for e, target in enumerate(p.targets) if target.partner == j}
        interval = HOURS_PER_DAY / times
        for _ in range(times):
            now = now._replace(gut=now.gut + dose_mg[j])
            for moment, weight in zip(MOMENTS, WEIGHTS, strict=True):
                C = later(now, p.ka[j], p.k[j], moment * interval).body * p.ng_ml_per_mg[j]
                mean = mean + weight / times * C
                for cell, e in effect:
                    at_cell = C * p.free_nM[j] * p.delivery[cell, j]
                    effect[cell, e] += weight / times * p.maximum[cell, e] * hill(at_cell, p.IC50_nM[e], p.hill[e])
            now = later(now, p.ka[j], p.k[j], interval)
        ends.append(now)
        means.append(mean)
        for (cell, e), value in effect.items():
            found[cell].append((p.targets[e].node, value))
    after = Amounts(*(jnp.stack(rows) for rows in zip(*ends, strict=True)))
    exposure = Exposure(mean=jnp.stack(means), trough=after.body * p.ng_ml_per_mg)
    return after, exposure, tuple(together(effects) for effects in found)


def approach(effects: Effects, target: Effects, h: jax.Array) -> Effects:
    """Effects ``h`` hours later on their way to the day's."""
    return {node: value + (target[node] - value) * -jnp.expm1(-APPROACH * h) for node, value in effects.items()}


def together(effects: list[tuple[str, jax.Array]]) -> Effects:
    """Effects of all partners by node: independent action; rates add up."""
    nodes: Effects = {}
    for node, value in effects:
        before = nodes.get(node, 0.0)
        nodes[node] = before + value if node in ADDITIVE else 1.0 - (1.0 - before) * (1.0 - value)
    return nodes


def course(p: Partners, doses_mg: jax.Array) -> tuple[Exposure, tuple[Effects, ...]]:
    """Days of given doses, leaves (days, ...).

    Args:
        doses_mg: of each administration of each day, (days, partners, patients).
    """

    def day(amounts: Amounts, dose_mg: jax.Array) -> tuple[Amounts, Any]:
        after, exposure, effects = live(p, amounts, dose_mg)
        return after, (exposure, effects)

    return jax.lax.scan(day, none_taken(p), doses_mg)[1]
