"""The ``trialsim`` command, and ``python -m trialsim``."""

import os
import sys

from trialsim.cli import main
from trialsim.commands import INTERRUPTED


def command() -> None:
    """Run the command and end the process with its exit code."""
    code = main()
    if code == INTERRUPTED:
        # a program may still run in a thread of its own, and the interpreter cannot be taken down under it without a crash;
        # all files are complete by now
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    raise SystemExit(code)


if __name__ == "__main__":
    command()
