"""Counts to borrow from, as the published tables have them."""

import pytest

from trialsim.evidence import historical_counts
from trialsim.schema import ConfigError


def test_counts_are_those_of_the_table():
    found = historical_counts("everolimus", ["colorectal", "endometrial"]).set_index("trial_id")
    assert found.loc["NG13", ["events", "n"]].tolist() == [0, 71]  # no objective response in 71
    assert found.loc["SLOMOVITZ10", ["events", "n"]].tolist() == [0, 28]
    assert found["source"].str.contains("http").all()
    control = historical_counts("everolimus", ["endometrial"], endpoint="disease_control")
    assert control[["events", "n"]].iloc[0].tolist() == [12, 28]


def test_age_groups_are_kept_apart():
    assert set(historical_counts("temsirolimus", age_group="paediatric")["age_group"]) == {"paediatric"}


def test_a_selection_without_arms_is_refused():
    with pytest.raises(ConfigError, match="tumour_types"):
        historical_counts("everolimus", ["osteosarcoma"])
    with pytest.raises(ConfigError, match="at least one"):
        historical_counts("ridaforolimus", age_group="paediatric")
    with pytest.raises(ConfigError, match="single-agent"):
        historical_counts("aspirin")
