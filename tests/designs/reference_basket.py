"""Rows of the reference table on historical borrowing: ankylosing spondylitis placebo arms (RBesT) and a non-inferiority design."""

from __future__ import annotations

import numpy as np
import pytest
from reference import ROWS, Row, named, numbers, unit_of_last_digit

from trialsim.designs.basket.hyperpriors import Exchangeable, HalfNormal
from trialsim.designs.borrowing.decision import (
    ControlledDesign,
    detectable_difference,
    noninferiority_power,
    probability_greater,
    success_table,
)
from trialsim.designs.borrowing.map_prior import MapPrior, fit_mixture, map_prior
from trialsim.designs.borrowing.mixture import (
    BetaMixture,
    beta_mixture,
    robustify,
    size_elir,
    size_moments,
    size_morita,
    update,
)

MCMC = 0.02  # the table's own tolerance for draws: "~0.01-0.02"


def history(scale: float) -> MapPrior:
    expected = named(next(row.expected for row in ROWS if row.method == "map_prior_data"))
    n, r = (numbers(expected[name]) for name in ("n", "r"))
    return map_prior(r, n, Exchangeable(0.0, 2.0, HalfNormal(scale)))


def published_mixture() -> BetaMixture:
    expected = named(next(row.expected for row in ROWS if row.method == "map_mixture_fit"))
    return beta_mixture(*zip(*(numbers(expected[name]) for name in ("w", "a", "b")), strict=True))


def printed(text: str) -> dict[str, str]:
    """``mean=0.377 sd=0.217`` as a dictionary of words."""
    return dict(piece.split("=") for piece in text.split() if "=" in piece)


def check_gmap(row: Row) -> None:
    prior = history(0.5 if "0.5" in row.inputs else 1.0)
    tau, rate = (printed(part) for part in row.expected.split(";"))
    quantiles = {name: float(name[1:]) / 100 for name in tau if name.startswith("q")}
    mean, sd, found = prior.tau_summary(list(quantiles.values()))
    for name, value in {"mean": mean, "sd": sd, **dict(zip(quantiles, found, strict=True))}.items():
        assert value == pytest.approx(float(tau[name]), abs=MCMC), name
    mean, sd = prior.moments()
    levels = {name: prior.quantile(float(name[1:]) / 100) for name in rate if name.startswith("q")}
    for name, value in {"mean": mean, "sd": sd, **levels}.items():
        assert value == pytest.approx(float(rate[name]), abs=MCMC), name


def check_mixture(row: Row) -> None:
    """Effective sizes of the published mixture to the printed digits; it and ours both lie on our MAP prior."""
    prior, grid = history(1.0), np.linspace(0.02, 0.8, 79)
    published, ours = published_mixture(), fit_mixture(history(1.0))
    assert np.abs(published.cdf(grid) - prior.cdf(grid)).max() < MCMC
    assert np.abs(ours.cdf(grid) - prior.cdf(grid)).max() < 0.005
    sizes = printed(row.expected.split("ESS")[1])
    for name, size in {"elir": size_elir, "moment": size_moments, "morita": size_morita}.items():
        assert round(size(published)) == int(sizes[name]), name


def check_robustify(row: Row) -> None:
    weight = float(named(row.inputs)["weight"])
    robust = robustify(published_mixture(), weight)
    text = named(row.expected)["w"].split("|")
    assert all(abs(w - float(t)) <= unit_of_last_digit(t) for w, t in zip(robust.weight, text, strict=True))
    assert robust.a[-1] == robust.b[-1] == 1.0
    assert round(size_elir(robust)) == int(row.expected.split("elir=")[1])


def check_delta(row: Row) -> None:
    published = published_mixture()
    uniform, treated = beta_mixture((1.0, 1.0, 1.0)), beta_mixture((1.0, 0.5, 1.0))
    designs = {
        "non-robust": ControlledDesign(treated, published, 24, 6, 0.95),
        "uniform24:24": ControlledDesign(uniform, uniform, 24, 24, 0.95),
        "robust": ControlledDesign(treated, robustify(published, 0.2), 24, 6, 0.95),
        "uniform24:6": ControlledDesign(uniform, uniform, 24, 6, 0.95),
    }
    expected = named(row.expected.removeprefix("delta:"))
    assert set(expected) == set(designs)
    for name, text in expected.items():
        found = detectable_difference(success_table(designs[name]), float(published.mean()), 0.8)
        assert abs(found - float(text)) <= unit_of_last_digit(text), name


def check_decision(row: Row) -> None:
    treated = update(beta_mixture((1.0, 0.5, 1.0)), 14, 24)
    control = update(robustify(published_mixture(), 0.2), 1, 6)
    text = row.expected.split("=")[1]
    assert abs(probability_greater(treated, control).item() - float(text)) <= unit_of_last_digit(text)


def check_noninferiority(row: Row) -> None:
    given = {name: float(value) for name, value in named(row.inputs).items()}
    margin = given["theta_ni"]
    expected = [float(part.split(":")[-1]) for part in row.expected.replace("theta=0: ", "").replace(";", "|").split("|")[-2:]]
    found = noninferiority_power([0.0, margin], given["s"], int(given["n"]), margin, 1.0 - given["alpha"], 0.0, 100.0)
    assert found == pytest.approx(expected, abs=0.01)  # the row's tolerance


CHECKS = {
    "map_prior_gMAP": check_gmap,
    "map_mixture_fit": check_mixture,
    "map_robustify": check_robustify,
    "map_oc2S_delta_at_80pct_power": check_delta,
    "map_posterior_decision": check_decision,
    "oc1s_normal_ni": check_noninferiority,
}
