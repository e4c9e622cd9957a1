"""OmegaConf reads the same from a file, whichever parser it is given."""

from pathlib import Path

import pytest
import yaml
from omegaconf import OmegaConf, _utils

import trialsim.cli.composing  # noqa: F401 - which puts the quick one in place
from trialsim.cli.quick_yaml import quick_loader

CONF = Path(__file__).parents[2] / "conf"
FILES = sorted(CONF.rglob("*.yaml"))
ODD = """
a: 1e3
b: 1_000
c: 2020-01-01
d: .5
e: ~
f: 'it''s'
g: "\\u00e9"
h: off
i: 0x1f
j: [1, {k: v}]
k: |
  two
  lines
"""


@pytest.fixture(scope="module")
def slow():
    """OmegaConf's own, without the quick parser."""
    quick = _utils.get_yaml_loader()
    return quick.__mro__[2] if quick.__mro__[1] is yaml.cyaml.CParser else quick


def test_every_setting_is_the_same(slow):
    assert len(FILES) > 200
    for path in FILES:
        text = path.read_text(encoding="utf-8")
        assert yaml.load(text, Loader=quick_loader(slow)) == yaml.load(text, Loader=slow), path  # noqa: S506


def test_numbers_dates_and_text_are_told_apart_alike(slow):
    expected = yaml.load(ODD, Loader=slow)  # noqa: S506
    assert yaml.load(ODD, Loader=quick_loader(slow)) == expected  # noqa: S506
    assert expected["a"] == 1000.0 and expected["c"] == "2020-01-01"


def test_a_key_given_twice_is_refused(tmp_path):
    (tmp_path / "x.yaml").write_text("a: 1\na: 2\n")
    with pytest.raises(yaml.constructor.ConstructorError, match="duplicate key a"):
        OmegaConf.load(tmp_path / "x.yaml")


@pytest.mark.skipif(not hasattr(yaml, "CSafeLoader"), reason="PyYAML without libyaml")
def test_it_is_in_place():
    assert yaml.cyaml.CParser in _utils.get_yaml_loader().__mro__
