"""Ctrl-C reaches the command, also where Python itself would print the exception and forget it."""

import gc
import signal
import time

import pytest

from trialsim import console
from trialsim.cli.interrupt import heeded


@pytest.fixture(autouse=True)
def as_on_a_terminal():
    """A shell that starts the tests in the background has them ignore Ctrl-C."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)
    console.interrupted.clear()


def test_ctrl_c_within_a_callback_of_the_garbage_collector_comes_after_it():
    seen = []

    def callback(phase, information):
        if phase == "start" and not seen:
            signal.raise_signal(signal.SIGINT)
            seen.append(console.interrupted.is_set())  # not reached if it was raised above

    gc.callbacks.append(callback)
    began = time.monotonic()
    try:
        with pytest.raises(KeyboardInterrupt), heeded():
            gc.collect()
            time.sleep(10)
    finally:
        gc.callbacks.remove(callback)
    assert seen == [True]
    assert time.monotonic() - began < 9, "it ends a wait"


def test_ctrl_c_elsewhere_comes_at_once():
    with pytest.raises(KeyboardInterrupt), heeded():
        signal.raise_signal(signal.SIGINT)
        pytest.fail("went on")
    assert console.interrupted.is_set()
