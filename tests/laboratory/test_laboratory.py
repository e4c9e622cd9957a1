"""Every published fact against the model, one parameter set; see docs/laboratory.md for the table."""

from __future__ import annotations

import pytest

from trialsim import compose
from trialsim.evidence.laboratory import load_laboratory
from trialsim.laboratory import IN_DISHES, IN_PATIENTS, MISSES, Bench, Clinic
from trialsim.schema.analysis.laboratory import LINES

FACTS = {fact.fact_id: fact for fact in load_laboratory()}
MEASURED = IN_DISHES.keys() | IN_PATIENTS.keys()


@pytest.fixture(scope="module")
def laboratory():
    config = compose("laboratory")
    return Bench(config, config.analysis.dish_drug), Clinic(config)


@pytest.fixture(scope="module")
def values(laboratory):
    bench, clinic = laboratory
    bench.prepare(IN_DISHES.values())
    found = {fact_id: experiment(bench) for fact_id, experiment in IN_DISHES.items()}
    return found | {fact_id: experiment(clinic) for fact_id, experiment in IN_PATIENTS.items()}


def test_the_lines_asked_for_are_those_of_the_experiment():
    assert set(LINES) == compose("laboratory").cell_line.keys()


def test_experiments_and_facts_are_the_same():
    assert MEASURED == FACTS.keys()


@pytest.mark.parametrize("fact_id", sorted(MEASURED))
def test_published_fact(fact_id, values):
    fact = FACTS[fact_id]
    if fact_id in MISSES:
        pytest.xfail(MISSES[fact_id])
    assert fact.holds(values[fact_id]), (fact.claim, values[fact_id], fact.low, fact.high)


def test_nine_facts_in_ten_are_held(values):
    held = [FACTS[fact_id].holds(value) for fact_id, value in values.items()]
    assert len(held) >= 30 and sum(held) >= 0.9 * len(held)


def test_a_miss_is_explained_and_only_a_miss(values):
    missed = {fact_id for fact_id, value in values.items() if not FACTS[fact_id].holds(value)}
    assert missed == MISSES.keys()
    assert all(len(why.split()) >= 6 for why in MISSES.values())
