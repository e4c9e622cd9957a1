"""The patient: where kinetics, binding, signalling and growth meet. One state, one step (a day), one observation.

A day starts just before the scheduled dose and ends just before the next one, so its last concentration is the trough. Partner
drugs act by their effect averaged over the day (mechanism.partners).
Two kinds of cell follow the same blood: the tumour and PBMC (the surrogate tissue that trials biopsy).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from trialsim.engine.interval import Drive, Flow, advance_amounts, dosed, run_steps, tabulate
from trialsim.engine.mesh import Table, graded_mesh
from trialsim.mechanism import binding, growth, partners, pharmacokinetics, signalling
from trialsim.mechanism.pharmacokinetics import DrugKinetics
from trialsim.mechanism.routes import Routes
from trialsim.mechanism.steady import steady_state, structure
from trialsim.units import HOURS_PER_DAY

TUMOUR, PBMC = 0, 1
BLOOD_MESH = graded_mesh(HOURS_PER_DAY, 24)


class PatientParameters(NamedTuple):
    """Everything that makes one patient different. ``cell`` and ``binding`` have a first axis (tumour, PBMC), then patients.

    Attributes:
        pk: kinetics. iov_F, iov_MAT: factors on F and MAT for each occasion, shape (occasions, patients).
        nM_per_ng_ml: molar conversion of the drug.
        binding, cell, growth: see their modules. partners: other drugs, None if there are none.
        penetration: part of ``binding.partition`` that stroma leaves, (cells, patients).
        routes: which escape routes are open; a day is lived with what ``routes.cut`` and ``routes.treated`` make of this and of the
            constants.
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
    partners: partners.Partners | None = None


class InCell(NamedTuple):
    """What comes from the blood. Attributes: R: rapalog held in the cell, nM. effects: of partner drugs, by node."""

    R: jax.Array
    effects: partners.Effects


class CellState(NamedTuple):
    """Attributes: drugs: in the cell. network: its signalling."""

    drugs: InCell
    network: signalling.Network


class PatientState(NamedTuple):
    """What the next day needs.

    Attributes:
        drug: amounts of the kinetics, see ``pharmacokinetics.Oral`` or ``metabolite.ParentMetabolite``. tumour, pbmc: cells.
        I_sensitive, I_resistant: int G dt, days. partners: amounts of the partner drugs, if there are any.
    """

    drug: tuple[jax.Array, ...]
    tumour: CellState
    pbmc: CellState
    I_sensitive: jax.Array
    I_resistant: jax.Array
    partners: partners.Amounts | None = None


class Growth(NamedTuple):
    """The slow states of a day: int G dt of sensitive and resistant cells, hours."""

    sensitive: jax.Array
    resistant: jax.Array


class Untreated(NamedTuple):
    """The patient's own steady state without drug: every fold change refers to it."""

    cells: signalling.Network
    fates: growth.Fates


class Day(NamedTuple):
    """What one day shows. Concentrations in whole blood, ng/mL, drug and active metabolite together; folds of the untreated state
    at the trough.

    Attributes:
        cmin, cmax: ng/mL. auc24: ng.h/mL.
        ps6, p4ebp1, pakt: (tumour, PBMC), shape (2, patients). perk, autophagy (flux that is not blocked): tumour.
        dependence_shift: W of the tumour. partners: plasma concentrations of the partner drugs, if there are any.
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
    partners: partners.Exposure | None = None


Input = dict[str, jax.Array]  # what the network gets, by field of `signalling.Inhibition`


def cell_drive(p: PatientParameters, to_free_nM: jax.Array, target: partners.Effects) -> Drive:
    """Blood -> drugs in the cell -> inhibition.

    Args:
        p: from `of_cell`. to_free_nM: free nM of the rapalog per ng/mL of plasma. target: the day's effects of partner drugs.
    """

    def rate(d: InCell, C: jax.Array) -> InCell:
        effects = {node: partners.APPROACH * (target[node] - value) for node, value in d.effects.items()}
        return InCell(binding.uptake_rate(d.R, C * to_free_nM, p.binding), effects)

    def step(d: InCell, areas: list[jax.Array], h: jax.Array) -> InCell:
        R = binding.uptake_step(d.R, [area * to_free_nM for area in areas], h, p.binding)
        return InCell(R, partners.approach(d.effects, target, h))

    return Drive(rate, step, input=lambda d, C: {"occupancy": binding.occupancy(d.R, p.binding)} | d.effects)


def of_cell(p: PatientParameters, which: int) -> PatientParameters:
    """The parameters with only the tumour's or the PBMC's ``binding`` and ``cell``."""
    one = lambda tree: jax.tree.map(lambda leaf: leaf[which], tree)
    return p._replace(binding=one(p.binding), cell=one(p.cell))


def untreated(k: signalling.NetworkConstants, p: PatientParameters) -> Untreated:
    """Steady state without drug. Leaves of ``cells`` (2, patients)."""
    x = steady_state(k, p.cell)
    return Untreated(x, tumour_fates(jax.tree.map(lambda leaf: leaf[TUMOUR], x), k, of_cell(p, TUMOUR)))


def tumour_fates(
    x: signalling.Network,
    k: signalling.NetworkConstants,
    p: PatientParameters,
    inhibition: signalling.Inhibition = growth.UNTREATED,
) -> growth.Fates:
    """Fates of tumour cells; ``p`` from `of_cell`."""
    return growth.fates(x, k, p.cell, p.growth, inhibition)


def initial_state(reference: Untreated, kinetics: DrugKinetics, others: partners.Partners | None = None) -> PatientState:
    """A patient before the first dose; ``others``: the partner drugs of the study."""
    zero = jnp.zeros_like(reference.fates.sensitive.death)
    drugs = InCell(zero, partners.no_effect(others, zero))
    tumour, pbmc = (CellState(drugs, jax.tree.map(lambda leaf, i=i: leaf[i], reference.cells)) for i in (TUMOUR, PBMC))
    nothing = None if others is None else partners.none_taken(others)
    return PatientState((zero,) * kinetics.size, tumour, pbmc, zero, zero, nothing)


def steps_for(accuracy: float, kinetics: DrugKinetics) -> int:
    """Steps a day at which 99 % of patients stay below an error in net growth (share of the untreated rate) and in the folds of
    pS6, p4E-BP1, pAKT and autophagy; that of pERK is up to three times as large.

    Calibrated to `conduct.solver_check` over 28 days, where the error falls with the second order of a stiff problem; see
    `DrugKinetics.error_at_8`. The fold of pAKT has the largest error. Fewer than 8 steps were not tried.
    """
    return max(8, math.ceil(8.0 * math.sqrt(kinetics.error_at_8 / accuracy)))


class DayMesh(NamedTuple):
    """Nodes of a day's steps, hours, for tumour and PBMC. PBMC decide nothing and are read at the trough, so fewer do."""

    tumour: np.ndarray
    pbmc: np.ndarray


def day_mesh(steps: int, kinetics: DrugKinetics) -> DayMesh:
    """The mesh of ``steps`` steps a day for the tumour."""
    return DayMesh(*(graded_mesh(HOURS_PER_DAY, n, kinetics.grading) for n in (steps, max(steps // 2 + 1, 5))))


@partial(jax.tree_util.register_dataclass, data_fields=("pk", "tumour", "pbmc", "blood"), meta_fields=("kinetics",))
@dataclass(frozen=True)
class Occasion:
    """Kinetics of one dosing occasion.

    Attributes:
        kinetics: closed form of the drug. pk: the patient's. tumour, pbmc: tables over the meshes of the day's steps.
        blood: one table an analyte over `BLOOD_MESH`, where the assay looks.
    """

    kinetics: DrugKinetics
    pk: pharmacokinetics.PKParameters
    tumour: Table
    pbmc: Table
    blood: tuple[Table, ...]


def occasion_kinetics(p: PatientParameters, occasion: jax.Array, mesh: DayMesh, kinetics: DrugKinetics) -> Occasion:
    """Kinetics of one occasion, tabulated for the mesh of `day_mesh`."""
    pk = p.pk._replace(F=jnp.minimum(p.pk.F * p.iov_F[occasion], 1.0), MAT=p.pk.MAT * p.iov_MAT[occasion])
    kind = jnp.result_type(pk.F)
    steps = (tabulate(kinetics, pk, nodes, kind, binding.PARTS) for nodes in mesh)
    return Occasion(kinetics, pk, *steps, blood=tuple(tabulate(one, pk, BLOOD_MESH, kind) for one in kinetics.analytes))


def advance_day(
    state: PatientState,
    dose_mg: jax.Array,
    occasion: Occasion,
    k: signalling.NetworkConstants,
    p: PatientParameters,
    reference: Untreated,
    mesh: DayMesh,
    partner_mg: jax.Array | None = None,
) -> tuple[PatientState, Day]:
    """One day of one or many patients (patients last).

    Args:
        state: just before today's dose.
        dose_mg: dose taken today (0: none).
        occasion: today's kinetics, from `occasion_kinetics` for the same mesh. mesh: from `day_mesh`.
        partner_mg: of each of today's administrations of the partner drugs, (partners, ...).
    """
    pk = occasion.pk
    drug = dosed(list(state.drug), occasion.kinetics.dose_into, occasion.kinetics.dose(pk, dose_mg))
    to_free_nM = pk.fu * p.nM_per_ng_ml
    in_tumour, in_pbmc = of_cell(p, TUMOUR), of_cell(p, PBMC)
    others, seen, effects = None, None, ({}, {})
    if p.partners is not None:
        others, seen, effects = partners.live(p.partners, state.partners, partner_mg)

    def net(x: signalling.Network, _, u: Input) -> tuple[jax.Array, jax.Array]:
        fates = tumour_fates(x, k, in_tumour, signalling.Inhibition(**u))
        return growth.net_growth(fates, reference.fates, p.growth.phi)

    def run(cell: CellState, kind: int, which: PatientParameters, table: Table, nodes: np.ndarray, slow, y):
        fast = lambda x, _, u: signalling.rates(x, signalling.Inhibition(**u), k, which.cell)
        flow = Flow(fast, slow, structure(tuple(effects[kind])), cell_drive(which, to_free_nM, effects[kind]))
        x, change, drugs = run_steps(flow, table, nodes, drug, cell.network, y, cell.drugs)
        return CellState(drugs, x), change

    nothing = Growth(jnp.zeros_like(state.I_sensitive), jnp.zeros_like(state.I_sensitive))
    tumour, change = run(state.tumour, TUMOUR, in_tumour, occasion.tumour, mesh.tumour, net, nothing)
    pbmc, _ = run(state.pbmc, PBMC, in_pbmc, occasion.pbmc, mesh.pbmc, lambda *_: (), ())

    blood, auc24 = assay(occasion, drug)
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
        autophagy=tumour.network.flux * (1.0 - tumour.drugs.effects.get("autophagy", 0.0)) / reference.cells.flux[TUMOUR],
        dependence_shift=tumour.network.W,
        partners=seen,
    )
    days = [value / HOURS_PER_DAY for value in change]
    after = tuple(advance_amounts(occasion.tumour, drug))
    return PatientState(after, tumour, pbmc, state.I_sensitive + days[0], state.I_resistant + days[1], others), day


def assay(occasion: Occasion, drug: list[jax.Array]) -> tuple[jax.Array, jax.Array]:
    """Whole-blood concentration at the nodes of `BLOOD_MESH`, ng/mL, and the area under it by the corrected trapezoid, ng.h/mL."""
    h = np.diff(BLOOD_MESH)
    along = lambda rows: sum(rows[:, i] * amount for i, amount in enumerate(drug))
    of_analytes = lambda name: tuple(along(getattr(table, name)) for table in occasion.blood)
    read = lambda *plasma: occasion.kinetics.whole_blood(occasion.pk, plasma)
    blood, slope = jax.jvp(read, of_analytes("weight"), of_analytes("slope"))
    shaped = lambda values: jnp.asarray(values, blood.dtype).reshape(-1, *[1] * (blood.ndim - 1))
    area = shaped(0.5 * h) * (blood[1:] + blood[:-1]) + shaped(h**2 / 12.0) * (slope[:-1] - slope[1:])
    return blood, sum(area[j] for j in range(len(h)))  # in this order whatever the number of patients
