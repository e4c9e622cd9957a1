"""Lesions, growth, spread and death. False-alarm rate 1e-4 a comparison, fixed seeds."""

import numpy as np
import pytest
from scipy import stats

from trialsim.cohort import sample_cohort
from trialsim.cohort.plausibility import LESION_COLUMNS
from trialsim.schema import ConfigError

ALPHA = 1e-4


@pytest.mark.parametrize("who", ["many_adults", "many_children"])
def test_lesions_add_up_and_are_measurable(who, request):
    sample = request.getfixturevalue(who)
    lesions = sample[list(LESION_COLUMNS)].to_numpy()
    np.testing.assert_allclose(np.nansum(lesions, axis=1), sample.sld_baseline_mm, rtol=1e-12)
    np.testing.assert_array_equal((~np.isnan(lesions)).sum(axis=1), sample.n_target_lesions)
    assert np.nanmin(lesions) >= 10.0
    assert np.nanmax(lesions) <= 250.0 + 1e-9
    steps = np.diff(lesions, axis=1)
    assert (steps[~np.isnan(steps)] <= 0).all()
    assert (np.isnan(lesions) == (np.arange(5) >= sample.n_target_lesions.to_numpy()[:, None])).all()


def test_baseline_sum_is_lognormal(many_adults, adults):
    sample = many_adults[many_adults.tumour_type == "colorectal"]
    settings = adults.tumours["colorectal"].lesions
    score = np.log(sample.sld_baseline_mm / settings.baseline_sld_median_mm) / settings.baseline_sld_log_sd
    assert stats.kstest(score, "norm").pvalue > ALPHA


def test_growth_is_lognormal_by_tumour_type(many_adults, adults):
    for kind in ("colorectal", "nsclc", "pancreatic_net"):
        settings = adults.tumours[kind].growth
        rates = many_adults.growth_rate_per_day[many_adults.tumour_type == kind]
        score = np.log(rates / settings.rate_median_per_day) / settings.rate_log_sd
        assert stats.kstest(score, stats.truncnorm(-3, 3).cdf).pvalue > ALPHA


def test_dependence_is_beta(many_adults, adults):
    settings = adults.tumours["breast_hr"].pathway
    values = many_adults.pathway_dependence[many_adults.tumour_type == "breast_hr"]
    a = settings.dependence_mean * settings.dependence_concentration
    assert stats.kstest(values, stats.beta(a, settings.dependence_concentration - a).cdf).pvalue > ALPHA


def test_nontarget_share(many_adults, adults):
    patients = many_adults.tumour_type == "colorectal"
    share = adults.tumours["colorectal"].lesions.nontarget_fraction
    assert stats.binomtest(int(many_adults.nontarget[patients].sum()), int(patients.sum()), share).pvalue > ALPHA


def test_correlations_are_those_of_the_settings(many_adults, adults):
    sample = many_adults[many_adults.tumour_type == "colorectal"]
    wanted = adults.population.associations
    error = 3.89 / np.sqrt(len(sample) - 3)
    growth, spread = np.log(sample.growth_rate_per_day), np.log(sample.new_lesion_rate_per_day)
    assert np.corrcoef(growth, spread)[0, 1] == pytest.approx(wanted.growth_new_lesion, abs=error)
    burden = np.log(sample.sld_baseline_mm)
    # ECOG is a coarse reading of its score; three classes keep about 0.85 of the correlation.
    assert 0.7 * wanted.ecog_burden < np.corrcoef(burden, sample.ecog)[0, 1] < wanted.ecog_burden + error
    assert np.corrcoef(burden, sample.n_target_lesions)[0, 1] > 0.8 * wanted.burden_target_lesions


def test_hazard_of_death_rises_with_performance_status_and_burden(many_adults, adults):
    sample = many_adults[many_adults.tumour_type == "colorectal"]
    typical = adults.tumours["colorectal"].lesions.baseline_sld_median_mm
    wanted = adults.population.associations
    design = np.column_stack([np.ones(len(sample)), sample.ecog - 1, np.log(sample.sld_baseline_mm / typical)])
    fit, residual, *_ = np.linalg.lstsq(design, np.log(sample.death_rate_per_day), rcond=None)
    error = 3.89 * np.sqrt(np.diag(np.linalg.inv(design.T @ design)) * residual / len(sample))
    expected = [np.log(adults.tumours["colorectal"].survival.death_rate_median_per_day), wanted.log_hazard_per_ecog,
                wanted.log_hazard_per_log_burden]  # fmt: skip
    assert (np.abs(fit - expected) < error).all()


def test_median_survival_of_the_mixed_cohorts_is_that_of_phase_1_units(many_adults, many_children):
    # Not fitted: hazards by tumour type against 10 months (Wheler 2012) and 5 to 8.5 months in children (Kim 2008,
    # Corrales-Medina 2014). The hazard here is that of the baseline burden; growth raises it in the trial (median about 0.7 times
    # this), so these medians lie above the published ones.
    u = np.random.default_rng(0).random(len(many_adults))
    assert 10 < np.median(-np.log(u) / many_adults.death_rate_per_day) / 30.44 < 15
    assert 7 < np.median(-np.log(u) / many_children.death_rate_per_day) / 30.44 < 13


@pytest.mark.parametrize(
    ("kind", "weeks", "months", "published"),
    [  # control arms without active drug: median progression-free survival, months
        ("rcc_clear_cell", 8, (1.4, 2.4), "1.9, RECORD-1 placebo"),
        ("pancreatic_net", 12, (3.7, 6.0), "4.6, RADIANT-3 placebo"),
        ("hcc", 6, (2.0, 3.4), "2.6 (time to progression), EVOLVE-1 placebo"),
        ("soft_tissue_sarcoma", 8, (2.5, 4.5), "3.4, SUCCEED placebo"),
    ],
)
def test_published_control_arms_follow_from_the_natural_history(adults, kind, weeks, months, published):
    patients = adults.sample(4000, seed=3, mix={kind: 1.0})
    rng = np.random.default_rng(0)
    # RECIST progression of exponential growth from baseline: +20 % and at least 5 mm, or a new lesion, seen at a scan.
    grown = np.log(np.maximum(1.2, 1.0 + 5.0 / patients.sld_baseline_mm)) / patients.growth_rate_per_day
    spread = rng.exponential(1.0 / patients.new_lesion_rate_per_day)
    seen = np.ceil(np.minimum(grown, spread) / (7 * weeks)) * 7 * weeks
    free = np.minimum(seen, rng.exponential(1.0 / patients.death_rate_per_day))
    assert months[0] < np.median(free) / 30.44 < months[1], published


def test_the_tail_of_a_rate_ends_where_it_is_no_longer_plausible(adults):
    """Draws of a posterior may be wide; one patient in thousands must not stop a run. A median beyond that is a wrong setting."""
    wide = {kind: changed(tumour, rate_log_sd=2.0) for kind, tumour in adults.tumours.items()}
    rates = sample_cohort(adults.population.model_copy(update={"size": 4000}), wide, 1).growth_rate_per_day
    assert rates.max() == 0.3 and 0.0 < (rates == 0.3).mean() < 0.05
    absurd = {kind: changed(tumour, rate_median_per_day=0.4) for kind, tumour in adults.tumours.items()}
    with pytest.raises(ConfigError, match="growth_rate_per_day.*0 to 0.3"):
        sample_cohort(adults.population, absurd, 1)


def changed(tumour, **growth):
    return tumour.model_copy(update={"growth": tumour.growth.model_copy(update=growth)})
