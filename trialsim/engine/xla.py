"""Compiling a time loop into one function over vectors, on the CPU.

By default XLA calls one small kernel after another inside a loop and stores every intermediate array. Three options change that:
the whole loop compiled into one function, fusions with several outputs, and 512-bit vectors. Together they made BENCH-1 four times
as fast. They are asked for one program at a time, never through ``XLA_FLAGS``: fusions with several outputs make the compiler abort
on some other programs (seen with an adaptive solver's loop, jaxlib 0.10.2).

The first two are backend options, which JAX has no public way to set for one program; they are added to the compile options that
JAX hands to XLA. Where that fails (another version) the program is compiled without them: slower, same results but for rounding.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import platform
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp

BACKEND = {"xla_cpu_small_while_loop_byte_threshold": "10000000", "xla_cpu_use_multi_output_fusion": "true"}
VECTORS = {"xla_cpu_prefer_vector_width": "512"}

_COMPILING = threading.Lock()

# places of nested messages in XLA's CompileOptionsProto: executable_build_options, its debug_options, the map of backend options
BUILD_OPTIONS, DEBUG_OPTIONS, BACKEND_OPTIONS = 3, 3, 500


def compile_loops(program: Any, *examples: Any) -> Any:
    """A jitted function compiled for arguments like ``examples``, with the options where the platform is a CPU.

    Args:
        program: from ``jax.jit``.
    """
    lowered = program.lower(*examples)
    if jax.default_backend() != "cpu":
        return lowered.compile()
    with _COMPILING, _backend_options():
        return lowered.compile(compiler_options=VECTORS)


def keep_programs() -> None:
    """Keep compiled programs on disk, so that the next run traces but does not compile them; unless the user has set JAX's cache
    folder.

    A program fits the processor that it was compiled for, so each kind of processor has a folder of its own.
    """
    if jax.config.jax_compilation_cache_dir:
        return
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    jax.config.update("jax_compilation_cache_dir", str(cache / "trialsim" / _processor()))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 1.0)


def _processor() -> str:
    """A short name for the processor and what it can do."""
    facts = [platform.machine(), platform.processor(), jax.__version__]
    with contextlib.suppress(OSError):
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        facts += sorted({line for line in lines if line.startswith(("model name", "flags", "Features"))})
    return hashlib.sha256("\n".join(facts).encode()).hexdigest()[:16]


@contextlib.contextmanager
def _backend_options() -> Iterator[None]:
    """While this lasts, programs are compiled with `BACKEND`, and what was kept on disk for one device is found for the others too,
    as JAX does on GPUs. One thread at a time, as it changes functions of JAX for a while."""
    try:
        from jax._src import cache_key, compiler

        original, hashed = compiler.get_compile_options, cache_key._hash_serialized_compile_options
    except (ImportError, AttributeError):
        yield
        return

    def with_backend(*args: Any, **keywords: Any) -> Any:
        options = original(*args, **keywords)
        with contextlib.suppress(Exception):  # of a version without these methods; the loop is then compiled as usual
            options = type(options).ParseFromString(options.SerializeAsString() + _entries())
        return options

    def of_any_device(into: Any, options: Any, strip_device_assignment: bool = True) -> Any:
        return hashed(into, options, strip_device_assignment=True)

    compiler.get_compile_options, cache_key._hash_serialized_compile_options = with_backend, of_any_device
    try:
        yield
    finally:
        compiler.get_compile_options, cache_key._hash_serialized_compile_options = original, hashed


def _entries() -> bytes:
    """`BACKEND` in protocol-buffer form; appended to a serialised message it is merged into it."""
    pairs = (_field(1, name.encode()) + _field(2, value.encode()) for name, value in BACKEND.items())
    inner = b"".join(_field(BACKEND_OPTIONS, pair) for pair in pairs)
    return _field(BUILD_OPTIONS, _field(DEBUG_OPTIONS, inner))


def _field(number: int, content: bytes) -> bytes:
    """A length-delimited field."""
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def loops_are_whole() -> bool:
    """Whether the options take effect with this version of JAX: a small loop is tried. Without them all is right, and slow."""

    def loop(x):
        return jax.lax.fori_loop(0, 1000, lambda i, x: jnp.sin(x) + x, x)

    text = compile_loops(jax.jit(loop), jax.ShapeDtypeStruct((256,), jnp.float32)).as_text()
    return any("to_apply=%while" in line or "to_apply=while" in line for line in text.splitlines())
