"""The shipped settings are the documented defaults, and bad ones are refused."""

from pathlib import Path

import pytest
import yaml
from pydantic import ValidationError

from trialsim.schema.inference import InferenceSettings

SHIPPED = Path(__file__).parents[2] / "conf" / "inference" / "response.yaml"


def test_the_shipped_settings_are_the_defaults():
    assert InferenceSettings(**yaml.safe_load(SHIPPED.read_text())) == InferenceSettings()


@pytest.mark.parametrize(
    "bad",
    [{"chains": 1}, {"samples": 0}, {"target_accept": 1.0}, {"covariates": ["height"]}, {"covariates": ["later_line"] * 2},
     {"priors": {"covariate_sd": 0}}, {"thresholds": {"max_rhat": 1.0}}, {"walmup": 100}],
)  # fmt: skip
def test_bad_settings_are_refused(bad):
    with pytest.raises(ValidationError):
        InferenceSettings(**bad)
