"""What threads share."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

T = TypeVar("T")


def one_at_a_time(function: Callable[..., T]) -> Callable[..., T]:
    """Calls from several threads wait for each other: of a cache, so that what it keeps is made once (`population.on_devices`)."""
    lock = threading.RLock()

    @wraps(function)
    def call(*args: Any) -> T:
        with lock:
            return function(*args)

    return call
