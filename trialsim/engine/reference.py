"""The slow, sure solver: adaptive, implicit, tight tolerance, float64. It checks the fast scheme on the same model object."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import diffrax
import jax
import jax.numpy as jnp
import numpy as np

from trialsim.engine.model import Model, Regimen, check_inputs
from trialsim.engine.simulate import locate, prepare


def integrate(
    rates: Callable[[jax.Array, Any], Any], x: Any, times: jax.Array, rtol: float = 1e-9, atol: float = 1e-11
) -> Any:
    """States at ``times`` (ascending, the first that of ``x``), by Kvaerno's fifth-order ESDIRK method; a leading axis (times,).

    Args:
        rates: (time, state) -> derivative. x: state, float64.
    """
    solution = diffrax.diffeqsolve(
        diffrax.ODETerm(lambda t, y, _: rates(t, y)),
        diffrax.Kvaerno5(),
        t0=times[0],
        t1=times[-1],
        dt0=1e-3 * (times[-1] - times[0]),
        y0=x,
        stepsize_controller=diffrax.PIDController(rtol=rtol, atol=atol),
        saveat=diffrax.SaveAt(ts=times),
        max_steps=100_000,
    )
    return solution.ys


def solve(
    model: Model, parameters: Mapping[str, Any], regimen: Regimen, times: Sequence[float], rtol: float = 1e-9, atol: float = 1e-11
) -> Any:
    """As `engine.simulate`, to the tolerance: kinetics in closed form, all other states together, from dose to dose.

    ``atol`` is in the units of the states: much smaller states need a smaller one.
    """
    at = np.asarray(times, float)
    patients = check_inputs(model, parameters, regimen, at)
    moments = locate(at, regimen.interval)
    doses = np.broadcast_to(np.asarray(regimen.doses, float), (patients, regimen.intervals))
    up = model.upstream

    def one(p, doses):
        stops = jnp.asarray([0.0, *moments.offsets])
        p = jax.tree.map(lambda v: v[0] if jnp.ndim(v) else v, model.derive(jax.tree.map(lambda v: v[None], p)))
        start = jax.tree.map(lambda v: jnp.asarray(v, float), (model.start(p), *((up.start(p),) if up else ())))
        amounts = jnp.zeros(model.kinetics.size)
        C_of = lambda amounts, t: jnp.sum(model.kinetics.rows(p, t)[0] * amounts)

        def interval(carry, dose):
            x, amounts = carry
            amounts = amounts.at[model.kinetics.dose_into].add(model.kinetics.dose(p, dose))

            def rates(t, state):
                C = C_of(amounts, t)
                if up is None:
                    return (model.rates(state[0], C, p),)
                x, d = state
                return model.rates(x, up.input(d, C, p), p), up.rate(d, C, p)

            seen = integrate(rates, x, stops, rtol, atol)
            C = jax.vmap(lambda t: C_of(amounts, t))(stops[1:])
            kept = jax.tree.map(lambda v: v[1:], seen[0])
            observed = jax.vmap(lambda x, C: model.observe(x, C, p))(kept, C)
            after = model.kinetics.propagator(p, stops[-1]) @ amounts
            return (jax.tree.map(lambda v: v[-1], seen), after), observed

        _, observed = jax.lax.scan(interval, (start, amounts), doses)
        first = model.observe(start[0], jnp.zeros(()), p)
        return jax.tree.map(lambda a, b: jnp.concatenate([jnp.asarray(a)[None], b.reshape(-1)]), first, observed)

    place = [0 if n == 0 else 1 + (n - 1) * len(moments.offsets) + s for n, s in zip(moments.interval, moments.stop, strict=True)]
    with jax.enable_x64(True):
        p = jax.tree.map(jnp.asarray, prepare(model, parameters, patients))
        found = jax.jit(jax.vmap(one))(p, jnp.asarray(doses))
        return jax.tree.map(lambda leaf: np.asarray(leaf)[:, np.array(place)], found)
