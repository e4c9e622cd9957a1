"""Draws of the posterior: kept, read back, and made into studies."""

import numpy as np
import pytest

from trialsim.calibration import posterior
from trialsim.calibration.posterior import Posterior
from trialsim.calibration.sampling import LARGEST_RHAT, SMALLEST_ESS
from trialsim.cli.trial_file import compose_trial
from trialsim.commands.calibrate import MANY_DIVERGE
from trialsim.schema import ConfigError

DRAWS = 40


@pytest.fixture(scope="module")
def made():
    rng = np.random.default_rng(0)
    of_type = ("growth colorectal", "dependence colorectal", "death colorectal")
    names = (*of_type, "line_growth", "partner letrozole", "exposure everolimus")
    return Posterior(
        names=names, shifts=rng.normal(0, 0.3, (DRAWS, len(names))), mu=np.tile([-6.0, -1.0, -6.5], (DRAWS, 1)),
        tau=np.full((DRAWS, 3), 0.5), rho=np.full(DRAWS, 0.5), child=np.full((DRAWS, 2), 0.1), omega=np.full((DRAWS, 2), 0.2),
        low_grade=np.full(DRAWS, -0.7), error=np.full((DRAWS, 4), 0.25), provenance={"seed": 3},
    )  # fmt: skip


def test_it_is_read_back_as_it_was_kept(made, tmp_path):
    made.save(tmp_path / "posterior.npz")
    again = posterior.read(tmp_path / "posterior.npz")
    assert again.names == made.names and again.provenance == made.provenance
    np.testing.assert_allclose(again.shifts, made.shifts, rtol=1e-6)
    assert posterior.chosen(str(tmp_path / "posterior.npz")).names == made.names


@pytest.mark.parametrize("content", [None, b"", b"PK\x03\x04 no archive", b"x" * 500])
def test_a_file_that_is_none_is_refused_by_its_key(tmp_path, content):
    path = tmp_path / "posterior.npz"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigError, match="analysis.posterior"):
        posterior.chosen(str(path))


def test_worlds_are_the_same_for_the_same_seed_and_differ_between_draws(made):
    trial = compose_trial("ng13")
    one, again, other = (posterior.worlds(trial, made, 6, seed) for seed in (1, 1, 2))
    rates = lambda worlds: [world.config.tumour["colorectal"].growth.rate_median_per_day for world in worlds]
    assert rates(one) == rates(again) != rates(other) and len(set(rates(one))) == 6
    np.testing.assert_allclose(one[0].error, 0.25)


def test_a_type_without_evidence_is_drawn_from_the_population_and_is_less_certain(made):
    trial = compose_trial("ng13")
    mix = {"colorectal": 0.4, "ovarian": 0.4, "thyroid": 0.2}  # differentiated carcinoma of the thyroid is of low grade
    trial = trial.model_copy(update={"cohort": trial.cohort.model_copy(update={"mix": mix})})
    assert posterior.unknown_types(trial, made) == ["ovarian", "thyroid"]
    worlds = posterior.worlds(trial, made, 400, 1)
    log = lambda kind: np.log([world.config.tumour[kind].growth.rate_median_per_day for world in worlds])
    for kind, mean in (("ovarian", -6.0), ("thyroid", -6.7)):
        assert np.mean(log(kind)) == pytest.approx(mean, abs=4 * 0.54 / 20)  # mu; SD of tau and omega together; 4 SE
        assert np.std(log(kind)) == pytest.approx(np.hypot(0.5, 0.2), rel=0.12)
        assert np.std(log(kind)) > np.std(log("colorectal"))


def test_what_is_shipped_is_whole_and_says_where_it_comes_from():
    found = posterior.shipped()
    assert found.shifts.shape == (1000, len(found.names)) and np.isfinite(found.shifts).all()
    assert {"growth rcc_clear_cell", "dependence pancreatic_net", "partner exemestane", "exposure everolimus"} <= set(found.names)
    mixed = found.provenance["diagnostics"]
    assert mixed["divergences"] <= MANY_DIVERGE * 4000
    assert mixed["largest_rhat"] < LARGEST_RHAT and mixed["smallest_ess"] > SMALLEST_ESS
    (whole,) = [row for row in found.provenance["judged"] if row["model"] == "mechanistic" and row["endpoint"] == "all"]
    assert 0.85 <= whole["inside_90"] <= 0.95 and whole["ratio"] < 0.9
    each = {row["endpoint"]: row for row in found.provenance["judged"] if row["model"] == "mechanistic"}
    for endpoint in ("orr", "dcr", "median_pfs", "pfs_hr"):
        assert each[endpoint]["ratio"] <= 1.0 and 0.85 <= each[endpoint]["inside_90"] <= 0.95
    assert "radiant3" in found.provenance["trials"] and "radiant4" not in found.provenance["trials"]  # validation is not fitted


def test_what_no_trial_tells_of_is_drawn_from_its_prior(made):
    trial = compose_trial("bolero2")
    assert set(posterior.untold(trial, made)) == {"PIK3CA", "PTEN_loss", "KRAS", "TSC", "partner exemestane"}
    worlds = posterior.worlds(trial, made, 300, 1)
    shift = np.array([world.config.network.genotype.PIK3CA for world in worlds]) - trial.network.genotype.PIK3CA
    assert abs(shift.mean()) < 4 * 0.5 / np.sqrt(300) and shift.std() == pytest.approx(0.5, rel=0.17)  # 4 SE
    assert len({world.config.partner["exemestane"].inhibits["endocrine"].max for world in worlds}) == 300


def test_alterations_that_the_trials_narrow_are_told_from_those_that_rest_on_cells(made):
    rng = np.random.default_rng(1)
    narrow, wide = rng.normal(0, 0.2, (DRAWS, 1)), rng.normal(0, 0.8, (DRAWS, 1))  # the prior's SD is 0.5
    told = made._replace(names=(*made.names, "PIK3CA", "KRAS"), shifts=np.hstack([made.shifts, narrow, wide]))
    assert posterior.of_laboratory(["pik3ca", "kras", "pten_loss"], told) == ["kras", "pten_loss"]
    every = ["pik3ca", "pten_loss", "kras", "tsc"]
    assert posterior.of_laboratory(every, posterior.shipped()) == every  # as the docs say


def test_a_world_is_the_same_world_in_whatever_study(made):
    """Another mix of tumour types, one of them unknown, and other partners change nothing of what both studies have."""
    trial = compose_trial("ng13")
    mix = {"thyroid": 0.5, "colorectal": 0.5}
    other = trial.model_copy(update={"cohort": trial.cohort.model_copy(update={"mix": mix}), "partner": {}})
    for one, another in zip(posterior.worlds(trial, made, 5, 1), posterior.worlds(other, made, 5, 1), strict=True):
        assert one.config.tumour["colorectal"] == another.config.tumour["colorectal"]
        assert one.config.network == another.config.network and one.config.drug == another.config.drug
    first = posterior.worlds(other, made, 2, 1)[0].config.tumour["thyroid"]
    alone = other.model_copy(update={"cohort": trial.cohort.model_copy(update={"mix": {"thyroid": 1.0}})})
    assert posterior.worlds(alone, made, 2, 1)[0].config.tumour["thyroid"] == first
