"""Settings of any size and kind: what is not plain is refused in one sentence."""

import pytest

from trialsim import ConfigError
from trialsim.commands import say
from trialsim.schema.plain import Bounds, not_plain


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (float("nan"), "finite"), (float("-inf"), "finite"), (2**63, "64 bits"), (-(2**64), "64 bits"), ("\udcff", "UTF-8"),
        ([0.0] * 10_001, "at most 10000 entries"), ("x" * 10_001, "at most 10000 characters"), (b"x", "a number, text"),
        ({(1, 2): 3}, "keys that are text"), ({"\ud800": 1}, "UTF-8"), ({1, 2}, "a number, text"), (1j, "a number, text"),
    ],
)  # fmt: skip
def test_refused(value, said):
    (fault,) = not_plain({"a": {"b": value}})
    assert fault.key.startswith("a.b")
    assert said in fault.allowed
    assert len(str(fault)) < 1000


def test_depth_and_number_of_values():
    deep = []
    for _ in range(1000):
        deep = [deep]
    assert "within one another" in not_plain({"a": deep})[0].allowed
    (fault,) = not_plain({"a": [[0] * 100] * 100}, Bounds(values=1000))
    assert "at most 1000 values" in fault.allowed


def test_all_that_yaml_means_is_plain():
    assert not not_plain({"a": [1, -1.5, "é", True, None, {"b": []}], 1: 2**63 - 1})


def test_a_fault_is_one_short_line(capsys):
    say(ConfigError("a\nb\x1b[31m", "x" * 100_000, "c\rd"))
    told = capsys.readouterr().err
    assert told.count("\n") == 1 and told.endswith("\n") and len(told) < 1000
    assert told.strip().isprintable()
