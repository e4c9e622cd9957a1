"""Options of the CPU compiler under which a time loop becomes one function over vectors.

By default XLA calls one small kernel after another inside a loop and stores every intermediate array. Three options change that:
the loop compiled into one function, fusions with several outputs, and 512-bit vectors. Together they were worth a factor of 2 to 4
on the benchmark problem. The first two are backend options, read once when the backend starts, so they are put into ``XLA_FLAGS``
when this package is imported; a compiler that does not know them ignores them, and results change in rounding only.
"""

from __future__ import annotations

import os

LOOPS = "xla_cpu_small_while_loop_byte_threshold=10000000,xla_cpu_use_multi_output_fusion=true"
VECTORS = {"xla_cpu_prefer_vector_width": "512"}
EXTRA = "--xla_backend_extra_options="


def request_options() -> None:
    """Ask for the options unless the user has chosen backend options of their own."""
    flags = os.environ.get("XLA_FLAGS", "")
    if EXTRA not in flags:
        os.environ["XLA_FLAGS"] = f"{flags} {EXTRA}{LOOPS}".strip()


def compiler_options(platform: str) -> dict[str, str]:
    """Options for ``jax.jit(..., compiler_options=...)`` on a platform."""
    return dict(VECTORS) if platform == "cpu" else {}
