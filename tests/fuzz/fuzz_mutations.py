"""Inputs that are nearly valid: valid ones with bytes, JSON values or words changed."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import strategies as st

TOKENS = [
    b"", b"\x00", b"\xff", b"\r", b"\n", b"\n\n", b",", b"'", b'"', b"=", b"+", b"-1", b"1e400", b"nan", b"inf", b"9" * 400,
    b"{", b"}", b"[" * 200, b"]", b"&a", b"*a", b"!!python/object:os.system", b"!!binary aGk=", b"2020-01-01", b"<<: ", b"? ",
    b"../../../x", b"/etc/passwd", b"<script>alert(1)</script>", b"=cmd|' /C calc'!A0", "é\u2028\U0001f600".encode(),
    b"${oc.env:HOME}", b"${a}", b"${${", b"null", b"true", b"\xef\xbb\xbf", b"\\", b"\t", b": ", b"- ", b"_target_",
    b"a" * 3000, b"0x10", b"1_0", b"\\ud800",
]  # fmt: skip
VALUES = st.one_of(
    st.sampled_from([None, True, False, 0, -1, 1, 2**31, 2**63, 2**70, 1e308, -0.0, float("nan"), float("inf"), "", " ",
                     "x", "../../x",
                     "/etc/passwd", "a\0b", "\ud800", "<script>", "=1+1", "${oc.env:HOME}", "nan", [], {}, [[]], {"": None}]),
    st.integers(), st.floats(), st.text(max_size=12),
    st.recursive(st.none() | st.integers(0, 3) | st.text(max_size=3),
                 lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3), max_leaves=8),
    st.integers(1, 400).map(lambda depth: json.loads("[" * depth + "]" * depth)),
)  # fmt: skip


@st.composite
def bytes_near(draw: st.DrawFn, seeds: list[bytes]) -> bytes:
    """A valid input with up to four of: a piece cut out, repeated or replaced by a token, a bit changed, the end cut off."""
    data = draw(st.sampled_from(seeds))
    for _ in range(draw(st.integers(0, 4))):
        start = draw(st.integers(0, len(data)))
        stop = min(len(data), start + draw(st.sampled_from([0, 1, 2, 5, 20, 200])))
        how = draw(st.integers(0, 4))
        if how == 0:
            data = data[:start] + data[stop:]
        elif how == 1:
            data = data[:stop] + data[start:]
        elif how == 2:
            data = data[:start] + draw(st.sampled_from(TOKENS)) + data[stop:]
        elif how == 3 and start < len(data):
            data = data[:start] + bytes([data[start] ^ (1 << draw(st.integers(0, 7)))]) + data[start + 1 :]
        else:
            data = data[:stop]
    return data


def places(data: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Paths to every value of nested JSON."""
    named = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    return [path, *(place for key, item in named for place in places(item, (*path, key)))]


@st.composite
def json_near(draw: st.DrawFn, valid: list[Any]) -> bytes:
    """A valid JSON document with one or two values replaced, or keys left out or added."""
    data = json.loads(json.dumps(draw(st.sampled_from(valid))))
    for _ in range(draw(st.integers(1, 2))):
        path = draw(st.sampled_from(places(data)))
        value = draw(VALUES)
        if not path:
            data = value if draw(st.integers(0, 9)) == 0 else data
            continue
        here = data
        for part in path[:-1]:
            here = here[part]
        how = draw(st.integers(0, 3))
        if how == 0 and isinstance(here, dict):
            del here[path[-1]]
        elif how == 1 and isinstance(here, dict):
            here[draw(st.text(max_size=6) | st.sampled_from(["../../x", "/tmp/x", "_target_"]))] = value
        else:
            here[path[-1]] = value
    return json.dumps(data).encode()


def keys(data: Any, path: str = "") -> list[str]:
    found = []
    for key, item in data.items():
        here = f"{path}.{key}" if path else str(key)
        found += [here, *(keys(item, here) if isinstance(item, dict) else [])]
    return found


def changed_settings(settings: dict[str, Any]) -> st.SearchStrategy[bytes]:
    """One to three settings with another value, as JSON [[key, value], ...]."""
    change = st.tuples(st.sampled_from(keys(settings)) | st.text(max_size=8), VALUES)
    return st.lists(change, min_size=1, max_size=3).map(lambda found: json.dumps(found).encode())


def words(settings: dict[str, Any]) -> st.SearchStrategy[bytes]:
    """Words of a command line, near to valid ones."""
    value = st.sampled_from(["5", "null", "[1,2", "{a:1}", "1,2", "'x", "${a}", "${oc.env:HOME}", "nan", "range(1,3)", "choice(a)",
                             "[" * 300, "a b", "glob(*)", "1e999", "sort(1,2)", "\x00", "é"]) | st.text(max_size=10)  # fmt: skip
    key = st.sampled_from([*keys(settings), "hydra.callbacks.x", "hydra/launcher", "partner", "experiment"]) | st.text(max_size=8)
    word = st.tuples(st.sampled_from(["", "+", "++", "~"]), key, st.sampled_from(["=", "", "==", "@a="]), value).map("".join)
    text = st.lists(word, min_size=1, max_size=3).map("\n".join)
    return text.map(lambda found: found.encode("utf-8", "surrogatepass"))
