"""Where a result comes from: versions, machine, device, code state, command. Facts only; nothing here changes a run."""

from __future__ import annotations

import os
import platform
import shlex
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

PROGRAM = "trialsim"  # the script; `python -m trialsim` runs trialsim/__main__.py
PACKAGES = (
    "trialsim", "jax", "jaxlib", "numpyro", "diffrax", "numpy", "scipy", "pandas", "pyarrow", "hydra-core", "pydantic",
    "arviz-base", "arviz-stats", "arviz-plots", "xarray", "plotly", "jinja2",
)  # fmt: skip


def collect() -> dict[str, Any]:
    """Facts about this process, ready for JSON."""
    return {
        "trialsim": _version("trialsim"),
        "python": platform.python_version(),
        "platform": platform.platform(),
        "cpus": os.cpu_count(),
        "packages": {name: _version(name) for name in PACKAGES if _version(name)},
        "devices": _devices(),
        "git": _git(),
        "command": _command(),
    }


def _command() -> str:
    """As it was typed. A command such as predict hands Hydra another line in ``sys.argv``, which nobody would type."""
    if not sys.argv:
        return ""
    program = Path(sys.argv[0])
    if PROGRAM in (program.stem, program.parent.name):
        typed = [place for place, word in enumerate(sys.orig_argv) if PROGRAM in (Path(word).stem, Path(word).parent.name)]
        if typed:  # not in a worker, which somebody else started
            return shlex.join([PROGRAM, *sys.orig_argv[typed[0] + 1 :]])
    return shlex.join([program.name, *sys.argv[1:]])


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _devices() -> list[str] | None:
    """JAX's devices if the run has started JAX; starting it here would fix its settings before the engine sets them."""
    jax = sys.modules.get("jax")
    return [f"{device.platform}: {device.device_kind}" for device in jax.devices()] if jax is not None else None


def _git() -> dict[str, Any] | None:
    """Commit and whether files differ from it, if this code runs from its own checkout."""
    package = Path(__file__).resolve().parent

    def ask(*arguments: str) -> str | None:
        try:
            answer = subprocess.run(
                ["git", "-C", str(package), *arguments], capture_output=True, text=True, timeout=10, check=True
            )
        except (OSError, subprocess.SubprocessError):
            return None
        return answer.stdout.strip()

    root = ask("rev-parse", "--show-toplevel")
    if root is None or Path(root).resolve() != package.parent:
        return None
    commit, changes = ask("rev-parse", "HEAD"), ask("status", "--porcelain")
    return {"commit": commit, "modified": None if changes is None else bool(changes)}
