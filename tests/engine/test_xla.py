"""The compiler options take effect with this version of JAX. Where this fails results are right, but several times slower."""

import jax
import pytest

from trialsim.engine import xla


@pytest.mark.skipif(jax.default_backend() != "cpu", reason="options of the CPU compiler")
def test_a_time_loop_is_compiled_as_one_function():
    assert xla.loops_are_whole()


@pytest.mark.skipif(jax.default_backend() != "cpu", reason="options of the CPU compiler")
def test_without_the_options_it_is_not(monkeypatch):
    monkeypatch.setattr(xla, "BACKEND", {})
    assert not xla.loops_are_whole()
