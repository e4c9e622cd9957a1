"""Prior ranges, their scales, and configurations with other values."""

import numpy as np
import pytest

from trialsim import compose
from trialsim.mechanism.signalling import NetworkConstants
from trialsim.report.parameters import MEANINGS
from trialsim.sensitivity.facts import consistent
from trialsim.sensitivity.priors import Prior, changed, constants_of, priors_of


@pytest.fixture(scope="module")
def config():
    return compose("sensitivity")


def prior(scale, low, high, value):
    return Prior("x", "network.growth.x", low, high, value, scale, "")


@pytest.mark.parametrize(
    ("scale", "low", "high", "value"), [("log", 0.1, 10.0, 1.0), ("logit", 0.2, 0.8, 0.5), ("linear", 0.0, 2.0, 1.0)]
)
def test_the_middle_of_the_prior_is_the_middle_of_its_scale(scale, low, high, value):
    one = prior(scale, low, high, value)
    assert one.quantile(np.array([0.0, 0.5, 1.0])) == pytest.approx([low, value, high])
    z = one.to_scale(one.quantile(np.random.default_rng(1).uniform(size=20_000)))
    assert np.std(z) == pytest.approx(one.sd, rel=0.02)
    assert one.to_scale(one.moved(0.5)) - one.to_scale(value) == pytest.approx(0.5 * one.sd)


def test_a_fraction_stays_one_and_nothing_falls_below_zero():
    assert 0.0 < prior("logit", 0.9, 0.99, 0.98).moved(50.0) <= 1.0
    assert prior("linear", 0.0, 0.03, 0.001).moved(-1.0) == 0.0


def test_all_parameters_have_ranges_names_and_a_scale(config):
    priors = priors_of(config)
    assert len({one.name for one in priors}) == len(priors) == len(config.network.priors) + len(config.analysis.ranges)
    assert {one.scale for one in priors} == {"log", "logit", "linear"}
    assert set(one.name for one in priors) <= set(MEANINGS)
    assert all(np.isfinite(one.ends).all() and one.sd > 0 for one in priors)


def test_chosen_parameters_only():
    priors = priors_of(compose("sensitivity", {"analysis.parameters": ["cell_loss", "K_PIP3"]}))
    assert [one.name for one in priors] == ["K_PIP3", "cell_loss"]


def test_a_change_reaches_its_place_and_nothing_else(config):
    other = changed(config, {"network.growth.phi": 0.7, "drug.binding.K_FRB": 9.0, "network.signalling.d_S6": 0.9})
    assert (other.network.growth.phi, other.drug.binding.K_FRB, other.network.signalling.d_S6) == (0.7, 9.0, 0.9)
    assert other.analysis.dish_drug.binding.K_FRB == 9.0  # the same protein
    assert other.drug.pk == config.drug.pk and other.network.spread == config.network.spread
    assert changed(config, {}) == config


def test_reference_levels_follow_the_constants(config):
    """Those of the present values are theirs already, but for rounding in the file."""
    present, found = constants_of(config), constants_of(consistent(config))
    assert np.array(found) == pytest.approx(np.array(present), rel=0.02)
    moved = constants_of(consistent(changed(config, {"network.signalling.d_S6K": 2.0})))
    assert moved.S6K_reference < 0.95 * found.S6K_reference
    same = [name for name in NetworkConstants._fields if not name.endswith("_reference") and name != "d_S6K"]
    assert all(getattr(moved, name) == getattr(found, name) for name in same)
