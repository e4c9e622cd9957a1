"""Genotype: dependences that are published come out of the sample. False-alarm rate 1e-4 a comparison, fixed seeds."""

import numpy as np
import pytest
from scipy import stats

from trialsim.cohort import sample_cohort
from trialsim.cohort.genotype import conditional_probabilities, joint_probability, posterior

ALPHA = 1e-4
GENES = ("pik3ca", "pten_mutation", "pten_loss", "akt1", "tsc", "kras", "mtor")


def only(who, kind, size=40_000, **genotype):
    """A cohort of one tumour type, with changed genotype settings."""
    tumour = who.tumours[kind]
    tumour = tumour.model_copy(update={"genotype": tumour.genotype.model_copy(update=genotype)})
    population = who.population.model_copy(update={"size": size, "mix": {kind: 1.0}})
    return sample_cohort(population, {kind: tumour}, seed=11)


def agrees(successes, size, share):
    return stats.binomtest(int(successes), int(size), share).pvalue > ALPHA


@pytest.mark.parametrize("kind", ["colorectal", "breast_hr", "endometrial", "pancreatic_adenocarcinoma"])
def test_marginal_prevalence(adults, kind):
    sample = only(adults, kind)
    for gene in GENES:
        assert agrees(sample[gene].sum(), len(sample), getattr(adults.tumours[kind].genotype, gene)), gene


def test_published_pten_mutation_and_protein_loss(adults):
    # Millis 2016: of 17,546 tumours 931 mutated, 5005 with loss, 675 with both.
    sample = only(
        adults, "colorectal", pten_mutation=931 / 17546, pten_loss=5005 / 17546, pten_loss_given_mutation=675 / 931
    )
    mutated, lost = sample.pten_mutation, sample.pten_loss
    assert agrees((mutated & lost).sum(), mutated.sum(), 0.725)
    assert agrees((mutated & lost).sum(), lost.sum(), 0.135)  # only 13 % of losses carry a mutation
    assert agrees(lost.sum(), len(sample), 0.285)


def test_shipped_mix_reproduces_the_pooled_pten_fractions(many_adults):
    # Not fitted: the types' own prevalences, weighted by the mix, against Millis 2016 (72.5 % and 13 %).
    assert many_adults.pten_loss[many_adults.pten_mutation].mean() == pytest.approx(0.725, abs=0.05)
    assert many_adults.pten_mutation[many_adults.pten_loss].mean() == pytest.approx(0.13, abs=0.03)


def test_published_kras_pik3ca_odds_ratio_in_colorectal(adults):
    sample = only(adults, "colorectal")
    table = np.array([[(sample.pik3ca & sample.kras).sum(), (sample.pik3ca & ~sample.kras).sum()],
                      [(~sample.pik3ca & sample.kras).sum(), (~sample.pik3ca & ~sample.kras).sum()]])  # fmt: skip
    log_odds_ratio = np.log(table[0, 0] * table[1, 1] / (table[0, 1] * table[1, 0]))
    assert abs(log_odds_ratio - np.log(2.8)) < 3.89 * np.sqrt((1 / table).sum())


def test_published_kras_by_pik3ca_status(adults):
    # Rosty 2013: KRAS mutated in 48 % of PIK3CA mutants and 25 % of wild type, PIK3CA 14 %; the marginal follows.
    sample = only(adults, "colorectal", pik3ca=0.14, kras=0.14 * 0.48 + 0.86 * 0.25)
    assert agrees(sample.kras[sample.pik3ca].sum(), sample.pik3ca.sum(), 0.48)
    assert agrees(sample.kras[~sample.pik3ca].sum(), (~sample.pik3ca).sum(), 0.25)


def test_akt1_and_pik3ca_exclude_each_other_in_breast(adults):
    sample = only(adults, "breast_hr")
    assert (sample.akt1 & sample.pik3ca).mean() < 0.15 * sample.akt1.mean() * sample.pik3ca.mean()


@pytest.mark.parametrize("odds_ratio", [0.05, 1.0, 2.8, 40.0])
@pytest.mark.parametrize(("p", "q"), [(0.14, 0.3), (0.5, 0.5), (0.02, 0.95), (0.0, 0.4), (1.0, 0.4)])
def test_analytic_joint_probability(p, q, odds_ratio):
    joint = joint_probability(np.array([p]), np.array([q]), np.array([odds_ratio]))[0]
    cells = np.array([joint, p - joint, q - joint, 1 - p - q + joint])
    assert (cells > -1e-12).all()
    assert cells[0] * cells[3] == pytest.approx(odds_ratio * cells[1] * cells[2], abs=1e-12)


def test_analytic_posterior_turns_the_conditional_round():
    p, q = np.array([0.14]), np.array([0.3])
    joint = joint_probability(p, q, np.array([2.8]))
    given, without = conditional_probabilities(p, q, joint)
    assert posterior(p, np.array([True]), given, without)[0] == pytest.approx((joint / q)[0])
    assert posterior(p, np.array([False]), given, without)[0] == pytest.approx(((p - joint) / (1 - q))[0])
