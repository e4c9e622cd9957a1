"""From pydantic's findings to sentences a person can act on: key, value, and what is allowed, every fault at once."""

from __future__ import annotations

import difflib
import math
import re
import types
import typing
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ValidationError

from trialsim.schema.base import IN_WORDS, ConfigError

TAG_FAULTS = ("union_tag_invalid", "union_tag_not_found")
NEVER_MEANT = ("unit",)  # keys whose words are alike and far apart in meaning: mg/kg is not nearly mg/m2


class ConfigErrors(ConfigError):
    """Several faults found together; ``key``, ``value`` and ``allowed`` are those of the first.

    Args:
        errors: the faults, at least one.
    """

    def __init__(self, errors: Iterable[ConfigError]):
        self.errors = tuple(errors)
        first = self.errors[0]
        super().__init__(first.key, first.value, first.allowed)
        self.args = ("\n".join(str(error) for error in self.errors),)


def flatten(error: ConfigError) -> tuple[ConfigError, ...]:
    """The single faults of an error, whether it holds one or several."""
    return error.errors if isinstance(error, ConfigErrors) else (error,)


def raise_all(errors: Sequence[ConfigError]) -> None:
    """Raise what was found: nothing, the one fault, or all of them together."""
    if len(errors) == 1:
        raise errors[0]
    if errors:
        raise ConfigErrors(errors)


MOST_WITHIN = 4  # names that a word may be a part of


def near(word: str, words: Iterable[str], most: int = 1) -> str:
    """``"; did you mean 'size'?"`` when known words are close to the given one, at most so many, else the empty string: those
    that it is a part of, as glioma is of high_grade_glioma, or else those that are spelt alike. Upper and lower case count as
    alike."""
    known = {name.lower(): name for name in words}
    parts = set(word.lower().split("_"))
    close = [name for name in known if "." not in name and parts < set(name.split("_"))][: max(most, MOST_WITHIN)]
    found = [repr(known[name]) for name in close or difflib.get_close_matches(word.lower(), list(known), n=most, cutoff=0.6)]
    return f"; did you mean {', '.join(found[:-1])}{' or ' if found[:-1] else ''}{found[-1]}?" if found else ""


def translate(error: ValidationError, data: Mapping[str, Any], model: type[BaseModel]) -> list[ConfigError]:
    """Pydantic's findings as configuration faults.

    Args:
        error: what pydantic raised.
        data: the nested settings that were validated; gives the value that was at fault.
        model: the model they were validated against; gives field descriptions and known keys.
    """
    faults: list[ConfigError] = []
    described: dict[str, str] = {}
    listed: set[tuple[int | str, ...]] = set()  # sections whose keys are told: once, however many are unknown
    choices: set[str] = set()  # keys that are none of a choice of words
    for finding in error.errors(include_url=False):
        inner = finding.get("ctx", {}).get("error")
        if isinstance(inner, ConfigError):
            faults.extend(_rooted(fault, finding["loc"]) for fault in flatten(inner))
            continue
        path = _real_path(finding["loc"], data)
        if finding["type"] in TAG_FAULTS:  # the section is there, but the key that says of which kind it is, is not or is wrong
            path = (*path, str(finding["ctx"]["discriminator"]).strip("'"))
        key = ".".join(str(part) for part in path) or "config"
        section, description = _describe(model, path, data)
        allowed = _allowed(finding, str(path[-1]) if path else "", section)
        if finding["type"] == "extra_forbidden" and section is not None and path[:-1] not in listed:
            listed.add(path[:-1])
            allowed += f"; keys here: {', '.join(section.model_fields)}"
        if finding["type"] == "literal_error":
            choices.add(key)
        if description and finding["type"] not in ("extra_forbidden", "value_error"):
            described[key] = f" ({description})"
        value = None if finding["type"] == "missing" else _lookup(data, path)
        faults.append(ConfigError(key, value, allowed))
    # Of a section where a word was possible too only what is wrong in the section is told.
    within = {fault.key.rpartition(".")[0] for fault in faults}
    faults = [fault for fault in faults if fault.key not in choices & within]
    # Each member of a union that was tried reports its own failure on one value; say one thing a key.
    unique: dict[str, ConfigError] = {}
    for fault in faults:
        known = unique.get(fault.key)
        if known is None:
            unique[fault.key] = fault
        elif fault.allowed not in known.allowed:
            unique[fault.key] = ConfigError(fault.key, fault.value, f"{known.allowed}, or {fault.allowed}")
    return [ConfigError(key, fault.value, fault.allowed + described.get(key, "")) for key, fault in unique.items()]


def _rooted(fault: ConfigError, location: Sequence[int | str]) -> ConfigError:
    """A fault whose key begins with its own section, told by the whole path: the same section may occur in several places."""
    if location[:1] == ("designs",):
        return of_design(fault, str(location[1]))
    *above, section = [str(part) for part in location] or [""]
    own = fault.key.split(".")[0] == section
    return ConfigError(".".join([*above, fault.key]), fault.value, fault.allowed) if above and own else fault


def of_design(fault: ConfigError, name: str) -> ConfigError:
    """A fault of one of several designs, which knows itself as ``design``."""
    if not fault.key.startswith("design."):
        return fault
    named = lambda text: text.replace("design.", f"designs.{name}.")
    return ConfigError(named(fault.key), fault.value, named(fault.allowed))


def _allowed(finding: Mapping[str, Any], key: str, section: type[BaseModel] | None) -> str:
    """What would have been accepted, in words."""
    kind, context = finding["type"], finding.get("ctx", {})
    if kind == "extra_forbidden":
        return "there is no such key" + near(key, section.model_fields if section else ())
    if kind == "value_error":
        return str(context.get("error", finding["msg"]))
    words = {
        "missing": "this key is required",
        "union_tag_not_found": "this key is required",
        "int_type": "a whole number",
        "int_parsing": "a whole number",
        "int_from_float": "a whole number",
        "float_type": "a number",
        "float_parsing": "a number",
        "bool_type": "true or false",
        "bool_parsing": "true or false",
        "string_type": "text",
        "none_required": "null",
        "list_type": "a list",
        "tuple_type": "a list",
        "dict_type": "a section of key: value",
        "model_type": "a section of key: value",
        "model_attributes_type": "a section of key: value",
        "path_type": "a file path",
    }
    if kind in words:
        return words[kind] + _unquoted(finding["input"], words[kind])
    if kind == "finite_number":
        return "a finite number" + _limits(section, key)
    if kind == "string_pattern_mismatch" and context["pattern"] in IN_WORDS:
        return IN_WORDS[context["pattern"]]
    templates = {
        "greater_than": "a number greater than {gt}",
        "greater_than_equal": "a number of at least {ge}",
        "less_than": "a number less than {lt}",
        "less_than_equal": "a number of at most {le}",
        "multiple_of": "a multiple of {multiple_of}",
        "literal_error": "use one of {expected}",
        "enum": "use one of {expected}",
        "union_tag_invalid": "use one of {expected_tags}",
        "too_short": "at least {min_length} item(s)",
        "too_long": "at most {max_length} item(s)",
        "string_too_short": "text of at least {min_length} character(s)",
        "string_too_long": "text of at most {max_length} characters",
        "string_pattern_mismatch": "text matching {pattern}",
    }
    shown = {name: f"{item:g}" if isinstance(item, float) else item for name, item in context.items()}
    if kind not in templates:
        return str(finding["msg"])
    told = templates[kind].format(**shown)
    if kind != "literal_error":
        return told
    chosen = told if " or " in context["expected"] else f"use {context['expected']}"
    return chosen + _meant(finding["input"], key, context["expected"])


def _meant(given: Any, key: str, expected: str) -> str:
    """Which of the words was probably meant."""
    known = re.findall("'([^']*)'", expected)
    if (given is False or given is None) and "none" in known:
        return "; YAML takes no, off and false for a truth value, and null or ~ for nothing: write the word none"
    return "" if key in NEVER_MEANT else near(str(given), known)


def _unquoted(given: Any, wanted: str) -> str:
    """How to write a number that stands as text: in quotes, or as 1e6, in which YAML misses a point and a sign."""
    if not isinstance(given, str) or wanted not in ("a number", "a whole number"):
        return ""
    try:
        value = float(given)
    except ValueError:
        return ""
    if not math.isfinite(value) or (wanted == "a whole number" and value != int(value)):
        return ""
    plain, power = f"{value:.15g}", f"{value:.15e}"
    mantissa, _, exponent = power.partition("e")
    forms = [plain] if "e" not in plain else []
    if wanted == "a number" and ("e" in given.lower() or not forms):
        digits = mantissa.rstrip("0")
        forms.append(f"{digits}{'0' if digits.endswith('.') else ''}e{int(exponent):+d}")
    return f"; YAML takes {given!r} for text: write {' or '.join(forms)}, without quotes" if forms else ""


def _limits(section: type[BaseModel] | None, key: str) -> str:
    """Between which numbers a value lies, in words; the empty string of one without limits."""
    field = section.model_fields.get(key) if section is not None else None
    words = {"gt": "greater than", "ge": "of at least", "lt": "less than", "le": "at most"}
    found = [f"{told} {getattr(limit, name):g}" for limit in (field.metadata if field else ()) for name, told in words.items()
             if isinstance(getattr(limit, name, None), int | float)]  # fmt: skip
    return f" {' and '.join(found)}" if found else ""


def _real_path(location: Sequence[int | str], data: Any) -> tuple[int | str, ...]:
    """Pydantic's location without the parts that name a union member or a validator, which are not in the data."""
    path: list[int | str] = []
    here: Any = data
    for index, part in enumerate(location):
        last = index == len(location) - 1
        if isinstance(here, Mapping) and here.get("kind") == part:
            continue
        if isinstance(here, Mapping) and (part in here or (last and isinstance(part, str) and "[" not in part)):
            path.append(part)
            here = here.get(part)
        elif isinstance(here, list | tuple) and isinstance(part, int) and part < len(here):
            path.append(part)
            here = here[part]
    return tuple(path)


def _lookup(data: Any, path: Sequence[int | str]) -> Any:
    """The value at a path, or None where the path ends early."""
    for part in path:
        try:
            data = data[part]
        except (KeyError, IndexError, TypeError):
            return None
    return data


def _describe(model: type[BaseModel], path: Sequence[int | str], data: Any) -> tuple[type[BaseModel] | None, str]:
    """The section a key belongs to, and the key's own description."""
    section: Any = model
    description = ""
    for index, part in enumerate(path):
        last = index == len(path) - 1
        value = _lookup(data, path[: index + 1])
        if isinstance(section, type) and issubclass(section, BaseModel):
            field = section.model_fields.get(str(part))
            if field is None:
                return section, ""
            description = field.description or ""
            if last:
                return section, description
            section = _inner_type(field.annotation, _lookup(data, path[: index + 1]))
        else:
            section = _inner_type(section, value)
            if last:
                return None, description
    return (section if isinstance(section, type) and issubclass(section, BaseModel) else None), description


def _inner_type(annotation: Any, data: Any = None) -> Any:
    """What is inside ``X | None``, ``dict[str, X]``, ``tuple[X, ...]``, ``Annotated[X, ...]``; of several sections that of the
    ``kind`` which the data name."""
    origin = typing.get_origin(annotation)
    if origin is typing.Annotated:
        return _inner_type(typing.get_args(annotation)[0], data)
    if origin in (typing.Union, types.UnionType):
        inner = [item for item in typing.get_args(annotation) if item is not type(None)]
        return _inner_type(next((item for item in inner if admits(item, data)), inner[0])) if inner else None
    if origin in (dict, Mapping):
        return _inner_type(typing.get_args(annotation)[1])
    if origin in (tuple, list):
        return _inner_type(typing.get_args(annotation)[0])
    return annotation


def admits(model: Any, data: Any) -> bool:
    """Whether a section is of the ``kind`` that the data name; false for whatever has no kinds."""
    field = getattr(model, "model_fields", {}).get("kind")
    return field is not None and isinstance(data, Mapping) and data.get("kind") in typing.get_args(field.annotation)
