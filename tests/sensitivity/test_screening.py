"""Global sensitivity through our wrapper: functions whose indices are known."""

import numpy as np
import pandas as pd
import pytest

from trialsim.sensitivity import screening

A, B = 7.0, 0.1


def ishigami(u: np.ndarray) -> np.ndarray:
    """Ishigami and Homma 1990; uniforms on (-pi, pi)."""
    x = np.pi * (2.0 * u - 1.0)
    return np.sin(x[:, 0]) + A * np.sin(x[:, 1]) ** 2 + B * x[:, 2] ** 4 * np.sin(x[:, 0])


def test_sobol_indices_of_the_ishigami_function_are_the_published_ones():
    names = ["a", "b", "c", "unused"]
    y = ishigami(screening.sobol_design(names, 4096, 1))
    found = screening.sobol_indices(names, {"y": y}, 1).pivot(index="parameter", columns="index", values="estimate")
    first_a, first_b = 0.5 * (1.0 + B * np.pi**4 / 5.0) ** 2, A**2 / 8.0
    interaction = B**2 * np.pi**8 * (1.0 / 18.0 - 1.0 / 50.0)
    variance = first_a + first_b + interaction
    assert found["first"].to_numpy() == pytest.approx(np.array([first_a, first_b, 0.0, 0.0]) / variance, abs=0.02)
    expected = np.array([first_a + interaction, first_b, interaction, 0.0]) / variance
    assert found["total"].to_numpy() == pytest.approx(expected, abs=0.02)
    assert found.loc["unused", "total"] == 0.0


def test_intervals_of_sobol_indices_hold_the_truth_and_narrow():
    names = ["a", "b"]
    width = {}
    for samples in (64, 1024):
        u = screening.sobol_design(names, samples, 1)
        found = screening.sobol_indices(names, {"y": 3.0 * u[:, 0] + u[:, 1]}, 1)
        total = found[(found["index"] == "total") & (found["parameter"] == "a")].iloc[0]
        assert total["low"] <= 0.9 <= total["high"]
        width[samples] = total["high"] - total["low"]
    assert width[1024] < 0.5 * width[64]


def test_morris_effects_of_a_linear_function_are_its_slopes_and_do_not_vary():
    names = ["a", "b", "unused"]
    u = screening.morris_design(names, 8, 4, 1)
    assert u.shape == (8 * 4, 3) and u.min() >= 0.0 and u.max() <= 1.0
    found = screening.morris_indices(names, u, {"y": 2.0 * u[:, 0] - 5.0 * u[:, 1]}, 4, 1).set_index("parameter")
    assert found["mu"].to_numpy() == pytest.approx([2.0, -5.0, 0.0])
    assert found["mu_star"].to_numpy() == pytest.approx([2.0, 5.0, 0.0])
    assert found["sigma"].to_numpy() == pytest.approx([0.0, 0.0, 0.0], abs=1e-9)
    assert (found["low"] <= found["mu_star"]).all() and (found["mu_star"] <= found["high"]).all()


def test_an_interaction_shows_as_spread_of_the_effects():
    names = ["a", "b"]
    u = screening.morris_design(names, 16, 4, 1)
    found = screening.morris_indices(names, u, {"y": u[:, 0] * u[:, 1]}, 4, 1).set_index("parameter")
    assert (found["sigma"] > 0.1).all()


def test_an_outcome_that_does_not_vary_has_no_indices():
    names = ["a", "b"]
    u = screening.sobol_design(names, 16, 1)
    found = screening.sobol_indices(names, {"y": np.full(len(u), 3.0)}, 1)
    assert (found[["estimate", "low", "high"]] == 0.0).all(axis=None)


def test_leading_parameters_are_ranked_over_outcomes_of_different_size():
    effects = {"big": (100.0, 90.0, 0.0), "small": (0.0, 0.9, 1.0)}
    table = pd.concat(pd.DataFrame({"outcome": name, "parameter": ["a", "b", "c"], "mu_star": v}) for name, v in effects.items())
    assert screening.leading(table, ["big", "small"], 2) == ["b", "a"]
    assert screening.leading(table, ["small"], 1) == ["c"]
