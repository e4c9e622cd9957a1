"""A study with some settings changed, as `trialsim.compose` makes it, in a tenth of the time: each choice of files is composed
once."""

import copy
import functools

import yaml

from trialsim import compose
from trialsim.cli.composing import literal
from trialsim.schema import ConfigError
from trialsim.schema.study import validate


def settings_of(study, changes):
    """A validated study.

    Args:
        study: a file of ``conf/experiment``, or None.
        changes: as for `trialsim.compose`, overrides or values by key.
    """
    words = [f"{key}={literal(value)}" for key, value in changes.items()] if isinstance(changes, dict) else list(changes)
    files = tuple(word for word in words if "." not in word.partition("=")[0] or "@" in word)
    try:
        data = copy.deepcopy(_composed(study, files))
    except ConfigError:  # the files do not fit together, or not until values are changed
        return compose(study, words)
    if all(_change(data, word) for word in words if word not in files):
        return validate(data)
    return compose(study, words)  # a key that there is not


@functools.cache
def _composed(study, files):
    return compose(study, files).model_dump(mode="json")


def _change(data, word):
    """Whether an override could be made in settings as they are."""
    key, _, text = word.partition("=")
    kind, key = (key[0], key[1:]) if key[0] in "+~" else ("", key)
    *parents, last = key.split(".")
    here = data
    for name in parents:
        here = here.get(name) if isinstance(here, dict) else None
    if not isinstance(here, dict) or (last in here) == (kind == "+") or any(sign in text for sign in "{\\"):
        return False
    if kind == "~":
        del here[last]
    else:
        here[last] = yaml.safe_load(text)
    return True
