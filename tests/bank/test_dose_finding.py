"""Dose finding on a bank of Bernoulli patients, against exact probabilities."""

import numpy as np
import pytest

from trialsim import compose
from trialsim.bank import dose_finding
from trialsim.bank.stream import streams
from trialsim.designs.allocate import Outlook

RATES = np.array([0.05, 0.15, 0.3, 0.45])
LEVELS = (5.0, 10.0, 20.0, 40.0)


@pytest.fixture(scope="module")
def asked():
    settings = compose("compare_designs").analysis.dose_finding
    return settings.model_copy(update={"start": 5.0, "target": 0.3, "tolerance": 0.1, "too_toxic": 0.4})


@pytest.fixture(scope="module")
def three_plus_three():
    design = compose("compare_designs").designs["three_plus_three"]
    return design.model_copy(update={"dose_levels": LEVELS, "replicate_size": 30, "deescalate": False})


def bernoulli(n, seed=2):
    rng = np.random.default_rng(seed)
    toxic = rng.random(n)[:, None] < RATES
    day = np.where(toxic, np.floor(rng.random(n)[:, None] * 28), np.inf)
    return Outlook(day, np.ones((n, 4), bool), np.minimum(day, 28.0))


def played(design, asked, n=20_000, replicates=4000, batches=10):
    outlook = bernoulli(n)
    parts = streams(n, replicates, design.replicate_size, batches, 4.0, seed=5)
    return outlook, [dose_finding.play(design, outlook, dose_finding.rates(outlook), stream, asked) for stream in parts]


def test_the_mtd_of_a_three_plus_three_is_found_as_often_as_it_should(asked, three_plus_three):
    outlook, parts = played(three_plus_three, asked)
    passed = (1 - RATES) ** 3 + 3 * RATES * (1 - RATES) ** 5  # a level is passed: 0/3, or 1/3 then 0/3 (Storer 1989)
    before = np.concatenate([[1.0], np.cumprod(passed)])
    exact = before[:-1] * (1 - passed)  # the level at which it stops: the MTD is the one below
    means = np.array([[np.mean(part["mtd"] == j) for j in range(-1, 3)] for part in parts])
    error = means.std(axis=0, ddof=1) / np.sqrt(len(parts))
    assert np.all(np.abs(means.mean(axis=0) - exact) < 4.5 * error)  # t with 9 degrees of freedom: false alarm 0.6 % in four


def test_measures_follow_from_who_was_treated(asked, three_plus_three):
    outlook, parts = played(three_plus_three, asked, replicates=200)
    part = parts[0]
    true = dose_finding.rates(outlook)
    assert np.allclose(true, RATES, atol=0.015)
    assert dose_finding.right_level(true, asked) == 2
    assert np.array_equal(part["correct"], part["mtd"] == 2) and np.array_equal(part["overdose"], part["mtd"] == 3)
    assert np.array_equal(part["near"], part["mtd"] == 2)
    levels = [f"treated_{j}" for j in range(4)]
    assert np.array_equal(part[levels].sum(axis=1), part["enrolled"]) and np.array_equal(part["above"], part["treated_3"])
    assert np.all(part["dlts"] <= part["enrolled"]) and np.all(part["months"] > 0)
    chosen = part["mtd"] >= 0
    assert np.allclose(part["dlt_rate_error"][chosen], (part["dlt_rate"] - true[part["mtd"].clip(0).astype(int)])[chosen])


def test_no_level_is_right_if_all_are_too_toxic(asked):
    assert dose_finding.right_level(np.array([0.5, 0.6]), asked) == -1
