"""What two drugs without interaction do together, and how far what is seen lies beyond it.

An effect e is the share of untreated cells (or of untreated growth) that a drug takes away: 0 none, 1 all. The nulls:

    HSA     e = max(e_A, e_B)                   highest single agent: the second drug adds nothing
    Bliss   1 - e = (1 - e_A)(1 - e_B)          each acts on what the other leaves
    Loewe   a / D_A(e) + b / D_B(e) = 1         each replaces a dose of the other; D(e): dose that alone does e

(HSA: Berenbaum, Pharmacol Rev 1989;41:93. Bliss, Ann Appl Biol 1939;26:585. Loewe & Muischnek, Arch exp Pathol Pharmakol
1926;114:313.) The excess is effect less expectation: above zero synergy, below antagonism. Of growth rates, Bliss is a sum: cells
that survive both drugs are a product, so their logarithms, which are rates times time, add.

D(e) is infinite where e is beyond what the drug does at any dose. Then the drug counts for nothing, and what Loewe expects is
what the other does alone (Di Veroli et al., Bioinformatics 2016;32:2866). Strictly the equation has no solution with both drugs in
it, which `Additive.defined` tells; the combination index (Chou & Talalay, Adv Enzyme Regul 1984;22:27) is not given there.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import elementwise
from scipy.special import expit

FARTHEST = 40.0  # logit of the effect over its maximum, at which the search ends


class SingleAgent(NamedTuple):
    """A Hill curve of effect against dose: e(d) = maximum d^hill / (half^hill + d^hill). Scalars, or arrays of one shape.

    Attributes:
        maximum: effect at infinite dose; zero or less: no effect at any dose. half: dose of half of it. hill: slope.
    """

    maximum: ArrayLike
    half: ArrayLike
    hill: ArrayLike


class Additive(NamedTuple):
    """What Loewe additivity expects: the effect, and whether both drugs alone can reach it at some dose."""

    effect: np.ndarray
    defined: np.ndarray


def bliss(effect_a: ArrayLike, effect_b: ArrayLike) -> np.ndarray:
    """Independence of what the drugs take away, as shares of cells."""
    a, b = np.asarray(effect_a, float), np.asarray(effect_b, float)
    return a + b - a * b


def bliss_of_rates(effect_a: ArrayLike, effect_b: ArrayLike) -> np.ndarray:
    """The same for effects on a growth rate, as shares of the untreated rate."""
    return np.asarray(effect_a, float) + np.asarray(effect_b, float)


def hsa(effect_a: ArrayLike, effect_b: ArrayLike) -> np.ndarray:
    """The better of the two drugs."""
    return np.maximum(np.asarray(effect_a, float), np.asarray(effect_b, float))


def effect_of(dose: ArrayLike, drug: SingleAgent) -> np.ndarray:
    """Of a dose alone."""
    dose = np.asarray(dose, float)
    with np.errstate(divide="ignore"):
        return np.asarray(drug.maximum, float) * expit(np.asarray(drug.hill) * (np.log(dose) - np.log(drug.half)))


def dose_for(effect: ArrayLike, drug: SingleAgent) -> np.ndarray:
    """The dose that alone has this effect: 0 for none, infinite where no dose has it."""
    e, most = np.asarray(effect, float), np.asarray(drug.maximum, float)
    reached = (e < most) & (most > 0)
    odds = np.where(reached, np.maximum(e, 0.0), 0.0) / np.where(reached, most - e, 1.0)
    return np.where(reached, np.asarray(drug.half) * odds ** (1.0 / np.asarray(drug.hill, float)), np.inf)


def loewe(dose_a: ArrayLike, dose_b: ArrayLike, drug_a: SingleAgent, drug_b: SingleAgent) -> Additive:
    """What doses of two drugs do together if one only replaces the other. All arguments broadcast.

    The sum of dose fractions falls from infinity to 0 as the effect rises to the larger maximum, so there is one solution.
    """
    a, b = np.asarray(dose_a, float), np.asarray(dose_b, float)
    most = np.maximum(np.asarray(drug_a.maximum, float), np.asarray(drug_b.maximum, float))
    *parts, a, b, most = np.broadcast_arrays(*drug_a, *drug_b, a, b, most)
    given = ((a > 0) & (parts[0] > 0)) | ((b > 0) & (parts[3] > 0))
    top = np.where(given, most, 1.0)

    def surplus(x, a, b, top, *parts):
        fractions = index(a, b, top * expit(x), SingleAgent(*parts[:3]), SingleAgent(*parts[3:]))
        return np.log(np.maximum(fractions, 1e-300))

    ends = np.full(a.shape, -FARTHEST), np.full(a.shape, FARTHEST)
    found = elementwise.find_root(surplus, ends, args=(np.where(given, a, 1.0), b, top, *parts))
    effect = np.where(given, top * expit(found.x), 0.0)
    weaker = np.minimum(parts[0], parts[3])
    return Additive(np.asarray(effect), np.asarray((effect < weaker) | ((a == 0) | (b == 0))))


def index(dose_a: ArrayLike, dose_b: ArrayLike, effect: ArrayLike, drug_a: SingleAgent, drug_b: SingleAgent) -> np.ndarray:
    """a / D_A(e) + b / D_B(e), a drug that cannot reach the effect counting for nothing."""
    with np.errstate(divide="ignore", invalid="ignore"):
        parts = [np.where(np.asarray(d) > 0, np.asarray(d) / dose_for(effect, drug), 0.0)
                 for d, drug in ((dose_a, drug_a), (dose_b, drug_b))]  # fmt: skip
    return parts[0] + parts[1]


def combination_index(
    dose_a: ArrayLike, dose_b: ArrayLike, effect: ArrayLike, drug_a: SingleAgent, drug_b: SingleAgent
) -> np.ndarray:
    """The same for an effect that was seen: below 1 synergy, above 1 antagonism. NaN where either drug has no dose with that
    effect,
    and where there is no effect."""
    e = np.asarray(effect, float)
    reached = (e > 0) & (e < np.asarray(drug_a.maximum)) & (e < np.asarray(drug_b.maximum))
    return np.where(reached, index(dose_a, dose_b, e, drug_a, drug_b), np.nan)


def isobole(doses_a: np.ndarray, doses_b: np.ndarray, effect: np.ndarray, level: float) -> np.ndarray:
    """Pairs of doses with one effect, (pairs, 2): along each dose of B the least dose of A that reaches it, and along each dose of
    A
    the least of B, both interpolated linearly between the doses tried, as fractions of the step where the lower dose is 0.

    Args:
        doses_a, doses_b: ascending from 0. effect: (doses_a, doses_b).
    """
    along_a = [(dose, b) for j, b in enumerate(doses_b) if (dose := _crossing(doses_a, effect[:, j], level)) is not None]
    along_b = [(a, dose) for i, a in enumerate(doses_a) if (dose := _crossing(doses_b, effect[i], level)) is not None]
    pairs = np.array(sorted({*along_a, *along_b}), float).reshape(-1, 2)
    return pairs[np.lexsort([-pairs[:, 1], pairs[:, 0]])]


def _crossing(dose: np.ndarray, effect: np.ndarray, level: float) -> float | None:
    """The dose at which the effect first comes up to a level; None: it does so at no dose, or is there without a dose."""
    above = np.flatnonzero(effect >= level)
    if not len(above) or above[0] == 0:
        return None
    i = above[0]
    share = (level - effect[i - 1]) / (effect[i] - effect[i - 1])
    if dose[i - 1] == 0.0:
        return float(share * dose[i])
    return float(np.exp((1.0 - share) * np.log(dose[i - 1]) + share * np.log(dose[i])))
