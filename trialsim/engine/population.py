"""Many patients: chunks of one size, each on one device, one thread a device. And many jobs of a few chunks each, the same way.

The size is fixed (`lanes`), and the last chunk is padded by repeating its last patient, so every patient goes through the very same
compiled program. Programs compiled for other sizes differ in rounding, which may turn a reading at a limit: hence no setting.
No operation mixes patients, so neighbours, order and device do not matter either.

A CPU core counts as a device (`claim_cores`): JAX runs one program at a time on a device, and a program sharded over several CPU
devices runs its shards one after another, so threads with a device each are what uses all cores.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import Any, TypeVar

import jax
import numpy as np
from jax.sharding import SingleDeviceSharding

from trialsim.engine.xla import compile_loops

Tree = Any
T = TypeVar("T")
CHUNKS_A_DEVICE = 32  # fewer would not repay compiling the program for one more device


def claim_cores(count: int | None) -> None:
    """Let JAX see ``count`` CPU cores (all if None) as devices. Before JAX starts its backend; later it does nothing."""
    try:
        jax.config.update("jax_num_cpu_devices", count or len(os.sched_getaffinity(0)))
    except (RuntimeError, AttributeError):
        return


def usable_devices(count: int | None) -> list[jax.Device]:
    """The first ``count`` devices (all if None)."""
    devices = jax.local_devices()
    return devices[: count or len(devices)]


class Program:
    """``function(patients with a leading axis, shared)``, compiled for each shape when first needed; further devices read it from
    what JAX keeps on disk. It runs on JAX's default device, where one is set (`on_devices`), or else on the first of its own.

    Its results have the patients last, as they lie in memory; `map_population` turns them on the host, where it costs nothing.
    """

    def __init__(self, function: Callable[[Tree, Tree], Tree], devices: list[jax.Device]):
        self._jitted, self.devices = jax.jit(function), devices
        self._compiled: dict[Any, Any] = {}
        self._compiling = threading.Lock()  # what the first has compiled, the others find

    def __call__(self, patients: Tree, shared: Tree) -> Tree:
        device = jax.config.jax_default_device or self.devices[0]
        inputs = jax.device_put((patients, shared), SingleDeviceSharding(device))
        leaves, structure = jax.tree.flatten(inputs)
        key = device, structure, tuple((leaf.shape, leaf.dtype) for leaf in leaves)
        with self._compiling, jax.default_device(None):  # which is part of what JAX knows a traced function by
            if key not in self._compiled:
                self._compiled[key] = compile_loops(self._jitted, *inputs)
        return self._compiled[key](*inputs)


def lanes() -> int:
    """Patients of one program call: what stays in a CPU core's cache, or what fills a GPU."""
    return 256 if jax.default_backend() == "cpu" else 16_384


def chunks(size: int, chunk: int) -> list[slice]:
    """Consecutive slices of at most ``chunk`` patients."""
    return [slice(start, min(start + chunk, size)) for start in range(0, size, chunk)]


def map_population(
    program: Program, patients: Callable[[slice], Tree], shared: Tree, size: int, chunk: int | None = None
) -> Iterator[tuple[slice, Tree]]:
    """Run the program over all patients.

    Args:
        program: what to run, and on which devices.
        patients: makes the inputs of a slice of the population (leading axis = its patients).
        shared: inputs without patient axis.
        size: number of patients. chunk: patients a call, `lanes` if None.

    Yields:
        slice of the population, and its results on the host, leading axis = its patients; in order.
    """
    chunk = chunk or lanes()
    parts = chunks(size, chunk)

    def run(part: slice) -> Tree:
        n = part.stop - part.start
        result = program(jax.tree.map(lambda leaf: _padded(np.asarray(leaf), chunk), patients(part)), shared)
        return jax.tree.map(lambda leaf: np.moveaxis(np.asarray(leaf)[..., :n], -1, 0), result)

    results = on_devices((partial(run, part) for part in parts), worth(program.devices, len(parts)))
    yield from zip(parts, results, strict=True)


def worth(devices: list[jax.Device], calls: int) -> list[jax.Device]:
    """Those of the devices for which compiling a program pays that is called so often."""
    return devices[: max(1, min(len(devices), calls // CHUNKS_A_DEVICE))]


def over_devices(devices: int | None, patients: int, populations: int) -> Callable[[Iterable[Callable[[], T]]], Iterator[T]]:
    """`on_devices` for jobs that simulate so many populations, of so many patients each, between them."""
    return partial(on_devices, devices=worth(usable_devices(devices), populations * len(chunks(patients, lanes()))))


def on_devices(jobs: Iterable[Callable[[], T]], devices: list[jax.Device]) -> Iterator[T]:
    """Results of the jobs, in order; each job has one of the devices for itself, and there is a thread a device.

    A job may call this again, as by `map_population`: all within it stays on its device.
    """
    if len(devices) == 1 or jax.config.jax_default_device is not None:
        yield from (job() for job in jobs)
        return
    double = jax.dtypes.canonicalize_dtype(np.float64) == np.float64  # a setting of the thread

    def run(job: Callable[[], T], device: jax.Device) -> T:
        with jax.default_device(device), jax.enable_x64(double):
            return job()

    workers = [ThreadPoolExecutor(1) for _ in devices]
    waiting: deque[Future[T]] = deque()
    try:
        for number, job in enumerate(jobs):
            waiting.append(workers[number % len(devices)].submit(run, job, devices[number % len(devices)]))
            if len(waiting) > 2 * len(devices):  # enough to keep all busy while what was yielded is worked on
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        for worker in workers:
            worker.shutdown(cancel_futures=True)


def _padded(leaf: np.ndarray, size: int) -> np.ndarray:
    """``leaf`` with its last patient repeated up to ``size`` patients."""
    return np.concatenate([leaf, np.repeat(leaf[-1:], size - len(leaf), axis=0)]) if len(leaf) < size else leaf
