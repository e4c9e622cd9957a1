"""Nested values from outside, held to what a file of settings may hold: plain values, finite, of bounded size and depth."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from trialsim.schema.base import ConfigError

LARGEST_NUMBER = 2**63  # whole numbers fit into 64 bits


class Bounds(NamedTuple):
    """How large nested values may be. items: in one list or section. letters: of one text. values: all together. finite: whether a
    number must be; where it need not, whoever reads the values says so with the limits of the key."""

    depth: int = 24
    items: int = 10_000
    letters: int = 10_000
    values: int = 200_000
    finite: bool = True


SETTINGS = Bounds()


def not_plain(data: Any, bounds: Bounds = SETTINGS, path: str = "") -> list[ConfigError]:
    """Faults for whatever a file of settings cannot hold; empty if all is well.

    Args:
        data: nested mappings and lists.
        bounds: largest size.
        path: key of ``data``, to begin those of the faults with.
    """
    left = [bounds.values]

    def faults(value: Any, path: str, depth: int) -> list[ConfigError]:
        left[0] -= 1
        if left[0] < 0:  # told once, below
            return []
        if isinstance(value, Mapping | list | tuple):
            if depth > bounds.depth:
                return [ConfigError(path, "...", f"at most {bounds.depth} sections or lists within one another")]
            if len(value) > bounds.items:
                return [ConfigError(path, f"{len(value)} entries", f"at most {bounds.items} entries")]
            named = value.items() if isinstance(value, Mapping) else enumerate(value)
            found = []
            for key, item in named:
                below = f"{path}.{key}" if path else str(key)
                if not isinstance(key, str | int | float | bool | None):
                    return [*found, ConfigError(path, type(key).__name__, "keys that are text or numbers")]
                wrong = _text(str(key), below, bounds.letters)
                found += wrong or faults(item, below, depth + 1)
            return found
        if isinstance(value, str):
            return _text(value, path, bounds.letters)
        if value is None or isinstance(value, bool):
            return []
        if isinstance(value, int):
            small = -LARGEST_NUMBER <= value < LARGEST_NUMBER
            return [] if small else [ConfigError(path, f"{'-' if value < 0 else ''}{len(hex(value)) - 2} hexadecimal digits",
                                                 "a whole number of at most 64 bits")]  # fmt: skip
        if isinstance(value, float):
            return [] if math.isfinite(value) or not bounds.finite else [ConfigError(path, value, "a finite number")]
        return [ConfigError(path, type(value).__name__, "a number, text, true, false, null, a list or a section")]

    found = faults(data, path, 0)
    if left[0] < 0:
        found.append(ConfigError(path or "config", "...", f"at most {bounds.values} values in all"))
    return found


def _text(text: str, path: str, most: int) -> list[ConfigError]:
    if len(text) > most:
        return [ConfigError(path, f"{len(text)} characters", f"at most {most} characters")]
    try:
        text.encode()
    except UnicodeEncodeError:
        return [ConfigError(path, text, "text in UTF-8")]
    return []


def usable_path(key: str, path: Path | str) -> Path:
    """A path that the file system can be asked for, whether something is there or not.

    Raises:
        ConfigError: the name is too long, holds what no name may hold, or lies where one may not look.
    """
    try:
        Path(path).stat()
    except (FileNotFoundError, NotADirectoryError):
        pass
    except (OSError, ValueError) as error:
        raise ConfigError(key, str(path), f"a path that can be used ({getattr(error, 'strerror', None) or error})") from error
    return Path(path)
