"""Genotype of the tumour: marginal prevalence by tumour type, with the dependences that matter for a rapalog."""

from __future__ import annotations

import numpy as np

from trialsim.cohort.context import Columns, Context


def joint_probability(p: np.ndarray, q: np.ndarray, odds_ratio: np.ndarray) -> np.ndarray:
    """P(A and B) for two binary traits with marginals p = P(A), q = P(B) and a given odds ratio.

    Solves  psi (p-x)(q-x) = x (1-p-q+x)  for x (Plackett RL, J Am Stat Assoc 1965;60:516):
        x = (S - sqrt(S^2 - 4 psi (psi-1) p q)) / (2 (psi-1)),  S = 1 + (p+q)(psi-1);  x = p q when psi = 1.
    """
    independent = np.abs(odds_ratio - 1.0) < 1e-9
    excess = np.where(independent, 1.0, odds_ratio - 1.0)
    total = 1.0 + (p + q) * excess
    root = np.sqrt(np.maximum(total**2 - 4.0 * odds_ratio * excess * p * q, 0.0))
    return np.where(independent, p * q, (total - root) / (2.0 * excess))


def conditional_probabilities(p: np.ndarray, q: np.ndarray, joint: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """P(B | A) and P(B | not A) from p = P(A), q = P(B) and P(A and B); q where A never or always holds."""
    given = np.where(p > 0, joint / np.where(p > 0, p, 1.0), q)
    without = np.where(p < 1, (q - joint) / np.where(p < 1, 1.0 - p, 1.0), q)
    return np.clip(given, 0.0, 1.0), np.clip(without, 0.0, 1.0)


def posterior(p: np.ndarray, trait: np.ndarray, given: np.ndarray, without: np.ndarray) -> np.ndarray:
    """P(A | B) by Bayes: prior p = P(A), observed ``trait`` B, P(B | A) = ``given``, P(B | not A) = ``without``."""
    with_a = p * np.where(trait, given, 1.0 - given)
    without_a = (1.0 - p) * np.where(trait, without, 1.0 - without)
    total = with_a + without_a
    return np.where(total > 0, with_a / np.where(total > 0, total, 1.0), p)


def _prevalence(context: Context, columns: Columns, gene: str) -> np.ndarray:
    return context.of_tumour(columns, lambda tumour: getattr(tumour.genotype, gene))


def _partner(context: Context, columns: Columns, gene: str) -> tuple[np.ndarray, np.ndarray]:
    """P(gene | PIK3CA mutated) and P(gene | PIK3CA wild type), shape (patients,) each."""
    pik3ca_share = _prevalence(context, columns, "pik3ca")
    share = _prevalence(context, columns, gene)
    odds_ratio = _prevalence(context, columns, f"{gene}_pik3ca_odds_ratio")
    return conditional_probabilities(pik3ca_share, share, joint_probability(pik3ca_share, share, odds_ratio))


def pik3ca(context: Context, columns: Columns) -> np.ndarray:
    """PIK3CA mutated. Where KRAS or AKT1 are already known (read from a file) they inform it."""
    chance = _prevalence(context, columns, "pik3ca")
    for gene in ("kras", "akt1"):
        if gene in columns:
            chance = posterior(chance, columns[gene], *_partner(context, columns, gene))
    return context.draws.uniform("pik3ca") < chance


def _given_pik3ca(context: Context, columns: Columns, gene: str) -> np.ndarray:
    mutated, wild_type = _partner(context, columns, gene)
    return context.draws.uniform(gene) < np.where(columns["pik3ca"], mutated, wild_type)


def kras(context: Context, columns: Columns) -> np.ndarray:
    """KRAS mutated, associated with PIK3CA by the tumour type's odds ratio."""
    return _given_pik3ca(context, columns, "kras")


def akt1(context: Context, columns: Columns) -> np.ndarray:
    """AKT1 mutated (E17K in the main), associated with PIK3CA by the tumour type's odds ratio."""
    return _given_pik3ca(context, columns, "akt1")


def _pten_loss_chances(context: Context, columns: Columns) -> tuple[np.ndarray, np.ndarray]:
    """P(protein loss | PTEN mutated) and P(protein loss | PTEN wild type)."""
    given = _prevalence(context, columns, "pten_loss_given_mutation")
    mutation = _prevalence(context, columns, "pten_mutation")
    loss = _prevalence(context, columns, "pten_loss")
    return given, loss_without_mutation(loss, given, mutation)


def loss_without_mutation(loss: np.ndarray, given: np.ndarray, mutation: np.ndarray) -> np.ndarray:
    """P(protein loss | PTEN wild type) from P(loss), P(loss | mutated) and P(mutated)."""
    without = np.where(mutation < 1, (loss - given * mutation) / np.where(mutation < 1, 1.0 - mutation, 1.0), loss)
    return np.clip(without, 0.0, 1.0)


def pten_mutation(context: Context, columns: Columns) -> np.ndarray:
    """PTEN mutated. Where protein loss is already known it informs it."""
    chance = _prevalence(context, columns, "pten_mutation")
    if "pten_loss" in columns:
        chance = posterior(chance, columns["pten_loss"], *_pten_loss_chances(context, columns))
    return context.draws.uniform("pten_mutation") < chance


def pten_loss(context: Context, columns: Columns) -> np.ndarray:
    """PTEN protein lost, mutated or not (Millis SZ et al., JAMA Oncol 2016: 72.5 % of mutants show loss)."""
    mutated, wild_type = _pten_loss_chances(context, columns)
    return context.draws.uniform("pten_loss") < np.where(columns["pten_mutation"], mutated, wild_type)


def tsc(context: Context, columns: Columns) -> np.ndarray:
    """TSC1 or TSC2 inactivated."""
    return context.draws.uniform("tsc") < _prevalence(context, columns, "tsc")


def mtor(context: Context, columns: Columns) -> np.ndarray:
    """MTOR activated by mutation."""
    return context.draws.uniform("mtor") < _prevalence(context, columns, "mtor")
