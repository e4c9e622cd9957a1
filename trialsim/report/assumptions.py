"""Every setting of the run as a row: key, value, meaning and source.

The saved configuration has lost its YAML comments, so meanings come from the settings' own descriptions and from the comments of
the files that it was composed of, sources from the ``source``, ``sources`` and ``<name>_source`` fields beside the values.
"""

from __future__ import annotations

from typing import Any, NamedTuple, get_args, get_origin

from pydantic import BaseModel

from trialsim.report.comments import Remark, changed_from, comments_of, remark
from trialsim.report.wording import number
from trialsim.schema.faults import admits

SOURCE_KEYS = ("source", "sources")
BY_NAME = ("tumour", "partner", "cell_line")  # sections that hold one section for each of several names
SOURCE_OF = "_source"  # <name>_source is the source of <name>
NOTE_KEYS = ("unit", "units", "note", "notes", "comment", "meaning")


class Assumption(NamedTuple):
    """One row."""

    key: str
    value: str
    meaning: str
    source: str


def assumptions(section: Any, key: str, model: Any = None, meaning: str = "", source: str = "") -> list[Assumption]:
    """Flatten one section of the configuration.

    Args:
        section: nested plain values.
        key: dotted name of the section.
        model: pydantic class (or annotation holding one) that describes it, if known.
        meaning: what the enclosing setting means, for values that have no description of their own.
        source: source of the enclosing setting.
    """
    if isinstance(section, list) and any(isinstance(item, dict) for item in section):
        inner = _models(model)
        return [row for i, item in enumerate(section) for row in assumptions(item, f"{key}[{i}]", inner, meaning, source)]
    if not isinstance(section, dict):
        return [Assumption(key, _text(section), meaning, source)]
    model = next((candidate for candidate in _models(model) if admits(candidate, section)), model)
    sources = section.get("sources")
    own = _joined(section.get("source")) or (_joined(sources) if not isinstance(sources, dict) else "") or source
    if "value" in section and not isinstance(section["value"], dict):
        notes = "; ".join(str(section[name]) for name in NOTE_KEYS if section.get(name))
        return [Assumption(key, _text(section["value"]), notes or meaning, own)]
    rows = []
    for name, value in section.items():
        if name in SOURCE_KEYS or str(name).endswith(SOURCE_OF):
            continue
        field, inner = _field(model, name)
        named = _joined(sources.get(name)) if isinstance(sources, dict) else ""
        named = named or _joined(section.get(f"{name}{SOURCE_OF}"))
        # a description serves the values of a mapping, but not the settings of a whole section below it
        described = "" if _models(inner) and isinstance(value, dict | list) else field or meaning
        rows += assumptions(value, f"{key}.{name}" if key else str(name), inner, described, named or own)
    return rows or [Assumption(key, "none", meaning, own)]


def by_section(config: dict[str, Any], choices: Any = None) -> dict[str, list[Assumption]]:
    """All settings by section, in the order of the file; not ``resume``, which changes no result.

    Args:
        config: of the run. choices: the files that it was composed of, from provenance.json; None if they are not known.
    """
    from trialsim.schema.study import StudyConfig

    named = {f"{group}.{name}" for group in BY_NAME for name in config.get(group) or {}}
    comments = comments_of({str(k): str(v) for k, v in choices.items()} if isinstance(choices, dict) else {}, named)
    found: dict[str, list[Assumption]] = {}
    for name, section in config.items():
        if name == "resume":
            continue
        meaning, inner = _field(StudyConfig, name)
        meaning = "" if isinstance(section, dict | list) else meaning
        rows = [_with_comment(row, comments, config) for row in assumptions(section, str(name), inner, meaning)]
        for row in rows:
            found.setdefault(_group(row.key, section), []).append(row)
    return found


def _group(key: str, section: Any) -> str:
    """The top-level section of a key; each tumour type and partner is one of its own; loose values (the seed) go to the study."""
    if not isinstance(section, dict | list):
        return "study"
    parts = key.split(".")
    return ".".join(parts[:2]) if parts[0] in BY_NAME else parts[0]


def _with_comment(row: Assumption, comments: dict[str, list[Remark]], config: dict[str, Any]) -> Assumption:
    """Add the shipped comment where a column is empty: as the meaning, else as the source ("assumed: ..."). A value that was set
    for this run does not come from where the shipped one does."""
    value: Any = config
    for part in row.key.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    shipped = changed_from(comments, row.key, value)
    if row.source and shipped:
        instead = "what was shipped" if shipped[-1] is None else _text(shipped[-1])
        row = row._replace(source=f"set for this run; {instead} is from: {row.source}")
    text = remark(comments, row.key, value)
    if not row.meaning:
        return row._replace(meaning=text)
    says_more = text.lower() not in row.meaning.lower()
    return row._replace(source=text) if says_more and not row.source else row


def _field(model: Any, name: str) -> tuple[str, Any]:
    """Description of a field and the annotation of what it holds; in a mapping, what every key holds."""
    held = _mapping_values(model)
    if held is not None:
        return "", held
    for candidate in _models(model):
        if name in candidate.model_fields:
            info = candidate.model_fields[name]
            return info.description or "", info.annotation
    return "", None


def _mapping_values(annotation: Any) -> Any:
    """X of ``dict[str, X]``, also inside an optional; None where the annotation is no mapping."""
    if get_origin(annotation) is dict:
        return get_args(annotation)[1]
    if get_origin(annotation) is list:
        return None
    return next((held for part in get_args(annotation) if (held := _mapping_values(part)) is not None), None)


def _models(annotation: Any) -> tuple[type[BaseModel], ...]:
    """The pydantic classes in an annotation, however wrapped (optional, list, mapping)."""
    if isinstance(annotation, tuple):
        return annotation
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return (annotation,)
    return tuple(model for part in get_args(annotation) for model in _models(part))


def _joined(value: Any) -> str:
    if isinstance(value, dict):
        return "; ".join(f"{key}: {_joined(item)}" for key, item in value.items())
    if isinstance(value, list | tuple):
        return "; ".join(_joined(item) for item in value)
    return "" if value is None else str(value)


def _text(value: Any) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(_text(item) for item in value) if value else "none"
    if value is None:
        return "not set"
    if isinstance(value, float):
        return f"{value:.6g}" if abs(value) < 1e5 else number(value)
    return {"True": "yes", "False": "no"}.get(str(value), str(value))
