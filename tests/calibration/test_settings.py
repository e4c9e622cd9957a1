"""Settings in the worlds of a prediction, beside those of their files."""

import pytest

from trialsim import compose_trial
from trialsim.calibration import posterior
from trialsim.calibration.settings import drawn


@pytest.fixture(scope="module")
def found():
    config = compose_trial("bolero2", {"+partner": ["alpelisib"]})
    fitted = posterior.shipped()
    worlds = posterior.worlds(config, fitted, 20, seed=1)
    return config, worlds, drawn(config, worlds, fitted).set_index("setting")


def test_values_are_those_of_the_files_and_of_the_worlds(found):
    config, worlds, table = found
    row = table.loc["tumour.breast_hr.growth.rate_median_per_day"]
    rates = [world.config.tumour["breast_hr"].growth.rate_median_per_day for world in worlds]
    assert row.file == config.tumour["breast_hr"].growth.rate_median_per_day and row.unit == "1/day"
    assert min(rates) <= row.low_90 < row["median"] < row.high_90 <= max(rates)


def test_what_no_fitted_trial_tells_of_is_said(found):
    table = found[2]
    assert table.loc["tumour.breast_hr.growth.rate_median_per_day", "told"]
    assert table.loc["partner.exemestane.inhibits.endocrine.max", "told"]
    assert not table.loc["partner.alpelisib.inhibits.PI3K_alpha.IC50_nM", "told"]
