"""The rapalog patient as a model of the engine: blood, drug in tumour cells, network, growth, for any regimen.

The same equations, parameters and step as in `patient.advance_day`, which lives the days of a trial; here the doses are given. It
is what the numerical check of a study runs, and what sensitivities are taken of: with the doses of a simulated course as the
regimen, they are those of that patient in that trial, its holds and reductions as they happened. Partner drugs enter by their
effects (parameters ``i_<node>``), which they reach within hours of the start and keep.
"""

from __future__ import annotations

from collections import namedtuple
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from trialsim.engine.model import Model, Upstream
from trialsim.mechanism import binding, growth, partners, patient, pharmacokinetics, routes, signalling
from trialsim.units import HOURS_PER_DAY

UNITS = {
    "alpha": "1/h", "beta": "1/h", "share_alpha": "fraction", "Vc": "L", "F": "fraction", "MAT": "h", "fu": "fraction",
    "haematocrit": "fraction", "Bmax": "ng/mL", "Kd": "ng/mL", "Kns": "ratio",
    "metabolite_alpha": "1/h", "metabolite_beta": "1/h", "metabolite_share_alpha": "fraction", "formation": "1/h",
    "metabolite_effect": "ratio",
    "FKBP12": "nM", "K_FKBP12": "nM", "K_FRB": "nM", "PS": "1/h", "partition": "ratio",
    "k_d": "1/h",
    "nM_per_ng_ml": "nmol/L per ng/mL", "i_cytotoxic": "1/h", "d0_mm": "mm", "growth_per_day": "1/day", "resistant": "fraction",
    "penetration": "fraction", **dict.fromkeys(routes.Routes._fields, "1 open, 0 cut"),
}  # fmt: skip
PARTS = {
    "binding": binding.BindingParameters,
    "cell": signalling.CellParameters,
    "growth": growth.GrowthParameters,
    "routes": routes.Routes,
}
LESION = ("d0_mm", "growth_per_day", "resistant")
# a constant effect of partner drugs on each node of the tumour; none unless given
EFFECTS = {f"i_{node}": node for node in partners.NODES}
SHARE, FULL = "reached", {"reached": 1.0}  # the part of them that is reached, one for all nodes


class Derived(NamedTuple):
    """Attributes: patient: parameters, of the tumour cell only. cell, fates: its steady state without drug.
    d0_mm, growth_per_day, resistant: one lesion, see `growth.diameters`. effects: of partner drugs, by node. k: constants of the
    network where they are parameters."""

    patient: patient.PatientParameters
    cell: signalling.Network
    fates: growth.Fates
    d0_mm: jax.Array
    growth_per_day: jax.Array
    resistant: jax.Array
    effects: dict[str, jax.Array]
    k: signalling.NetworkConstants | None = None


class Seen(NamedTuple):
    """Attributes: C_free_nM: free drug in plasma, with its active metabolite. ps6, p4ebp1, pakt, perk, autophagy, proliferation:
    folds of the untreated tumour. I_sensitive, I_resistant: int G dt, days. diameter_mm: of the lesion."""

    C_free_nM: jax.Array
    ps6: jax.Array
    p4ebp1: jax.Array
    pakt: jax.Array
    perk: jax.Array
    autophagy: jax.Array
    proliferation: jax.Array
    I_sensitive: jax.Array
    I_resistant: jax.Array
    diameter_mm: jax.Array


State = namedtuple("State", (*signalling.Network._fields, "sensitive", "resistant"))
State.__doc__ = """The network of `signalling`, and int G dt of sensitive and resistant cells, hours."""


@dataclass(frozen=True)
class _Blood:
    """Kinetics of the drug, of the derived parameters."""

    drug: pharmacokinetics.DrugKinetics

    @property
    def size(self) -> int:
        return self.drug.size

    @property
    def dose_into(self) -> int:
        return self.drug.dose_into

    def dose(self, p: Derived, amount: jax.Array) -> jax.Array:
        return self.drug.dose(p.patient.pk, amount)

    def propagator(self, p: Derived, t: jax.Array) -> jax.Array:
        return self.drug.propagator(p.patient.pk, t)

    def rows(self, p: Derived, t: jax.Array) -> tuple[jax.Array, jax.Array]:
        return self.drug.rows(p.patient.pk, t)

    def accumulated(self, p: Derived, t: jax.Array) -> jax.Array:
        return self.drug.accumulated(p.patient.pk, t)


def model_of(k: signalling.NetworkConstants, kinetics: pharmacokinetics.DrugKinetics) -> Model:
    """The model with the constants of the network ``k`` and the drug's kinetics; doses in mg, time in hours."""
    return _model(signalling.NetworkConstants(*(float(value) for value in k)), kinetics)


def open_model(kinetics: pharmacokinetics.DrugKinetics) -> Model:
    """The same with the constants of the network among the parameters, by their names in `signalling.NetworkConstants`: one program
    for any of their values, and derivatives in them."""
    return _model(None, kinetics)


@lru_cache(maxsize=8)
def _model(constants: signalling.NetworkConstants | None, kinetics: pharmacokinetics.DrugKinetics) -> Model:
    parts = {"pk": kinetics.parameters} | PARTS | ({"k": signalling.NetworkConstants} if constants is None else {})
    of = lambda p: p.k if constants is None else constants

    def derive(p: Any) -> Derived:
        pick = lambda kind: kind(*(getattr(p, name) for name in kind._fields))
        found = {name: pick(kind) for name, kind in parts.items()}
        one = lambda tree: jax.tree.map(lambda v: v[None], tree)
        same = jnp.ones_like(p.F)[None]
        whole = patient.PatientParameters(
            found["pk"], same, same, p.nM_per_ng_ml, one(found["binding"]), one(found["cell"]), found["growth"],
            one(p.penetration), found["routes"],
        )  # fmt: skip
        whole = routes.cut(whole)
        still = patient.untreated(found.get("k", constants), whole)
        cell = jax.tree.map(lambda v: v[patient.TUMOUR], still.cells)
        lesion = (getattr(p, name) for name in LESION)
        effects = {node: getattr(p, name) for name, node in EFFECTS.items()}
        return Derived(patient.of_cell(whole, patient.TUMOUR), cell, still.fates, *lesion, effects, found.get("k"))

    def drive(p: Derived):
        return patient.cell_drive(p.patient, p.patient.pk.fu * p.patient.nM_per_ng_ml, FULL)

    def rates(x: Any, u: Any, p: Derived) -> Any:
        q, k, network = p.patient, of(p), signalling.Network(*x[: len(signalling.Network._fields)])
        effects = {node: u[SHARE] * value for node, value in p.effects.items()}
        inhibition = signalling.Inhibition(u["occupancy"], **effects)
        G = growth.net_growth(patient.tumour_fates(network, k, q, inhibition), p.fates, q.growth.phi)
        return State(*signalling.rates(network, inhibition, routes.treated(k, q.routes), q.cell), *G)

    def observe(x: Any, C: jax.Array, p: Derived) -> Seen:
        start, q = p.cell, p.patient
        reached = signalling.Inhibition(0.0, supply=p.effects["supply"])  # what acts on proliferation beside the network
        fates = patient.tumour_fates(signalling.Network(*x[: len(signalling.Network._fields)]), of(p), q, reached)
        I_s, I_r = x.sensitive / HOURS_PER_DAY, x.resistant / HOURS_PER_DAY
        lesion = (jnp.asarray(v)[..., None] for v in (p.d0_mm, p.growth_per_day, p.resistant))
        return Seen(
            C_free_nM=C * q.pk.fu * q.nM_per_ng_ml,
            ps6=x.S6 / start.S6,
            p4ebp1=x.BP / start.BP,
            pakt=x.S473 / start.S473,
            perk=x.ERK / start.ERK,
            autophagy=x.flux * (1.0 - p.effects["autophagy"]) / start.flux,
            proliferation=fates.sensitive.proliferation / p.fates.sensitive.proliferation,
            I_sensitive=I_s,
            I_resistant=I_r,
            diameter_mm=growth.diameters(*lesion, I_s, I_r)[..., 0],
        )

    zero = lambda p: jnp.zeros_like(p.patient.pk.F)
    names = (*(name for part in parts.values() for name in part._fields), "nM_per_ng_ml", "penetration", *LESION, *EFFECTS)
    return Model(
        name="rapalog patient",
        parameters={name: UNITS.get(name, "relative, see trialsim.mechanism") for name in names},
        fixed=dict.fromkeys(EFFECTS, 0.0),
        kinetics=_Blood(kinetics),
        start=lambda p: State(*p.cell, zero(p), zero(p)),
        rates=rates,
        observe=observe,
        slow=("sensitive", "resistant"),
        derive=derive,
        upstream=Upstream(
            start=lambda p: patient.InCell(zero(p), {SHARE: zero(p)}),
            rate=lambda d, C, p: drive(p).rate(d, C),
            step=lambda d, areas, h, p: drive(p).step(d, areas, h),
            input=lambda d, C, p: drive(p).input(d, C),
            parts=binding.PARTS,
        ),
    )


def parameters_of(
    p: patient.PatientParameters, lesion: dict[str, np.ndarray], cells: int = patient.TUMOUR
) -> dict[str, np.ndarray]:
    """What `model_of` takes, for patients of a study.

    Args:
        p: leaves (patients, ...), on the first dosing occasion. lesion: d0_mm, growth_per_day, resistant, (patients,) each.
        cells: ``patient.TUMOUR``, or ``patient.PBMC`` to look at those.
    """
    pk = p.pk._replace(F=np.minimum(p.pk.F * p.iov_F[:, 0], 1.0), MAT=p.pk.MAT * p.iov_MAT[:, 0])
    cell = lambda tree: jax.tree.map(lambda v: v[:, cells], tree)
    groups = (pk, cell(p.binding), cell(p.cell), p.growth, p.routes)
    found = {name: value for group in groups for name, value in group._asdict().items()}
    found |= {"nM_per_ng_ml": p.nM_per_ng_ml, "penetration": cell(p.penetration)}
    return {name: np.asarray(value, float) for name, value in (found | lesion).items()}
