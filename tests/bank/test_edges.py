"""Every design at the edges of what can happen: each has a defined answer, and nothing but the truth is declared."""

import warnings
from functools import cache

import numpy as np
import pandas as pd
import pytest
from bank_of_outcomes import endpoint, settings, tables

from trialsim import compose
from trialsim.bank import benefit
from trialsim.bank.players import Question, player_of
from trialsim.bank.population import population_of
from trialsim.bank.stream import streams

ONE_ARM = ["single_stage", "simon_optimal", "simon_minimax", "predictive_probability"]
TWO_ARMS = ["randomised_fixed", "group_sequential_obf", "group_sequential_pocock", "group_sequential_spending",
            "group_sequential_reestimation", "all_comers", "enriched", "marker_stratified", "marker_stratified_fallback",
            "marker_stratified_mast", "adaptive_enrichment"]  # fmt: skip
BINARY = ["basket_independent", "basket_pooled", "basket_berry", "basket_exnex", "historical_control", "adaptive_randomisation",
          "arm_dropping", "select_the_winner"]  # fmt: skip
NOTHING = {"pfs_event": False, "os_event": False, "pfs_days": 730.0, "os_days": 730.0}
WORLDS = {
    "no events": (NOTHING, NOTHING),
    "all censored on day 0": (NOTHING | {"pfs_days": 0.0, "os_days": 0.0},) * 2,
    "all die on day 1": ({"pfs_event": True, "os_event": True, "pfs_days": 1.0, "os_days": 1.0},) * 2,
    "all respond": ({"best_response": "CR", "best_response_unconfirmed": "CR", "response_day": 56.0},) * 2,
    "no events on the drug": ({}, NOTHING),
}
MARKERS = {"nobody positive": 0.0, "everybody positive": 1.0, "no result": np.nan}


@cache
def truth():
    return tables(4200)


def world(changes, marker=None):
    """Bank of 4,200 patients, with changed outcomes of (control, drug) and perhaps one result of the assay for all."""
    outcomes, true = dict(truth()[0]), truth()[1]
    for name, change in zip(("control", "drug"), changes, strict=True):
        outcomes[name] = outcomes[name].assign(**change)
    outcomes |= dict.fromkeys(("dose_5", "alone", "crossover"), outcomes["control"])
    return population_of(outcomes, true if marker is None else np.full(4200, marker), settings(), endpoint())


@cache
def player(kind):
    return player_of(compose("dose_response", {"design": kind}).design, Question(21.0, 10.0), 7)


def play(kind, who):
    """Measures of 20 trials. A warning of numpy is an error here."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        parts = [benefit.play(player(kind), who, stream, [1, i]) for i, stream in enumerate(streams(4200, 20, 800, 5, 40.0, 1))]
    found = pd.concat(parts)
    for name in ("declared", "declared_without_effect", "net_benefit", "right", "enrolled", "screened", "months"):
        assert np.isfinite(found[name]).all(), name
    assert (found["months"] >= 0).all() and (found["enrolled"] <= found["screened"] + 1e-9).all()
    return found


FIRST = ("no events", "all respond")  # the others take a minute
LONG = ("basket_independent", "basket_pooled")  # calibrated by simulation, as are the two other baskets


@pytest.mark.parametrize("name", [pytest.param(name, marks=[] if name in FIRST else pytest.mark.slow) for name in WORLDS])
@pytest.mark.parametrize(
    "kind", [pytest.param(kind, marks=pytest.mark.slow if kind in LONG else []) for kind in (*ONE_ARM, *TWO_ARMS, *BINARY)]
)
def test_every_design_ends_whatever_happens(kind, name):
    found = play(kind, world(WORLDS[name]))
    declares = found["declared"].mean()
    if kind in TWO_ARMS and name in ("no events", "all censored on day 0", "all die on day 1"):
        assert declares == 0, "two equal arms"
    if kind in TWO_ARMS and name == "no events on the drug":
        assert declares == 1 and found["declared_without_effect"].mean() < 0.3
    if kind in ONE_ARM and name == "no events":
        assert declares == 1, "everybody has disease control"
    if name == "all die on day 1":
        assert declares == 0


@pytest.mark.parametrize("name", MARKERS)
@pytest.mark.parametrize("kind", TWO_ARMS)
def test_every_design_ends_whatever_the_assay_says(kind, name):
    found = play(kind, world(({}, {}), MARKERS[name]))
    if name == "no result" and kind.startswith(("enriched", "marker", "adaptive")):
        assert found["enrolled"].max() == 0 and found["declared"].max() == 0
    if name == "nobody positive" and kind == "enriched":
        assert found["enrolled"].max() == 0
