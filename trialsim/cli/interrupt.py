"""Ctrl-C that cannot be lost.

Python raises KeyboardInterrupt wherever it happens to be; within a callback of a library (JAX has one for the garbage collector) it
is printed and forgotten, and some libraries turn it into an error of their own. So it is also kept, and looked for between the
pieces of work.
"""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType

from trialsim import console


@contextlib.contextmanager
def heeded() -> Iterator[None]:
    """While the command runs. A process that was told to ignore Ctrl-C, as by nohup, goes on ignoring it."""
    ours = threading.current_thread() is threading.main_thread() and signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if ours:
        console.interrupted.clear()
        signal.signal(signal.SIGINT, _interrupt)
    try:
        yield
    finally:
        if ours:
            signal.signal(signal.SIGINT, signal.default_int_handler)


def _interrupt(number: int, frame: FrameType | None) -> None:
    console.interrupted.set()
    raise KeyboardInterrupt
