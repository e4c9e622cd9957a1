"""The patient: where kinetics, binding, signalling and growth meet. One state, one step (a day), one observation.

A day starts just before the scheduled dose and ends just before the next one, so its last concentration is the trough.
Two kinds of cell follow the same blood: the tumour and PBMC (the surrogate tissue that trials biopsy).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from trialsim.engine.integrate import GAMMA, graded_mesh, sdirk2_step
from trialsim.mechanism import binding, growth, pharmacokinetics, signalling
from trialsim.units import HOURS_PER_DAY

TUMOUR, PBMC = 0, 1


class PatientParameters(NamedTuple):
    """Everything that makes one patient different. ``cell`` and ``binding`` have a last axis (tumour, PBMC).

    Attributes:
        pk: kinetics. iov_F, iov_MAT: factors on F and MAT for each occasion, shape (occasions,).
        nM_per_ng_ml: molar conversion of the drug.
        binding, cell, growth: see their modules.
    """

    pk: pharmacokinetics.PKParameters
    iov_F: jax.Array
    iov_MAT: jax.Array
    nM_per_ng_ml: jax.Array
    binding: binding.BindingParameters
    cell: signalling.CellParameters
    growth: growth.GrowthParameters


class CellState(NamedTuple):
    """Drug held in the cell (nM) and the network's species; the fields of ``signalling.Network`` follow ``R``."""

    R: jax.Array
    IRS1: jax.Array
    GRB10: jax.Array
    PIP3: jax.Array
    T308: jax.Array
    S473: jax.Array
    mTORC2: jax.Array
    RHEB: jax.Array
    S6K: jax.Array
    S6: jax.Array
    BP: jax.Array
    Z: jax.Array
    ULK: jax.Array
    flux: jax.Array
    ERK: jax.Array
    CYCD: jax.Array
    protein: jax.Array
    W: jax.Array

    def network(self) -> signalling.Network:
        return signalling.Network(*self[1:])


class PatientState(NamedTuple):
    """What the next day needs.

    Attributes:
        pk: kinetics. cells: (2,) tumour and PBMC.
        I_sensitive, I_resistant: int G dt, days.
    """

    pk: pharmacokinetics.PKState
    cells: CellState
    I_sensitive: jax.Array
    I_resistant: jax.Array


class Untreated(NamedTuple):
    """The patient's own steady state without drug: every fold change refers to it."""

    cells: CellState
    fates: growth.Fates


class Day(NamedTuple):
    """What one day shows. Concentrations in whole blood, ng/mL; folds of the untreated state at the trough.

    Attributes:
        cmin, cmax: ng/mL. auc24: ng.h/mL.
        ps6, p4ebp1, pakt: (tumour, PBMC), shape (2,). perk, autophagy: tumour.
        dependence_shift: W of the tumour.
    """

    cmin: jax.Array
    cmax: jax.Array
    auc24: jax.Array
    ps6: jax.Array
    p4ebp1: jax.Array
    pakt: jax.Array
    perk: jax.Array
    autophagy: jax.Array
    dependence_shift: jax.Array


def cell_flow(x: CellState, C_free_nM: jax.Array, relax: Any, k: signalling.NetworkConstants, p: PatientParameters) -> CellState:
    """Rates of the drug in the cell and of the network, both kinds of cell at once."""
    R = relax.R(*binding.uptake(x.R, C_free_nM, p.binding))
    share = binding.free_share(R, p.binding)
    inhibition = signalling.Inhibition(occupancy=binding.occupancy(R, p.binding), C_cell_nM=R * share)
    return CellState(R, *signalling.flow(x.network(), inhibition, relax, k, p.cell))


def untreated(k: signalling.NetworkConstants, p: PatientParameters, steps: int = 60, hours: float = 4.0) -> Untreated:
    """Steady state without drug, by running the same scheme for ``steps * hours`` hours."""
    shape = jnp.shape(p.cell.RTK)
    x = CellState(jnp.zeros(shape), *signalling.start(shape))
    flow = lambda x, u, relax: cell_flow(x, u, relax, k, p)
    zero, h = jnp.zeros(()), jnp.asarray(hours)
    x, _ = jax.lax.scan(lambda x, _: (sdirk2_step(flow, x, zero, zero, h), None), x, length=steps)
    return Untreated(x, tumour_fates(x, p))


def tumour_fates(x: CellState, p: PatientParameters) -> growth.Fates:
    tumour = jax.tree.map(lambda leaf: leaf[..., TUMOUR], (x.network(), p.cell))
    return growth.fates(*tumour, p.growth)


def initial_state(reference: Untreated) -> PatientState:
    """A patient before the first dose."""
    zero = jnp.zeros_like(reference.fates.sensitive)
    return PatientState(pharmacokinetics.PKState(zero, zero, zero), reference.cells, zero, zero)


def advance_day(
    state: PatientState,
    dose_mg: jax.Array,
    occasion: jax.Array,
    k: signalling.NetworkConstants,
    p: PatientParameters,
    reference: Untreated,
    steps: int,
) -> tuple[PatientState, Day]:
    """One day of one patient.

    Args:
        state: just before today's dose.
        dose_mg: dose taken today (0: none).
        occasion: index into ``iov_F`` and ``iov_MAT``.
        steps: integration steps a day, on a mesh graded towards the dose.
    """
    pk = p.pk._replace(F=jnp.minimum(p.pk.F * p.iov_F[occasion], 1.0), MAT=p.pk.MAT * p.iov_MAT[occasion])
    mesh = graded_mesh(HOURS_PER_DAY, steps)
    h = jnp.diff(mesh)

    def plasma(t: jax.Array) -> jax.Array:
        there = jax.vmap(lambda t: pharmacokinetics.plasma_concentration(pk, state.pk, dose_mg, t))(t)
        return there.fast + there.slow

    C_middle, C_end = plasma(mesh[:-1] + GAMMA * h), plasma(mesh[1:])
    to_free_nM = pk.fu * p.nM_per_ng_ml
    flow = lambda x, u, relax: cell_flow(x, u, relax, k, p)

    def net(cells: CellState) -> tuple[jax.Array, jax.Array]:
        return growth.net_growth(tumour_fates(cells, p), reference.fates, p.growth.phi)

    def step(carry, inputs):
        cells, (G_s, G_r), (I_s, I_r) = carry
        h, middle, end = inputs
        cells = sdirk2_step(flow, cells, middle * to_free_nM, end * to_free_nM, h)
        new_s, new_r = net(cells)
        days = h / HOURS_PER_DAY
        integral = (I_s + 0.5 * days * (G_s + new_s), I_r + 0.5 * days * (G_r + new_r))
        return (cells, (new_s, new_r), integral), None

    carry = (state.cells, net(state.cells), (state.I_sensitive, state.I_resistant))
    (cells, _, (I_s, I_r)), _ = jax.lax.scan(step, carry, (h, C_middle, C_end))

    blood_start = pharmacokinetics.whole_blood(pk, state.pk.fast + state.pk.slow)
    blood = jnp.concatenate([blood_start[None], pharmacokinetics.whole_blood(pk, C_end)])
    day = Day(
        cmin=blood[-1],
        cmax=jnp.max(blood),
        auc24=jnp.sum(0.5 * h * (blood[1:] + blood[:-1])),
        ps6=cells.S6 / reference.cells.S6,
        p4ebp1=cells.BP / reference.cells.BP,
        pakt=cells.S473 / reference.cells.S473,
        perk=cells.ERK[TUMOUR] / reference.cells.ERK[TUMOUR],
        autophagy=cells.flux[TUMOUR] / reference.cells.flux[TUMOUR],
        dependence_shift=cells.W[TUMOUR],
    )
    end = pharmacokinetics.plasma_concentration(pk, state.pk, dose_mg, mesh[-1])
    return PatientState(end, cells, I_s, I_r), day
