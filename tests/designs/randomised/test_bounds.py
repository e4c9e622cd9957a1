"""Group-sequential bounds: published constants, the multivariate normal distribution, 20,000 simulated trials of each family."""

import numpy as np
import pytest
from scipy import stats

from trialsim.designs.randomised.bounds import Futility, WangTsiatis, group_sequential, spending_bounds
from trialsim.designs.randomised.crossing import crossing
from trialsim.designs.randomised.spending import Spending

THIRDS = np.arange(1, 4) / 3
OBF, POCOCK = WangTsiatis(0.0), WangTsiatis(0.5)
FAMILIES = {
    "O'Brien-Fleming": OBF,
    "Pocock": POCOCK,
    "Wang-Tsiatis": WangTsiatis(0.25),
    "Lan-DeMets O'Brien-Fleming": Spending("lan_demets_obf"),
    "Lan-DeMets Pocock": Spending("lan_demets_pocock"),
    "Hwang-Shih-DeCani": Spending("hwang_shih_decani", -4.0),
    "power": Spending("power", 2.0),
}


def scores(rng, fraction, drift, trials=20_000):
    """Z of Brownian motion with a drift, (trials, looks)."""
    step = np.diff(fraction, prepend=0.0)
    return np.cumsum(drift * step + np.sqrt(step) * rng.standard_normal((trials, len(step))), axis=1) / np.sqrt(fraction)


def rejects(z, lower, upper):
    """Share of trials that cross the upper bound first."""
    up, down = z >= upper, (z <= lower) & (z < upper)
    first = lambda x: np.where(x.any(axis=1), x.argmax(axis=1), x.shape[1])
    return np.mean(first(up) < first(down))


def agrees(found, wanted, trials=20_000):
    """Within four standard errors: a false alarm in 16,000."""
    return abs(found - wanted) < 4.0 * np.sqrt(wanted * (1.0 - wanted) / trials)


@pytest.mark.parametrize("seed", range(4))
def test_independent_multivariate_normal_gives_the_same_probabilities(seed):
    """scipy integrates by randomised lattices; over 100 seeds its error in three and four dimensions stays below 3e-6."""
    rng = np.random.default_rng(seed)
    looks = int(rng.integers(2, 5))
    information = np.cumsum(rng.uniform(0.2, 1.0, looks))
    upper, lower = rng.uniform(0.8, 3.0, looks), rng.uniform(-3.0, 0.5, looks)
    drift = rng.uniform(-1.0, 2.0)
    root = np.sqrt(information)
    covariance = np.minimum.outer(information, information) / np.outer(root, root)
    found = crossing(information, lower, upper, drift)
    ended = np.cumsum(found.upper + found.lower)
    exact = dict(maxpts=200_000, abseps=1e-7, releps=1e-7, seed=seed)
    for k in range(1, looks + 1):
        normal = stats.multivariate_normal(drift * root[:k], covariance[:k, :k], **exact)
        assert 1.0 - ended[k - 1] == pytest.approx(normal.cdf(upper[:k], lower_limit=lower[:k]), abs=1e-5)
    last = looks - 1
    low, high = np.append(lower[:last], upper[last]), np.append(upper[:last], np.inf)
    normal = stats.multivariate_normal(drift * root, covariance, **exact)
    assert found.upper[last] == pytest.approx(normal.cdf(high, lower_limit=low), abs=1e-5)


def test_tiny_steps_of_information_are_resolved():
    """A look at every hundredth of the information, against simulated Brownian motion."""
    t = np.linspace(0.95, 1.0, 6)
    found = crossing(t, np.full(6, -np.inf), np.full(6, 2.0)).upper.sum()
    z = scores(np.random.default_rng(0), t, 0.0, 50_000)
    assert agrees(np.mean((z >= 2.0).any(axis=1)), found, 50_000)


# Jennison & Turnbull 2000, tables 2.2 and 2.4: two-sided 0.05, power 0.9
PUBLISHED_INFLATION = {("Pocock", 2): 1.100, ("Pocock", 5): 1.207, ("O'Brien-Fleming", 2): 1.007, ("O'Brien-Fleming", 5): 1.026}


@pytest.mark.parametrize(("name", "looks"), PUBLISHED_INFLATION)
def test_published_inflation_factors(name, looks):
    found = group_sequential(np.arange(1, looks + 1) / looks, 0.05, FAMILIES[name], sides=2, power=0.9)
    assert found.inflation == pytest.approx(PUBLISHED_INFLATION[name, looks], abs=5e-4)


def test_analytic_one_look_is_the_normal_quantile():
    for name, family in FAMILIES.items():
        one = group_sequential([1.0], 0.025, family, power=0.9)
        assert one.upper[0] == pytest.approx(stats.norm.isf(0.025), abs=1e-8), name
        assert one.inflation == pytest.approx(1.0, abs=1e-8)


@pytest.mark.parametrize("sides", [1, 2])
@pytest.mark.parametrize("name", FAMILIES)
def test_type_one_error_and_power_of_20000_simulated_trials(name, sides):
    t = np.array([0.3, 0.7, 1.0])
    design = group_sequential(t, 0.025 * sides, FAMILIES[name], sides=sides, power=0.8)
    rng = np.random.default_rng(1)
    assert agrees(rejects(scores(rng, t, 0.0), design.lower, design.upper), 0.025)
    assert agrees(rejects(scores(rng, t, design.drift), design.lower, design.upper), 0.8)


@pytest.mark.parametrize("wrong", [1.96, 2.178, 2.361])  # of one look, and Pocock's of two and of four for three
def test_a_wrong_critical_value_fails_the_check(wrong):
    z = scores(np.random.default_rng(1), THIRDS, 0.0, 20_000 * 4)
    right = group_sequential(THIRDS, 0.025, POCOCK)
    assert agrees(rejects(z, right.lower, right.upper), 0.025, 80_000)
    assert not agrees(rejects(z, right.lower, np.full(3, wrong)), 0.025, 80_000)


@pytest.mark.parametrize("binding", [False, True])
def test_futility_spends_what_it_should(binding):
    futility = Futility(Spending("hwang_shih_decani", -2.0), binding)
    design = group_sequential(THIRDS, 0.025, Spending("lan_demets_obf"), power=0.9, futility=futility)
    assert design.upper[-1] == design.lower[-1] and np.all(design.lower[:-1] < design.upper[:-1])
    obeyed, ignored = design.power(0.0), crossing(THIRDS, np.full(3, -np.inf), design.upper).upper.sum()
    assert (obeyed if binding else ignored) == pytest.approx(0.025, abs=1e-9)
    assert (ignored > 0.0255) if binding else (obeyed < 0.0245)
    assert design.power(design.drift) == pytest.approx(0.9, abs=1e-9)
    lost = np.cumsum(design.crossing(design.drift).lower)
    assert lost == pytest.approx(futility.spending.spent(THIRDS, 0.1), abs=1e-9)
    z = scores(np.random.default_rng(3), THIRDS, design.drift)
    assert agrees(rejects(z, design.lower, design.upper), 0.9)


def test_expected_information_is_that_of_simulated_trials():
    design = group_sequential(THIRDS, 0.025, POCOCK, power=0.9)
    z = scores(np.random.default_rng(4), THIRDS, design.drift)
    stopped = np.where((z >= design.upper).any(axis=1), (z >= design.upper).argmax(axis=1), 2)
    used = THIRDS[stopped]
    assert design.expected_fraction(design.drift) == pytest.approx(used.mean(), abs=4 * used.std() / np.sqrt(20_000))
    assert design.expected_fraction([0.0, design.drift]).shape == (2,)


def test_looks_as_they_happened_keep_the_type_one_error():
    """Looks at random shares of the information: the conditional error given them is exact, for each trial by itself."""
    rng = np.random.default_rng(5)
    design = group_sequential(THIRDS, 0.025, Spending("lan_demets_pocock"))
    happened = np.sort(rng.uniform(0.1, 0.95, (8, 2)), axis=1)
    happened = np.column_stack([happened, rng.uniform(0.96, 1.1, 8)])
    lower, upper = design.at(happened)
    error = np.array([crossing(t, low, up).upper.sum() for t, low, up in zip(happened, lower, upper, strict=True)])
    assert error == pytest.approx(np.full(8, 0.025), abs=1e-7)
    assert design.at(THIRDS)[1] == pytest.approx(design.upper, abs=1e-9)
    quicker, apart = design.at(happened, nodes=64)[1], np.diff(happened, axis=1).min(axis=1) > 0.02
    assert quicker[apart] == pytest.approx(upper[apart], abs=1e-4)
    assert quicker == pytest.approx(upper, abs=0.01)  # even where two looks almost coincide


def test_earlier_bounds_do_not_know_of_later_looks():
    spend = Spending("lan_demets_obf")
    early = spending_bounds([0.3, 0.6, 1.0], 0.025, spend)[1]
    other = spending_bounds([0.3, 0.8, 1.0], 0.025, spend)[1]
    assert early[0] == other[0] and early[1] != other[1]


def test_a_look_without_new_information_has_no_bounds_and_spends_nothing():
    spend = Spending("lan_demets_pocock")
    lower, upper = spending_bounds([[0.0, 0.5, 0.5, 1.0]], 0.025, spend)
    assert np.isinf(upper[0, [0, 2]]).all() and np.isinf(lower).all()
    assert upper[0, [1, 3]] == pytest.approx(spending_bounds([0.5, 1.0], 0.025, spend)[1], abs=1e-9)


@pytest.mark.parametrize("name", [name for name, family in FAMILIES.items() if isinstance(family, Spending)])
def test_spending_rises_from_nothing_to_everything(name):
    spent = FAMILIES[name].spent(np.linspace(0.0, 1.0, 30), 0.025)
    assert spent[0] == 0.0 and spent[-1] == pytest.approx(0.025) and np.all(np.diff(spent) > 0)
    assert Spending("hwang_shih_decani", 0.0).spent(0.4, 0.025) == pytest.approx(0.01)


def test_incoherent_designs_are_refused():
    with pytest.raises(ValueError, match="rise"):
        group_sequential([0.5, 0.4, 1.0], 0.025, OBF)
    with pytest.raises(ValueError, match="one-sided"):
        group_sequential(THIRDS, 0.05, OBF, sides=2, power=0.9, futility=Futility(Spending("power", 1.0)))
    with pytest.raises(ValueError, match="binding"):
        group_sequential(THIRDS, 0.05, OBF, power=0.9, futility=Futility(Spending("power", 1.0), True))
