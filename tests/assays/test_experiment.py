"""Experiments on cell lines: perfect instruments show the culture, a well stays what it is, the laws of the biology are seen."""

import numpy as np
import pandas as pd
import pytest

from trialsim.assays import experiment
from trialsim.assays.metrics import fit_wells

UNDER = ["line", "treatment", "dose_nM"]


def wells_of(states, line, config, settings):
    return experiment.read_plates(states[states["line"] == line], config, settings)


@pytest.fixture(scope="module")
def plates(states, config, exact):
    """Perfect read-outs of all lines."""
    return pd.concat([wells_of(states, line, config, exact) for line in states["line"].unique()])


@pytest.fixture(scope="module")
def fits(plates):
    return fit_wells(plates).set_index(["line", "treatment"])


def fold(table, line, treatment, dose, **where):
    """Mean fold of a band or stain."""
    here = (table["line"] == line) & (table["treatment"] == treatment) & (table["dose_nM"] == dose)
    for name, value in where.items():
        here &= table[name] == value
    assert here.any()
    return table[here]["fold"].mean()


# ---- perfect instruments show the culture


def test_states_hold_every_condition_at_every_time(states, settings):
    hours = experiment.hours_seen(settings)
    assert hours[0] == 0.0 and settings.plate.hours in hours
    counted = states.groupby("line").size()
    assert set(counted) == {len(hours) * (1 + sum(len(t.doses_nM) for t in settings.treatments.values()))}
    start = states[states["hours"] == 0.0]
    assert (start["live"] == 1.0).all() and start.groupby("line")["S6"].nunique().max() == 1


def test_perfect_plates_give_living_cells_over_vehicle_and_gr_values(plates, states, settings):
    end = states[states["hours"] == settings.plate.hours].set_index(UNDER)["live"]
    control = end.xs("vehicle", level="treatment").droplevel("dose_nM")
    tested = plates[plates["dose_nM"] > 0]
    live = end[list(tested[UNDER].itertuples(index=False, name=None))].to_numpy()
    reference = control[tested["line"]].to_numpy()
    np.testing.assert_allclose(tested["viability"], live / reference, rtol=1e-9)
    np.testing.assert_allclose(tested["GR"], 2 ** (np.log(live) / np.log(reference)) - 1, rtol=1e-9)
    assert (plates[plates["treatment"].isin(["blank", "time0"])][["viability", "GR"]].isna()).all(axis=None)


def test_perfect_blots_stains_and_counts_are_folds_of_the_states(states, config, exact):
    at = states.set_index([*UNDER, "hours"])
    blot = experiment.blots(states, config, exact)
    key = list(blot[[*UNDER, "hours"]].itertuples(index=False, name=None))
    vehicle = [(line, "vehicle", 0.0, hours) for line, _, _, hours in key]
    level = lambda places: np.array([at.at[place, band] for place, band in zip(places, blot["band"], strict=True)])
    np.testing.assert_allclose(blot["fold"], level(key) / level(vehicle), rtol=1e-9)
    count = experiment.counts(states, config, exact)
    here = at.loc[list(count[[*UNDER, "hours"]].itertuples(index=False, name=None)), "live"]
    np.testing.assert_allclose(count["fold"], here, rtol=1e-9)
    stain = experiment.stains(states, config, exact)
    flux = stain[stain["stain"] == "LC3_flux"]
    expected = at.loc[list(flux[[*UNDER, "hours"]].itertuples(index=False, name=None)), "flux"]
    np.testing.assert_allclose(flux["value"] / flux["value"].iloc[0], expected / expected.iloc[0], rtol=1e-9)


def test_a_stain_that_is_not_asked_for_is_not_there(states, config, settings):
    off = dict.fromkeys(("EdU_h", "annexin_V_h", "LC3_h"))
    none = settings.model_copy(update={"stain": settings.stain.model_copy(update=off)})
    assert experiment.stains(states, config, none).empty
    only = settings.model_copy(update={"stain": settings.stain.model_copy(update=off | {"EdU_h": 24.0})})
    assert set(experiment.stains(states, config, only)["stain"]) == {"EdU"}


# ---- a well is what it is


def test_a_well_is_read_the_same_in_any_layout(states, config, settings):
    """Fewer treatments, more replicates and copies: same seed, same error; only the place differs, which the edge makes visible."""
    flat = settings.model_copy(
        update={"instrument": settings.instrument.model_copy(update={"edge_loss": (0.0, 0.0, 0.0), "plate_cv": 0.0})}
    )
    more = flat.model_copy(update={"replicates": 5, "plate": flat.plate.model_copy(update={"copies": 4, "edge": "use"})})
    fewer = flat.model_copy(update={"treatments": {"rapamycin": flat.treatments["rapamycin"]}})
    key = ["replicate", "treatment", "dose_nM", "copy"]
    base, *others = (wells_of(states, "ca46", config, s).set_index(key)[["luminescence", "cells"]] for s in (flat, more, fewer))
    for other in others:
        shared = base.index.intersection(other.index)
        assert len(shared) > 50
        pd.testing.assert_frame_equal(base.loc[shared], other.loc[shared])


def test_another_seed_is_another_day(states, config, settings):
    again = config.model_copy(update={"seed": config.seed + 1})
    one, two = (wells_of(states, "ca46", c, settings)["luminescence"] for c in (config, again))
    assert (one != two).all()


def test_replicate_wells_vary_as_seeding_and_light_do(states, config, settings):
    plate = settings.plate.model_copy(update={"controls": 24})
    many = settings.model_copy(update={"replicates": 12, "plate": plate})
    k = settings.instrument
    cv = experiment.quality(wells_of(states, "ca46", config, many))
    assert cv.median() == pytest.approx(np.sqrt(k.seeding_cv**2 + k.luminescence_cv**2), rel=0.3)
    edge = many.model_copy(update={"plate": plate.model_copy(update={"edge": "use"})})
    assert experiment.quality(wells_of(states, "ca46", config, edge)).median() > cv.median()


# ---- laws


def test_rapamycin_takes_ps6_from_both_hepatocytes_and_dna_synthesis_from_one(states, config, exact):
    blot, stain = experiment.blots(states, config, exact), experiment.stains(states, config, exact)
    for line in ("hepatocyte_fetal", "hepatocyte_adult"):
        assert fold(blot, line, "rapamycin", 30.0, band="S6", hours=24.0) < 0.3
    fetal, adult = (fold(stain, f"hepatocyte_{age}", "rapamycin", 30.0, stain="EdU") for age in ("fetal", "adult"))
    assert 0.85 < fetal < 1.15 and adult < 0.85


def test_burkitt_cells_proliferate_less_and_die_more_when_the_whole_axis_is_suppressed(states, config, exact, fits):
    stain = experiment.stains(states, config, exact)
    assert fold(stain, "ca46", "dactolisib", 100.0, stain="EdU") < fold(stain, "ca46", "rapamycin", 30.0, stain="EdU") < 1.0
    assert fold(stain, "ca46", "dactolisib", 100.0, stain="annexin_V") > 1.3
    assert fits.loc[("ca46", "dactolisib"), "GRmax"] < 0.0 < fits.loc[("ca46", "rapamycin"), "GRmax"] < 1.0


def test_stroma_shifts_the_curve_and_not_its_bottom(fits):
    bare, within = (fits.loc[(line, "rapamycin")] for line in ("panc1", "panc1_stroma"))
    assert within["GEC50_nM"] > 2.0 * bare["GEC50_nM"]
    assert within["GRmax"] == pytest.approx(bare["GRmax"], abs=0.03)


def test_an_frb_mutant_has_no_curve_under_rapamycin(fits):
    mutant = fits.loc[("epithelial_frb", "rapamycin")]
    assert mutant["GR50_nM"] == np.inf and mutant["GRmax"] == pytest.approx(1.0, abs=0.02)
    assert fits.loc[("epithelial_frb", "dactolisib"), "GRmax"] < 0.5
