"""The command line and ``compose``: the only folder that knows Hydra. Everything else sees a validated ``StudyConfig``.

Bad input ends with exit code 2 and one message a fault; no traceback, nothing run.
"""

from __future__ import annotations

import sys

from trialsim import __version__
from trialsim.cli.composing import compose
from trialsim.cli.interrupt import heeded
from trialsim.commands import COMMANDS, start


def main() -> int:
    """What the ``trialsim`` command does. Returns the exit code: 0, 1 failed, 2 bad input, 130 interrupted."""
    with heeded():
        return _main(sys.argv[1:])


def _main(words: list[str]) -> int:
    if "--version" in words:
        print(f"trialsim {__version__}")
        return 0
    if words and words[0] in COMMANDS:
        return start(words[0], words[1:])
    from trialsim.cli.run import run

    return run(words[1:] if words[:1] == ["run"] else words)


__all__ = ["compose", "main"]
