"""Units and remarks from the comments of the shipped configuration, for values that a run took from it unchanged."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from trialsim._paths import conf_dir

PACKAGE = re.compile(r"^#\s*@package\s+(\S+)", re.MULTILINE)
CONTINUED = 3  # a comment with so many blanks after its # goes on from the line above
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Remark(NamedTuple):
    """What a shipped file says of one value."""

    value: Any
    text: str


def shipped_comments(sections: set[str]) -> dict[str, list[Remark]]:
    """Comments by dotted key; a key has several when several files of a group set it.

    Args:
        sections: top-level sections wanted; tumour types are given as ``tumour.<type>``, partner drugs as ``partner.<name>``.
    """
    found: dict[str, list[Remark]] = {}
    for path in sorted(conf_dir().rglob("*.yaml")):
        text = path.read_text(encoding="utf-8")
        package = _package(path, text)
        if package and not any(package == name or package.startswith(f"{name}.") for name in sections):
            continue
        for key, remark in _remarks(text):
            found.setdefault(f"{package}.{key}" if package else key, []).append(remark)
    return found


def remark(comments: dict[str, list[Remark]], key: str, value: Any) -> str:
    """The comment beside this value, if the shipped value is the same; else it may not fit, and there is none."""
    return next((item.text for item in comments.get(key, []) if item.value == value), "")


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
        if not comment:
            continue
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
