"""Sizes of trials against published tables and closed forms."""

import numpy as np
import pytest

from trialsim.designs.biomarker.size import interaction_events, interaction_power, size
from trialsim.designs.randomised.sizes import schoenfeld_events

# Stat Med 2017;36:4121-40 (PMC6478034), table 3: events for 80 % power, one-sided 5 %, 1:1, rounded up to an even number
PUBLISHED = {0.85: 938, 0.8: 498, 0.75: 300, 0.7: 196, 0.65: 134, 0.6: 96, 0.55: 70, 0.5: 52, 0.45: 40, 0.4: 30}


@pytest.mark.parametrize(("hr", "events"), PUBLISHED.items())
def test_published_events(hr, events):
    found = schoenfeld_events(np.log(hr), 0.05, 0.8)
    assert 2 * np.ceil(found / 2) == events


def test_no_effect_takes_infinitely_many_and_an_unknown_one_is_unknown():
    assert np.array_equal(schoenfeld_events([0.0, 0.3, np.nan], 0.025, 0.9), [np.inf, np.inf, np.nan], equal_nan=True)


def test_analytic_an_interaction_takes_four_times_the_events_of_a_main_effect_of_its_size():
    main = schoenfeld_events(np.log(0.6), 0.025, 0.9)
    assert interaction_events(np.log(0.6), 0.5, 0.025, 0.9) == pytest.approx(4 * main)
    assert interaction_events(np.log(0.6), 0.1, 0.025, 0.9) == pytest.approx(main / 0.09)


def test_power_is_the_inverse_of_events():
    events = interaction_events(np.log(0.6), 0.3, 0.025, 0.9)
    assert interaction_power(np.log(0.6), 0.3, events, 0.025) == pytest.approx(0.9)
    assert interaction_power(0.0, 0.3, 500, 0.025) == pytest.approx(0.025)


def test_screening_adds_up():
    found = size(np.log(0.5), 0.8, 0.25, 0.025, 0.9)
    assert found.events == 88 and found.randomised == 110 and found.screened == 440
    assert np.isinf(size(0.1, 0.8, 0.25, 0.025, 0.9).screened)
