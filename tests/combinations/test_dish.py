"""The surface of a pair: nothing is found where nothing was put in, and what has no answer gets none."""

import numpy as np
import pandas as pd
import pytest

from trialsim import compose
from trialsim.combinations import dish
from trialsim.combinations.surfaces import SingleAgent, bliss, effect_of, loewe

A = np.array([0.0, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0])
DRUG, OTHER = SingleAgent(0.9, 1.0, 1.3), SingleAgent(0.5, 2.0, 1.1)


def points(both, replicates=3, noise=0.0):
    """Points of one line whose effect at doses a and b is ``both(a, b)``."""
    a, b = (grid.ravel() for grid in np.meshgrid(A, A, indexing="ij"))
    kept = (a > 0) | (b > 0)
    rng, rows = np.random.default_rng(0), []
    for replicate in range(replicates + 1):
        effect = both(a, b)[kept] + (noise * rng.normal(size=kept.sum()) if replicate else 0.0)
        table = {"line": "x", "replicate": replicate, "rapalog_nM": a[kept], "partner_nM": b[kept], "viability": effect}
        rows.append(pd.DataFrame(table).assign(growth=-np.log1p(-effect)))
    return pd.concat(rows, ignore_index=True)


def score(table, measure):
    return dish.scores(dish.excesses(table)).set_index("measure").loc[measure]


def test_independent_drugs_have_no_excess_over_bliss_on_either_scale():
    table = points(lambda a, b: bliss(effect_of(a, DRUG), effect_of(b, OTHER)))
    for measure in ("excess_bliss", "growth_excess_bliss"):
        assert score(table, measure)["exact"] == pytest.approx(0.0, abs=1e-12)
    assert score(table, "excess_hsa")["exact"] > 0.05


def test_a_sham_combination_is_additive_by_loewe_and_by_the_isobologram():
    table = points(lambda a, b: effect_of(a + b, DRUG))
    assert score(table, "excess_loewe")["exact"] == pytest.approx(0.0, abs=1e-6)
    beyond = dish.excesses(table)
    assert beyond["loewe_defined"].all()
    np.testing.assert_allclose(beyond["combination_index"], 1.0, atol=1e-4)
    assert np.abs(score(table, "excess_bliss")["exact"]) > 0.01  # Bliss takes a drug with itself for antagonism
    lines = dish.isoboles(table, 0.75)
    sums = lines["fraction_rapalog"] + lines["fraction_partner"]
    assert np.abs(sums - 1.0).max() < 0.15  # interpolated between doses threefold apart


def test_additive_drugs_of_unequal_maximum_have_no_excess_and_it_is_said_where_loewe_has_no_solution():
    table = points(lambda a, b: loewe(a, b, DRUG, OTHER).effect)
    beyond = dish.excesses(table)
    np.testing.assert_allclose(beyond["excess_loewe"], 0.0, atol=1e-5)
    assert beyond["loewe_defined"].any() and not beyond["loewe_defined"].all()
    assert np.isnan(beyond.loc[~beyond["loewe_defined"], "excess_loewe_strict"]).all()
    assert np.isnan(beyond.loc[beyond["viability"] > 0.5, "combination_index"]).all()


def test_a_drug_without_effect_leaves_the_other_as_expected():
    table = points(lambda a, b: effect_of(b, DRUG), noise=0.0)
    assert dish.single_agents(table[table["replicate"] == 0])[0].maximum == 0.0
    assert score(table, "excess_loewe")["exact"] == pytest.approx(0.0, abs=1e-6)


def test_noise_does_not_shift_bliss_and_its_interval_is_of_replicates():
    found = score(points(lambda a, b: bliss(effect_of(a, OTHER), effect_of(b, OTHER)), 12, noise=0.02), "excess_bliss")
    assert found["low"] < 0.0 < found["high"] and found["n"] == 12 and abs(found["exact"]) < 1e-12


def test_the_surface_has_single_agents_and_both():
    table = points(lambda a, b: bliss(effect_of(a, DRUG), effect_of(b, OTHER)))
    found = dish.surface(table, dish.excesses(table))
    assert len(found.query("measure == 'viability'")) == 48 and len(found.query("measure == 'excess_hsa'")) == 36
    np.testing.assert_allclose(found["estimate"], found["exact"])


def test_the_assay_holds_every_pair_of_doses():
    config = compose("combination")
    settings = config.analysis.in_vitro
    made = dish.assay_of(settings, "alpelisib").treatments
    held = {(dose, beside.beside.get("alpelisib", 0.0)) for beside in made.values() for dose in beside.doses_nM}
    assert held == {(a, b) for a in settings.rapalog_nM for b in (0.0, *settings.partner_nM)}
