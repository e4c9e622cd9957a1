"""The posteriors that designs decide with, in closed form or by quadrature: of each the probability of less than the truth.

Events have posteriors too: of one that is given the probability q, the place of what happened is drawn uniformly within its share
of 0 to 1, 1 - q for "no", q for "yes" (randomised probability integral transform).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from scipy import special, stats

from trialsim.designs.adaptive.posterior import Prior as ArmPrior
from trialsim.designs.adaptive.posterior import beliefs
from trialsim.designs.basket.hyperpriors import TAU_RANGE, Exchangeable, HalfNormal, InverseGamma
from trialsim.designs.basket.models import Hierarchical, Independent, Model, Pooled, berry, exnex, posterior, prepare
from trialsim.designs.borrowing.decision import probability_greater
from trialsim.designs.borrowing.map_prior import fit_mixture, map_prior
from trialsim.designs.borrowing.mixture import beta_mixture, robustify, update
from trialsim.designs.escalation import boin, crm_model
from trialsim.designs.single_arm.predictive import Prior, posterior_exceeds, predictive_probabilities
from trialsim.sbc.ranks import Batch, Repetition, below_truth, towards_data

PATIENTS = np.array([24, 16, 10, 5])  # of the baskets
TARGET = np.array([0.3, 0.3, 0.2, 0.2])  # their target rates
EDGE = 1e-5  # a rate nearer 0 or 1 is not told from it


def each(once: Callable[[np.random.Generator], Mapping[str, float]]) -> Batch:
    """Repetitions one after another. once: the shares of one."""

    def batch(seeds: Sequence[int]) -> list[Repetition]:
        return [below_truth(once(np.random.default_rng(seed))) for seed in seeds]

    return batch


def of_event(chance: float, happened: bool, rng: np.random.Generator) -> float:
    """Where an event that was given a chance, or its absence, lies within 0 to 1."""
    return float(1.0 - chance * rng.random() if happened else (1.0 - chance) * rng.random())


def both(name: str, share: float, high: bool) -> dict[str, float]:
    """A quantity, and the same with the sign that the data choose."""
    return {name: share, f"{name}, towards data": towards_data(share, high)}


# ---- dose escalation

SKELETON = (0.05, 0.12, 0.25, 0.4, 0.55)
TREATED = np.array([3, 3, 6, 9, 3])  # patients a level


def crm(kind: str) -> Batch:
    """Continual reassessment, all patients judged. kind: see `crm_model.Model`."""
    model = crm_model.Model(SKELETON, kind)

    def once(rng: np.random.Generator) -> dict[str, float]:
        beta = model.scale * rng.normal()
        toxic = rng.binomial(TREATED, np.exp(crm_model.log_rates(model, beta)[0]))
        found = crm_model.posterior(model, toxic[None], (TREATED - toxic)[None])
        return both("beta", _below(model, found, beta), toxic.sum() < TREATED @ SKELETON)

    return each(once)


def tite_crm() -> Batch:
    """Patients still followed weigh what they have passed of the window; DLTs come uniformly over it, as the weights assume."""
    model = crm_model.Model(SKELETON)
    level = np.repeat(np.arange(len(SKELETON)), TREATED)

    def once(rng: np.random.Generator) -> dict[str, float]:
        beta = model.scale * rng.normal()
        p = np.exp(crm_model.log_rates(model, beta)[0])[level]
        followed = np.minimum(2.0 * rng.random(level.size), 1.0)  # half of the patients to the end of the window
        seen = (rng.random(level.size) < p) & (rng.random(level.size) < followed)
        count = lambda which: np.bincount(level[which], minlength=len(SKELETON))[None]
        still = np.where(seen | (followed == 1.0), -1, level)[None]
        found = crm_model.posterior(model, count(seen), count(~seen & (followed == 1.0)), still, followed[None])
        return both("beta", _below(model, found, beta), seen.sum() < TREATED @ SKELETON / 2)

    return each(once)


def _below(model: crm_model.Model, found: crm_model.Posterior, beta: float) -> float:
    return float((found.density @ crm_model.chance_below(model, [beta])).item())


def boin_level() -> Batch:
    """The rate of one level in the rule that bars it."""

    def once(rng: np.random.Generator) -> dict[str, float]:
        p = rng.random()
        toxic = rng.binomial(9, p)
        return both("DLT rate", 1.0 - float(boin.chance_too_toxic(toxic, 9, p)), toxic > 4)

    return each(once)


# ---- one arm, several arms


def predictive() -> Batch:
    """Beta prior: the rate after 17 of 40 patients, and how many respond in the end."""
    prior, seen, total = Prior(0.6, 1.4), 17, 40

    def once(rng: np.random.Generator) -> dict[str, float]:
        p = rng.beta(*prior)
        x = rng.binomial(seen, p)
        end = x + rng.binomial(total - seen, p)
        reached = lambda needed: float(predictive_probabilities(total, needed, prior)[seen][x])
        at_least, more = reached(end), reached(end + 1) if end < total else 0.0
        share = 1.0 - at_least + rng.random() * (at_least - more)
        high = x > seen * prior.a / (prior.a + prior.b)
        return both("rate", 1.0 - float(posterior_exceeds(x, seen, p, prior)), high) | both("responders at the end", share, high)

    return each(once)


def arms() -> Batch:
    """Four arms with beta priors: which is best, and which better than the first."""
    prior, n = ArmPrior(1.0, 2.0), np.array([30, 25, 20, 10])

    def once(rng: np.random.Generator) -> dict[str, float]:
        p = rng.beta(*prior, size=n.size)
        found = beliefs(rng.binomial(n, p)[None], n[None], prior)
        shares = {f"arm {k} is best": of_event(found.best[0, k], k == p.argmax(), rng) for k in range(n.size)}
        return shares | {f"arm {k} beats arm 0": of_event(found.better[0, k], p[k] > p[0], rng) for k in range(1, n.size)}

    return each(once)


# ---- baskets


def independent_baskets() -> Batch:
    model = Independent(2.0 * TARGET, 2.0 * (1.0 - TARGET))
    return _baskets(model, lambda rng: rng.beta(model.a, model.b))


def pooled_baskets() -> Batch:
    model = Pooled(0.6, 1.4)
    return _baskets(model, lambda rng: np.full(TARGET.size, rng.beta(model.a, model.b)))


def berry_baskets(inverse_gamma: bool) -> Batch:
    """Berry's hierarchical model."""
    tau = InverseGamma(1.0, 0.5) if inverse_gamma else HalfNormal(1.0)
    model = berry(TARGET, -0.5, 1.5, tau)
    return _baskets(model, lambda rng: _drawn(model, rng))


def exnex_baskets(components: int) -> Batch:
    """Exchangeable with one or two distributions, or not."""
    parts = (Exchangeable(-2.2, 1.0, HalfNormal(0.5)), Exchangeable(-0.4, 1.0, HalfNormal(1.0)))[-components:]
    weights = np.array([0.5, 0.3, 0.2] if components == 2 else [0.6, 0.4])
    model = exnex(parts, weights, np.full(TARGET.size, -1.0), np.full(TARGET.size, 1.6))
    return _baskets(model, lambda rng: _drawn(model, rng))


def _spread(prior: HalfNormal | InverseGamma, rng: np.random.Generator) -> float:
    if isinstance(prior, HalfNormal):
        return float(abs(prior.scale * rng.normal()))
    within = stats.invgamma(prior.shape, scale=prior.rate)
    return float(np.sqrt(within.ppf(rng.uniform(*within.cdf(np.array(TAU_RANGE) ** 2)))))


def _drawn(model: Hierarchical, rng: np.random.Generator) -> np.ndarray:
    """Rates of the baskets from their prior."""
    places = [(part.mean + part.sd * rng.normal(), _spread(part.tau, rng)) for part in model.components]
    theta = []
    for k, weights in enumerate(model.weights):
        of = rng.choice(len(weights), p=weights)
        centre, spread = places[of] if of < len(places) else (model.own_mean[k], model.own_sd[k])
        theta.append(model.offset[k] + centre + spread * rng.normal())
    return special.expit(np.array(theta))


def _baskets(model: Model, draw: Callable[[np.random.Generator], np.ndarray]) -> Batch:
    """The largest and the smallest basket; the quadrature is made for their true rates, and those of the others would double it."""

    def once(rng: np.random.Generator) -> dict[str, float]:
        p = draw(rng)
        y = rng.binomial(PATIENTS, p)
        of = [0, 0, 3, 3]
        at = np.clip(p, EDGE, 1.0 - EDGE)
        below = 1.0 - posterior(prepare(model, at[of]), y[None], PATIENTS[None]).probability[0]
        below = np.where(p < at, below * rng.random(), np.where(p > at, 1.0 - (1.0 - below) * rng.random(), below))
        shares: dict[str, float] = {}
        for k in (0, 3):
            name = f"rate of the basket of {PATIENTS[k]}"
            shares |= both(name, float(below[k]), bool(y[k] > PATIENTS[k] * TARGET[k]))
        return shares

    return each(once)


# ---- historical control

HISTORICAL = np.array([40, 80, 25, 60, 30])  # patients
BETWEEN = Exchangeable(-0.8, 1.2, HalfNormal(0.5))
CONTROL, ROBUST = 20, 0.2  # patients of the new control arm; chance that history does not apply


def historical_control() -> Batch:
    """The next study's rate: by quadrature, then by the robust beta mixture that stands for it, with data of its own; and how much
    more respond under treatment."""
    flat = beta_mixture((1.0, 1.0, 1.0))

    def once(rng: np.random.Generator) -> dict[str, float]:
        mu, tau = BETWEEN.mean + BETWEEN.sd * rng.normal(), _spread(HalfNormal(BETWEEN.tau.scale), rng)
        rates = special.expit(mu + tau * rng.normal(size=HISTORICAL.size + 1))
        past = rng.binomial(HISTORICAL, rates[:-1])
        known = map_prior(past, HISTORICAL, BETWEEN)
        exchangeable = float(known.cdf([rates[-1]])[0])
        control = rng.random() if rng.random() < ROBUST else rates[-1]
        treated = rng.random()
        y, x = rng.binomial(CONTROL, control), rng.binomial(CONTROL, treated)
        after = update(robustify(fit_mixture(known, 2), ROBUST), [y], CONTROL)
        more = probability_greater(update(flat, [x], CONTROL), after, treated - control)
        return (
            both("rate of the next study", exchangeable, past.sum() > HISTORICAL.sum() * 0.3)
            | both("control rate after its own data", float(after.cdf([control])[0, 0]), y > 0.3 * CONTROL)
            | both("difference of the arms", 1.0 - float(more[0, 0]), x > y)
        )

    return each(once)
