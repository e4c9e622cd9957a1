"""What the shipped files that a run was composed of say of its settings: units and remarks in their comments, for values that the
run took unchanged, and which values it did not."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from trialsim._paths import conf_dir

PACKAGE = re.compile(r"^#\s*@package\s+(\S+)", re.MULTILINE)
HERE = "_here_"
CONTINUED = 3  # a comment with so many blanks after its # goes on from the line above
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Remark(NamedTuple):
    """What a shipped file says of one value; ``text`` is empty where it has no comment."""

    value: Any
    text: str


def every_comment() -> dict[str, list[Remark]]:
    """Comments of all shipped files by dotted key; a key has several when several files of a group set it."""
    return _comments((path, "") for path in _files())


def comments_of(choices: Mapping[str, str], sections: Collection[str]) -> dict[str, list[Remark]]:
    """The same of the files that a run was composed of.

    Args:
        choices: the file of each group, as provenance.json records it; of an unknown composition no comment is taken.
        sections: the run's tumour types, partner drugs and cell lines, as ``tumour.<type>``: each is a file of its own, and Hydra
            records no lists of files.
    """
    return _comments(_chosen(choices, sections)) if choices else {}


def _files() -> list[Path]:
    return sorted(conf_dir().rglob("*.yaml"))


def _chosen(choices: Mapping[str, str], sections: Collection[str]) -> Iterator[tuple[Path, str]]:
    """Files, with the place in the configuration where that is not the file's own (``design@designs.crm``)."""
    for path in _files():
        name = path.relative_to(conf_dir()).with_suffix("").as_posix()
        group, _, choice = name.rpartition("/")
        if not group or name.replace("/", ".") in sections:
            yield path, ""
            yield from _included(path, "")
        for key, chosen in choices.items():
            asked, _, place = key.partition("@")
            if asked == group and chosen == choice:
                yield path, place
                yield from _included(path, place)


def _included(path: Path, place: str) -> Iterator[tuple[Path, str]]:
    """Files that a file takes in as a part of itself (``- common/x@_here_``)."""
    text = path.read_text(encoding="utf-8")
    for item in (yaml.load(text, Loader=LOADER) or {}).get("defaults") or []:  # noqa: S506 - a safe loader, on a shipped file
        name, _, where = str(item).partition("@")
        if where == HERE:
            file = path.parent / f"{name}.yaml"
            at = place or _package(path, text)
            yield file, at
            yield from _included(file, at)


def _comments(files: Iterable[tuple[Path, str]]) -> dict[str, list[Remark]]:
    found: dict[str, list[Remark]] = {}
    for path, place in files:
        text = path.read_text(encoding="utf-8")
        package = place or _package(path, text)
        for key, remark in _remarks(text):
            found.setdefault(f"{package}.{key}" if package else key, []).append(remark)
    return found


def remark(comments: dict[str, list[Remark]], key: str, value: Any) -> str:
    """The comment beside this value, if the shipped value is the same; else it may not fit, and there is none."""
    return next((item.text for item in comments.get(key, []) if item.text and item.value == value), "")


def changed_from(comments: dict[str, list[Remark]], key: str, value: Any) -> list[Any]:
    """The shipped values, where there are any and this is none of them: it was set for the run. Null where only its neighbours were
    shipped, as of a tumour type that is new in a mix."""
    neighbours = f"{key.rpartition('.')[0]}."
    shipped = [item.value for item in comments.get(key, [])] or [None] * any(other.startswith(neighbours) for other in comments)
    taken_over = any(isinstance(given, str) and given.startswith("${") for given in shipped)  # from another key
    return [] if taken_over or value in shipped else shipped


def _package(path: Path, text: str) -> str:
    """Where Hydra puts the file: as its header says, else under the name of its group; ``""`` for the top."""
    header = PACKAGE.search(text)
    if header:
        return "" if header.group(1) == "_global_" else header.group(1)
    parts = path.relative_to(conf_dir()).parts
    return ".".join(parts[:-1])


def _remarks(text: str) -> Iterator[tuple[str, Remark]]:
    root = yaml.compose(text, Loader=LOADER)
    if isinstance(root, yaml.MappingNode):
        yield from _walk(root, "", text.splitlines())


def _walk(node: yaml.MappingNode, prefix: str, lines: list[str]) -> Iterator[tuple[str, Remark]]:
    for name, value in node.value:
        key = f"{prefix}{name.value}"
        if isinstance(value, yaml.MappingNode) and not value.flow_style:
            yield from _walk(value, f"{key}.", lines)
            continue
        comment = _after(value.end_mark, lines)
        plain = yaml.load(yaml.serialize(value), Loader=LOADER)  # noqa: S506 - a safe loader, on a shipped file
        if isinstance(plain, dict):
            yield from ((f"{key}.{inner}", Remark(item, comment)) for inner, item in plain.items())
        else:
            yield key, Remark(plain, comment)


def _after(mark: yaml.Mark, lines: list[str]) -> str:
    """The comment that follows on the same line, with its continuation lines; empty if there is none."""
    rest = lines[mark.line][mark.column :].strip() if mark.line < len(lines) else ""
    if not rest.startswith("#") or rest.startswith("#" + " " * CONTINUED):
        return ""
    words = [rest.lstrip("# ")]
    for line in lines[mark.line + 1 :]:
        after = line[line.find("#") :] if "#" in line else ""
        if not after.startswith("#" + " " * CONTINUED):
            break
        words.append(after.lstrip("# "))
    return " ".join(words)
