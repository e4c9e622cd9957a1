"""Ctrl-C that cannot be lost.

Python raises KeyboardInterrupt wherever it happens to be. Within a callback of the garbage collector (JAX has one) it would be
printed and forgotten, so there it waits until the callback is over; and some libraries turn it into an error of their own, so it is
also kept, and looked for between the pieces of work.
"""

from __future__ import annotations

import contextlib
import gc
import signal
import threading
from collections.abc import Iterator
from types import FrameType

from trialsim import console

AGAIN_S = 0.05  # until Ctrl-C is tried again


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
    if not _would_be_lost(frame):
        raise KeyboardInterrupt
    # to the main thread, so that a wait is ended too
    again = threading.Timer(AGAIN_S, signal.pthread_kill, (threading.get_ident(), number))
    again.daemon = True
    again.start()


def _would_be_lost(frame: FrameType | None) -> bool:
    """Whether the garbage collector has called what runs now."""
    callbacks = {getattr(callback, "__code__", None) for callback in gc.callbacks}
    while frame is not None:
        if frame.f_code in callbacks:
            return True
        frame = frame.f_back
    return False
