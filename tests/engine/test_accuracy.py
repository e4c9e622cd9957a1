"""The accuracy that is asked for is the accuracy that is had, judged by the adaptive solver and by the shipped reference."""

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from models import bench1

from trialsim.benchmark import data
from trialsim.engine import ModelError, Plan, Regimen, choose, simulate
from trialsim.engine.reference import solve


@pytest.mark.parametrize("accuracy", [1e-3, pytest.param(1e-2, marks=pytest.mark.slow), pytest.param(1e-4, marks=pytest.mark.slow)])
def test_published_benchmark_within_the_accuracy_asked_for(accuracy):
    """The plan is chosen on 64 of 500 patients and judged on all, by the published solution; 2 % may be above (1 % stated)."""
    bench, patients = bench1(), data.parameters(500)
    choice = choose(bench.model, patients, bench.regimen, bench.times, accuracy)
    assert choice.error <= accuracy
    seen = simulate(bench.model, patients, bench.regimen, bench.times, choice.plan)
    error = np.max(np.abs(seen.T - data.reference().tumour_mm[:500]), axis=1) / np.max(seen.T, axis=1)
    assert np.mean(~(error <= accuracy)) <= 0.02


@pytest.mark.slow
def test_choice_is_the_coarsest_that_will_do():
    bench, patients = bench1(), data.parameters(64)
    steps = [choose(bench.model, patients, bench.regimen, bench.times, accuracy).plan.steps for accuracy in (1e-2, 1e-4)]
    assert steps[0] < steps[1]


@pytest.mark.slow
def test_published_benchmark_repeated_doses_within_the_accuracy_asked_for():
    bench, patients = bench1(), data.parameters(200)
    choice = choose(bench.model, patients, bench.regimen, bench.times, 2e-4, Plan(regular=True))
    assert choice.plan.regular and choice.error <= 2e-4
    seen, exact = simulate(bench.model, patients, bench.regimen, bench.times, choice.plan), data.reference()
    for found, wanted in ((seen.T, exact.tumour_mm[:200]), (seen.pS6K, exact.pS6K[:200])):
        assert np.mean(~(np.max(np.abs(found - wanted), axis=1) / np.max(wanted, axis=1) <= 2e-4)) <= 0.02


@pytest.mark.slow
@pytest.mark.parametrize("seed", [11, 12, 13])
def test_independent_random_regimens_within_the_accuracy_asked_for(seed):
    """Holds, reductions, missed doses and weekly dosing, 4 patients with a regimen each, by the adaptive solver."""
    rng, bench, patients = np.random.default_rng(seed), bench1(), data.parameters(4)
    doses = 1e4 * rng.choice([1.0, 0.5], (4, 28)) * (rng.random((4, 28)) < 0.9)
    doses[1, 7:14] = 0.0
    doses[2] = np.where(np.arange(28) % 7 == 0, 5e4, 0.0)
    regimen, times = Regimen(doses), [24.0, 100.0, 336.0, 672.0]
    choice = choose(bench.model, patients, regimen, times, 1e-4)
    seen, exact = (f(bench.model, patients, regimen, times) for f in (lambda *a: simulate(*a, choice.plan), solve))
    for found, wanted in zip(seen, exact, strict=True):
        assert np.max(np.abs(found - wanted) / np.max(np.abs(wanted), axis=1, keepdims=True)) < 1.5e-4


@pytest.mark.parametrize("accuracy", [0.0, -1e-3, 1.0, float("nan")])
def test_impossible_accuracy_says_what_is_allowed(accuracy):
    bench = bench1()
    with pytest.raises(ModelError, match="accuracy: .*allowed"):
        choose(bench.model, data.parameters(2), bench.regimen, bench.times, accuracy)


def test_accuracy_out_of_reach_is_said():
    bench = bench1()
    with pytest.raises(ModelError, match="not reached"):
        choose(bench.model, data.parameters(2), Regimen.repeated(1e4, 3), [72.0], 1e-9)
