"""Instruments: exact where they are perfect, and errors of the size that is asked for.

Statistical tests use fixed seeds; their bounds are two-sided with a false-alarm rate of 1e-4.
"""

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from scipy.integrate import quad

from trialsim.assays import readouts

IDS = np.arange(4000, dtype=np.uint32)
ALARM = 1e-4


def log_sd_is(values, sd):
    """Whether the SD of the logarithms agrees with ``sd``, by the chi-squared interval of a normal sample."""
    n = len(values)
    low, high = stats.chi2.ppf([ALARM / 2, 1 - ALARM / 2], n - 1) / (n - 1)
    return low < np.var(np.log(values), ddof=1) / sd**2 < high


@pytest.fixture(scope="module")
def k(settings):
    return settings.instrument


# ---- errors


@pytest.mark.parametrize("cv", [0.05, 0.25])
def test_errors_have_mean_1_and_the_cv_asked_for(cv):
    found = readouts.error(3, "test", IDS, cv)
    assert log_sd_is(found, np.sqrt(np.log1p(cv**2)))
    assert abs(found.mean() - 1.0) < stats.norm.ppf(1 - ALARM / 2) * cv / np.sqrt(len(IDS))


def test_an_error_belongs_to_its_id_and_to_what_is_measured():
    found = readouts.error(3, "test", IDS, 0.1)
    np.testing.assert_array_equal(readouts.error(3, "test", IDS[[17, 5]], 0.1), found[[17, 5]])
    assert abs(np.corrcoef(found, readouts.error(3, "other", IDS, 0.1))[0, 1]) < 0.07
    assert (readouts.error(3, "test", IDS, 0.0) == 1.0).all()


def test_counts_are_poisson_in_the_part_that_is_seen(k):
    cells = np.full(len(IDS), 8000.0)
    found = readouts.counted(cells, IDS, k.model_copy(update={"count_cv": 0.0}), 1)
    expected = 8000.0 / k.imaged  # variance of n / f with n of mean f N
    low, high = stats.chi2.ppf([ALARM / 2, 1 - ALARM / 2], len(IDS) - 1) / (len(IDS) - 1)
    assert low < np.var(found, ddof=1) / expected < high


def test_loading_cancels_and_the_fold_has_the_cv_of_bands_and_control(k):
    levels = pd.DataFrame({"S6": np.full(len(IDS), 0.5)})
    reference = pd.Series({"S6": 1.0})
    clean = k.model_copy(update={"band_cv": 0.0, "loading_control_cv": 0.0, "loading_cv": 0.5, "blot_floor": 0.0})
    blot = readouts.bands(levels, IDS, reference, clean, 1)
    np.testing.assert_allclose(blot["S6"] / blot["loading"], 0.5)
    blot = readouts.bands(levels, IDS, reference, k, 1)
    signal = (blot["S6"] / blot["loading"]).to_numpy()
    fold = signal[::2] / signal[1::2]
    assert log_sd_is(fold, np.sqrt(2.0 * (np.log1p(k.band_cv**2) + np.log1p(k.loading_control_cv**2))))


def test_a_band_without_antigen_shows_the_floor(k):
    quiet = k.model_copy(update={"band_cv": 0.0, "loading_control_cv": 0.0})
    blot = readouts.bands(pd.DataFrame({"S6": [0.0, 2.0]}), IDS[:2], pd.Series({"S6": 2.0}), quiet, 1)
    np.testing.assert_allclose(blot["S6"] / blot["loading"], [k.blot_floor / (1 + k.blot_floor), 1.0])


def test_the_edge_takes_its_share(k):
    wells = pd.DataFrame({"ring": [0, 1, 2, 3], "id": IDS[:4]})
    found = readouts.in_wells(np.full(4, 1000.0), wells, k.model_copy(update={"seeding_cv": 0.0}), 1)
    np.testing.assert_allclose(found, 1000.0 * (1.0 - np.array([*k.edge_loss, 0.0])))


def test_a_cytometer_counts_binomially_and_its_gate_shifts_the_odds(k):
    counting = k.model_copy(update={"gate_sd": 0.0, "events": 500})
    found = readouts.gated(np.full(len(IDS), 0.2), IDS, "test", counting, 1)
    low, high = stats.chi2.ppf([ALARM / 2, 1 - ALARM / 2], len(IDS) - 1) / (len(IDS) - 1)
    assert low < np.var(found, ddof=1) / (0.2 * 0.8 / 500) < high
    shifting = k.model_copy(update={"events": 0})
    found = readouts.gated(np.full(len(IDS), 0.2), IDS, "test", shifting, 1)
    assert log_sd_is(found / (1 - found), k.gate_sd)


# ---- what is measured


@pytest.mark.parametrize("rate", [1.0, 0.4, 0.0, -0.6])
def test_gr_values_are_two_to_the_relative_growth_rate_less_one(rate):
    doublings = 3.2
    found = readouts.growth_rate_value(np.array([500 * 2 ** (rate * doublings)]), np.array([500.0]), np.array([500 * 2**doublings]))
    assert found[0] == pytest.approx(2**rate - 1)


def test_a_well_without_cells_has_the_lowest_gr_value():
    assert readouts.growth_rate_value(np.array([0.0]), np.array([1.0]), np.array([4.0]))[0] == -1.0


def test_viability_is_light_over_the_plates_own_vehicle_without_blanks():
    wells = pd.DataFrame({
        "plate": ["a"] * 4 + ["b"] * 4, "treatment": ["vehicle", "blank", "x", "time0"] * 2,
        "luminescence": [110.0, 10.0, 60.0, 30.0, 410.0, 10.0, 110.0, 30.0],
    })  # fmt: skip
    np.testing.assert_allclose(readouts.viability(wells), [1.0, np.nan, 0.5, np.nan, 1.0, np.nan, 0.25, np.nan])


def test_edu_is_the_share_of_the_stable_age_distribution_in_s_phase_during_the_pulse(config):
    """Without death, cells of age a have density 2 k e^(-k a) (von Foerster); at the end of the pulse those are labelled that
    entered S phase and had not left it when the pulse began."""
    culture, cycle = config.culture, 20.0
    k = np.log(2.0) / cycle
    into_S, out_of_S = cycle - culture.G2M_h - culture.S_phase_h, cycle - culture.G2M_h
    expected = quad(lambda age: 2.0 * k * np.exp(-k * age), into_S, out_of_S + culture.pulse_h)[0]
    assert readouts.edu_fraction(np.array(k), culture) == pytest.approx(expected)


def test_edu_of_slow_cells_is_nowakowskis_labelling_index(config):
    k, culture = 1e-5, config.culture
    assert readouts.edu_fraction(np.array(k), culture) == pytest.approx(k * (culture.S_phase_h + culture.pulse_h), rel=1e-3)


def test_edu_rises_with_proliferation_and_is_a_share(config):
    found = readouts.edu_fraction(np.linspace(0.0, 0.2, 50), config.culture)
    assert found[0] == 0.0 and found[-1] == 1.0 and (np.diff(found) >= 0).all()


def test_annexin_counts_the_dying_and_those_hurt_by_handling():
    np.testing.assert_allclose(readouts.annexin_fraction(np.array([3.0]), np.array([1.0]), 0.0), 0.25)
    np.testing.assert_allclose(readouts.annexin_fraction(np.array([3.0]), np.array([1.0]), 0.1), 0.25 + 0.1 * 0.75)


def test_bafilomycin_adds_the_flux_whatever_else_is_blocked(config):
    flux, blocked = np.array([0.3, 0.3, 0.6]), np.array([0.0, 0.8, 0.0])
    without, with_it = readouts.lc3(flux, blocked, 4.0, config.culture)
    np.testing.assert_allclose(with_it - without, 4.0 * flux)
    np.testing.assert_allclose(without / without[0], [1.0, 5.0, 2.0])
