"""Age, sex, body size and clinical covariates: hand values, published tables, distributions.

Every statistical test has a fixed seed and a false-alarm rate of 1e-4: were the seed changed, one test in ten thousand
would fail.
"""

import numpy as np
import pytest
from scipy import stats

from trialsim.cohort.body import body_surface_area, fat_free_mass
from trialsim.cohort.context import conditional_score, score_within
from trialsim.cohort.draws import category, truncated_score
from trialsim.cohort.growth_reference import BMI_KG_M2, STATURE_CM, measurement

ALPHA = 1e-4


def binomial_ok(successes, size, share):
    return stats.binomtest(int(successes), int(size), share).pvalue > ALPHA


def fixed(value):
    return np.array([value])


def test_analytic_body_surface_area():
    # Mosteller: sqrt(175 * 70 / 3600) = 1.8447; a square of 3600 gives 1.
    assert body_surface_area(70.0, 175.0) == pytest.approx(1.844662, rel=1e-6)
    assert body_surface_area(36.0, 100.0) == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("weight", "height", "age", "sex", "expected"),
    [
        (70.0, 175.0, 50.0, "M", 55.857),  # by hand: 9270*70 / (6680 + 216*22.857)
        (60.0, 165.0, 50.0, "F", 39.287),  # by hand: 9270*60 / (8780 + 244*22.039)
        (80.0, 200.0, 50.0, "M", 67.0),  # rounded values of an independent implementation (InsightRX clinPK)
        (60.0, 140.0, 12.0, "F", 36.0),
    ],
)
def test_independent_fat_free_mass(weight, height, age, sex, expected):
    ffm = fat_free_mass(fixed(weight), fixed(height), fixed(age), np.array([sex]))[0]
    assert ffm == pytest.approx(expected, abs=0.5 if expected == round(expected) else 1e-3)


def test_fat_free_mass_of_boys_grows_into_the_adult_formula():
    ages = np.array([5.0, 13.4, 17.99, 18.0])
    boys = fat_free_mass(np.full(4, 40.0), np.full(4, 150.0), ages, np.full(4, "M"))
    np.testing.assert_allclose(boys / boys[-1], [0.88, 0.94, 1.0, 1.0], atol=0.003)


@pytest.mark.parametrize(
    ("sex", "months", "third", "median", "ninety_seventh"),
    [  # rows of the CDC statage file, all three percentiles as published
        ("M", 60.5, 100.331847, 109.1751441, 117.831386),
        ("M", 120.5, 126.6677753, 138.8234114, 151.5294179),
        ("M", 48.5, 94.59361093, 102.5104735, 110.5342263),
        ("M", 30.5, 84.51557782, 91.33242379, 98.59690538),  # between two of our rows
        ("M", 126.5, 128.7057627, 141.2581515, 154.3718335),
    ],
)
def test_published_stature_percentiles(sex, months, third, median, ninety_seventh):
    z = stats.norm.ppf([0.03, 0.5, 0.97])
    ours = measurement(STATURE_CM, np.full(3, months / 12.0), np.full(3, sex), z)
    np.testing.assert_allclose(ours, [third, median, ninety_seventh], rtol=0.005)


@pytest.mark.parametrize(
    ("sex", "months", "weight"),
    [
        ("F", 60.5, 18.02),
        ("F", 120.5, 33.06),
        ("F", 204.5, 55.18),
        ("M", 60.5, 18.49),
        ("M", 120.5, 32.09),
        ("M", 204.5, 64.70),
    ],
)
def test_published_median_weight_follows_from_stature_and_bmi(sex, months, weight):
    # The median weights of the CDC wtage file are a third table, which ours never sees.
    age, sexes, zero = fixed(months / 12.0), np.array([sex]), fixed(0.0)
    ours = measurement(BMI_KG_M2, age, sexes, zero) * (measurement(STATURE_CM, age, sexes, zero) / 100.0) ** 2
    assert ours[0] == pytest.approx(
        weight, rel=0.03
    )  # medians of a product differ a little from the product of medians


def test_children_of_ten_are_distributed_as_the_reference(children):
    unshifted = children.population.body_size.child.model_copy(update={"height_z_mean": 0.0, "bmi_z_mean": 0.0})
    ten = children.population.age.model_copy(update={"minimum_y": 10.0, "maximum_y": 10.1})
    sizes = children.population.body_size.model_copy(update={"child": unshifted})
    sample = children.sample(4000, body_size=sizes, age=ten)
    for sex in ("F", "M"):
        ours = sample[sample.sex == sex]
        power, median, spread = (
            np.interp(120.6, (120.5, 132.5), STATURE_CM[sex][[8, 9], column]) for column in range(3)
        )
        z = ((ours.height_cm / median) ** power - 1.0) / (power * spread)
        assert stats.kstest(np.clip(z, -2.4, 2.4), lambda x: np.where(x >= 2.4, 1.0, stats.norm.cdf(x))).pvalue > ALPHA
        assert ours.weight_kg.median() == pytest.approx({"F": 33.1, "M": 32.1}[sex], rel=0.03)


def test_adult_height_is_normal_within_sex(many_adults, adults):
    size = adults.population.body_size.adult
    for sex, mean, sd in (
        ("F", size.height_female_cm, size.height_sd_female_cm),
        ("M", size.height_male_cm, size.height_sd_male_cm),
    ):
        heights = many_adults.height_cm[many_adults.sex == sex]
        assert stats.kstest(heights, stats.truncnorm(-3, 3, mean, sd).cdf).pvalue > ALPHA


def test_weight_goes_with_height(many_adults, many_children):
    men = many_adults[many_adults.sex == "M"]
    # ln W = ln BMI + 2 ln H: the correlation follows from the two spreads, sd(2 ln H) = 2*7/177 and sd(ln BMI) = 0.17.
    expected = (14 / 177) / np.hypot(14 / 177, 0.17)
    found = np.corrcoef(np.log(men.height_cm), np.log(men.weight_kg))[0, 1]
    # Fisher z: standard error 1/sqrt(n-3), two-sided 1e-4 at 3.89; truncation at 3 SD is within that.
    assert abs(np.arctanh(found) - np.arctanh(expected)) < 3.89 / np.sqrt(len(men) - 3) + 0.01
    assert np.corrcoef(many_children.age_y, many_children.height_cm)[0, 1] > 0.9
    assert np.corrcoef(many_children.height_cm, many_children.weight_kg)[0, 1] > 0.85


def test_age_is_a_truncated_normal(many_adults):
    ages = many_adults.age_y
    assert ages.between(18, 85).all()
    assert stats.kstest(ages, stats.truncnorm((18 - 58) / 11, (85 - 58) / 11, 58, 11).cdf).pvalue > ALPHA


def test_children_are_as_old_as_their_tumour_says(many_children, children):
    assert many_children.age_y.between(3, 21).all()
    for kind in ("neuroblastoma", "osteosarcoma"):
        own = children.tumours[kind].demographics.age
        mean, sd = own.components[0].mean_y, own.components[0].sd_y
        low, high = max(3, own.minimum_y), own.maximum_y
        ages = many_children.age_y[many_children.tumour_type == kind]
        assert stats.kstest(ages, stats.truncnorm((low - mean) / sd, (high - mean) / sd, mean, sd).cdf).pvalue > ALPHA


def test_sex_specific_tumours(many_adults, adults):
    women = many_adults.sex == "F"
    for kind in ("ovarian", "endometrial"):
        assert women[many_adults.tumour_type == kind].all()
    for kind in ("breast_hr", "rcc_clear_cell", "colorectal"):
        own = adults.tumours[kind].demographics.female_fraction
        patients = many_adults.tumour_type == kind
        share = adults.population.sex.female_fraction if own is None else own
        assert binomial_ok(women[patients].sum(), patients.sum(), share)


def test_tumour_mix(many_adults, adults):
    counts = many_adults.tumour_type.value_counts()
    expected = np.array([adults.population.mix[kind] for kind in counts.index]) * len(many_adults)
    assert stats.chisquare(counts.to_numpy(), expected).pvalue > ALPHA


def test_anaemia_of_cancer(many_adults):
    # European Cancer Anaemia Survey: 36 % of solid tumours below 12 g/dL, which is a haematocrit of 0.36.
    assert (many_adults.haematocrit < 0.36).mean() == pytest.approx(0.36, abs=0.03)
    assert (
        many_adults.haematocrit[many_adults.sex == "F"].mean()
        < many_adults.haematocrit[many_adults.sex == "M"].mean() - 0.02
    )
    by_ecog = many_adults.groupby("ecog").haematocrit.mean()
    assert by_ecog[0] > by_ecog[1] > by_ecog[2]


def test_clinical_shares(many_adults, adults):
    clinical, size = adults.population.clinical, len(many_adults)
    for ecog, share in enumerate(clinical.ecog):
        assert binomial_ok((many_adults.ecog == ecog).sum(), size, share)
    assert binomial_ok(many_adults.abcb1_ttt.sum(), size, clinical.abcb1_ttt)
    assert binomial_ok((many_adults.line == 4).sum(), size, clinical.line[3])
    assert binomial_ok(
        (many_adults.cyp3a4_comedication == "inducer").sum(), size, clinical.cyp3a4_comedication["inducer"]
    )
    hcc = many_adults.tumour_type == "hcc"
    assert (many_adults.hepatic_function[hcc] == "child_pugh_a").all()
    assert binomial_ok((many_adults.hepatic_function[~hcc] == "child_pugh_a").sum(), (~hcc).sum(), 0.05)


def test_analytic_category_never_draws_an_empty_class():
    u = np.array([1e-12, 0.2, 0.5, 0.999999999999])
    np.testing.assert_array_equal(category(u, np.array([0.0, 0.5, 0.5, 0.0])), [1, 1, 2, 2])


def test_analytic_conditional_score_has_the_joint_covariance():
    rng = np.random.default_rng(3)
    # A star: b = 0.6 a + ..., c = -0.4 a + ...; sampling a given b and c must restore both correlations and variance 1.
    a = rng.standard_normal(200_000)
    b, c = 0.6 * a + 0.8 * rng.standard_normal(a.size), -0.4 * a + np.sqrt(0.84) * rng.standard_normal(a.size)
    new = conditional_score(rng.standard_normal(a.size), [(b, 0.6), (c, -0.4)])
    assert np.var(new) == pytest.approx(1.0, abs=0.02)
    assert np.corrcoef(new, b)[0, 1] == pytest.approx(0.6, abs=0.01)
    assert np.corrcoef(new, c)[0, 1] == pytest.approx(-0.4, abs=0.01)


def test_score_within_a_category_restores_the_normal():
    rng = np.random.default_rng(4)
    shares = np.array([0.3, 0.6, 0.1])
    index = category(rng.random(5000), shares)
    score = score_within(index, shares, rng.random(5000))
    assert stats.kstest(score, stats.truncnorm(-3, 3).cdf).pvalue > ALPHA
    assert score[index == 0].max() <= truncated_score(np.array([0.3]))[0] <= score[index == 1].min()
