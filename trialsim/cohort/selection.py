"""How common a selection by alterations is in a population: from the prevalences, without sampling anybody."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import combinations

import numpy as np

from trialsim.cohort.genotype import conditional_probabilities, joint_probability, loss_without_mutation
from trialsim.schema.base import ConfigError
from trialsim.schema.cohort import GenotypeSettings, PopulationSettings, TumourSettings

RAREST = 2000  # patients of whom at least one must be eligible: those of a trial are found by sampling


def refuse_rare(
    population: PopulationSettings,
    tumours: Mapping[str, TumourSettings],
    selection: Mapping[str, bool],
    key: str = "analysis.selection",
) -> None:
    """A selection that hardly anybody meets is no trial.

    Raises:
        ConfigError: on ``key``.
    """
    refuse_share(lambda asked: eligible_share(population, tumours, asked), selection, key)


def refuse_share(share_of: Callable[[Mapping[str, bool]], float], selection: Mapping[str, bool], key: str) -> None:
    """As `refuse_rare`, from the share of patients who meet a selection.

    Raises:
        ConfigError: on ``key``; tells how many have each alteration alone, and which are rare or hardly ever met together.
    """
    if share_of(selection) * RAREST >= 1.0:
        return
    allowed = f"alterations that at least 1 in {RAREST} patients of this population has"
    allowed += f"; {share_of(selection):.2g} of them have these"
    raise ConfigError(key, dict(selection), allowed + (f" ({_why_rare(share_of, selection)})" if len(selection) > 1 else ""))


def _why_rare(share_of: Callable[[Mapping[str, bool]], float], selection: Mapping[str, bool]) -> str:
    """How many have each alteration alone, which are rare by themselves, and which of the others hardly ever meet."""
    rare = lambda *genes: share_of({gene: selection[gene] for gene in genes}) * RAREST < 1.0
    names = {gene: gene if altered else f"no {gene}" for gene, altered in selection.items()}
    alone = [f"{name} {share_of({gene: selection[gene]}):.2g}" for gene, name in names.items()]
    told = [f"shares that have each alone: {', '.join(alone)}"]
    seldom = [gene for gene in names if rare(gene)]
    apart = [pair for pair in combinations([gene for gene in names if gene not in seldom], 2) if rare(*pair)]
    if seldom:
        told.append(f"too rare by itself: {', '.join(names[gene] for gene in seldom)}")
    if apart:
        told.append(f"hardly ever together: {', '.join(f'{names[one]} with {names[other]}' for one, other in apart)}")
    return "; ".join(told)


def eligible_share(population: PopulationSettings, tumours: Mapping[str, TumourSettings], selection: Mapping[str, bool]) -> float:
    """Share of a population's patients whose tumours have (true) or lack (false) each alteration of ``selection``."""
    return sum(share * share_of_type(tumours[kind].genotype, selection) for kind, share in population.mix.items())


def share_of_type(genotype: GenotypeSettings, selection: Mapping[str, bool]) -> float:
    """The same of one tumour type. Given PIK3CA, KRAS and AKT1 are independent; so are PTEN, TSC and MTOR of all others (as
    `genotype` draws them)."""

    def fits(gene: str, chance: float) -> float:
        return {True: chance, False: 1.0 - chance, None: 1.0}[selection.get(gene)]

    def given_pik3ca(gene: str) -> tuple[float, float]:
        pik3ca, share, ratio = (np.float64(getattr(genotype, name)) for name in ("pik3ca", gene, f"{gene}_pik3ca_odds_ratio"))
        mutated, wild_type = conditional_probabilities(pik3ca, share, joint_probability(pik3ca, share, ratio))
        return float(mutated), float(wild_type)

    kras, akt1, p = given_pik3ca("kras"), given_pik3ca("akt1"), genotype.pik3ca
    mutated = fits("pik3ca", 1.0) * p * fits("kras", kras[0]) * fits("akt1", akt1[0])
    wild_type = fits("pik3ca", 0.0) * (1.0 - p) * fits("kras", kras[1]) * fits("akt1", akt1[1])
    m, loss = genotype.pten_mutation, genotype.pten_loss_given_mutation
    intact = float(loss_without_mutation(np.float64(genotype.pten_loss), np.float64(loss), np.float64(m)))
    pten = fits("pten_mutation", 1.0) * m * fits("pten_loss", loss)
    pten += fits("pten_mutation", 0.0) * (1.0 - m) * fits("pten_loss", intact)
    return (mutated + wild_type) * pten * fits("tsc", genotype.tsc) * fits("mtor", genotype.mtor)
