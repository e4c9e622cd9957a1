"""Chains to several data sets at once: their posterior in closed form, the same draws however many advance side by side."""

import subprocess
import sys

import jax
import numpy as np
import numpyro
import numpyro.distributions as dist
import pytest

from trialsim.calibration.sampling import Geometry, Sampler, geometry, sample

DATA = [np.array([0.3, 1.1, -0.4, 2.0]), np.array([4.0, 5.5, 4.4, 6.1]), np.array([-2.0, -1.0, -3.0, 0.0])]
SAMPLER = Sampler(chains=2, warmup=300, samples=1000, lanes=4)  # six chains: the second part is filled up
SEEDS = [5, 6, 7]


def model(scale, y):
    """Normal data with known SD about a normal mean."""
    tau = numpyro.sample("tau", dist.HalfNormal(1.0))  # free of the data: its posterior is its prior
    mu = numpyro.sample("mu", dist.Normal(0.0, 3.0))
    numpyro.deterministic("twice", 2.0 * mu)
    numpyro.factor("numbers", dist.Normal(mu, scale).log_prob(y).sum() + 0.0 * tau)


@pytest.fixture(scope="module")
def found():
    return sample(model, {"scale": 2.0}, [{"y": y} for y in DATA], SAMPLER, SEEDS)


def closed_form(y):
    precision = 1.0 / 9.0 + len(y) / 4.0
    return y.sum() / 4.0 / precision, precision**-0.5


def test_posteriors_are_those_of_the_closed_form(found):
    for y, (draws, told) in zip(DATA, found, strict=True):
        mean, sd = closed_form(y)
        error = sd / told["smallest_ess"] ** 0.5  # of the mean; 5 of them: a false alarm in a million
        assert draws["mu"].mean() == pytest.approx(mean, abs=5 * error)
        assert draws["mu"].std() == pytest.approx(sd, rel=0.15)
        assert np.array_equal(draws["twice"], 2.0 * draws["mu"])
        assert told["divergences"] == 0
        assert told["largest_rhat"] < 1.03


def test_draws_do_not_hang_on_what_is_fitted_beside(found):
    alone = sample(model, {"scale": 2.0}, [{"y": DATA[1]}], SAMPLER, [SEEDS[1]])
    assert np.array_equal(alone[0][0]["mu"], found[1][0]["mu"])


def test_a_known_geometry_serves_a_fit_to_other_data(found):
    known = geometry(model, {"scale": 2.0, "y": DATA[0]}, found[0][0])
    assert isinstance(known, Geometry)
    assert known.metric.shape == (2, 2)
    assert known.metric[0, 0] == pytest.approx(closed_form(DATA[0])[1] ** 2, rel=0.2)  # mu before tau
    quick = SAMPLER._replace(warmup=50)
    ((draws, told),) = sample(model, {"scale": 2.0}, [{"y": DATA[1]}], quick, [1], known)
    mean, sd = closed_form(DATA[1])
    assert draws["mu"].mean() == pytest.approx(mean, abs=5 * sd / told["smallest_ess"] ** 0.5)


def test_arrays_may_be_single_precision_outside(found):
    assert found[0][0]["mu"].dtype == np.float64
    assert not jax.config.jax_enable_x64


ON_CORES = """
import numpy as np, numpyro, numpyro.distributions as dist
from trialsim.engine.population import claim_cores, on_devices, usable_devices
claim_cores(CORES)
from trialsim.calibration.sampling import Sampler, sample
def model(scale, y):
    mu = numpyro.sample("mu", dist.Normal(0.0, 3.0).expand([3]).to_event(1))
    numpyro.factor("numbers", dist.Normal(mu, scale).log_prob(y).sum())
data = [{"y": np.array([k, 1.0, -1.0])} for k in range(6)]
fit = lambda some, seeds: sample(model, {"scale": 2.0}, some, Sampler(4, 50, 50), seeds)
beside = fit(data[:2], [0, 1])  # chains on all devices
jobs = [lambda k=k: fit([data[k]], [k])[0] for k in range(2, 6)]
beside += list(on_devices(jobs, usable_devices(None)))  # fits on all devices
assert len(usable_devices(None)) == CORES
print(np.concatenate([draws["mu"].ravel() for draws, _ in beside]).tobytes().hex())
"""


@pytest.mark.slow
def test_draws_do_not_hang_on_the_number_of_devices():
    """In processes of their own: the number of devices is fixed when JAX starts. NumPyro traces for one thread at a time."""
    run = lambda cores: subprocess.run(
        [sys.executable, "-c", ON_CORES.replace("CORES", str(cores))], capture_output=True, text=True, timeout=300, check=True
    )
    one, four = run(1).stdout, run(4).stdout
    assert one == four and len(one) > 1000
