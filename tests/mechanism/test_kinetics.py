"""What every closed form of a drug's kinetics owes the engine: exact, additive in time, its own derivative and integral."""

from functools import lru_cache

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.linalg import expm
from typical import adult, shipped

from trialsim.mechanism import metabolite
from trialsim.mechanism.metabolite import ParentMetabolite
from trialsim.mechanism.pharmacokinetics import Oral

# name: kinetics, drug, changes of its parameters
FORMS = {
    "five stages": (Oral(5), "everolimus", {}),
    "first order": (Oral(1), "sirolimus", {}),
    "first order, absorbed far slower than distributed": (Oral(1), "sirolimus", {"MAT": 20.0, "alpha": 9.0}),
    "two stages": (Oral(2), "ridaforolimus", {}),
    "parent and metabolite": (ParentMetabolite(), "temsirolimus", {}),
    "equal rates of parent and metabolite": (ParentMetabolite(), "temsirolimus", {"metabolite_beta": 0.04, "beta": 0.04}),
    "nearly equal rates": (ParentMetabolite(), "temsirolimus", {"metabolite_beta": 0.0401, "beta": 0.04}),
}
FORMS["metabolite as the assay sees it"] = (ParentMetabolite().analytes[1], "temsirolimus", {})
TIMES = (0.05, 0.5, 3.0, 24.0)


@pytest.fixture(scope="module", autouse=True)
def double_precision():
    with jax.enable_x64(True):
        yield


@pytest.fixture(params=FORMS)
def form(request):
    kinetics, drug, changes = FORMS[request.param]
    p = adult(shipped(drug), dose=4.0, kind=jnp.float64)
    return kinetics, p._replace(**{name: jnp.float64(value) for name, value in changes.items()})


@lru_cache
def compiled(kinetics):
    """(p, times) -> propagators, and rows with their slopes, one a time."""
    over = lambda what: jax.jit(jax.vmap(what, in_axes=(None, 0)))
    return over(kinetics.propagator), over(lambda p, t: jnp.stack(kinetics.rows(p, t)))


def compartments(kinetics, p):
    """Generator of the stages of arrival, the exponentials, and what the form's amounts are in it: (matrix, first amounts)."""
    stages = getattr(kinetics, "stages", metabolite.INFUSION_STAGES)
    ktr, parent = stages / float(p.MAT), ((p.alpha, p.share_alpha), (p.beta, 1.0 - p.share_alpha))
    made = ()
    if kinetics.size == 5:
        shares = (p.metabolite_share_alpha, 1.0 - p.metabolite_share_alpha)
        made = tuple(zip((p.metabolite_alpha, p.metabolite_beta), shares, strict=True))
    A = np.zeros((stages + kinetics.size - 1,) * 2)
    for i in range(stages):
        A[i, i] = -ktr
        if i:
            A[i, i - 1] = ktr
    for i, (rate, share) in enumerate(parent, stages):
        A[i, i], A[i, stages - 1] = -rate, share * ktr
    for j, (rate, share) in enumerate(made, stages + 2):
        A[j, j] = -rate
        A[j, stages : stages + 2] = share * p.formation
    return A, stages


def test_independent_propagator_equals_the_matrix_exponential(form):
    kinetics, p = form
    A, stages = compartments(kinetics, p)
    for t, found in zip(TIMES, compiled(kinetics)[0](p, jnp.array(TIMES)), strict=True):
        exact = expm(A * t)
        assert found[0, 0] == pytest.approx(exact[:stages, 0].sum(), abs=1e-9)
        assert np.allclose(found[1:, 0], exact[stages:, 0], rtol=1e-6, atol=1e-9)
        assert np.allclose(found[1:, 1:], exact[stages:, stages:], rtol=5e-6, atol=1e-12)


def test_analytic_propagators_of_two_times_compose(form):
    """Of what is in the body already; what is still to come starts anew where it has more than one stage."""
    kinetics, p = form
    two, five, both, _ = compiled(kinetics)[0](p, jnp.array([2.0, 5.0, 7.0, 24.0]))
    known = slice(0 if getattr(kinetics, "stages", 2) == 1 else 1, None)
    assert np.allclose((two @ five)[:, known], both[:, known], rtol=2e-5, atol=1e-12)


def test_analytic_rows_are_the_output_and_its_derivative(form):
    kinetics, p = form
    rows = lambda t: compiled(kinetics)[1](p, t)
    t = jnp.array(TIMES)
    change = (rows(t * (1 + 1e-4))[:, 0] - rows(t * (1 - 1e-4))[:, 0]) / (2e-4 * t[:, None])
    assert np.allclose(rows(t)[:, 1], change, rtol=2e-5, atol=1e-5 * np.abs(change).max(axis=1, keepdims=True))


def test_analytic_accumulated_is_the_integral_of_the_output(form):
    kinetics, p = form
    if not hasattr(kinetics, "accumulated"):
        return  # an analyte is read by the assay only
    x, w = np.polynomial.legendre.leggauss(8)
    for t in TIMES:
        edges = t * np.linspace(0.0, 1.0, 25) ** 3
        mid, half = 0.5 * (edges[1:] + edges[:-1]), 0.5 * np.diff(edges)
        nodes, weights = (mid[:, None] + half[:, None] * x).ravel(), (half[:, None] * w).ravel()
        rows = np.asarray(compiled(kinetics)[1](p, jnp.asarray(nodes)))[:, 0]
        assert np.allclose(kinetics.accumulated(p, jnp.float64(t)), weights @ rows, rtol=1e-5, atol=1e-9)


def test_conservation_all_that_is_formed_is_what_the_parent_lost():
    """Areas to infinity: of the parent share/rate, of the metabolite what came in over its own loss."""
    p = adult(shipped("temsirolimus"), kind=jnp.float64)
    parent = p.share_alpha / p.alpha + (1.0 - p.share_alpha) / p.beta
    made = p.metabolite_share_alpha / p.metabolite_alpha + (1.0 - p.metabolite_share_alpha) / p.metabolite_beta
    total = parent + p.metabolite_effect * p.formation * parent * made
    assert float(ParentMetabolite().accumulated(p, jnp.float64(5000.0))[0]) == pytest.approx(float(total), rel=1e-9)
