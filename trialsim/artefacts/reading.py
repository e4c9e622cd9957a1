"""Small files that a run or a person left behind, read without trust: bounded in size and depth, plain values only.

A file that cannot be read is bad input like a wrong setting: a ``ConfigError`` that names the file and what is allowed.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from trialsim.schema import ConfigError
from trialsim.schema.faults import raise_all
from trialsim.schema.plain import SETTINGS, Bounds, not_plain

LARGEST_JSON = 256 * 2**20  # bytes; status.json of ten million patients in blocks of 16,384 has 0.3 MB
LARGEST_YAML = 4 * 2**20  # bytes; the settings of a study have 0.1 MB
RESULTS = Bounds(items=2_000_000, letters=1_000_000, values=20_000_000)  # of a file of results
STANDARD = "tag:yaml.org,2002:"  # how YAML's own tags begin, !!str and so on
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def read_text(path: Path, most: int = LARGEST_JSON) -> str:
    """A text file in UTF-8 of at most ``most`` bytes.

    Raises:
        ConfigError: it is not there, too large, or no text.
    """
    if not path.is_file():
        raise ConfigError(path.name, str(path), not_a_file(path))
    size = path.stat().st_size
    if size > most:
        raise ConfigError(path.name, str(path), f"a file of at most {most:,} bytes; this one has {size:,}")
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(path.name, str(path), f"a text in UTF-8 that can be read ({error})") from error


def not_a_file(path: Path) -> str:
    """What is asked for in place of what is no file, or not there."""
    return "a regular file, no folder, pipe or device" if path.exists() else "a file that exists"


def read_json(path: Path) -> dict[str, Any]:
    """A JSON file that holds one mapping.

    Raises:
        ConfigError: as `read_text`; or it is no JSON, holds NaN, is nested too deeply, or is no mapping.
    """
    text = read_text(path)
    try:
        found = json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise ConfigError(path.name, str(path), f"a JSON file ({error})") from error
    return _mapping(path, found, RESULTS, path.name)


def read_yaml(path: Path) -> dict[str, Any]:
    """A YAML file that holds one mapping of plain values.

    Raises:
        ConfigError: as `read_text`; or `check_yaml` refuses it, or it is no mapping.
    """
    return parse_yaml(path, check_yaml(path))


def parse_yaml(path: Path, text: str, root: str | None = None, bounds: Bounds = SETTINGS) -> dict[str, Any]:
    """The mapping of plain values in the text of a file that `check_yaml` returned.

    Args:
        root: what the keys of faults begin with, the file's name if None.

    Raises:
        ConfigError: as `read_yaml`.
    """
    try:
        found = yaml.load(text, Loader=_LOADER)  # noqa: S506 - a safe loader: plain values, never objects
    except (yaml.YAMLError, ValueError, OverflowError, RecursionError) as error:
        raise ConfigError(path.name, str(path), f"a YAML file ({_one_line(error)})") from error
    return _mapping(path, {} if found is None else found, bounds, path.name if root is None else root)


def check_yaml(path: Path) -> str:
    """The text of a YAML file that no reader chokes on, and in which no key stands twice.

    Raises:
        ConfigError: it is no YAML, asks for an object by a tag, is nested too deeply, repeats itself by aliases (nine lines can
            stand for 10^9 values), or gives a key twice, of which a reader would take the last.
    """
    text = read_text(path, LARGEST_YAML)
    depth = 0
    try:
        for event in _events(text):
            if isinstance(event, yaml.AliasEvent):
                where = f"{path}, line {event.start_mark.line + 1}: *{event.anchor}"
                raise ConfigError(path.name, where, "a YAML file without aliases (*name)")
            tag = getattr(event, "tag", None) or ""
            if tag not in ("", "!") and (not tag.startswith(STANDARD) or tag.startswith(f"{STANDARD}python/")):
                where = f"{path}, line {event.start_mark.line + 1}: {tag.replace(STANDARD, '!!')}"
                raise ConfigError(path.name, where, "plain values only: numbers, text, true, false, null, lists and sections")
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if depth > SETTINGS.depth:
                where = f"{path}, line {event.start_mark.line + 1}"
                raise ConfigError(path.name, where, f"at most {SETTINGS.depth} sections or lists within one another")
        document = yaml.compose(text, Loader=_LOADER)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        if isinstance(error, ConfigError):
            raise
        raise ConfigError(path.name, str(path), f"a YAML file ({_one_line(error)})") from error
    raise_all(list(_twice(path, document)))
    return text


def _twice(path: Path, document: Any) -> Iterator[ConfigError]:
    """Keys that stand twice in one section, and where."""
    sections: list[tuple[str, Any]] = [("", document)]
    while sections:
        key, node = sections.pop(0)
        if isinstance(node, yaml.SequenceNode):
            sections += [(f"{key}.{place}", item) for place, item in enumerate(node.value)]
        elif isinstance(node, yaml.MappingNode):
            seen: dict[tuple[str, str], Any] = {}
            for name, value in node.value:
                if not isinstance(name, yaml.ScalarNode):
                    continue
                own = f"{key}.{name.value}" if key else name.value
                first = seen.setdefault((name.tag, name.value), name)
                if first is not name:
                    at = sorted({first.start_mark.line + 1, name.start_mark.line + 1})
                    lines = f"line{'s' * (len(at) > 1)} {' and '.join(map(str, at))} of {path.name}"
                    yield ConfigError(own, "given twice", f"given once, not on {lines}")
                sections.append((own, value))


def _events(text: str) -> Iterator[Any]:
    return yaml.parse(text, Loader=_LOADER)


def _one_line(error: Exception) -> str:
    told = " ".join(str(error).split()).replace(' in "<unicode string>",', ",")
    return f"{told}; a text with a colon stands in quotes" if "mapping values are not allowed" in told else told


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no number in JSON")


def _kind(found: Any) -> str:
    return "nothing" if found is None else "a list" if isinstance(found, list) else "a text or a number alone"


def _mapping(path: Path, found: Any, bounds: Bounds, root: str) -> dict[str, Any]:
    if not isinstance(found, dict):
        raise ConfigError(path.name, str(path), f"a mapping of names to values, not {_kind(found)}")
    raise_all(not_plain(found, bounds, root))
    return found
