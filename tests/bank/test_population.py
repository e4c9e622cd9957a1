"""Groups, their gain, and what it is worth to know them."""

import numpy as np
import pytest
from bank_of_outcomes import population

from trialsim.bank.population import POSITIVE, attainable, net_benefit


def test_groups_hold_everyone_once_and_gain_what_the_hazard_ratio_says():
    found = population(40_000, hr_positive=0.5, hr_negative=1.0, changed={"weeks": 24.0, "outcome": "disease_control"})
    groups = found.groups
    assert groups["share"].sum() == pytest.approx(1.0) and groups["n"].sum() == 40_000 and len(groups) == 4
    day = 24 * 7 + found.endpoint.scan_jitter_days  # progression at the scan of that week is a failure
    for row in groups.itertuples():
        scale = 4.0 * 30.4375 / np.log(2.0) * (1.5 if row.tumour_type == "rcc_clear_cell" else 1.0)
        control = np.exp(-day / scale)
        drug = control**0.5 if row.marker == POSITIVE else control
        error = np.sqrt(0.25 / row.n)
        assert abs(row.control - control) < 4 * error and abs(row.drug - drug) < 4 * error
    assert np.all(groups.loc[groups["marker"] != POSITIVE, "gain"] == 0), "twins without effect have the same course"


def test_a_world_without_effect_has_no_gain():
    found = population(2000).without_effect()
    assert np.array_equal(found.times("drug")[0], found.times("control")[0])


def test_net_benefit_is_linear_and_best_when_the_truth_is_known():
    groups = population(4000).groups
    treats = np.random.default_rng(0).random((50, len(groups))) < 0.5
    by_hand = [
        100 * sum(s * (g - 0.1) for t, s, g in zip(row, groups["share"], groups["gain"], strict=True) if t) for row in treats
    ]
    share, gain = groups["share"].to_numpy(), groups["gain"].to_numpy()
    assert np.allclose(net_benefit(treats, share, gain, 0.1), by_hand)
    assert np.all(net_benefit(treats, share, gain, 0.1) <= attainable(groups, 0.1) + 1e-9)
    assert net_benefit(np.zeros(len(groups), bool), share, gain, 0.1) == 0
