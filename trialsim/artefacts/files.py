"""Whole files or none: written beside their place and moved there in one step."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import secrets
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from trialsim.schema import ConfigError

PARTIAL = ".partial-"  # how a file is called while it is being written


def file_sha256(path: Path) -> str:
    """SHA-256 of a file's content."""
    state = path.stat()
    return _sha256(path, state.st_ino, state.st_mtime_ns, state.st_size)


@lru_cache(maxsize=4096)
def _sha256(path: Path, *state: int) -> str:
    """Kept, as a large table is asked for more than once; ``state`` tells a changed file."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def unchanged(folder: Path, files: Mapping[str, str]) -> bool:
    """Whether every file of a folder is there with its digest, name -> SHA-256."""
    return all((folder / name).is_file() and file_sha256(folder / name) == digest for name, digest in files.items())


def refuse_links(folder: Path) -> None:
    """See that nothing in a folder leads out of it: what is written there must stay there, and what is read be its own.

    Raises:
        ConfigError: names the link.
    """
    home = folder.resolve()
    for place in folder.rglob("*"):
        if place.is_symlink() and not _leads_within(place, home):
            raise ConfigError("run folder", str(place), "a file or folder of its own, not a link that leads elsewhere")


def _leads_within(link: Path, home: Path) -> bool:
    try:
        return link.resolve().is_relative_to(home)
    except (OSError, RuntimeError):  # a link to itself
        return False


@contextlib.contextmanager
def atomic(path: Path) -> Iterator[Path]:
    """A path to write to; the file appears under its own name only when the block ends without error."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{PARTIAL}{secrets.token_hex(4)}-{path.name}")
    try:
        yield partial
        with partial.open("rb") as stream:
            os.fsync(stream.fileno())
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)


def plain(value: Any) -> Any:
    """A value as JSON can hold it: numpy becomes Python, NaN and infinity become null, paths become text."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(item) for item in value]
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    if isinstance(value, np.bool_ | np.integer):
        return value.item()
    if isinstance(value, float | np.floating):
        return float(value) if np.isfinite(value) else None
    if value is None or isinstance(value, bool | int | str):
        return value
    if hasattr(value, "__array__"):
        return plain(np.asarray(value).tolist())
    return str(value)


def write_json(path: Path, value: Any) -> None:
    """Write a JSON file atomically."""
    with atomic(path) as partial:
        partial.write_text(json.dumps(plain(value), indent=2, allow_nan=False) + "\n", encoding="utf-8")
