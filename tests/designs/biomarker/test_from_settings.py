"""From settings to a play: every kind runs as shipped, says what the direct call says, and refuses what does not fit together."""

from functools import cache

import numpy as np
import pytest
from marked_trials import plain

from trialsim import compose
from trialsim.designs.biomarker.assay import Assay
from trialsim.designs.biomarker.fixed import play_stratified
from trialsim.designs.biomarker.from_settings import play, stages, strategy
from trialsim.designs.biomarker.multiplicity import Fallback, FixedSequence, MarkerSequential, OverallOnly
from trialsim.schema import ConfigError

KINDS = ("all_comers", "enriched", "marker_stratified", "adaptive_enrichment")


@cache
def shipped(kind):
    return compose("dose_response", {"design": kind}).design  # a trial does not run these


def design(kind, **changed):
    return type(shipped(kind)).model_validate(shipped(kind).model_dump() | changed)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_plays_as_shipped(kind):
    candidates = plain(20, 900, hr=(0.3, 0.6), assay=Assay(0.95, 0.95, 0.05))
    found = play(design(kind), candidates, np.random.default_rng(0), turnaround=14.0)
    assert all(x.shape == (20,) for x in found) and np.mean(found.treats_positive) > 0.9
    assert np.all(found.randomised <= design(kind).replicate_size)
    assert np.all(found.screened >= found.randomised) == (kind != "all_comers")
    assert np.all(found.choice == -1) == (kind != "adaptive_enrichment")


def test_settings_are_what_the_call_gets():
    settings = design("marker_stratified", failed_assays="enter", drug_per_block=4)
    candidates = plain(10, 600, hr=(0.5, 0.5), assay=Assay(failure=0.2))
    found = play(settings, candidates, np.random.default_rng(1), turnaround=7.0)
    direct = play_stratified(
        candidates, 450, 331, FixedSequence(0.025), np.random.default_rng(1), events_positive=121, failed="enter",
        turnaround=7.0, block=(2, 4), last_day=48 * 30.4375,
    )  # fmt: skip
    assert all(np.array_equal(x, y, equal_nan=True) for x, y in zip(found, direct, strict=True))
    plan = stages(design("adaptive_enrichment"))
    assert plan.patients + plan.next_patients == 450 and plan.weight == pytest.approx(150 / 331)


def test_every_strategy():
    assert strategy(shipped("marker_stratified_fallback")) == Fallback(0.025, 0.015, 1.0)
    assert strategy(shipped("marker_stratified_mast")) == MarkerSequential(0.025, 0.022)
    assert strategy(shipped("marker_stratified")) == FixedSequence(0.025)
    assert strategy(design("marker_stratified", strategy={"kind": "overall"})) == OverallOnly(0.025)


@pytest.mark.parametrize(
    ("kind", "key", "value"),
    [
        ("enriched", "events", 221),
        ("marker_stratified", "events_positive", 332),
        ("adaptive_enrichment", "interim_events", 151),
        ("adaptive_enrichment", "next_events_positive", 161),
        ("adaptive_enrichment", "first_patients", 450),
    ],
)
def test_what_does_not_fit_is_refused(kind, key, value):
    with pytest.raises(ValueError, match=f"design.{key} = {value}"):
        design(kind, **{key: value})


def test_powers_and_levels_have_their_own_limits():
    interim = {"measure": "conditional_power", "overall": 1.2, "positive": 0.5}
    with pytest.raises(ValueError, match="as it is a power"):
        design("adaptive_enrichment", interim=interim)
    for given, key in (
        ({"kind": "fallback", "alpha_overall": 0.025, "consistency": 1.0}, "alpha_overall"),
        ({"kind": "fallback", "alpha_overall": 0.01, "consistency": 0.02}, "consistency"),
        ({"kind": "mast", "alpha_positive": 0.03}, "alpha_positive"),
    ):
        with pytest.raises(ValueError, match=f"design.strategy.{key}"):
            design("marker_stratified", strategy=given)


def test_a_fault_reaches_the_user_with_its_key():
    with pytest.raises(ConfigError) as caught:
        compose(None, {"design": "enriched", "design.events": 221})
    assert (caught.value.key, caught.value.value) == ("design.events", 221) and "220" in caught.value.allowed
