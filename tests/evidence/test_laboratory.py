"""The laboratory facts obey their schema, and the schema refuses what breaks it."""

from collections import Counter
from typing import get_args

import pytest

from trialsim.evidence import load_laboratory
from trialsim.evidence.laboratory import Topic, check_laboratory
from trialsim.schema import ConfigError

ROW = {
    "fact_id": "some_fact", "topic": "feedback", "claim": "pAKT rises", "system": "a cell line", "treatment": "rapamycin 20 nM",
    "quantity": "pAKT S473, fold of untreated", "published": "2.0", "low": "1.33", "high": "3.0", "basis": "times/over 1.5",
    "source": "A et al. J 2020;1:1", "seen": "abstract",
}  # fmt: skip


def test_every_part_of_the_network_has_facts():
    facts = load_laboratory()
    assert len(facts) >= 45
    assert set(Counter(fact.topic for fact in facts)) == set(get_args(Topic))


def test_no_fact_rests_on_memory_alone():
    assert not [fact.fact_id for fact in load_laboratory() if fact.seen.startswith("memory")]


def test_a_sound_row_passes_and_its_band_includes_its_limits():
    (fact,) = check_laboratory([ROW])
    assert fact.holds(1.33) and fact.holds(3.0)
    assert not fact.holds(1.32) and not fact.holds(3.01) and not fact.holds(float("nan"))


@pytest.mark.parametrize(("open_side", "inside", "outside"), [("low", -1e9, 3.1), ("high", 1e9, 1.0)])
def test_a_one_sided_band_is_open_on_the_other_side(open_side, inside, outside):
    (fact,) = check_laboratory([ROW | {open_side: ""}])
    assert fact.holds(inside) and not fact.holds(outside) and not fact.holds(float("nan"))


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"low": "3.0"}, "must be below high"),
        ({"low": "", "high": ""}, "a low or a high limit"),
        ({"low": "some"}, "valid number"),
        ({"high": "inf"}, "finite"),
        ({"source": ""}, "at least 1 character"),
        ({"topic": "metabolism"}, "feedback"),
        ({"seen": "a colleague"}, "must start with one of"),
        ({"fact_id": "Some fact"}, "pattern"),
        ({"remark": "x"}, "not permitted"),
    ],
)
def test_a_faulty_row_is_refused_by_line(changes, says):
    with pytest.raises(ConfigError, match=says) as caught:
        check_laboratory([ROW, ROW | {"fact_id": "another_fact"} | changes])
    assert caught.value.key.startswith("evidence.laboratory[line 3]")


def test_a_fact_named_twice_is_refused():
    with pytest.raises(ConfigError, match="named once"):
        check_laboratory([ROW, ROW])
