"""What a calibration may move: named shifts of settings, on a scale without bounds, each with its prior.

A shift of 0 is the value of the settings. Rates and ratios are shifted on the log scale, shares on the logit scale. Shifts belong
to a tumour type, a drug, a partner drug or to all patients; none belongs to a trial.

    growth          log     tumour.<type>.growth.rate_median_per_day, and with it lesions.new_lesion_rate_median_per_day
    dependence      logit   tumour.<type>.pathway.dependence_mean
    death           log     tumour.<type>.survival.death_rate_median_per_day
    new_lesions     log     tumour.*.lesions.new_lesion_rate_median_per_day, beside growth
    growth_spread   log     tumour.*.growth.rate_log_sd
    resistance      log     tumour.*.growth.resistant_fraction_median
    line_growth     -       cohort.associations.log_growth_per_line
    line_dependence -       cohort.associations.logit_dependence_per_line
    line_endocrine  -       network.growth.endocrine_per_line
    insensitive     logit   network.growth.endocrine_insensitive
    restored        logit   network.growth.endocrine_restored
    cell_loss       logit   network.growth.phi
    PIK3CA, ...     -       network.genotype.<gene>
    exposure        log     drug.binding.partition_tumour
    <partner>       logit   partner.<partner>.inhibits.<node>.max; cytotoxic: log; of a node that it can block wholly, the logit of
                            what it blocks at any concentration: minus log of .IC50_nM, times the Hill coefficient
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd
from scipy import special, stats

from trialsim.cohort.disease import LAST_LINE, MAXIMUM_RESISTANT_FRACTION, REFERENCE_LINE
from trialsim.mechanism.partner_parameters import LARGEST, LARGEST_FRACTION, POTENCY

if TYPE_CHECKING:
    from trialsim.schema.study import StudyConfig


class Parameter(NamedTuple):
    """Attributes: mean, sd: of the normal prior of the shift; ours: about what published estimates of the setting differ by. They
    are also the spread over which patients are simulated. of: "type", "drug", "partner" (its largest effect), "potency" (of a
    partner that can block a node wholly) or "all"."""

    mean: float
    sd: float
    of: str


OF_TYPE = {"growth": Parameter(0.0, 0.8, "type"), "dependence": Parameter(0.0, 1.0, "type"), "death": Parameter(0.0, 0.6, "type")}
OF_ALL = {
    "new_lesions": Parameter(0.0, 0.5, "all"),
    "growth_spread": Parameter(0.0, 0.2, "all"),
    "resistance": Parameter(0.0, 0.8, "all"),
    "line_growth": Parameter(0.1, 0.15, "all"),
    "line_dependence": Parameter(0.0, 0.3, "all"),
    "line_endocrine": Parameter(-1.5, 0.5, "all"),
    "insensitive": Parameter(0.0, 1.0, "all"),
    "restored": Parameter(0.0, 1.0, "all"),
    "cell_loss": Parameter(0.0, 0.35, "all"),
}
OF_GENE = {gene: Parameter(0.0, 0.5, "all") for gene in ("PIK3CA", "PTEN_loss", "KRAS", "TSC")}
EXPOSURE = Parameter(0.0, 0.4, "drug")
PARTNER, POTENT = Parameter(0.0, 1.0, "partner"), Parameter(0.0, 1.0, "potency")
COLUMNS = {"max": LARGEST, "IC50_nM": POTENCY}
GENE_COLUMN = {"PIK3CA": "pik3ca", "PTEN_loss": "pten_loss", "KRAS": "kras", "TSC": "tsc"}
COMMON = 0.9  # share of a tumour type from which on an alteration's effect is told from trials that do not select for it


def parameters_of(config: StudyConfig, kind: str, on_drug: bool) -> dict[str, Parameter]:
    """What the outcome of one tumour type in one arm depends on.

    Args:
        config: of the arm. kind: tumour type. on_drug: whether the arm is given the rapalog.
    """
    found = {"growth": OF_TYPE["growth"], "death": OF_TYPE["death"], "new_lesions": OF_ALL["new_lesions"]}
    found |= {name: OF_ALL[name] for name in ("growth_spread", "cell_loss")}
    if len({min(i, LAST_LINE - 1) for i, share in enumerate(config.cohort.clinical.line) if share > 0} - {REFERENCE_LINE - 1}) > 0:
        found["line_growth"] = OF_ALL["line_growth"]
    if on_drug or config.partner:
        found |= {"dependence": OF_TYPE["dependence"], "resistance": OF_ALL["resistance"]}
        if "line_growth" in found:
            found["line_dependence"] = OF_ALL["line_dependence"]
        selected = getattr(config.analysis, "selection", {})
        everywhere = lambda gene: getattr(config.tumour[kind].genotype, GENE_COLUMN[gene]) >= COMMON
        found |= {gene: OF_GENE[gene] for gene in OF_GENE if everywhere(gene) or GENE_COLUMN[gene] in selected}
    if on_drug:
        found["exposure"] = EXPOSURE
    hormonal = [partner for partner in config.partner.values() if partner.hormone == config.tumour[kind].pathway.hormone]
    if any("endocrine" in partner.inhibits for partner in hormonal):
        found["insensitive"] = OF_ALL["insensitive"]
        if any(config.cohort.clinical.line[1:]):
            found["line_endocrine"] = OF_ALL["line_endocrine"]
            if on_drug:
                found["restored"] = OF_ALL["restored"]
    return found | {f"partner {name}": prior_of(partner) for name, partner in config.partner.items()}


def prior_of(partner: Any) -> Parameter:
    """The prior of a partner's shift."""
    return POTENT if any(blocks_wholly(effect.max, node) for node, effect in partner.inhibits.items()) else PARTNER


def blocks_wholly(largest: float, node: str) -> bool:
    """Whether a drug can block a node wholly: how much it does is then a matter of its potency."""
    return node != "cytotoxic" and largest >= LARGEST_FRACTION


def varied(config: StudyConfig, kind: str, cohort: pd.DataFrame, shifts: dict[str, np.ndarray]) -> pd.DataFrame:
    """The cohort of one tumour type, each patient drawn from settings shifted in a way of its own.

    Args:
        cohort: from `cohort.sample_cohort` with the settings as they are. shifts: by parameter, (patients,).
    """
    of = lambda name: shifts.get(name, 0.0)
    tumour, associations = config.tumour[kind], config.cohort.associations
    found = cohort.copy()
    lines = np.minimum(cohort["line"].to_numpy(), LAST_LINE) - REFERENCE_LINE
    pace = np.exp((of("line_growth") + 0.0 - associations.log_growth_per_line) * lines) if "line_growth" in shifts else 1.0
    known = associations.log_growth_per_line * lines
    median = tumour.growth.rate_median_per_day * np.exp(known)
    deviation = np.log(cohort["growth_rate_per_day"].to_numpy() / median)
    found["growth_rate_per_day"] = median * np.exp(of("growth") + deviation * np.exp(of("growth_spread"))) * pace
    found["new_lesion_rate_per_day"] *= np.exp(of("growth") + of("new_lesions")) * pace
    found["death_rate_per_day"] *= np.exp(of("death"))
    if "resistance" in shifts:
        resistant = cohort["resistant_fraction"].to_numpy() * np.exp(of("resistance"))
        found["resistant_fraction"] = np.minimum(resistant, MAXIMUM_RESISTANT_FRACTION)
    if "dependence" in shifts:
        mean, weight = tumour.pathway.dependence_mean, tumour.pathway.dependence_concentration
        before = special.expit(special.logit(mean) + associations.logit_dependence_per_line * lines)
        u = stats.beta.cdf(cohort["pathway_dependence"].to_numpy(), before * weight, (1.0 - before) * weight)
        per_line = shifts.get("line_dependence", associations.logit_dependence_per_line)
        after = special.expit(special.logit(mean) + of("dependence") + per_line * lines)
        found["pathway_dependence"] = stats.beta.ppf(u, after * weight, (1.0 - after) * weight)
    for path, value in _settings(config, shifts).items():
        found[path] = value
    return found


def _settings(config: StudyConfig, shifts: dict[str, Any]) -> dict[str, Any]:
    """Settings of drugs and cells by their path, shifted; those of the tumour types are not among them."""
    growth, found = config.network.growth, {}
    if "cell_loss" in shifts:
        found["network.growth.phi"] = special.expit(special.logit(growth.phi) + shifts["cell_loss"])
    if "line_endocrine" in shifts:
        found["network.growth.endocrine_per_line"] = shifts["line_endocrine"]
    for name in ("insensitive", "restored"):
        if name in shifts:
            before = special.logit(getattr(growth, f"endocrine_{name}"))
            found[f"network.growth.endocrine_{name}"] = special.expit(before + shifts[name])
    for gene in OF_GENE:
        if gene in shifts:
            found[f"network.genotype.{gene}"] = getattr(config.network.genotype, gene) + shifts[gene]
    if "exposure" in shifts:
        found["drug.binding.partition_tumour"] = config.drug.binding.partition_tumour * np.exp(shifts["exposure"])
    for name, partner in config.partner.items():
        shift = shifts.get(f"partner {name}")
        if shift is not None:
            for node, effect in partner.inhibits.items():
                for setting, value in strength(effect, shift, node).items():
                    found[COLUMNS[setting].format(partner=name, node=node)] = value
    return found


def strength(effect: Any, shift: Any, node: str) -> dict[str, Any]:
    """A partner's effect on a node, shifted: the setting that moves, and its value. A killing rate on the log scale, a fraction on
    the logit scale, that of a drug that blocks wholly by its potency."""
    if node == "cytotoxic":
        return {"max": effect.max * np.exp(0.6 * shift)}  # killing rates of drugs of one class differ less than odds of a fraction
    if blocks_wholly(effect.max, node):
        return {"IC50_nM": effect.IC50_nM * np.exp(-shift / effect.hill)}
    return {"max": special.expit(special.logit(effect.max) + shift)}
