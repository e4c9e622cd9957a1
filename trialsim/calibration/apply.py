"""A study with shifted settings: what one draw of the posterior makes of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import special

from trialsim.calibration.parameters import OF_GENE, strength

if TYPE_CHECKING:
    from trialsim.schema.study import StudyConfig


def shifted(config: StudyConfig, shifts: Mapping[str, float]) -> StudyConfig:
    """The study with its settings shifted.

    Args:
        shifts: by name (`system.shift_name`): ``growth colorectal``, ``exposure everolimus``, ``partner letrozole``,
            ``new_lesions``; 0 for those that are not there.
    """
    of = lambda name: float(shifts.get(name, 0.0))
    tumours = {kind: _tumour(tumour, kind, of) for kind, tumour in config.tumour.items()}
    growth, genes, binding = config.network.growth, config.network.genotype, config.drug.binding
    changed = lambda settings, **values: settings.model_copy(update=values)
    if "cell_loss" in shifts:
        growth = changed(growth, phi=float(special.expit(special.logit(growth.phi) + of("cell_loss"))))
    if "line_endocrine" in shifts:
        growth = changed(growth, endocrine_per_line=of("line_endocrine"))
    for name in ("insensitive", "restored"):
        if name in shifts:
            before = getattr(growth, f"endocrine_{name}")
            growth = changed(growth, **{f"endocrine_{name}": float(special.expit(special.logit(before) + of(name)))})
    genes = changed(genes, **{gene: getattr(genes, gene) + of(gene) for gene in OF_GENE})
    binding = changed(binding, partition_tumour=binding.partition_tumour * float(np.exp(of(f"exposure {config.drug.name}"))))
    lines = {
        setting: of(name)
        for setting, name in (("log_growth_per_line", "line_growth"), ("logit_dependence_per_line", "line_dependence"))
        if name in shifts
    }
    cohort = changed(config.cohort, associations=changed(config.cohort.associations, **lines))
    return changed(
        config,
        tumour=tumours,
        network=changed(config.network, growth=growth, genotype=genes),
        drug=changed(config.drug, binding=binding),
        cohort=cohort,
        partner={name: _partner(partner, of(f"partner {name}")) for name, partner in config.partner.items()},
    )


def _tumour(tumour: Any, kind: str, of: Any) -> Any:
    pace, spread = of(f"growth {kind}"), float(np.exp(of("growth_spread")))
    changed = lambda settings, **values: settings.model_copy(update=values)
    growth = changed(
        tumour.growth,
        rate_median_per_day=tumour.growth.rate_median_per_day * float(np.exp(pace)),
        rate_log_sd=tumour.growth.rate_log_sd * spread,
        resistant_fraction_median=min(tumour.growth.resistant_fraction_median * float(np.exp(of("resistance"))), 0.9),
    )
    new = tumour.lesions.new_lesion_rate_median_per_day * float(np.exp(pace + of("new_lesions")))
    death = tumour.survival.death_rate_median_per_day * float(np.exp(of(f"death {kind}")))
    mean, shift = tumour.pathway.dependence_mean, of(f"dependence {kind}")
    mean = float(special.expit(special.logit(mean) + shift)) if shift else mean
    return changed(
        tumour,
        growth=growth,
        lesions=changed(tumour.lesions, new_lesion_rate_median_per_day=new),
        survival=changed(tumour.survival, death_rate_median_per_day=death),
        pathway=changed(tumour.pathway, dependence_mean=mean),
    )


def _partner(partner: Any, shift: float) -> Any:
    if shift == 0.0:
        return partner
    moved = lambda node, effect: {name: float(value) for name, value in strength(effect, shift, node).items()}
    inhibits = {node: effect.model_copy(update=moved(node, effect)) for node, effect in partner.inhibits.items()}
    return partner.model_copy(update={"inhibits": inhibits})
