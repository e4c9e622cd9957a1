"""What the responses of all baskets say of the rate p_k of each: four models, posteriors by quadrature, replicates at once.

    independent   p_k ~ beta(a_k, b_k)
    pooled        one p ~ beta(a, b) in all baskets
    Berry         theta_k = logit p_k - logit target_k ~ N(mu, tau^2)                     (Berry, Clin Trials 2013;10:720-34)
    EXNEX         logit p_k ~ N(mu_c, tau_c^2) with probability w_kc, c = 1 or 1, 2, else N(m_k, s_k^2) by itself
                                                                            (Neuenschwander, Pharm Stat 2016;15:123-34)

Given (mu, tau) the baskets are independent, so that their posterior is prior x product of the baskets' marginal likelihoods, and
Pr(p_k > rate) and E[p_k] are averages over it of one-dimensional integrals. Those are computed once for each (y, n) that occurs.
With two exchangeable distributions the product over baskets of (a_k(mu_1, tau_1) + c_k(mu_2, tau_2)) is expanded over the 2^K
subsets of baskets, whose terms separate. A basket without patients keeps the prior, updated by what the others tell.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy import special

from trialsim.designs.basket.hyperpriors import COARSE, FAST, Exchangeable, Resolution, TauPrior, nodes
from trialsim.designs.basket.integrals import Integrals, Rule, integrate, rule

MOST_BASKETS = 8  # with two exchangeable distributions
TINY = 1e-300
BLOCK = 5e5  # numbers held at once, so that they stay in the cache


class Independent(NamedTuple):
    """Prior beta(a_k, b_k). a, b: (baskets,)."""

    a: np.ndarray
    b: np.ndarray


class Pooled(NamedTuple):
    """Prior beta(a, b) of the one rate; as many baskets as there are data."""

    a: float
    b: float


class Hierarchical(NamedTuple):
    """Berry's model and EXNEX. Attributes:
    components: one or two exchangeable distributions. weights: probability of each and, last, of none, (baskets, components + 1).
    offset: log odds that a basket's theta is relative to, (baskets,). own_mean, own_sd: the basket's own distribution of
        theta, (baskets,).
    """

    components: tuple[Exchangeable, ...]
    weights: np.ndarray
    offset: np.ndarray
    own_mean: np.ndarray
    own_sd: np.ndarray


Model = Independent | Pooled | Hierarchical


class Posterior(NamedTuple):
    """probability: Pr(p_k > rate_k), (replicates, baskets). estimate: E[p_k], (replicates, baskets). log_evidence: log
    marginal likelihood without binomial coefficients, (replicates,).
    """

    probability: np.ndarray
    estimate: np.ndarray
    log_evidence: np.ndarray


class Prepared(NamedTuple):
    """A model made ready for one set of rates. Attributes:
    model. rate: (baskets,). kind_of: baskets with the same parameters share a kind, (baskets,).
    rules: for each kind, the quadrature of each component and, last, of the basket's own distribution.
    prior: weights of the nodes of each component.
    """

    model: Model
    rate: np.ndarray
    kind_of: np.ndarray
    rules: tuple[tuple[Rule, ...], ...]
    prior: tuple[np.ndarray, ...]


def berry(target: np.ndarray, mean: float, sd: float, tau: TauPrior) -> Hierarchical:
    """Berry 2013. target: rates that the log odds are relative to, (baskets,). mean, sd: of mu."""
    target = np.asarray(target, float)
    weights = np.tile([1.0, 0.0], (target.size, 1))
    return Hierarchical((Exchangeable(mean, sd, tau),), weights, special.logit(target), np.zeros(target.size), np.ones(target.size))


def exnex(components: tuple[Exchangeable, ...], weights: np.ndarray, own_mean: np.ndarray, own_sd: np.ndarray) -> Hierarchical:
    """Neuenschwander 2016. weights: (components + 1,) or (baskets, components + 1). own_mean, own_sd: log odds, (baskets,).

    A component that no basket can belong to is dropped.
    """
    own_mean, own_sd = np.asarray(own_mean, float), np.asarray(own_sd, float)
    weights = np.broadcast_to(np.asarray(weights, float), (own_mean.size, len(components) + 1))
    if not np.allclose(weights.sum(axis=1), 1.0) or np.any(weights < 0):
        raise ValueError(f"the weights of a basket must be at least 0 and add up to 1, got {weights.tolist()}")
    used = [c for c in range(len(components)) if np.any(weights[:, c] > 0)] or [0]
    kept = tuple(components[c] for c in used)
    if len(kept) == 2 and own_mean.size > MOST_BASKETS:
        raise ValueError(f"two exchangeable distributions take at most {MOST_BASKETS} baskets, got {own_mean.size}")
    return Hierarchical(kept, weights[:, [*used, -1]], np.zeros(own_mean.size), own_mean, own_sd)


def prepare(model: Model, rate: np.ndarray, resolution: Resolution | None = None) -> Prepared:
    """Do what does not depend on the data. rate: of interest, 0 to 1 (excluded), (baskets,). resolution: FAST or COARSE if None."""
    rate = np.asarray(rate, float)
    if not isinstance(model, Hierarchical):
        return Prepared(model, rate, np.zeros(rate.size, int), (), ())
    parameters = np.column_stack([rate, model.weights, model.offset, model.own_mean, model.own_sd])
    kinds, first, kind_of = np.unique(parameters, axis=0, return_index=True, return_inverse=True)
    breaks = np.unique(special.logit(rate) - model.offset)
    resolution = resolution or (FAST if len(model.components) == 1 else COARSE)
    grids = [nodes(component, breaks, resolution) for component in model.components]
    rules = tuple(
        (
            *(rule(grid.mu + model.offset[k], grid.tau, rate[k]) for grid in grids),
            rule(model.offset[k] + model.own_mean[[k]], model.own_sd[[k]], rate[k]),
        )
        for k in first
    )
    return Prepared(model, rate, kind_of.reshape(-1), rules, tuple(grid.weight for grid in grids))


def posterior(given: Prepared, y: np.ndarray, n: np.ndarray) -> Posterior:
    """Posterior of every replicate. y, n: responders and patients, int, (replicates, baskets)."""
    y, n = np.atleast_2d(y), np.atleast_2d(n)
    if np.any(y < 0) or np.any(y > n):
        raise ValueError("responders must lie between 0 and the patients")
    model = given.model
    if isinstance(model, Independent):
        return _beta(np.broadcast_to(model.a, y.shape), np.broadcast_to(model.b, y.shape), y, n, given.rate)
    if isinstance(model, Pooled):
        a, b = np.full((len(y), 1), model.a), np.full((len(y), 1), model.b)
        pooled = [_beta(a, b, y.sum(axis=1, keepdims=True), n.sum(axis=1, keepdims=True), rate) for rate in given.rate]
        probability, estimate = (np.concatenate(part, axis=1) for part in list(zip(*pooled, strict=True))[:2])
        return Posterior(probability, estimate, pooled[0].log_evidence)
    return _by_multiset(given, y, n)


def _beta(a: np.ndarray, b: np.ndarray, y: np.ndarray, n: np.ndarray, rate: np.ndarray) -> Posterior:
    """Conjugate posteriors, (replicates, columns); each that differs is computed once, as the incomplete beta function is slow."""
    above = np.empty(y.shape)
    for k, cut in enumerate(np.broadcast_to(rate, y.shape[1])):
        code, where = np.unique(y[:, k] * (n.max() + 1) + n[:, k], return_inverse=True)
        events, patients = np.divmod(code, n.max() + 1)
        above[:, k] = special.betaincc(a[0, k] + events, b[0, k] + patients - events, cut)[where]
    evidence = np.sum(special.betaln(a + y, b + n - y) - special.betaln(a, b), axis=1)
    return Posterior(above, (a + y) / (a + b + n), evidence)


def _unique_rows(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Distinct rows of whole numbers of at least 0, and which each row is. By one number a row where that fits."""
    base = int(rows.max(initial=0)) + 1
    if base ** rows.shape[1] < 2**62:
        code = rows @ base ** np.arange(rows.shape[1])
        _, first, which = np.unique(code, return_index=True, return_inverse=True)
        return rows[first], which
    found, which = np.unique(rows, axis=0, return_inverse=True)
    return found, which.reshape(-1)


def _by_multiset(given: Prepared, y: np.ndarray, n: np.ndarray) -> Posterior:
    """Baskets of a kind are interchangeable: every multiset of (kind, y, n) is computed once."""
    cells, cell_of = _unique_rows(np.column_stack([np.broadcast_to(given.kind_of, y.shape).ravel(), y.ravel(), n.ravel()]))
    cell_of = cell_of.reshape(y.shape)
    order = np.argsort(cell_of, axis=1, kind="stable")
    rows, row_of = _unique_rows(np.take_along_axis(cell_of, order, axis=1))
    tables, log_scale = _tables(given, cells)
    average = _one_component if len(tables) == 1 else _two_components
    size = max(1, int(BLOCK / (tables[0][0].shape[1] * (1 if len(tables) == 1 else 2 ** y.shape[1]))))
    parts = [average(tables, given.prior, rows[i : i + size]) for i in range(0, len(rows), size)]
    found = [np.concatenate(part) for part in zip(*parts, strict=True)]
    where = np.argsort(order, axis=1)
    probability, estimate = (
        np.clip(np.take_along_axis(value[row_of], where, axis=1), 0.0, 1.0) for value in found[:2]
    )
    evidence = np.log(found[2])[row_of] + log_scale[cell_of].sum(axis=1)
    return Posterior(probability, estimate, evidence)


def _tables(given: Prepared, cells: np.ndarray) -> tuple[list[Integrals], np.ndarray]:
    """For each exchangeable component the integrals of every cell times the cell's weight of it; the basket's own distribution
    is added to the last. Cells are scaled to a largest value of 1; the logarithm of the scale is returned too, (cells,).
    """
    weights = given.model.weights
    tables = [Integrals(*(np.empty((len(cells), prior.size)) for _ in range(3))) for prior in given.prior]
    for kind, rules in enumerate(given.rules):
        here = cells[:, 0] == kind
        share = weights[np.argmax(given.kind_of == kind)]
        y, n = cells[here, 1], cells[here, 2]
        own = integrate(rules[-1], y, n)
        for c, table in enumerate(tables):
            for into, values, alone in zip(table, integrate(rules[c], y, n), own, strict=True):
                into[here] = share[c] * values + (share[-1] * alone if c == len(tables) - 1 else 0.0)
    scale = np.max([table.marginal.max(axis=1) for table in tables], axis=0)
    return [Integrals(*(values / scale[:, None] for values in table)) for table in tables], np.log(scale)


def _one_component(tables: list[Integrals], prior: tuple[np.ndarray, ...], rows: np.ndarray) -> tuple[np.ndarray, ...]:
    """Probability, estimate and evidence of rows of cells, (rows, baskets), for one exchangeable distribution."""
    marginal, upper, first = tables[0]
    joint = prior[0] * marginal[rows[:, 0]]
    for column in rows.T[1:]:
        joint *= marginal[column]
    evidence = joint.sum(axis=1)
    averages = []
    for part in (upper, first):
        given_node = part / np.maximum(marginal, TINY)
        sums = np.column_stack([np.einsum("rg,rg->r", joint, given_node[column]) for column in rows.T])
        averages.append(sums / evidence[:, None])
    return averages[0], averages[1], evidence


def _two_components(tables: list[Integrals], prior: tuple[np.ndarray, ...], rows: np.ndarray) -> tuple[np.ndarray, ...]:
    """The same for two. Subset s (bits) of the baskets is in the first; the rest in the second or by themselves."""
    baskets = rows.shape[1]
    subsets = np.arange(2**baskets)
    rest = subsets[::-1]  # complement of each subset
    sums = []
    for table, weight in zip(tables, prior, strict=True):
        product = np.empty((len(rows), subsets.size, weight.size))
        product[:, 0] = weight
        for k in range(baskets):  # subsets with k as highest basket follow those without
            product[:, 2**k : 2 ** (k + 1)] = product[:, : 2**k] * table.marginal[rows[:, k], None]
        values = np.concatenate([np.ones((len(rows), 1, weight.size)), table.upper[rows], table.first[rows]], axis=1)
        sums.append(product @ values.transpose(0, 2, 1))  # (rows, subsets, 1 + 2 x baskets)
    first, second = sums
    evidence = np.sum(first[:, :, 0] * second[:, rest, 0], axis=1)
    averages = [np.empty(rows.shape), np.empty(rows.shape)]
    for k in range(baskets):
        without = subsets[(subsets >> k) & 1 == 0]
        others = rest[without] - 2**k  # neither k nor those of the subset
        for average, part in zip(averages, (1 + k, 1 + baskets + k), strict=True):
            either = first[:, without, part] * second[:, others, 0] + first[:, without, 0] * second[:, others, part]
            average[:, k] = either.sum(axis=1) / evidence
    return averages[0], averages[1], evidence
