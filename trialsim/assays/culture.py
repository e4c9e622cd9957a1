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
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from trialsim.engine.rosenbrock import rodas3_step, structure_of
from trialsim.engine.structure import example
from trialsim.mechanism import binding, growth, signalling
from trialsim.mechanism.steady import steady_state

STEP_H = 0.25  # largest step; the error of counts and levels at this step is below 1 % (tests/assays/test_culture.py)
FIRST_STEP_H = 0.02  # after a change of medium


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


def grow(k: signalling.NetworkConstants, well: Well, media: Sequence[Medium], times: Sequence[float]) -> Seen:
    """Wells over time under one medium after another.

    Args:
        k: constants of the network. well: leaves (wells,). media: in order, each with its duration.
        times: h from the first medium, ascending, at most the sum of the durations.

    Returns:
        Leaves (times, wells). At a change of medium what is seen is still under the old one.
    """
    ends = np.cumsum([medium.hours for medium in media])
    kind = np.result_type(np.asarray(well.seeded).dtype, np.float32)
    wells = np.shape(well.seeded)
    spread = lambda tree: jax.tree.map(lambda v: np.broadcast_to(np.asarray(v, kind), wells), tree)
    steps, which, keep = [], [], []
    for i, (medium, end) in enumerate(zip(media, ends, strict=True)):
        start = end - medium.hours
        within = [t - start for t in times if start < t <= end + 1e-9]
        nodes = mesh(medium.hours, within)
        keep += [len(steps) + int(np.argmin(np.abs(nodes - t))) for t in within]
        steps += np.diff(nodes).tolist()
        which += [i] * (len(nodes) - 1)
    fresh = np.diff(which, prepend=-1) > 0
    stacked = jax.tree.map(lambda *leaves: np.stack(leaves), *(spread((m.rapalog_nM, m.inhibition)) for m in media))
    seen = _grow(spread(k), spread(well), stacked, np.asarray(steps, kind), np.array(which), fresh, np.array([0, *keep]))
    first = 0 if len(times) and times[0] == 0.0 else 1
    return jax.tree.map(lambda leaf: np.asarray(leaf)[first:], seen)


@jax.jit
def _grow(k, well: Well, media, steps, which, fresh, keep) -> Seen:
    network = steady_state(k, well.cell)
    still = growth.fates(network, k, well.cell, well.growth)
    zero = jnp.zeros_like(well.seeded)
    dying = still.sensitive.death / (jnp.log(2.0) / well.doubling_h + well.k_clear)  # its share in a growing culture
    start = Culture(*network, R=zero, C=zero, log_live=zero, dying=dying)
    plain = (growth.UNTREATED, example(k), example(well), example(still))
    structure = structure_of(lambda x, _: _rates(x, *plain), example(start), ())

    def step(x: Culture, now):
        h, medium, new = now
        given, partner = jax.tree.map(lambda leaf: leaf[medium], media)
        x = x._replace(C=jnp.where(new, given, x.C))
        x = rodas3_step(lambda x, _: _rates(x, partner, k, well, still), structure, x, (), (), (), h)
        return x, (x, partner)

    _, (after, partners) = jax.lax.scan(step, start, (steps, which, fresh))
    begin = jax.tree.map(lambda leaf: jnp.zeros_like(leaf[:1]), media[1])  # time 0 is before the drugs
    both = lambda one, many: jax.tree.map(lambda a, b: jnp.concatenate([a, b])[keep], one, many)
    return _see(both(jax.tree.map(lambda leaf: leaf[None], start), after), both(begin, partners), k, well, still)
