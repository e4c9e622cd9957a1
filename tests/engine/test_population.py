"""Chunks change nothing."""

import subprocess
import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from trialsim.engine.population import Program, chunks, map_population, usable_devices


def test_chunks_cover_everyone_once():
    parts = chunks(1003, 64)
    assert np.array_equal(np.concatenate([np.arange(p.start, p.stop) for p in parts]), np.arange(1003))


@pytest.mark.parametrize("chunk", [16, 32, 48])
def test_padding_and_chunking_do_not_change_results(chunk):
    x = np.linspace(0.1, 3.0, 50, dtype=np.float32)
    compiled = Program(lambda x, s: jnp.exp(-x) * s, usable_devices(1))
    out = np.empty_like(x)
    for part, result in map_population(compiled, lambda part: x[part], np.float32(2.0), len(x), chunk):
        out[part] = result
    expected = np.concatenate(
        [np.asarray(compiled(x[i : i + 16] if i < 48 else np.resize(x[48:], 16), np.float32(2.0)))[:16] for i in (0, 16, 32)]
    )
    assert np.array_equal(out[:48], expected)


TWO_CORES = """
import jax, numpy as np
from trialsim.engine import population
population.claim_cores(2)
population.CHUNKS_A_DEVICE = 2
x = np.linspace(0.1, 3.0, 500, dtype=np.float32)
program = population.Program(lambda x, s: jax.numpy.exp(-x) * s, population.usable_devices(COUNT))
out = [part for part in population.map_population(program, lambda part: x[part], np.float32(2.0), 500, 16)]
assert len(program.devices) == COUNT
assert [part.start for part, _ in out] == list(range(0, 500, 16))
print(np.concatenate([values for _, values in out]).tobytes().hex())
"""


def test_bit_identical_on_one_and_two_devices():
    """In processes of their own: the number of devices is fixed when JAX starts."""
    run = lambda count: subprocess.run(
        [sys.executable, "-c", TWO_CORES.replace("COUNT", str(count))], capture_output=True, text=True, timeout=120, check=True
    )
    one, two = run(1).stdout, run(2).stdout
    assert one == two and len(one) > 1000


SIDE_BY_SIDE = """
import threading
import jax, numpy as np
from trialsim.engine import population
population.claim_cores(2)
population.CHUNKS_A_DEVICE = 2
program = population.Program(lambda x, s: jax.numpy.exp(-x) * s, population.usable_devices(None))
seen = []
def job(k):
    seen.append((k, jax.numpy.ones(1).devices().pop().id, threading.get_ident()))
    x = np.linspace(0.1, 3.0, 100, dtype=np.float32) + np.float32(k)
    with jax.enable_x64(True):
        return np.concatenate([values for _, values in population.map_population(program, lambda part: x[part], 2.0, 100, 16)])
across = population.over_devices(None, 100, JOBS)
out = list(across(lambda k=k: job(k) for k in range(6)))
assert [k for k, *_ in sorted(seen)] == list(range(6))
assert len({device for _, device, _ in seen}) == len({thread for *_, thread in seen}) == DEVICES, seen
print(np.concatenate(out).tobytes().hex())
"""


def test_jobs_have_a_device_each_and_find_the_same_in_the_same_order():
    found = {}
    for jobs, devices in ((6, 2), (3, 1)):  # three populations of a chunk each: compiling once more would not pay
        code = SIDE_BY_SIDE.replace("JOBS", str(jobs)).replace("DEVICES", str(devices))
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr
        found[devices] = done.stdout
    assert found[1] == found[2] and len(found[1]) > 1000


KEPT = """
import sys
import jax, numpy as np
from trialsim.engine import population
population.claim_cores(2)
population.CHUNKS_A_DEVICE = 2
jax.config.update("jax_compilation_cache_dir", sys.argv[1])
jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
found, traced = [], []
jax.monitoring.register_event_listener(lambda name, **_: found.append(name) if name.endswith("/cache_hits") else None)
def course(x, s):
    traced.append(1)
    return jax.numpy.exp(-x) * s
program = population.Program(course, population.usable_devices(None))
x = np.linspace(0.1, 3.0, 500, dtype=np.float32)
out = list(population.map_population(program, lambda part: x[part], np.float32(2.0), 500, 16))
print(len(program._compiled), len(found), len(traced))
"""


@pytest.mark.skipif(jax.default_backend() != "cpu", reason="cores as devices")
def test_a_second_core_reads_what_was_compiled_for_the_first(tmp_path):
    for hits in (1, 2):  # of two programs, the first is compiled; in the next process none
        done = subprocess.run([sys.executable, "-c", KEPT, str(tmp_path)], capture_output=True, text=True, timeout=120)
        assert done.stdout.split() == ["2", str(hits), "1"], done.stderr
