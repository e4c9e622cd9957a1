"""From the configuration to the rules."""

from functools import cache

import numpy as np
import pytest

from trialsim.cli import compose
from trialsim.designs.adaptive.from_settings import play_design, rules_of, winner_of
from trialsim.designs.adaptive.outcomes import plain_outcomes
from trialsim.designs.adaptive.selection import dunnett_critical, ends
from trialsim.schema import ConfigError
from trialsim.schema.study import validate

NAMES = ["adaptive_randomisation", "arm_dropping", "select_the_winner"]


@cache
def study(design):
    return compose("dose_response", {"design": design}).model_dump(mode="json")


def composed(design, **changes):
    return validate(study(design) | {"design": study(design)["design"] | changes}).design


def test_a_threshold_is_given_or_found():
    rng = np.random.default_rng(0)
    assert rules_of(composed("adaptive_randomisation", threshold=0.97), rng).threshold == 0.97
    test = rules_of(composed("arm_dropping", final="test"), rng)
    assert test.threshold == pytest.approx(dunnett_critical(2, 0.05))
    found = rules_of(composed("arm_dropping", calibration_replicates=1000), rng)
    assert 0.95 < found.threshold < 0.99  # two comparisons: more than that of one


def test_the_selection_keeps_its_error():
    design = composed("select_the_winner")
    assert ends(winner_of(design), [0.0, 0.0]).claim.sum() == pytest.approx(design.alpha)


@pytest.mark.parametrize("name, extra", [("adaptive_randomisation", {"threshold": 0.97}), ("select_the_winner", {})])
def test_the_designs_of_the_configuration_play(name, extra):
    design = composed(name, **extra)
    patients = plain_outcomes((0.1, 0.1, 0.8), 50, design.replicate_size, 6, np.random.default_rng(1))
    assert play_design(design, patients, np.random.default_rng(2)).decision.mean() > 0.9


@pytest.mark.parametrize(
    "name, key, value",
    [
        ("adaptive_randomisation", "burn_in", 31),
        ("adaptive_randomisation", "burn_in", 150),
        ("adaptive_randomisation", "lowest_share", 0.4),
        ("adaptive_randomisation", "highest_share", 0.2),
        ("adaptive_randomisation", "threshold", 1.5),
        ("adaptive_randomisation", "arm_doses", [0, 5, 5]),
        ("arm_dropping", "drop_looks", [85]),
        ("select_the_winner", "patients_per_arm", [60, 30]),
        ("select_the_winner", "patients_per_arm", [40, 60]),
        ("select_the_winner", "futility_z", [0.0, 0.0]),
    ],
)
def test_incoherent_settings_are_refused(name, key, value):
    with pytest.raises(ConfigError) as caught:
        composed(name, **{key: value})
    assert caught.value.key == f"design.{key}"


@pytest.mark.parametrize("name", NAMES)
def test_a_trial_does_not_run_them_yet(name):
    with pytest.raises(ConfigError, match="design.kind .* as analysis.kind is trial"):
        validate(study(name) | {"analysis": {"kind": "trial"}})
