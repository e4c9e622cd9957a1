"""A fit is kept in a file and read again; another question makes another fit."""

from types import SimpleNamespace

import numpy as np
import numpyro
import numpyro.distributions as dist

from trialsim.calibration.fits import fits, geometry_of, kept, without
from trialsim.calibration.sampling import Sampler

NUMBERS = [SimpleNamespace(study=study, value=value) for study, value in (("A", 1.0), ("B", 2.0), ("B", 9.0))]
SAMPLER = Sampler(chains=2, warmup=200, samples=400)


def model(values, observed):
    mu = numpyro.sample("mu", dist.Normal(0.0, 10.0))
    tau = numpyro.sample("tau", dist.HalfNormal(1.0))
    terms = dist.Normal(mu, 1.0).log_prob(values) + 0.0 * tau
    numpyro.factor("numbers", (terms * observed["number"]).sum())


MADE = SimpleNamespace(
    model=model, shared={"values": np.array([one.value for one in NUMBERS])}, kinds={"number": NUMBERS}, digest="made",
    predicted=lambda draws, rng: {"all": draws["mu"] + rng.normal(size=len(draws["mu"]))},
)  # fmt: skip


def test_a_fit_without_a_study_does_not_see_it():
    without_a, without_b = fits(MADE, SAMPLER, [1, 2], [without("A"), without("B")])
    assert abs(without_a.draws["mu"].mean() - 5.5) < 0.3  # sd 0.7 of at least 100 effective draws
    assert abs(without_b.draws["mu"].mean() - 1.0) < 0.4


def test_what_was_fitted_is_read(tmp_path, monkeypatch):
    first = kept(tmp_path, "whole", MADE, SAMPLER, 1)
    monkeypatch.setattr("trialsim.calibration.fits.fit", None)  # nothing is fitted again
    again = kept(tmp_path, "whole", MADE, SAMPLER, 1)
    assert all(np.array_equal(first.draws[site], again.draws[site]) for site in first.draws)
    assert again.diagnostics == first.diagnostics and again.diagnostics["largest_rhat"] < 1.05
    assert np.array_equal(first.predicted["all"], again.predicted["all"])
    assert geometry_of(MADE, again).metric.shape == (2, 2)


def test_other_settings_other_numbers_and_other_data_are_other_fits(tmp_path):
    few = SAMPLER._replace(warmup=10, samples=10)
    other = SimpleNamespace(**vars(MADE) | {"digest": "other"})
    for made, seed, counts in ((MADE, 1, without("C")), (MADE, 2, without("C")), (MADE, 1, without("A")), (other, 1, without("C"))):
        kept(tmp_path, "whole", made, few, seed, counts)
    assert len(list((tmp_path / "fits").iterdir())) == 4
