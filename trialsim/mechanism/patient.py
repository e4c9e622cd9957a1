"""The patient: where kinetics, binding, signalling and growth meet. One state, one step (a day), one observation.

A day starts just before the scheduled dose and ends just before the next one, so its last concentration is the trough.
Two kinds of cell follow the same blood: the tumour and PBMC (the surrogate tissue that trials biopsy).
"""

from __future__ import annotations

import math
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from trialsim.engine.interval import Drive, Flow, advance_amounts, dosed, run_steps, tabulate
from trialsim.engine.mesh import Table, graded_mesh
from trialsim.mechanism import binding, growth, pharmacokinetics, signalling
from trialsim.mechanism.routes import Routes
from trialsim.mechanism.steady import steady_state, structure
from trialsim.units import HOURS_PER_DAY

TUMOUR, PBMC = 0, 1
ERROR_AT_8 = 8e-4
MESH_GRADING = 3.0  # calibrated: of 2, 3, 4 and 5 the smallest error of net growth at 8, 12 and 16 steps a day
BLOOD_MESH = graded_mesh(HOURS_PER_DAY, 24)


class PatientParameters(NamedTuple):
    """Everything that makes one patient different. ``cell`` and ``binding`` have a first axis (tumour, PBMC), then patients.

    Attributes:
        pk: kinetics. iov_F, iov_MAT: factors on F and MAT for each occasion, shape (occasions, patients).
        nM_per_ng_ml: molar conversion of the drug.
        binding, cell, growth: see their modules.
        penetration: part of ``binding.partition`` that stroma leaves, (cells, patients). routes: see ``routes``; kinetics of a day
            take what ``routes.cut`` and ``routes.treated`` make of parameters and constants.
    """

    pk: pharmacokinetics.PKParameters
    iov_F: jax.Array
    iov_MAT: jax.Array
    nM_per_ng_ml: jax.Array
    binding: binding.BindingParameters
    cell: signalling.CellParameters
    growth: growth.GrowthParameters
    penetration: jax.Array
    routes: Routes


class CellState(NamedTuple):
    """Attributes: R: drug held in the cell, nM. network: its signalling."""

    R: jax.Array
    network: signalling.Network


class PatientState(NamedTuple):
    """What the next day needs.

    Attributes:
        drug: (gut, fast, slow) plasma concentrations, see ``pharmacokinetics.Oral``. tumour, pbmc: cells.
        I_sensitive, I_resistant: int G dt, days.
    """

    drug: tuple[jax.Array, ...]
    tumour: CellState
    pbmc: CellState
    I_sensitive: jax.Array
    I_resistant: jax.Array


class Growth(NamedTuple):
    """The slow states of a day: int G dt of sensitive and resistant cells, hours."""

    sensitive: jax.Array
    resistant: jax.Array


class Untreated(NamedTuple):
    """The patient's own steady state without drug: every fold change refers to it."""

    cells: signalling.Network
    fates: growth.Fates


class Day(NamedTuple):
    """What one day shows. Concentrations in whole blood, ng/mL; folds of the untreated state at the trough.

    Attributes:
        cmin, cmax: ng/mL. auc24: ng.h/mL.
        ps6, p4ebp1, pakt: (tumour, PBMC), shape (2, patients). perk, autophagy: tumour.
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


def cell_drive(p: PatientParameters, to_free_nM: jax.Array) -> Drive:
    """Blood -> drug in the cell -> occupancy of mTORC1; ``p`` from `of_cell`, ``to_free_nM``: free nM per ng/mL of plasma."""
    return Drive(
        rate=lambda R, C: binding.uptake_rate(R, C * to_free_nM, p.binding),
        step=lambda R, areas, h: binding.uptake_step(R, [area * to_free_nM for area in areas], h, p.binding),
        input=lambda R, C: (binding.occupancy(R, p.binding),),
    )


def of_cell(p: PatientParameters, which: int) -> PatientParameters:
    """The parameters with only the tumour's or the PBMC's ``binding`` and ``cell``."""
    one = lambda tree: jax.tree.map(lambda leaf: leaf[which], tree)
    return p._replace(binding=one(p.binding), cell=one(p.cell))


def untreated(k: signalling.NetworkConstants, p: PatientParameters) -> Untreated:
    """Steady state without drug. Leaves of ``cells`` (2, patients)."""
    x = steady_state(k, p.cell)
    return Untreated(x, tumour_fates(jax.tree.map(lambda leaf: leaf[TUMOUR], x), k, of_cell(p, TUMOUR)))


def tumour_fates(x: signalling.Network, k: signalling.NetworkConstants, p: PatientParameters) -> growth.Fates:
    """Fates of tumour cells; ``p`` from `of_cell`."""
    return growth.fates(x, k, p.cell, p.growth)


def initial_state(reference: Untreated) -> PatientState:
    """A patient before the first dose."""
    zero = jnp.zeros_like(reference.fates.sensitive.death)
    tumour, pbmc = (CellState(zero, jax.tree.map(lambda leaf, i=i: leaf[i], reference.cells)) for i in (TUMOUR, PBMC))
    return PatientState((zero, zero, zero), tumour, pbmc, zero, zero)


def steps_for(accuracy: float) -> int:
    """Steps a day at which 99 % of patients stay below an error in net growth (share of the untreated rate) and in the folds of
    pS6, p4E-BP1, pAKT and autophagy; that of pERK is up to three times as large.

    Calibrated to `conduct.solver_check` over 28 days of 10 mg in 256 adults: 7.2e-4 at 8 steps, 3.1e-4 at 12, 1.8e-4 at 16,
    8.0e-5 at 24, that is the second order of a stiff problem; 10 % are added. Fewer than 8 were not tried.
    """
    return max(8, math.ceil(8.0 * math.sqrt(ERROR_AT_8 / accuracy)))


class DayMesh(NamedTuple):
    """Nodes of a day's steps, hours, for tumour and PBMC. PBMC decide nothing and are read at the trough, so fewer do."""

    tumour: np.ndarray
    pbmc: np.ndarray


def day_mesh(steps: int) -> DayMesh:
    """The mesh of ``steps`` steps a day for the tumour."""
    return DayMesh(*(graded_mesh(HOURS_PER_DAY, n, MESH_GRADING) for n in (steps, max(steps // 2 + 1, 5))))


class Occasion(NamedTuple):
    """Kinetics of one dosing occasion.

    Attributes:
        pk: the patient's. tumour, pbmc: tables over the meshes of the day's steps. blood: over `BLOOD_MESH`, where the assay looks.
    """

    pk: pharmacokinetics.PKParameters
    tumour: Table
    pbmc: Table
    blood: Table


def occasion_kinetics(p: PatientParameters, occasion: jax.Array, mesh: DayMesh) -> Occasion:
    """Kinetics of one occasion, tabulated for the mesh of `day_mesh`."""
    pk = p.pk._replace(F=jnp.minimum(p.pk.F * p.iov_F[occasion], 1.0), MAT=p.pk.MAT * p.iov_MAT[occasion])
    oral, kind = pharmacokinetics.Oral(), jnp.result_type(pk.F)
    steps = (tabulate(oral, pk, nodes, kind, binding.PARTS) for nodes in mesh)
    return Occasion(pk, *steps, blood=tabulate(oral, pk, BLOOD_MESH, kind))


def advance_day(
    state: PatientState,
    dose_mg: jax.Array,
    occasion: Occasion,
    k: signalling.NetworkConstants,
    p: PatientParameters,
    reference: Untreated,
    mesh: DayMesh,
) -> tuple[PatientState, Day]:
    """One day of one or many patients (patients last).

    Args:
        state: just before today's dose.
        dose_mg: dose taken today (0: none).
        occasion: today's kinetics, from `occasion_kinetics` for the same mesh. mesh: from `day_mesh`.
    """
    pk = occasion.pk
    drug = dosed(list(state.drug), 0, pharmacokinetics.Oral.dose(pk, dose_mg))
    to_free_nM = pk.fu * p.nM_per_ng_ml
    in_tumour, in_pbmc = of_cell(p, TUMOUR), of_cell(p, PBMC)

    def net(x: signalling.Network, *_) -> tuple[jax.Array, jax.Array]:
        return growth.net_growth(tumour_fates(x, k, in_tumour), reference.fates, p.growth.phi)

    def run(cell: CellState, which: PatientParameters, table: Table, nodes: np.ndarray, slow, y):
        fast = lambda x, _, u: signalling.rates(x, signalling.Inhibition(*u), k, which.cell)
        flow = Flow(fast, slow, structure(), cell_drive(which, to_free_nM))
        x, change, R = run_steps(flow, table, nodes, drug, cell.network, y, cell.R)
        return CellState(R, x), change

    nothing = Growth(jnp.zeros_like(state.I_sensitive), jnp.zeros_like(state.I_sensitive))
    tumour, change = run(state.tumour, in_tumour, occasion.tumour, mesh.tumour, net, nothing)
    pbmc, _ = run(state.pbmc, in_pbmc, occasion.pbmc, mesh.pbmc, lambda *_: (), ())

    blood, auc24 = _blood(occasion, drug)
    cells = ((TUMOUR, tumour.network), (PBMC, pbmc.network))
    fold = lambda name: jnp.stack([getattr(x, name) / getattr(reference.cells, name)[i] for i, x in cells])
    day = Day(
        cmin=blood[-1],
        cmax=jnp.max(blood, axis=0),
        auc24=auc24,
        ps6=fold("S6"),
        p4ebp1=fold("BP"),
        pakt=fold("S473"),
        perk=tumour.network.ERK / reference.cells.ERK[TUMOUR],
        autophagy=tumour.network.flux / reference.cells.flux[TUMOUR],
        dependence_shift=tumour.network.W,
    )
    days = [value / HOURS_PER_DAY for value in change]
    after = tuple(advance_amounts(occasion.tumour, drug))
    return PatientState(after, tumour, pbmc, state.I_sensitive + days[0], state.I_resistant + days[1]), day


def _blood(occasion: Occasion, drug: list[jax.Array]) -> tuple[jax.Array, jax.Array]:
    """Whole-blood concentration at the nodes of `BLOOD_MESH`, ng/mL, and the area under it by the corrected trapezoid, ng.h/mL."""
    table, h = occasion.blood, np.diff(BLOOD_MESH)
    along = lambda rows: sum(rows[:, i] * amount for i, amount in enumerate(drug))
    blood, slope = jax.jvp(lambda C: pharmacokinetics.whole_blood(occasion.pk, C), (along(table.weight),), (along(table.slope),))
    shaped = lambda values: jnp.asarray(values, blood.dtype).reshape(-1, *[1] * (blood.ndim - 1))
    area = shaped(0.5 * h) * (blood[1:] + blood[:-1]) + shaped(h**2 / 12.0) * (slope[:-1] - slope[1:])
    return blood, sum(area[j] for j in range(len(h)))  # in this order whatever the number of patients
