"""Cells in a well: medium, drug in the cell, signalling, and how many live and die.

The cell is the patient's (`mechanism.binding`, `signalling`, `growth`); what is new is the well around it:

    u      = PS (fu C - C_in(R))                      net uptake of rapalog from medium of total concentration C, nM/h
    dR/dt  = u - k_prol R                             dividing cells share what they hold
    dC/dt  = -u N V_cell / V_well                     FKBP12 of all cells together can empty the medium at sub-nanomolar doses
    dN/dt  = (k_prol - k_death) N                     living cells
    dE/dt  = k_death N - k_out E                      dying cells: annexin V-positive until they fall apart
    k_prol = k_0 rho,  k_0 = ln2 / T_d + k_death(untreated)

rho is the proliferation of `growth.fates` over its untreated value. That many cells dilute a tight binder is why the EC50 of
rapamycin in a growth assay (0.7 nM, Houghton 2008) lies far above its affinity. Partner drugs act by their free concentration,
which cells do not deplete. All wells are computed at once; times in hours.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from trialsim.engine.population import Program, map_population, usable_devices
from trialsim.engine.rosenbrock import rodas3_step, structure_of
from trialsim.engine.structure import example
from trialsim.mechanism import binding, growth, signalling
from trialsim.mechanism.steady import steady_state

STEP_H = 0.25  # largest step; the error of counts and levels at this step is below 1 % (tests/assays/test_culture.py)
FIRST_STEP_H = 0.02  # after a change of medium
WELLS = 32  # of one call; fewer cost as much
STEPS, ROWS, MEDIA = 512, 32, 4  # a schedule is padded to multiples of these


class Well(NamedTuple):
    """What is in each well; every leaf (wells,).

    Attributes:
        cell, growth, binding: of the cell line.
        doubling_h: untreated population doubling time. k_clear: loss of annexin V-positive cells, 1/h.
        V_cell_pL: volume of a cell. V_well_uL: volume of medium. seeded: cells at time 0.
        fu: free share of the rapalog in medium (serum binds it).
    """

    cell: signalling.CellParameters
    growth: growth.GrowthParameters
    binding: binding.BindingParameters
    doubling_h: Any
    k_clear: Any
    V_cell_pL: Any
    V_well_uL: Any
    seeded: Any
    fu: Any


class Medium(NamedTuple):
    """What the cells are given from one change of medium to the next; leaves (wells,).

    Attributes:
        rapalog_nM: total concentration of rapalog added. hours: how long it stays, one number for all wells.
        inhibition: by partner drugs; its occupancy is not used.
    """

    rapalog_nM: Any
    hours: float
    inhibition: signalling.Inhibition = growth.UNTREATED


Culture = NamedTuple(
    "Culture",
    [(name, jax.Array) for name in (*signalling.Network._fields, "R", "C", "log_live", "dying")],
)
Culture.__doc__ = """State of a well: the network of `signalling`; R: rapalog in the cell, nM; C: in the medium, nM; log_live: ln of
living over seeded cells; dying: annexin V-positive over seeded cells."""


class Seen(NamedTuple):
    """What can be measured at one time, leaves (wells,), without the error of measuring.

    Attributes:
        network: levels. live, dying: cells over seeded. proliferation: k_prol, 1/h. death: k_death, 1/h.
        drive: proliferation of `growth.fates`, which k_prol scales to the line's doubling time.
        AKT, cap: kinase activity and cap-dependent translation. occupancy: of mTORC1 by the rapalog. C_medium_nM: rapalog left.
    """

    network: signalling.Network
    live: jax.Array
    dying: jax.Array
    proliferation: jax.Array
    death: jax.Array
    drive: jax.Array
    AKT: jax.Array
    cap: jax.Array
    occupancy: jax.Array
    C_medium_nM: jax.Array


def _network(x: Culture) -> signalling.Network:
    return signalling.Network(*x[: len(signalling.Network._fields)])


def _inhibition(R: jax.Array, well: Well, partner: signalling.Inhibition) -> signalling.Inhibition:
    return partner._replace(occupancy=binding.occupancy(R, well.binding))


def fate_rates(
    network: signalling.Network, i: signalling.Inhibition, k: signalling.NetworkConstants, well: Well, still: growth.Fates
) -> tuple[jax.Array, jax.Array]:
    """k_prol and k_death, 1/h. ``still``: fates of the untreated line."""
    now = growth.fates(network, k, well.cell, well.growth, i)
    relative = now.sensitive.proliferation / still.sensitive.proliferation
    k_0 = math.log(2.0) / well.doubling_h + still.sensitive.death
    return k_0 * relative, now.sensitive.death + now.killing * relative


def _rates(x: Culture, partner: signalling.Inhibition, k: signalling.NetworkConstants, well: Well, still: growth.Fates) -> Culture:
    network, i = _network(x), _inhibition(x.R, well, partner)
    proliferation, death = fate_rates(network, i, k, well, still)
    uptake = binding.uptake_rate(x.R, well.fu * x.C, well.binding)
    taken = 1e-6 * well.seeded * well.V_cell_pL / well.V_well_uL * jnp.exp(x.log_live)  # 1 pL is 1e-6 uL
    return Culture(
        *signalling.rates(network, i, k, well.cell),
        R=uptake - proliferation * x.R,
        C=-uptake * taken,
        log_live=proliferation - death,
        dying=death * jnp.exp(x.log_live) - well.k_clear * x.dying,
    )


def _see(x: Culture, partner: signalling.Inhibition, k: signalling.NetworkConstants, well: Well, still: growth.Fates) -> Seen:
    network, i = _network(x), _inhibition(x.R, well, partner)
    proliferation, death = fate_rates(network, i, k, well, still)
    return Seen(
        network,
        live=jnp.exp(x.log_live),
        dying=x.dying,
        proliferation=proliferation,
        death=death,
        drive=growth.fates(network, k, well.cell, well.growth, i).sensitive.proliferation,
        AKT=signalling.akt_activity(network, k, i.AKT),
        cap=signalling.cap_translation(network.BP, well.cell.R_4EBP, k),
        occupancy=i.occupancy,
        C_medium_nM=x.C,
    )


def mesh(hours: float, at: Sequence[float] = (), first: float = FIRST_STEP_H, largest: float = STEP_H) -> np.ndarray:
    """Nodes from 0 to ``hours``, ``at`` among them; steps grow by a tenth each from ``first`` to ``largest``."""
    stops, nodes, h = sorted({*at, hours} - {0.0}), [0.0], first
    for stop in stops:
        while nodes[-1] < stop:
            nodes.append(stop if stop - nodes[-1] < 1.5 * h else nodes[-1] + h)
            h = min(1.1 * h, largest)
    return np.array(nodes)


class Schedule(NamedTuple):
    """When what happens, the same in all wells. Padded, so that one compiled program serves every schedule of usual length.

    Attributes:
        taken: steps to take, a number. hours: length of each. medium: which one is in the wells. fresh: whether it has just been
            given. row: where the state after a step is kept; the last row holds what nobody reads. medium_of: medium of each row.
    """

    taken: np.ndarray
    hours: np.ndarray
    medium: np.ndarray
    fresh: np.ndarray
    row: np.ndarray
    medium_of: np.ndarray


def _schedule(media: Sequence[Medium], times: Sequence[float]) -> Schedule:
    """Rows: 0 is the start, the others are those of ``times`` that are later, in order."""
    rows = _room(len(times) + 2, ROWS)
    medium_of = np.zeros(rows, np.int32)
    hours: list[float] = []
    medium: list[int] = []
    row: list[int] = []
    kept, start = 0, 0.0
    for i, given in enumerate(media):
        end = start + given.hours
        within = [t - start for t in times if start < t <= end + 1e-9]
        nodes = mesh(given.hours, within)
        here = np.full(len(nodes) - 1, rows - 1)
        for t in within:
            kept += 1
            here[int(np.argmin(np.abs(nodes - t))) - 1] = kept
            medium_of[kept] = i
        hours, medium, row = [*hours, *np.diff(nodes)], [*medium, *[i] * len(here)], [*row, *here]
        start = end
    padded = lambda values: np.pad(np.array(values), (0, _room(len(hours), STEPS) - len(hours)))
    fresh = np.diff(medium, prepend=-1) > 0
    return Schedule(
        np.asarray(len(hours), np.int32),
        padded(hours).astype(np.float32),
        padded(medium).astype(np.int32),
        padded(fresh),
        padded(row).astype(np.int32),
        medium_of,
    )


def _room(needed: int, unit: int) -> int:
    return -(-needed // unit) * unit


def grow(k: signalling.NetworkConstants, well: Well, media: Sequence[Medium], times: Sequence[float]) -> Seen:
    """Wells over time under one medium after another.

    Args:
        k: constants of the network. well: leaves (wells,). media: in order, each with its duration.
        times: h from the first medium, ascending, at most the sum of the durations.

    Returns:
        Leaves (times, wells). At a change of medium what is seen is still under the old one.
    """
    wells = np.shape(well.seeded)
    spread = lambda tree: jax.tree.map(lambda v: np.broadcast_to(np.asarray(v, float), wells), tree)
    given = [*media, *[media[-1]] * (_room(len(media), MEDIA) - len(media))]
    stacked = jax.tree.map(lambda *leaves: np.stack(leaves, axis=-1), *(spread((m.rapalog_nM, m.inhibition)) for m in given))
    cells = (spread(k), spread(well), stacked)
    part = lambda these: jax.tree.map(lambda leaf: leaf[these], cells)
    found = [seen for _, seen in map_population(_program(), part, _schedule(media, times), wells[0], WELLS)]
    first = 0 if len(times) and times[0] == 0.0 else 1
    return jax.tree.map(lambda *leaves: np.concatenate(leaves).T[first : first + len(times)], *found)


@lru_cache(maxsize=1)
def _program() -> Program:
    return Program(_course, usable_devices(1))


def _course(cells, schedule: Schedule) -> Seen:
    k, well, media = cells
    media = jax.tree.map(lambda leaf: leaf.T, media)  # (media, wells)
    network = steady_state(k, well.cell)
    still = growth.fates(network, k, well.cell, well.growth)
    zero = jnp.zeros_like(well.seeded)
    dying = still.sensitive.death / (jnp.log(2.0) / well.doubling_h + well.k_clear)  # its share in a growing culture
    start = Culture(*network, R=zero, C=zero, log_live=zero, dying=dying)
    plain = (growth.UNTREATED, example(k), example(well), example(still))
    structure = structure_of(lambda x, _: _rates(x, *plain), example(start), ())

    def step(i: jax.Array, carried: tuple[Culture, Culture]) -> tuple[Culture, Culture]:
        x, kept = carried
        given, partner = jax.tree.map(lambda leaf: leaf[schedule.medium[i]], media)
        x = x._replace(C=jnp.where(schedule.fresh[i], given, x.C))
        h = schedule.hours[i].astype(zero.dtype)
        x = rodas3_step(lambda x, _: _rates(x, partner, k, well, still), structure, x, (), (), (), h)
        return x, jax.tree.map(lambda rows, value: rows.at[schedule.row[i]].set(value), kept, x)

    empty = jax.tree.map(lambda value: jnp.tile(value, (len(schedule.medium_of), 1)), start)
    _, kept = jax.lax.fori_loop(0, schedule.taken, step, (start, empty))
    partners = jax.tree.map(lambda leaf: leaf[schedule.medium_of].at[0].set(0.0), media[1])  # time 0 is before the drugs
    return _see(kept, partners, k, well, still)
