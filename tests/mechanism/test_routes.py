"""A switch changes what treatment does, and nothing else."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from trialsim.cohort import sample_cohort
from trialsim.engine.rosenbrock import rodas3_step
from trialsim.mechanism import growth, patient, routes, signalling
from trialsim.mechanism.individual import individual_parameters, network_constants
from trialsim.mechanism.routes import OPEN, Routes
from trialsim.mechanism.steady import structure

N = 48
OCCUPANCY = np.array([0.3, 0.6, 0.9, 1.0], np.float32)
ROUNDING = 1e-4
CUT_ALL = Routes(*[0.0] * len(Routes._fields))


def without(*names):
    return OPEN._replace(**dict.fromkeys(names, 0.0))


@pytest.fixture(scope="module")
def people():
    """Settings and covariates of adults of all tumour types."""
    from trialsim import compose

    config = compose(overrides={"cohort.size": N})
    return config, sample_cohort(config.cohort, config.tumour, config.seed)


def parameters(people, r=OPEN, tumour=None):
    config, cohort = people
    found = individual_parameters(cohort, config.drug, config.network, tumour or config.tumour, 1, np.arange(N), 1, routes=r)
    return jax.tree.map(lambda leaf: jnp.moveaxis(jnp.asarray(leaf, jnp.float32), 0, -1), found)


@pytest.fixture(scope="module")
def constants(people):
    return jax.tree.map(jnp.float32, network_constants(people[0].network))


@pytest.fixture(scope="module")
def course(people, constants):
    """Routes -> untreated, and after 20 days at each occupancy the tumours' states and net growth, (occupancies, patients)."""

    @jax.jit
    def program(k, p, occupancy):
        p, treated = routes.cut(p), routes.treated(k, p.routes)
        reference = patient.untreated(k, p)
        p = patient.of_cell(p, patient.TUMOUR)
        x = jax.tree.map(lambda leaf: leaf[patient.TUMOUR], reference.cells)
        steps = jnp.diff(jnp.geomspace(0.1, 480.1, 61)).astype(jnp.float32)

        def at(level):
            u = (jnp.full(N, level),)
            none = (jnp.zeros(N),)
            rates = lambda x, u: signalling.rates(x, signalling.Inhibition(*u), treated, p.cell)
            after = jax.lax.scan(lambda x, h: (rodas3_step(rates, structure(), x, u, none, u, h), None), x, steps)[0]
            return after, growth.net_growth(patient.tumour_fates(after, k, p), reference.fates, p.growth.phi)

        return reference, *jax.lax.map(at, occupancy)

    return lambda r: jax.tree.map(np.asarray, program(constants, parameters(people, r), OCCUPANCY))


@pytest.fixture(scope="module")
def full(course):
    return course(OPEN)


def test_open_routes_change_no_bit(people, constants):
    p = parameters(people)
    both = jax.jit(lambda k, p: (routes.treated(k, p.routes), routes.cut(p)))(constants, p)
    for found, wanted in zip(jax.tree.leaves(both), jax.tree.leaves((constants, p)), strict=True):
        assert np.array_equal(found, np.broadcast_to(wanted, np.shape(found)))


@pytest.mark.parametrize("name", Routes._fields)
def test_the_untreated_tumour_stays_what_it_was(course, full, name):
    before, _, _ = full
    reference, after, _ = course(without(name))
    for found, wanted in zip(reference.cells, before.cells, strict=True):
        assert np.array_equal(found, wanted)
    if name != "bypass":  # of which growth is another share, of the same untreated growth
        for found, wanted in zip(jax.tree.leaves(reference.fates), jax.tree.leaves(before.fates), strict=True):
            assert np.array_equal(found, wanted)
    assert np.allclose(growth.net_growth(reference.fates, reference.fates, 0.85), 1.0, atol=1e-5)


def test_without_feedback_nothing_upstream_rises_at_any_occupancy(course, full):
    reference, after, _ = course(without("feedback"))
    start = jax.tree.map(lambda leaf: leaf[patient.TUMOUR], reference.cells)
    for name in ("T308", "S473", "ERK", "PIP3"):
        assert np.all(getattr(after, name) <= getattr(start, name) * (1 + ROUNDING)), name
    for name in ("IRS1", "GRB10"):
        assert np.array_equal(getattr(after, name), np.broadcast_to(getattr(start, name), (len(OCCUPANCY), N))), name
    assert np.mean(full[1].T308[-1] > start.T308) > 0.5  # with it they do


def test_without_sparing_mTORC2_is_lost_with_occupancy(course, full):
    _, after, _ = course(without("mTORC2_sparing"))
    assert np.allclose(after.mTORC2, (1.0 - OCCUPANCY**2)[:, None], atol=1e-3)
    assert np.all(after.mTORC2 <= full[1].mTORC2 + ROUNDING)


def test_without_partial_inhibition_4EBP1_follows_the_activity_that_S6K_sees(course, constants, full):
    """Both rest where phosphorylation by the same a balances dephosphorylation: S6K = a / (a + d), BP = v a / (v a + d)."""
    _, after, _ = course(without("partial_4EBP1"))
    a = constants.d_S6K * after.S6K / (1.0 - after.S6K)
    assert np.allclose(after.BP, constants.v_4EBP1 * a / (constants.v_4EBP1 * a + constants.d_4EBP1), rtol=2e-3, atol=1e-4)
    assert np.all(after.BP < full[1].BP)


def test_what_is_held_stays_to_the_last_bit(course):
    reference, after, _ = course(without("autophagy", "adaptation"))
    assert np.array_equal(after.flux, np.broadcast_to(reference.cells.flux[patient.TUMOUR], after.flux.shape))
    assert not after.W.any()


def test_without_stroma_every_tumour_is_reached_as_if_it_had_none(people):
    config, _ = people
    bare = {
        name: tumour.model_copy(update={"pathway": tumour.pathway.model_copy(update={"penetration": 1.0})})
        for name, tumour in config.tumour.items()
    }
    found, wanted = routes.cut(parameters(people, without("stroma"))), parameters(people, tumour=bare)
    hindered = parameters(people).penetration[patient.TUMOUR] < 1
    assert 0 < hindered.sum() < N
    assert np.allclose(found.binding.partition, wanted.binding.partition, rtol=1e-6)


def test_without_bypass_a_complete_block_slows_every_tumour_more(course):
    """All mTORC1 taken, and no other route open; sensitive and resistant cells."""
    others = [name for name in Routes._fields if name != "bypass"]
    _, _, spared = course(without(*others))
    _, _, cut = course(CUT_ALL)
    for with_bypass, without_it in zip(spared, cut, strict=True):
        assert np.all(without_it[-1] < with_bypass[-1])


@pytest.mark.parametrize("name", Routes._fields)
def test_cutting_a_route_never_raises_the_median_growth(course, full, name):
    """Single tumours may be worse off, see the analysis; the median one is not, at any occupancy."""
    _, _, (found, _) = course(without(name))
    assert np.all(np.median(found, axis=1) <= np.median(full[2][0], axis=1) + ROUNDING)


def test_a_route_cut_in_part_lies_between(people, constants):
    r = Routes(*[0.5] * len(Routes._fields))
    half, k = routes.cut(parameters(people, r)), routes.treated(constants, r)
    assert np.allclose(half.growth.b, 0.5 * parameters(people).growth.b)
    assert float(k.k_flux) == pytest.approx(0.5 * float(constants.k_flux))
    assert float(constants.e_4E) < float(k.e_4E) < float(constants.e_S6K)
