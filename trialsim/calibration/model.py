"""The hierarchy over shifts, fitted to published numbers with the simulator in the loop (through its emulator).

    growth    log rate of type t          G_t = mu_G + g_t,  g_t = tau_G z_t + offset of low-grade types   (+ of children's types)
    dependence  logit of its mean         D_t = mu_D + tau_D z_t                         (+ offset of children's types)
    death     log rate                    E_t = mu_E + rho g_t + tau_E z_t
    partner   logit or log of its effect  P_p = partner's value + N(0, 1)
    exposure  of rapalog d                X_d = N(0, 0.4)
    all other shifts                      their priors (`parameters`)
    study s adds to growth, dependence    N(0, omega_G), N(0, omega_D)                   exchangeable
    number i                              its share moves by N(0, error_i^2 + tau_kind^2); kinds: response, control of the disease
                                          (whose definition differs between papers more), time, ratio

Types that hardly grow, of which nothing is shared with solid tumours (`BENIGN`), keep priors of their own around their settings.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
import numpyro
import numpyro.distributions as dist

from trialsim.calibration.likelihood import SPREADS, Data, error_sd, log_likelihood
from trialsim.calibration.parameters import OF_TYPE, Parameter
from trialsim.calibration.system import System

BENIGN = ("sega", "angiomyolipoma")  # hamartomas: volumes that hardly grow untreated
LOW_GRADE = (-0.5, 0.5)  # log growth, mean and SD of the prior: ours, about half the rate; the NETs of the evidence tell more
OBSERVED = {"rate": "rate_n", "time": "time_n", "ratio": "ratio_se"}


class Hierarchy(NamedTuple):
    """What the model needs to know of the shifts.

    Attributes:
        types: tumour types. base: log growth, logit dependence and log death of their settings, (types, 3).
        benign, child, low_grade: whether a type is, (types,).
        place: place in the shifts of a type's growth, dependence, death, (types, 3); -1: not among them.
        others: places of all other shifts; mean, sd: of their priors.
    """

    types: tuple[str, ...]
    base: np.ndarray
    benign: np.ndarray
    child: np.ndarray
    low_grade: np.ndarray
    place: np.ndarray
    others: np.ndarray
    mean: np.ndarray
    sd: np.ndarray


def hierarchy(
    made: System,
    base: Mapping[str, tuple[float, float, float]],
    child: set[str],
    low_grade: set[str],
    priors: Mapping[str, Parameter],
) -> Hierarchy:
    """Args: base: of each type. child, low_grade: types that are. priors: by shift, of those that are of no tumour type."""
    of_type = [name.split(" ", 1) for name in made.shifts if name.split(" ", 1)[0] in OF_TYPE]
    types = tuple(dict.fromkeys(kind for _, kind in of_type))
    at = {name: k for k, name in enumerate(made.shifts)}
    place = np.array([[at.get(f"{name} {kind}", -1) for name in OF_TYPE] for kind in types])
    others = np.array([k for k in range(len(made.shifts)) if k not in set(place.ravel())], int)
    among = lambda known: np.array([kind in known for kind in types])
    return Hierarchy(
        types, np.array([base[kind] for kind in types]), among(BENIGN), among(child), among(low_grade), place, others,
        np.array([priors[made.shifts[k]].mean for k in others]), np.array([priors[made.shifts[k]].sd for k in others]),
    )  # fmt: skip


def model(made: System, known: Hierarchy, data: Data | None, observed: Mapping[str, Any] | None = None):
    """Args: made, known: the arms and the shifts. data: published numbers, None for draws of the prior. observed: which of them
    count, a mask by kind; all if None."""
    T = len(known.types)
    sample = numpyro.sample
    mu = jnp.stack(
        [
            sample("mu_growth", dist.Normal(np.log(0.0022), 0.5)),
            sample("mu_dependence", dist.Normal(-1.1, 0.7)),
            sample("mu_death", dist.Normal(np.log(0.0016), 0.5)),
        ]
    )
    tau = jnp.stack([sample(f"tau_{name}", dist.HalfNormal(scale)) for name, scale in zip(OF_TYPE, (0.6, 0.8, 0.5), strict=True)])
    rho = sample("rho", dist.Normal(0.5, 0.3))
    child = jnp.stack([sample("child_growth", dist.Normal(0.0, 0.3)), sample("child_dependence", dist.Normal(0.0, 0.5)), 0.0])
    z = sample("z", dist.Normal(0.0, 1.0).expand([T, 3]).to_event(2))
    low_grade = sample("low_grade_growth", dist.Normal(*LOW_GRADE))
    deviation = (tau * z).at[:, 0].add(known.low_grade * low_grade)
    deviation = deviation.at[:, 2].add(rho * deviation[:, 0])
    pooled = mu + deviation + known.child[:, None] * child
    alone = known.base + z * jnp.array([OF_TYPE[name].sd for name in OF_TYPE])
    level = numpyro.deterministic("level", jnp.where(known.benign[:, None], alone, pooled))
    other = known.mean + known.sd * sample("other", dist.Normal(0.0, 1.0).expand([len(known.others)]).to_event(1))
    shifts = jnp.zeros(len(made.shifts) + 1).at[known.place].set(level - known.base)[:-1].at[known.others].set(other)
    shifts = numpyro.deterministic("shifts", shifts)

    omega = jnp.stack([sample("omega_growth", dist.HalfNormal(0.3)), sample("omega_dependence", dist.HalfNormal(0.5))])
    u = sample("u", dist.Normal(0.0, 1.0).expand([len(made.studies), 2]).to_event(2))
    spread = {kind: sample(f"tau_{kind}", dist.HalfNormal(scale)) for kind, scale in SPREADS.items()}
    if data is None:
        return
    found = made.outcomes(shifts, omega * u)
    size = {"rate": len(data.rate_n), "time": len(data.time_n), "ratio": len(data.ratio_se)}
    sd = error_sd(data, spread)
    errors = {kind: sample(f"e_{kind}", dist.Normal(0.0, 1.0).expand([n]).to_event(1)) * sd[kind] for kind, n in size.items()}
    for kind, terms in log_likelihood(data, found, errors).items():
        if observed is not None:
            terms = jnp.where(observed[kind], terms, 0.0)
        numpyro.factor(f"numbers_{kind}", terms.sum())
