"""Dunnett's test and select-the-winner against tables, other integrals and simulated trials (four standard errors, 6e-5)."""

import numpy as np
import pytest
from scipy import stats

from trialsim.designs.adaptive.outcomes import Outcomes, plain_outcomes
from trialsim.designs.adaptive.selection import dunnett_critical, dunnett_error, ends, pooled_z, winner_design
from trialsim.designs.adaptive.winner import patients_needed, play_winner

REPLICATES = 20_000


@pytest.mark.parametrize("arms, five, one", [(1, 1.64, 2.33), (2, 1.92, 2.56), (3, 2.06, 2.68), (4, 2.16, 2.77), (5, 2.23, 2.84)])
def test_critical_values_of_dunnetts_table(arms, five, one):
    """Dunnett, J Am Stat Assoc 1955;50:1096-121, tables 1a and 1b, one-sided, infinite degrees of freedom."""
    assert dunnett_critical(arms, 0.05) == pytest.approx(five, abs=0.0051)
    assert dunnett_critical(arms, 0.01) == pytest.approx(one, abs=0.0051)


def test_dunnett_is_the_multivariate_normal():
    for ratio, shift in ((1.0, np.zeros(3)), (0.5, np.array([0.4, -1.0, 1.2]))):
        rho = ratio / (1 + ratio)
        covariance = np.full((3, 3), rho) + (1 - rho) * np.eye(3)
        exact = 1 - stats.multivariate_normal(shift, covariance, abseps=1e-7, releps=1e-7, maxpts=200_000).cdf([1.9] * 3)
        assert dunnett_error(1.9, 3, ratio, shift) == pytest.approx(exact, abs=1e-5)


def test_one_arm_is_the_group_sequential_test():
    """Four equal looks, one-sided 0.025: Pocock 2.361 at each look, O'Brien & Fleming 4.049 .. 2.024 (Jennison & Turnbull 2000)."""
    looks = [0.25, 0.5, 0.75, 1.0]
    assert winner_design(1, looks, 0.025, 0.5).efficacy == pytest.approx([2.361] * 4, abs=6e-4)
    assert winner_design(1, looks, 0.025, 0.0).efficacy == pytest.approx([4.049, 2.863, 2.337, 2.024], abs=6e-4)


def test_one_look_is_dunnetts_test():
    assert winner_design(3, [1.0], 0.05).efficacy[0] == pytest.approx(dunnett_critical(3, 0.05), abs=1e-7)


def played_on_z(design, drift, rng):
    """Claims by look and arm of trials simulated on the z scale."""
    claims, going, before = np.zeros((len(design.information), design.arms)), np.ones(REPLICATES, bool), 0.0
    selected = np.zeros(REPLICATES, int)
    arm, control = np.zeros((REPLICATES, design.arms)), np.zeros((REPLICATES, 1))
    rho = design.ratio / (1 + design.ratio)
    for j, t in enumerate(design.information):
        step, before = np.sqrt(t - before), t
        arm += np.sqrt(1 - rho) * step * rng.standard_normal(arm.shape)
        control += np.sqrt(rho) * step * rng.standard_normal(control.shape)
        z = (arm - control + np.asarray(drift) * t) / np.sqrt(t)
        selected = z.argmax(axis=1) if j == 0 else selected
        now = z[np.arange(REPLICATES), selected]
        claim = going & (now > design.efficacy[j])
        claims[j] = np.bincount(selected[claim], minlength=design.arms) / REPLICATES
        going &= ~claim & (now > design.futility[j])
    return claims


@pytest.mark.parametrize("drift", [(0.0, 0.0, 0.0), (0.0, 2.0, 3.0)])
@pytest.mark.parametrize("ratio", [1.0, 0.5])
def test_the_recursion_agrees_with_simulation(drift, ratio):
    design = winner_design(3, [0.4, 0.7, 1.0], 0.05, 0.25, [0.0, 0.5], ratio)
    exact = ends(design, drift)
    assert exact.claim.sum() + exact.none.sum() == pytest.approx(1.0, abs=1e-7)
    found = played_on_z(design, drift, np.random.default_rng(1))
    assert np.all(np.abs(found - exact.claim) <= 4 * np.sqrt(exact.claim * (1 - exact.claim) / REPLICATES) + 1e-4)
    if not any(drift):
        assert exact.claim.sum() == pytest.approx(0.05, abs=1e-8)
        lower = design._replace(efficacy=design.efficacy - 0.15)
        error = 4 * np.sqrt(0.05 * 0.95 / REPLICATES)
        assert abs(found.sum() - 0.05) < error < abs(played_on_z(lower, drift, np.random.default_rng(1)).sum() - 0.05)


def test_arms_that_work_do_not_raise_the_error_of_those_that_do_not():
    design = winner_design(3, [0.5, 1.0], 0.025)
    for works in ((0, 0, 1), (0, 0, 4), (0, 3, 3)):
        claims = ends(design, works).claim.sum(axis=0)
        assert sum(c for c, effect in zip(claims, works, strict=True) if effect == 0) < 0.025


@pytest.mark.parametrize("rates", [(0.4, 0.4, 0.4), (0.3, 0.4, 0.5)])
def test_trials_with_patients_agree_with_the_exact_design(rates):
    """With 60 patients an arm the pooled z is as good as normal: 0.002 of type I error, 0.01 of power, 0.02 of stopping at 30."""
    design, per_arm = winner_design(2, [0.5, 1.0], 0.05, 0.25, [-0.13]), [30, 60]  # half a step below a tie
    patients = plain_outcomes(rates, REPLICATES, patients_needed(2, per_arm), 10, np.random.default_rng(3))
    played = play_winner(design, per_arm, patients, np.random.default_rng(4))
    mean = [(rate + rates[0]) / 2 for rate in rates[1:]]
    drift = [(rate - rates[0]) / np.sqrt(m * (1 - m) * 2 / 60) for rate, m in zip(rates[1:], mean, strict=True)]
    exact, allowed = ends(design, drift), 0.002 if rates[2] == rates[0] else 0.01
    for k in (1, 2):
        share, want = (played.decision & (played.selected == k)).mean(), exact.claim[:, k - 1].sum()
        assert abs(share - want) < 4 * np.sqrt(want * (1 - want) / REPLICATES) + allowed
    early = (played.look == 0).mean()
    assert early == pytest.approx(exact.claim[0].sum() + exact.none[0].sum(), abs=0.02)
    assert set(np.unique(played.enrolled)) == {90, 150} and np.all(played.enrolled == played.n.sum(axis=1))


def test_a_trial_played_by_hand():
    """Everybody responds to arm 2 and nobody else does; a patient a day, known after 10 days; one an arm, two, then four. Each of
    the first two looks delays all later patients by 10 days."""
    design, per_arm = winner_design(2, [0.25, 0.5, 1.0], 0.05), [1, 2, 4]
    response = np.zeros((1, 10, 3), bool)
    response[..., 2] = True
    patients = Outcomes(np.arange(10.0)[None], response, np.full(response.shape, 10.0))
    played = play_winner(design, per_arm, patients, np.random.default_rng(0))
    assert (played.selected[0], played.look[0], played.decision[0], played.enrolled[0]) == (2, 2, True, 9)
    assert played.n[0].tolist() == [4, 1, 4] and played.responders[0].tolist() == [0, 0, 4]
    assert played.z[0] == pytest.approx(1.0 / np.sqrt(0.25 * 2 / 4)) and played.end_day[0] == 8 + 2 * 10 + 10


def test_nothing_varies_when_nobody_or_everybody_responds():
    assert pooled_z(np.array([[0, 0], [5, 5]]), np.array([[5, 5], [5, 5]])).tolist() == [[0, 0], [0, 0]]


def test_too_few_patients_and_wrong_looks_are_refused():
    design, few = winner_design(2, [0.5, 1.0], 0.05), plain_outcomes((0.4,) * 3, 2, 149, 10, np.random.default_rng(0))
    with pytest.raises(ValueError, match="needs 150 patients in 3 arms, there are 149"):
        play_winner(design, [30, 60], few, np.random.default_rng(0))
    with pytest.raises(ValueError, match="information"):
        play_winner(design, [20, 60], few, np.random.default_rng(0))
    with pytest.raises(ValueError, match="increase to 1"):
        winner_design(2, [0.5, 0.9], 0.05)
