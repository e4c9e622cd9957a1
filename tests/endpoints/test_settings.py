"""The endpoint section of the configuration: every shipped choice is valid, incoherent ones are refused by name."""

import math
from pathlib import Path

import pytest
import yaml
from pydantic import ValidationError

from trialsim.endpoints import measurement
from trialsim.schema.endpoint import EndpointSettings

CONF = Path(__file__).parents[2] / "conf" / "endpoint"


def shipped(name):
    """A shipped choice with its base merged in, as Hydra does."""
    data = yaml.safe_load((CONF / f"{name}.yaml").read_text())
    bases = [base for base in data.pop("defaults", []) if base != "_self_"]
    merged = {}
    for base in bases:
        merged |= shipped(base)
    merged |= {k: (merged.get(k, {}) | v if isinstance(v, dict) else v) for k, v in data.items()}
    return merged


@pytest.mark.parametrize("name", sorted(path.stem for path in CONF.glob("*.yaml")))
def test_shipped_choices_are_valid(name):
    settings = EndpointSettings(**shipped(name))
    assert settings.criteria == "RECIST 1.1"
    assert settings.sd_minimum_days == 42
    assert measurement.shared_reading_cv(settings.reader_cv, settings.lesion_cv, settings.lesion_error_mm) > 0
    assert isinstance(hash(settings), int)  # may be a static argument of a compiled function


def test_the_studies_differ_only_in_their_definition_of_benefit_and_the_earlier_scan():
    adult, child = shipped("cpct03"), shipped("paediatric_phase1")
    assert {key for key in adult if adult[key] != child[key]} == {"clinical_benefit", "pre_treatment_scan_weeks"}


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({"reader_cv": 0.02}, "endpoint.reader_cv"),
        ({"scan_jitter_days": 7, "scan_interval_weeks": 2.0}, "endpoint.scan_jitter_days"),
        ({"pre_treatment_scan_weeks": None}, "endpoint.pre_treatment_scan_weeks"),
        (
            {"clinical_benefit": shipped("recist")["clinical_benefit"] | {"weeks": None}},
            "endpoint.clinical_benefit.weeks",
        ),
        ({"scan_interval_weeks": -8}, "scan_interval_weeks"),
        ({"criteria": "RECIST"}, "criteria"),
        ({"reader_cv_percent": 7}, "reader_cv_percent"),
    ],
)
def test_bad_settings_are_refused_by_name(change, key):
    with pytest.raises(ValidationError, match=key.replace(".", r"\.")):
        EndpointSettings(**(shipped("cpct03") | change))


def test_weeks_become_days():
    settings = EndpointSettings(**(shipped("recist") | {"confirmation_weeks": 4, "maximum_gap_weeks": 18}))
    assert (settings.confirmation_days, settings.maximum_gap_days, settings.clinical_benefit.days) == (28, 126, 112)
    settings = EndpointSettings(**shipped("cpct03"))
    assert (settings.confirmation_days, settings.maximum_gap_days, settings.clinical_benefit.days) == (None, None, None)


def test_smallest_reader_cv_is_where_the_shared_error_vanishes():
    limit = EndpointSettings(**shipped("recist"))._smallest_reader_cv
    assert measurement.shared_reading_cv(limit * (1 + 1e-9), 0.05, 1.0) == pytest.approx(0, abs=1e-5)
    assert math.isnan(measurement.shared_reading_cv(limit * (1 - 1e-6), 0.05, 1.0))
