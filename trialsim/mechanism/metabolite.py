"""A parent drug with an active metabolite: exact, closed form.

Parent: `pharmacokinetics`, in plasma. Metabolite: two compartments of its own, in whole blood, fed by a part of what the parent
loses. In exponentials x_i of the parent (rate l_i) and m_j of the metabolite (rate r_j, share s_j of what enters the central
compartment):

    dm_j/dt = -r_j m_j + s_j formation (x_1 + x_2)
    m_j(t) from x_i(0) = 1:    s_j formation (e^{-r_j t} - e^{-l_i t}) / (l_i - r_j)

and the same difference of arrivals, over the same denominator, from the dose. Where two rates are equal it is minus the derivative
in the rate, which is taken half-way between two that are close.

Both analytes act through FKBP12 and are given one affinity, so what the cells see is the molar sum of the free drugs. It is carried
as the plasma concentration of parent that has as many free molecules.
"""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable
from dataclasses import dataclass

import jax
import jax.numpy as jnp

from trialsim.mechanism import pharmacokinetics
from trialsim.mechanism.pharmacokinetics import PKParameters, arrived

MetaboliteParameters = namedtuple(
    "MetaboliteParameters",
    (*PKParameters._fields, "metabolite_alpha", "metabolite_beta", "metabolite_share_alpha", "formation", "metabolite_effect"),
)
MetaboliteParameters.__doc__ = """One patient's kinetics: the fields of `PKParameters`, which are the parent's, and

    metabolite_alpha, metabolite_beta: disposition rates, 1/h. metabolite_share_alpha: see ``share_alpha``.
    formation: ng/mL of metabolite that enters its central volume of whole blood an hour, per ng/mL of parent in plasma, 1/h.
    metabolite_effect: plasma concentration of parent with as many free molecules as 1 ng/mL of metabolite in whole blood."""

INFUSION_STAGES = 3  # see `pharmacokinetics`
CLOSE = 1e-2  # difference of two rates times t below which the derivative is as good: an error of its square over 24


def _between(f: Callable[[jax.Array], jax.Array], a: jax.Array, b: jax.Array, t: jax.Array) -> jax.Array:
    """(f(a) - f(b)) / (b - a)."""
    gap, middle = b - a, 0.5 * (a + b)
    close = jnp.abs(gap) * t < CLOSE
    _, slope = jax.jvp(f, (middle,), (jnp.ones_like(middle),))
    return jnp.where(close, -slope, (f(a) - f(b)) / jnp.where(close, 1.0, gap))


@dataclass(frozen=True)
class _Analyte:
    """The system with one analyte as its output: parent in plasma, or metabolite in whole blood.

    Attributes:
        first: the first of its two amounts.
    """

    whole: ParentMetabolite
    first: int
    size = 5
    dose_into = 0

    def dose(self, p: MetaboliteParameters, dose_mg: jax.Array) -> jax.Array:
        return self.whole.dose(p, dose_mg)

    def propagator(self, p: MetaboliteParameters, t: jax.Array) -> jax.Array:
        return self.whole.propagator(p, t)

    def rows(self, p: MetaboliteParameters, t: jax.Array) -> tuple[jax.Array, jax.Array]:
        output = lambda t: (lambda e: e[self.first] + e[self.first + 1])(self.propagator(p, t))
        return jax.jvp(output, (t,), (jnp.ones_like(t),))


@dataclass(frozen=True)
class ParentMetabolite:
    """`pharmacokinetics.DrugKinetics` of an infused parent and its metabolite.

    Amounts are concentrations in the order (to come, parent fast, parent slow, metabolite fast, metabolite slow): of the parent in
    plasma, of the metabolite in whole blood, ng/mL.
    """

    size = 5
    dose_into = 0
    parameters = MetaboliteParameters
    grading = 5.0
    error_at_8 = 2.5e-3  # calibrated: temsirolimus 25 mg weekly 1.2e-3 at 8, 8e-4 at 12, 6e-4 at 16, 2.7e-4 at 24

    @property
    def analytes(self) -> tuple[_Analyte, _Analyte]:
        return _Analyte(self, 1), _Analyte(self, 3)

    @staticmethod
    def dose(p: MetaboliteParameters, dose_mg: jax.Array) -> jax.Array:
        """ng/mL that a dose adds to what is to come."""
        return pharmacokinetics.Oral.dose(p, dose_mg)

    def propagator(self, p: MetaboliteParameters, t: jax.Array) -> jax.Array:
        """(5, 5, patients): amounts ``t`` hours later."""
        ktr, zero = INFUSION_STAGES / p.MAT, jnp.zeros_like(p.alpha)
        arrival = lambda rate: arrived(rate, ktr, t, INFUSION_STAGES)
        decay = lambda rate: jnp.exp(-rate * t)
        parent = ((p.alpha, p.share_alpha), (p.beta, 1.0 - p.share_alpha))
        metabolite = ((p.metabolite_alpha, p.metabolite_share_alpha), (p.metabolite_beta, 1.0 - p.metabolite_share_alpha))
        rows = [[1.0 - arrival(zero), zero, zero, zero, zero]]
        for i, (rate, share) in enumerate(parent):
            rows.append([share * arrival(rate), *(decay(rate) if i == j else zero for j in range(2)), zero, zero])
        for j, (rate, share) in enumerate(metabolite):
            made = share * p.formation
            from_dose = sum(part * _between(arrival, rate, other, t) for other, part in parent)
            from_parent = (made * _between(decay, rate, other, t) for other, _ in parent)
            rows.append([made * from_dose, *from_parent, *(decay(rate) if i == j else zero for i in range(2))])
        return jnp.stack([jnp.stack(row) for row in rows])

    def accumulated(self, p: MetaboliteParameters, t: jax.Array) -> jax.Array:
        """Weights of the area under what acts from 0 to ``t``, (5, patients): of each exponential what came in less what is left,
        over the rate of loss."""
        e, one = self.propagator(p, t), jnp.ones_like(p.alpha)
        came = 1.0 - e[0, 0]
        fast = jnp.stack([p.share_alpha * came, one, 0.0 * one, 0.0 * one, 0.0 * one])
        slow = jnp.stack([(1.0 - p.share_alpha) * came, 0.0 * one, one, 0.0 * one, 0.0 * one])
        parent = (fast - e[1]) / p.alpha + (slow - e[2]) / p.beta
        formed = p.formation * parent
        unit = jnp.eye(5, dtype=parent.dtype).reshape(5, 5, *[1] * (parent.ndim - 1))
        fast = (p.metabolite_share_alpha * formed + unit[3] - e[3]) / p.metabolite_alpha
        slow = ((1.0 - p.metabolite_share_alpha) * formed + unit[4] - e[4]) / p.metabolite_beta
        return parent + p.metabolite_effect * (fast + slow)

    def rows(self, p: MetaboliteParameters, t: jax.Array) -> tuple[jax.Array, jax.Array]:
        """Weights of what acts and of its time derivative, (5, patients) each."""
        acting = lambda t: (lambda e: e[1] + e[2] + p.metabolite_effect * (e[3] + e[4]))(self.propagator(p, t))
        return jax.jvp(acting, (t,), (jnp.ones_like(t),))

    def whole_blood(self, p: MetaboliteParameters, plasma: tuple[jax.Array, ...]) -> jax.Array:
        parent, metabolite = plasma
        return pharmacokinetics.whole_blood(p, parent) + metabolite
