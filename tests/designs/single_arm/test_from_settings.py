"""From the configuration to the looks."""

from functools import cache

import pytest

from trialsim.cli import compose
from trialsim.designs.single_arm.binomial import positive_probability
from trialsim.designs.single_arm.from_settings import looks_of
from trialsim.schema import ConfigError
from trialsim.schema.study import validate

KINDS = ["single_stage", "simon_optimal", "simon_minimax", "simon_admissible", "predictive_probability"]


@cache
def study(design):
    return compose("dose_response", {"design": design}).model_dump(mode="json")


def composed(design, **changes):
    return validate(study(design) | {"design": study(design)["design"] | changes}).design


@pytest.mark.parametrize("name", KINDS)
def test_the_designs_of_the_configuration_keep_their_errors(name):
    design = composed(name)
    found = looks_of(design)
    assert positive_probability(found, design.p0) <= design.alpha
    assert positive_probability(found, design.p1) >= 1 - design.beta
    assert found.n[-1] <= design.max_patients


def test_the_published_single_stage_trial():
    """Zucali et al. 2018: everolimus is positive if at least 21 of 41 have their disease controlled."""
    found = looks_of(composed("single_stage"))
    assert (found.n.tolist(), found.efficacy.tolist()) == ([41], [21])


def test_weights_choose_between_admissible_designs():
    sizes = [looks_of(composed("simon_admissible", size_weight=weight)).n.tolist() for weight in (1.0, 0.0)]
    assert sizes == [looks_of(composed(f"simon_{name}")).n.tolist() for name in ("minimax", "optimal")]


def test_a_design_may_be_given():
    found = looks_of(composed("simon_optimal", given={"r1": 3, "n1": 17, "r": 10, "n": 37}))
    assert (found.n.tolist(), found.futility.tolist(), found.efficacy.tolist()) == ([17, 37], [3, 10], [18, 11])


def test_a_fixed_threshold_takes_the_smallest_trial_that_works():
    design = composed("predictive_probability", theta_t=0.9)
    found = looks_of(design)
    assert positive_probability(found, design.p0) <= 0.1 and positive_probability(found, design.p1) >= 0.9


def test_an_impossible_question_names_the_key():
    with pytest.raises(ConfigError, match="design.max_patients = 60 .* no design of this size tells apart"):
        looks_of(composed("simon_optimal", p1=0.45))


@pytest.mark.parametrize(
    "name, overrides, key",
    [
        ("single_stage", {"p1": 0.3}, "design.p1"),
        ("single_stage", {"max_patients": 61}, "design.max_patients"),
        ("simon_optimal", {"given": {"r1": 3, "n1": 17, "r": 2, "n": 37}}, "design.given.r"),
        ("simon_optimal", {"given": {"r1": 17, "n1": 17, "r": 20, "n": 37}}, "design.given.r1"),
        ("simon_optimal", {"given": {"r1": 3, "n1": 37, "r": 20, "n": 37}}, "design.given.n1"),
        ("simon_optimal", {"given": {"r1": 3, "n1": 17, "r": 20, "n": 61}}, "design.given.n"),
        ("predictive_probability", {"min_patients": 61}, "design.min_patients"),
        ("predictive_probability", {"first_look": 25}, "design.first_look"),
    ],
)
def test_incoherent_settings_are_refused(name, overrides, key):
    with pytest.raises(ConfigError) as caught:
        composed(name, **overrides)
    assert caught.value.key == key


@pytest.mark.parametrize("name", KINDS)
def test_a_trial_does_not_run_them_yet(name):
    with pytest.raises(ConfigError, match="design.kind .* as analysis.kind is trial"):
        validate(study(name) | {"analysis": {"kind": "trial"}})
