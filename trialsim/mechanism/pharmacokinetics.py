"""A drug in plasma and whole blood: exact, closed form.

Structure (everolimus: ter Heine et al., Br J Clin Pharmacol 2018;84:1575-1586, doi 10.1111/bcp.13591): n stages of arrival with one
rate ktr = n/MAT (a depot and its transit compartments), then two compartments. Between doses the amounts are sums of exponentials,
so no step size enters: with A(t) = a e^{-alpha t} + b e^{-beta t} for what is already in the body and

    in(t) = D ktr^n t^(n-1) e^{-ktr t} / (n-1)!            (an Erlang-n arrival of the absorbed dose D)
    int_0^t in(s) e^{-lambda (t-s)} ds = D (ktr t)^n e^{-lambda t} q(z),   z = (ktr - lambda) t
    q(z) = (1 - e^{-z} sum_{k<n} z^k/k!) / z^n = e^{-z} sum_{k>=0} z^k/(k+n)!

q is smooth through z = 0 (flip-flop patients), where the first form is lost to cancellation and the series is used. Where the
arrival is far slower than the decay (z << 0) the two exponentials are kept apart, as q would overflow.

Arrival has as many stages as its spread asks for (CV^2 = 1/n): 5 everolimus (published), 1 first-order absorption, 3 an infusion at
a constant rate, whose mean and variance over its duration T are those of an Erlang-3 with MAT = T/2.

Whole blood (what an assay reports) holds drug in red cells by saturable and linear binding, so it depends on haematocrit while
the plasma, and with it the effect, does not:

    C_wb = (1 - HCT) C_p + HCT (Bmax C_p / (Kd + C_p) + Kns C_p)
"""

from __future__ import annotations

from dataclasses import dataclass
from math import factorial
from typing import Any, NamedTuple, Protocol

import jax
import jax.numpy as jnp

from trialsim.engine.kinetics import Kinetics


class PKParameters(NamedTuple):
    """One patient's kinetics. Every field is an array of one shape.

    Attributes:
        alpha, beta: fast and slow disposition rates, 1/h.
        share_alpha: part of a unit amount in the central compartment that decays with alpha (the rest with beta).
        Vc: central plasma volume, L.
        F: fraction of a dose that reaches the circulation.
        MAT: mean absorption time, h; of an infusion half its duration.
        fu: unbound fraction in plasma.
        haematocrit: fraction.
        Bmax, Kd: red-cell binding capacity and constant, ng/mL.
        Kns: linear red-cell partition, dimensionless.
    """

    alpha: jax.Array
    beta: jax.Array
    share_alpha: jax.Array
    Vc: jax.Array
    F: jax.Array
    MAT: jax.Array
    fu: jax.Array
    haematocrit: jax.Array
    Bmax: jax.Array
    Kd: jax.Array
    Kns: jax.Array


def disposition(CL: jax.Array, Vc: jax.Array, Q: jax.Array, Vp: jax.Array) -> tuple[jax.Array, jax.Array, jax.Array]:
    """alpha, beta (1/h) and the share of the alpha exponential, from clearances (L/h) and volumes (L)."""
    k10, k12, k21 = CL / Vc, Q / Vc, Q / Vp
    total = k10 + k12 + k21
    alpha = 0.5 * (total + jnp.sqrt(total**2 - 4.0 * k10 * k21))
    beta = k10 * k21 / alpha  # not by subtraction: no cancellation
    return alpha, beta, (alpha - k21) / (alpha - beta)


def _q(z: jax.Array, n: int) -> jax.Array:
    """(1 - e^-z sum_{k<n} z^k/k!)/z^n, accurate for every z above about -10."""
    z = jnp.maximum(z, -20.0)
    small = jnp.abs(z) < 1.0
    z_series = jnp.where(small, z, 0.0)
    series = 0.0
    for k in range(10, -1, -1):  # Horner in z, coefficients 1/(k+n)!
        series = series * z_series + 1.0 / factorial(k + n)
    z_direct = jnp.where(small, 1.0, z)
    direct = (1.0 - jnp.exp(-z_direct) * _exponential_sum(z_direct, n)) / z_direct**n
    return jnp.where(small, jnp.exp(-z_series) * series, direct)


def _exponential_sum(z: jax.Array, n: int) -> jax.Array:
    """sum_{k<n} z^k/k!"""
    polynomial = jnp.ones_like(z)
    for k in range(n - 1, 0, -1):
        polynomial = 1.0 + z / k * polynomial
    return polynomial


MANY_STAGES = 5  # a depot and its transit compartments, passed within minutes: faster than any decay
SLOW_ARRIVAL = -10.0  # z below which the exponentials are kept apart


def arrived(rate: jax.Array, ktr: jax.Array, t: jax.Array, n: int) -> jax.Array:
    """Part of a unit dose given at 0 that is in an exponential of decay ``rate`` at time ``t`` (h), after ``n`` stages."""
    z = (ktr - rate) * t
    together = (ktr * t) ** n * jnp.exp(-rate * t) * _q(z, n)
    if n >= MANY_STAGES:
        return together
    slow = z < SLOW_ARRIVAL
    z = jnp.where(slow, z, SLOW_ARRIVAL)
    apart = (jnp.exp(-rate * t) - jnp.exp(-ktr * t) * _exponential_sum(z, n)) * (ktr * t / z) ** n
    return jnp.where(slow, apart, together)


class DrugKinetics(Kinetics, Protocol):
    """Kinetics of a drug: what the engine needs, and what an assay of whole blood sees.

    The parameters are a NamedTuple that begins with the fields of `PKParameters`. The output C of the engine is in ng/mL of plasma:
    all that acts, as the concentration of parent drug that would act as much.

    Attributes:
        grading: of the day's mesh (`engine.mesh.graded_mesh`); of 3, 4, 5 and, for everolimus, 2 the one with the smallest error.
        error_at_8: error with 8 steps a day, see `patient.steps_for`, 10 % added.
    """

    grading: float
    error_at_8: float

    @property
    def parameters(self) -> type:
        """The NamedTuple."""

    @property
    def analytes(self) -> tuple[Kinetics, ...]:
        """The same system with the plasma concentration of each analyte as its output."""

    def accumulated(self, p: Any, t: jax.Array) -> jax.Array:
        """Weights of the area under C from 0 to ``t``, (size, patients)."""

    def whole_blood(self, p: Any, plasma: tuple[jax.Array, ...]) -> jax.Array:
        """What the assay finds, all analytes together, ng/mL."""


@dataclass(frozen=True)
class Oral:
    """`DrugKinetics` of an oral dose; amounts are plasma concentrations, ng/mL, in the order (gut, fast, slow).

    A dose enters the gut as what it would give if all of it were in the central volume at once, see `dose`. What is left in the gut
    at the end of a day joins the next dose (with a mean absorption time of hours that is next to nothing).

    Attributes:
        stages: of absorption.
    """

    stages: int
    size = 3
    dose_into = 0
    parameters = PKParameters
    grading = 3.0

    @property
    def error_at_8(self) -> float:
        """Calibrated: everolimus 10 mg daily 1.9e-3, 50 mg weekly 2.5e-3; ridaforolimus 40 mg five days a week 4.9e-3, sirolimus
        60 mg weekly 2.8e-3."""
        return 2.6e-3 if self.stages >= MANY_STAGES else 5.4e-3

    @property
    def analytes(self) -> tuple[Oral, ...]:
        return (self,)

    @staticmethod
    def dose(p: PKParameters, dose_mg: jax.Array) -> jax.Array:
        """ng/mL that a dose adds to the gut."""
        return 1e3 * p.F * dose_mg / p.Vc

    def propagator(self, p: PKParameters, t: jax.Array) -> jax.Array:
        """(3, 3, patients): amounts ``t`` hours later."""
        ktr, zero = self.stages / p.MAT, jnp.zeros_like(p.alpha)
        still = 1.0 - arrived(zero, ktr, t, self.stages)
        fast = p.share_alpha * arrived(p.alpha, ktr, t, self.stages)
        slow = (1.0 - p.share_alpha) * arrived(p.beta, ktr, t, self.stages)
        return jnp.stack(
            [
                jnp.stack([still, zero, zero]),
                jnp.stack([fast, jnp.exp(-p.alpha * t), zero]),
                jnp.stack([slow, zero, jnp.exp(-p.beta * t)]),
            ]
        )

    def accumulated(self, p: PKParameters, t: jax.Array) -> jax.Array:
        """Weights of the area under the plasma concentration from 0 to ``t``, (3, patients); what arrived less what is left, over
        the rate of loss."""
        absorbed = arrived(jnp.zeros_like(p.alpha), self.stages / p.MAT, t, self.stages)
        e = self.propagator(p, t)
        return jnp.stack(
            [
                (p.share_alpha * absorbed - e[1, 0]) / p.alpha + ((1.0 - p.share_alpha) * absorbed - e[2, 0]) / p.beta,
                (1.0 - e[1, 1]) / p.alpha,
                (1.0 - e[2, 2]) / p.beta,
            ]
        )

    def rows(self, p: PKParameters, t: jax.Array) -> tuple[jax.Array, jax.Array]:
        """Weights of the plasma concentration and of its time derivative, (3, patients) each."""
        plasma = lambda t: (lambda e: e[1] + e[2])(self.propagator(p, t))
        return jax.jvp(plasma, (t,), (jnp.ones_like(t),))

    def whole_blood(self, p: PKParameters, plasma: tuple[jax.Array, ...]) -> jax.Array:
        return whole_blood(p, *plasma)


def whole_blood(p: PKParameters, plasma: jax.Array) -> jax.Array:
    """Whole-blood concentration (ng/mL) that goes with a plasma concentration (ng/mL)."""
    red_cells = p.Bmax * plasma / (p.Kd + plasma) + p.Kns * plasma
    return (1.0 - p.haematocrit) * plasma + p.haematocrit * red_cells
