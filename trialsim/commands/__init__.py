"""Commands beside a run: ``trialsim merge``, ``trialsim doctor``, ... One file a command, of the same name.

A file has ``SUMMARY`` (one line for the list of commands), ``arguments(parser)``, which declares what the command takes, and
``run(given) -> int``, which does it and returns the exit code.
"""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Sequence

from trialsim import console
from trialsim.schema import ConfigError
from trialsim.schema.faults import flatten

FAILED, BAD_INPUT, INTERRUPTED = 1, 2, 130
COMMANDS = (
    "calibrate", "compare", "completion", "doctor", "evidence", "export", "merge", "optimise", "predict", "report", "signalling",
)  # fmt: skip


def start(name: str, words: Sequence[str]) -> int:
    """Run a command.

    Args:
        name: one of `COMMANDS`. words: that follow it on the command line.

    Returns:
        The exit code: 0, 1 failed, 2 bad input, 130 interrupted.
    """
    command = importlib.import_module(f"trialsim.commands.{name}")
    parser = argparse.ArgumentParser(prog=f"trialsim {name}", description=command.__doc__, allow_abbrev=False,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    command.arguments(parser)
    try:
        given = parser.parse_intermixed_args(list(words))
    except SystemExit as end:  # argparse has said what is wrong, or has helped
        return int(end.code or 0)
    console.set_up_logging()
    try:
        with console.interrupts_told_apart():
            return command.run(given)
    except ConfigError as error:
        say(error)
        return BAD_INPUT
    except KeyboardInterrupt:
        sys.stderr.write("trialsim: interrupted; the same command goes on from the last stage\n")
        return INTERRUPTED


def say(error: ConfigError) -> None:
    """One line a fault; a line break or a control character that the input held is told as it is written in code."""
    for fault in flatten(error):
        shown = "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in str(fault))
        sys.stderr.write(f"trialsim: {shown}\n")
