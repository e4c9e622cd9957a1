"""Monte Carlo error of means over replicates that share patients within a batch."""

import numpy as np
import pytest

from trialsim.designs import operating

BATCH = np.repeat(np.arange(20), 50)


def correlated(rng):
    """Replicates of a batch have an error in common, as trials that draw on the same patients do."""
    return np.repeat(rng.normal(0.0, 0.5, 20), 50) + rng.normal(0.0, 1.0, 1000)


def test_the_interval_holds_its_level_where_one_that_ignores_batches_does_not():
    rng = np.random.default_rng(4)
    held = naive = 0
    for _ in range(1000):
        values = correlated(rng)
        found = operating.expected(values, BATCH)
        held += found.low <= 0.0 <= found.high
        naive += abs(values.mean()) <= 1.96 * values.std() / np.sqrt(1000)
    assert abs(held - 950) < 4 * np.sqrt(1000 * 0.95 * 0.05)  # false alarm 6e-5
    assert naive < 600


def test_paired_differences_are_sharper():
    rng = np.random.default_rng(5)
    common = correlated(rng)
    one, other = common + 0.1, common + rng.normal(0.0, 0.1, 1000)
    apart = np.hypot(operating.monte_carlo_error(one, BATCH), operating.monte_carlo_error(other, BATCH))
    assert operating.monte_carlo_error(one - other, BATCH) < 0.1 * apart


def test_values_that_are_not_defined_are_left_out():
    values = np.where(BATCH < 10, 1.0, np.nan)
    found = operating.expected(values, BATCH)
    assert (found.estimate, found.low, found.high, found.n) == (1.0, 1.0, 1.0, 500)
    assert operating.expected(np.full(1000, np.nan), BATCH).n == 0
    assert np.isnan(operating.monte_carlo_error(np.ones(10), np.zeros(10, int))), "one batch tells no error"


def test_probability_of_being_best():
    rng = np.random.default_rng(6)
    base = correlated(rng)
    values = {"low": base, "high": base + 0.5, "same": base + 0.5}
    found = operating.best(values, BATCH, 1000, rng)
    assert found == pytest.approx({"low": 0.0, "high": 0.5, "same": 0.5})
    unsure = operating.best({"a": rng.normal(size=1000), "b": rng.normal(size=1000)}, BATCH, 1000, rng)
    assert sum(unsure.values()) == pytest.approx(1.0) and 0.01 < unsure["a"] < 0.99
