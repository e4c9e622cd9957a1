"""The disease at baseline and its pace: lesions, growth, resistance, spread, death, dependence on mTORC1."""

from __future__ import annotations

import numpy as np
from scipy import special, stats

from trialsim.cohort.context import Columns, Context, conditional_score, score_within, standardised, uniform_of
from trialsim.cohort.demographics import burden_score, ecog_score
from trialsim.cohort.draws import SCORE_LIMIT, category, lognormal
from trialsim.cohort.plausibility import COLUMNS
from trialsim.schema.cohort import MAXIMUM_TARGET_LESIONS, TumourSettings

MEASURABLE_MM = 10.0  # smallest measurable lesion on CT, RECIST 1.1 (Eisenhauer EA et al., Eur J Cancer 2009;45:228)
# assumed: how evenly the sum is spread over the target lesions (Dirichlet parameter; 2 gives a largest-to-smallest
# ratio of about three among three lesions with a sum of 90 mm).
SPLIT_EVENNESS = 2.0
MAXIMUM_RESISTANT_FRACTION = 0.95
REFERENCE_LINE = 2  # of therapy, for which the files of the tumour types are
LAST_LINE = 5  # assumed: later ones differ no more
LARGEST_MM = 250.0  # assumed: no single target lesion is sampled larger


def _lesion_shares(context: Context, columns: Columns) -> np.ndarray:
    """Chance of 1 to 5 target lesions, shape (patients, 5)."""

    def padded(tumour: TumourSettings) -> list[float]:
        shares = tumour.lesions.target_lesions
        return [*shares, *[0.0] * (MAXIMUM_TARGET_LESIONS - len(shares))]

    return context.of_tumour(columns, padded)


def sld_baseline_mm(context: Context, columns: Columns) -> np.ndarray:
    """True sum of target-lesion diameters, mm: lognormal, larger in poor performance and with more lesions."""
    associations = context.population.associations
    evidence = [(ecog_score(context, columns), associations.ecog_burden)]
    smallest = np.full(len(columns["ecog"]), MEASURABLE_MM)
    if "n_target_lesions" in columns:
        number = columns["n_target_lesions"]
        known = score_within(
            number - 1, _lesion_shares(context, columns), context.draws.uniform("n_target_lesions score")
        )
        evidence.append((known, associations.burden_target_lesions))
        smallest = MEASURABLE_MM * number
    score = np.clip(conditional_score(context.draws.score("sld_baseline_mm"), evidence), -SCORE_LIMIT, SCORE_LIMIT)
    median = context.of_tumour(columns, lambda tumour: tumour.lesions.baseline_sld_median_mm)
    log_sd = context.of_tumour(columns, lambda tumour: tumour.lesions.baseline_sld_log_sd)
    return np.maximum(lognormal(score, median, log_sd), smallest)


def n_target_lesions(context: Context, columns: Columns) -> np.ndarray:
    """Number of target lesions, 1 to 5: more with more burden, so that each can lie between 10 and 250 mm."""
    correlation = context.population.associations.burden_target_lesions
    own = context.draws.score("n_target_lesions")
    score = conditional_score(own, [(burden_score(context, columns), correlation)])
    number = 1 + category(uniform_of(score), _lesion_shares(context, columns))
    sld = columns["sld_baseline_mm"]
    most = np.minimum(np.floor(sld / MEASURABLE_MM).astype(int), MAXIMUM_TARGET_LESIONS)
    return np.clip(number, np.minimum(np.ceil(sld / LARGEST_MM).astype(int), most), most)


def lesion_mm(context: Context, columns: Columns) -> np.ndarray:
    """Diameters of the target lesions at baseline, mm, largest first, NaN where absent; shape (patients, 5).

    Each is 10 mm plus a share of what the sum holds above 10 mm a lesion; shares are Dirichlet(SPLIT_EVENNESS), or even
    where the largest would pass LARGEST_MM.
    """
    number = columns["n_target_lesions"]
    present = np.arange(MAXIMUM_TARGET_LESIONS) < number[:, None]
    u = context.draws.uniforms("lesion split", MAXIMUM_TARGET_LESIONS)
    weight = np.where(present, special.gammaincinv(SPLIT_EVENNESS, u), 0.0)
    share = weight / weight.sum(axis=1, keepdims=True)
    above = columns["sld_baseline_mm"] - MEASURABLE_MM * number
    too_large = MEASURABLE_MM + share.max(axis=1) * above > LARGEST_MM
    share = np.where(too_large[:, None], 1.0 / number[:, None], share)
    diameter = np.where(present, MEASURABLE_MM + share * above[:, None], 0.0)
    ordered = -np.sort(-diameter, axis=1)
    return np.where(present, ordered, np.nan)


def nontarget(context: Context, columns: Columns) -> np.ndarray:
    """Non-target disease present at baseline."""
    share = context.of_tumour(columns, lambda tumour: tumour.lesions.nontarget_fraction)
    return context.draws.uniform("nontarget") < share


def _lines(columns: Columns) -> np.ndarray:
    """Lines of therapy beyond the one that the tumour types are described for, up to `LAST_LINE`."""
    return np.minimum(columns["line"], LAST_LINE) - REFERENCE_LINE


def _pace(context: Context, columns: Columns) -> np.ndarray:
    """What earlier lines of therapy did to growth and spread, a factor."""
    return np.exp(context.population.associations.log_growth_per_line * _lines(columns))


def _growth(context: Context, columns: Columns) -> tuple[np.ndarray, np.ndarray]:
    median = context.of_tumour(columns, lambda tumour: tumour.growth.rate_median_per_day) * _pace(context, columns)
    return median, context.of_tumour(columns, lambda tumour: tumour.growth.rate_log_sd)


def _new_lesions(context: Context, columns: Columns) -> tuple[np.ndarray, np.ndarray]:
    median = context.of_tumour(columns, lambda tumour: tumour.lesions.new_lesion_rate_median_per_day) * _pace(context, columns)
    return median, context.of_tumour(columns, lambda tumour: tumour.lesions.new_lesion_rate_log_sd)


def _death(context: Context, columns: Columns) -> tuple[np.ndarray, np.ndarray]:
    """Median hazard of a patient's performance status and burden, and the log-SD of the frailty."""
    associations = context.population.associations
    median = context.of_tumour(columns, lambda tumour: tumour.survival.death_rate_median_per_day)
    typical = context.of_tumour(columns, lambda tumour: tumour.lesions.baseline_sld_median_mm)
    log_burden = np.log(columns["sld_baseline_mm"] / typical)
    log_hazard = associations.log_hazard_per_ecog * (columns["ecog"] - 1)
    log_hazard = log_hazard + associations.log_hazard_per_log_burden * log_burden
    return median * np.exp(log_hazard), context.of_tumour(columns, lambda tumour: tumour.survival.death_rate_log_sd)


def _rate(name: str, score: np.ndarray, median: np.ndarray, log_sd: np.ndarray) -> np.ndarray:
    """Lognormal, whose tail ends at the largest plausible rate; where the median itself lies beyond, the settings are wrong and the
    cohort is refused (`plausibility.check_sampled`)."""
    limit, found = COLUMNS[name].high, lognormal(score, median, log_sd)
    return np.where(median <= limit, np.minimum(found, limit), found)


def growth_rate_per_day(context: Context, columns: Columns) -> np.ndarray:
    """Untreated exponential growth rate of a lesion's diameter, per day."""
    associations = context.population.associations
    evidence = []
    if "new_lesion_rate_per_day" in columns:
        known = standardised(columns["new_lesion_rate_per_day"], *_new_lesions(context, columns))
        evidence.append((known, associations.growth_new_lesion))
    if "death_rate_per_day" in columns:
        evidence.append(
            (standardised(columns["death_rate_per_day"], *_death(context, columns)), associations.growth_death)
        )
    score = conditional_score(context.draws.score("growth_rate"), evidence)
    return _rate("growth_rate_per_day", score, *_growth(context, columns))


def resistant_fraction(context: Context, columns: Columns) -> np.ndarray:
    """Share of tumour cells that the drug does not slow, lognormal, at most 0.95."""
    median = context.of_tumour(columns, lambda tumour: tumour.growth.resistant_fraction_median)
    log_sd = context.of_tumour(columns, lambda tumour: tumour.growth.resistant_fraction_log_sd)
    return np.minimum(lognormal(context.draws.score("resistant_fraction"), median, log_sd), MAXIMUM_RESISTANT_FRACTION)


def new_lesion_rate_per_day(context: Context, columns: Columns) -> np.ndarray:
    """Hazard of a new lesion at the baseline burden, per day; faster growth, faster spread."""
    growth = standardised(columns["growth_rate_per_day"], *_growth(context, columns))
    correlation = context.population.associations.growth_new_lesion
    score = conditional_score(context.draws.score("new_lesion_rate"), [(growth, correlation)])
    return _rate("new_lesion_rate_per_day", score, *_new_lesions(context, columns))


def death_rate_per_day(context: Context, columns: Columns) -> np.ndarray:
    """Hazard of death at the baseline burden, per day; worse with performance status, burden and growth."""
    growth = standardised(columns["growth_rate_per_day"], *_growth(context, columns))
    correlation = context.population.associations.growth_death
    score = conditional_score(context.draws.score("death_rate"), [(growth, correlation)])
    return _rate("death_rate_per_day", score, *_death(context, columns))


def pathway_dependence(context: Context, columns: Columns) -> np.ndarray:
    """Share of proliferation that runs through mTORC1-dependent translation, Beta within a tumour type, 0 to 1."""
    mean = context.of_tumour(columns, lambda tumour: tumour.pathway.dependence_mean)
    mean = special.expit(special.logit(mean) + context.population.associations.logit_dependence_per_line * _lines(columns))
    weight = context.of_tumour(columns, lambda tumour: tumour.pathway.dependence_concentration)
    return stats.beta.ppf(context.draws.uniform("pathway_dependence"), mean * weight, (1.0 - mean) * weight)
