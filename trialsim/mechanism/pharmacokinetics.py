"""Everolimus in plasma and whole blood: exact, closed form.

Structure (ter Heine et al., Br J Clin Pharmacol 2018;84:1575-1586, doi 10.1111/bcp.13591): a depot and four transit
compartments with one rate ktr = 5/MAT, two plasma compartments, well-stirred liver. Between doses the amounts are sums of
exponentials, so no step size enters: with A(t) = a e^{-alpha t} + b e^{-beta t} for what is already in the body and

    in(t) = D ktr^5 t^4 e^{-ktr t} / 4!                        (an Erlang-5 arrival of the absorbed dose D)
    int_0^t in(s) e^{-lambda (t-s)} ds = D (ktr t)^5 e^{-lambda t} q(z),   z = (ktr - lambda) t
    q(z) = (1 - e^{-z} sum_{k<5} z^k/k!) / z^5 = e^{-z} sum_{k>=0} z^k/(k+5)!

q is smooth through z = 0 (flip-flop patients), where the first form is lost to cancellation and the series is used.

Whole blood (what an assay reports) holds drug in red cells by saturable and linear binding, so it depends on haematocrit while
the plasma, and with it the effect, does not:

    C_wb = (1 - HCT) C_p + HCT (Bmax C_p / (Kd + C_p) + Kns C_p)
"""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp


class PKParameters(NamedTuple):
    """One patient's kinetics. Every field is an array of one shape.

    Attributes:
        alpha, beta: fast and slow disposition rates, 1/h.
        share_alpha: part of a unit amount in the central compartment that decays with alpha (the rest with beta).
        Vc: central plasma volume, L.
        F: fraction of a dose that reaches the circulation (1 - hepatic extraction, times ABCB1 effect).
        MAT: mean absorption time, h.
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


def _q(z: jax.Array) -> jax.Array:
    """(1 - e^-z sum_{k<5} z^k/k!)/z^5, accurate for every z above about -10."""
    z = jnp.maximum(z, -20.0)
    small = jnp.abs(z) < 1.0
    z_series = jnp.where(small, z, 0.0)
    series = 0.0
    for k in range(10, -1, -1):  # Horner in z, coefficients 1/(k+5)!
        series = series * z_series + 1.0 / _FACTORIAL[k + 5]
    z_direct = jnp.where(small, 1.0, z)
    polynomial = 1.0 + z_direct * (1.0 + z_direct / 2.0 * (1.0 + z_direct / 3.0 * (1.0 + z_direct / 4.0)))
    direct = (1.0 - jnp.exp(-z_direct) * polynomial) / z_direct**5
    return jnp.where(small, jnp.exp(-z_series) * series, direct)


_FACTORIAL = [1.0]
for _k in range(1, 16):
    _FACTORIAL.append(_FACTORIAL[-1] * _k)


def _arrived(rate: jax.Array, ktr: jax.Array, t: jax.Array) -> jax.Array:
    """Part of a unit dose given at 0 that is in an exponential of decay ``rate`` at time ``t`` (h)."""
    return (ktr * t) ** 5 * jnp.exp(-rate * t) * _q((ktr - rate) * t)


class Oral:
    """`engine.kinetics.Kinetics` of an oral dose; amounts are plasma concentrations, ng/mL, in the order (gut, fast, slow).

    A dose enters the gut as what it would give if all of it were in the central volume at once, see `dose`. What is left in the gut
    at the end of a day joins the next dose (with a mean absorption time of hours that is next to nothing).
    """

    size = 3
    dose_into = 0

    @staticmethod
    def dose(p: PKParameters, dose_mg: jax.Array) -> jax.Array:
        """ng/mL that a dose adds to the gut."""
        return 1e3 * p.F * dose_mg / p.Vc

    def propagator(self, p: PKParameters, t: jax.Array) -> jax.Array:
        """(3, 3, patients): amounts ``t`` hours later."""
        ktr, zero = 5.0 / p.MAT, jnp.zeros_like(p.alpha)
        still = 1.0 - _arrived(zero, ktr, t)
        fast = p.share_alpha * _arrived(p.alpha, ktr, t)
        slow = (1.0 - p.share_alpha) * _arrived(p.beta, ktr, t)
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
        absorbed = _arrived(jnp.zeros_like(p.alpha), 5.0 / p.MAT, t)
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


def whole_blood(p: PKParameters, plasma: jax.Array) -> jax.Array:
    """Whole-blood concentration (ng/mL) that goes with a plasma concentration (ng/mL)."""
    red_cells = p.Bmax * plasma / (p.Kd + plasma) + p.Kns * plasma
    return (1.0 - p.haematocrit) * plasma + p.haematocrit * red_cells
