"""Settings from words: Hydra's overrides to a validated ``StudyConfig``; whatever is wrong becomes a ``ConfigError``."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import hydra
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.errors import HydraException, MissingConfigException, OverrideParseException
from omegaconf import DictConfig, OmegaConf, open_dict
from omegaconf.errors import OmegaConfBaseException

from trialsim._paths import conf_dir
from trialsim.cli.quick_yaml import read_quickly
from trialsim.cli.safety import check_references
from trialsim.schema import ConfigError
from trialsim.schema.faults import near, raise_all
from trialsim.schema.plain import not_plain
from trialsim.schema.study import StudyConfig, validate

VERSION_BASE = "1.3"
CONFIG_NAME = "config"
KEY = re.compile(r"[{,]\s*[^\s:{},\[\]]+\s*:")  # of a mapping on the command line
QUOTED = re.compile(r"'(?:\\.|[^'\\])*'|\"(?:\\.|[^\"\\])*\"")
PLAIN_LIST = re.compile(r"\[[^\[\]{}]*\]")  # holds no mapping, and may hold words with a colon
_ABSENT = object()

read_quickly()


def compose(
    experiment: str | None = None, overrides: Sequence[str] | Mapping[str, Any] = (), **more: Any
) -> StudyConfig:
    """The validated configuration of a study, as the command line would make it.

    Args:
        experiment: a file of ``conf/experiment``; the default study if None.
        overrides: as on the command line, ``["cohort.size=500", "regimen=everolimus_5mg_daily"]``, or a mapping
            ``{"cohort.size": 500, "regimen": "everolimus_5mg_daily"}``.
        **more: top-level keys, e.g. ``seed=7``.

    Raises:
        ConfigError: names the key, the value given and what is allowed.
    """
    given = (
        [_as_override(key, value) for key, value in overrides.items()]
        if isinstance(overrides, Mapping)
        else list(overrides)
    )
    given += [_as_override(key, value) for key, value in more.items()]
    if experiment is not None:
        given.insert(0, _as_override("experiment", experiment))
    with hydra.initialize_config_dir(str(conf_dir()), version_base=VERSION_BASE, job_name="trialsim"):
        return validate_job(compose_job(CONFIG_NAME, given, with_hydra=True))


def _as_override(key: str, value: Any) -> str:
    return f"{key}={literal(value)}"


def literal(value: Any) -> str:
    """A Python value in Hydra's override grammar."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int):
        return str(int(value))
    if isinstance(value, float):
        return repr(float(value))
    if isinstance(value, Mapping):
        return "{" + ",".join(f"{key}:{literal(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join(literal(item) for item in value) + "]"
    text = str(value)
    # Within quotes only a quote, and the backslashes before one, need a backslash.
    return "'" + re.sub(r"(\\*)('|$)", lambda found: found[1] * 2 + ("\\'" if found[2] else ""), text) + "'"


def compose_job(config_name: str, overrides: Sequence[str], with_hydra: bool = False) -> DictConfig:
    """Compose within an initialised Hydra; whatever is wrong with the overrides becomes a ConfigError."""
    parsed = parse(overrides)
    for override in parsed:
        if override.is_sweep_override():
            text = str(override.input_line).partition("=")[2]
            raise ConfigError(
                override.get_key_element(), text, "one value; trialsim -m runs one job for each of several"
            )
        if _is_group(override) and not override.is_delete() and not isinstance(override.value(), str | list):
            choices = ", ".join(GlobalHydra.instance().config_loader().get_group_options(override.key_or_group))
            raise ConfigError(override.key_or_group, override.value(), f"one of {choices}")
    try:
        return hydra.compose(config_name, overrides=list(overrides), return_hydra_config=with_hydra)
    except (HydraException, OmegaConfBaseException) as error:
        raise _explained(error, config_name, parsed) from error


def parse(overrides: Sequence[str]) -> list[Override]:
    parser = OverridesParser.create(config_loader=GlobalHydra.instance().config_loader())
    parsed = []
    for text in overrides:
        try:
            parsed.extend(parser.parse_overrides([text]))
        except OverrideParseException as error:
            key, _, value = text.partition("=")
            allowed = "key=value or group=choice, e.g. regimen.dose=5; quote a value with spaces or special characters"
            raise ConfigError(key if value else "command line", value or text, allowed) from error
    for override in parsed:
        _refuse_twice(override)
    return parsed


def _refuse_twice(override: Override) -> None:
    """``{kras: true, kras: false}``: Hydra takes the last without a word."""
    value = override.value()
    if isinstance(value, dict):
        text = str(override.input_line).partition("=")[2]
        if len(KEY.findall(PLAIN_LIST.sub("", QUOTED.sub("''", text)))) > _keys(value):
            raise ConfigError(override.key_or_group, text, "each key once")


def _keys(value: Any) -> int:
    """How many keys a value has, on all levels."""
    if isinstance(value, dict):
        return len(value) + sum(map(_keys, value.values()))
    return sum(map(_keys, value)) if isinstance(value, list) else 0


def _explained(error: Exception, config_name: str, parsed: Sequence[Override]) -> ConfigError:
    """An unknown choice of a group, the first key that the configuration does not have, or Hydra's own words."""
    missing = missing_choice(error)
    if missing is not None:
        return missing
    if "No match in the defaults list" in str(error):
        for override in parsed:
            if _is_group(override) and not override.is_add() and f"'{override.key_or_group}'" in str(error):
                group = override.key_or_group
                allowed = f"a group that has a choice already; +{group}={override.value()} adds one to the study"
                return ConfigError(group, override.value(), allowed)
    groups = [str(item.input_line) for item in parsed if _is_group(item) or item.key_or_group == "hydra.searchpath"]
    try:
        base = hydra.compose(config_name, overrides=groups)
    except (HydraException, OmegaConfBaseException):
        base = None
    if base is not None:
        for override in parsed:
            key = override.key_or_group
            if _is_group(override) or override.is_add() or override.is_force_add() or key.split(".")[0] == "hydra":
                continue
            if not _has(base, key):
                return ConfigError(key, override.value(), _unknown_key(base, key))
    words = [str(error), str(error.__cause__ or "")]
    text = "; ".join(line.strip() for part in words for line in part.splitlines() if line.strip())
    inside = re.search(r"full_key: ([\w.]+)", text)  # {key: value} with a key that the section does not have
    for override in reversed(parsed):
        key = override.key_or_group
        if base is None or inside is None or override.is_add() or key.startswith("hydra."):
            continue
        if f"{inside[1]}.".startswith(f"{key}."):
            section = inside[1].rpartition(".")[0]
            other = f"a key of {section} as this study has it; ~{section} and +{section}={{...}} put another in its place"
            return ConfigError(inside[1], override.value(), other if _has(base, inside[1]) else _unknown_key(base, inside[1]))
    return ConfigError("command line", " ".join(str(item.input_line) for item in parsed), text)


def missing_choice(error: Exception) -> ConfigError | None:
    """A choice that its group does not have, e.g. experiment=nope; None for any other error."""
    if not isinstance(error, MissingConfigException) or not error.missing_cfg_file:
        return None
    group, _, choice = str(error.missing_cfg_file).rpartition("/")
    options = [str(option) for option in error.options or []]
    if group and not options:  # of a list of choices Hydra does not say what there is
        options = GlobalHydra.instance().config_loader().get_group_options(group)
    if not group or not options:
        return None
    return ConfigError(group, choice, f"one of {', '.join(options)}{near(choice, options)}")


def _is_group(override: Override) -> bool:
    return "." not in override.key_or_group and bool(
        GlobalHydra.instance().config_loader().get_group_options(override.key_or_group)
    )


def _has(config: DictConfig, key: str) -> bool:
    try:
        return OmegaConf.select(config, key, default=_ABSENT, throw_on_missing=False) is not _ABSENT
    except OmegaConfBaseException:
        return False


def _unknown_key(config: DictConfig, key: str) -> str:
    """Where a dotted key leaves the configuration, and what was probably meant."""
    if key.startswith("partner.") and not _has(config, "partner"):
        return f"a key of a partner drug that is given; +partner=[{key.split('.')[1]}] adds it to the study"
    parent, _, last = key.rpartition(".")
    while parent and not _has(config, parent):
        parent, _, last = parent.rpartition(".")
    section = OmegaConf.select(config, parent) if parent else config
    if not OmegaConf.is_dict(section):
        return f"there is no such key; {parent} is a single value"
    keys = [str(name) for name in section]
    every = list(_dotted(OmegaConf.to_container(config, resolve=False)))
    hint = near(last, keys) if near(last, keys) else near(key, every)
    if not hint:  # the right name in the wrong section, e.g. dose=5
        same = [name for name in every if name.rpartition(".")[2] == last]
        hint = f"; did you mean {same[0]!r}?" if same else ""
    place = f"keys of {parent}" if parent else "sections and keys"
    return f"there is no such key{hint}; {place}: {', '.join(keys)}"


def _dotted(data: Any, path: str = "") -> Iterator[str]:
    if isinstance(data, dict):
        for key, item in data.items():
            here = f"{path}.{key}" if path else str(key)
            yield here
            yield from _dotted(item, here)


def validate_job(config: DictConfig) -> StudyConfig:
    study, choices = copy.copy(config), _choices(config)
    with open_dict(study):
        study.pop("hydra", None)
    try:
        raw = OmegaConf.to_container(study, resolve=False)
        assert isinstance(raw, dict)
        raise_all(not_plain(raw))
        check_references(raw)
        data = OmegaConf.to_container(study, resolve=True, throw_on_missing=True)
    except OmegaConfBaseException as error:
        key = getattr(error, "full_key", None) or "config"
        raise ConfigError(key, None, str(error).splitlines()[0]) from error
    assert isinstance(data, dict)
    return validate({str(key): value for key, value in data.items()}).composed_of(choices)


def _choices(config: DictConfig) -> dict[str, str]:
    """The file of each group; nothing of lists of files (tumour, partner), which Hydra does not record."""
    known = OmegaConf.select(config, "hydra.runtime.choices", default=None)
    if known is None:  # Hydra hands its own settings to a job beside the job's
        known = HydraConfig.get().runtime.choices if HydraConfig.initialized() else {}
    return {str(group): str(choice) for group, choice in known.items() if choice and not str(group).startswith("hydra/")}
