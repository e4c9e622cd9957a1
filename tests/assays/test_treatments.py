"""From treatments to what is in a well."""

import numpy as np
import pytest

from trialsim import compose
from trialsim.assays.treatments import compounds_of, conditions, medium
from trialsim.schema.analysis.assay import CompoundSettings, TreatmentSettings


def compound(**nodes):
    effects = {node: {"IC50_nM": IC50, "hill": hill, "max": most, "source": "test"} for node, (IC50, hill, most) in nodes.items()}
    return CompoundSettings(fu=0.5, inhibits=effects)


@pytest.fixture(scope="module")
def two(settings):
    """A rapalog beside a compound, and the compound alone, beside another on the same nodes."""
    doses = {"doses_nM": (1.0, 20.0), "sampled_nM": (20.0,)}
    treatments = {
        "alone": TreatmentSettings(label="a", drug="first", beside={}, **doses),
        "pair": TreatmentSettings(label="p", drug="rapalog", beside={"first": 20.0, "second": 20.0}, **doses),
    }
    compounds = {
        "first": compound(PI3K=(10.0, 2.0, 0.8), cytotoxic=(10.0, 1.0, 0.04)),
        "second": compound(PI3K=(10.0, 1.0, 1.0), cytotoxic=(10.0, 1.0, 0.02)),
    }
    return settings.model_copy(update={"treatments": treatments, "compounds": compounds})


def test_conditions_are_vehicle_then_each_dose_and_what_is_given_beside_alone(two):
    table = conditions(two)
    assert table.to_dict("list") == {
        "treatment": ["vehicle", "alone", "alone", "pair", "pair", "pair"],
        "dose_nM": [0.0, 1.0, 20.0, 0.0, 1.0, 20.0],
        "sampled": [True, False, True, True, False, True],
    }


def test_effects_follow_hill_and_drugs_on_a_node_act_independently(two):
    given = medium(conditions(two), two, two.compounds, penetration=1.0, hours=24.0)
    first = lambda free: 0.8 * free**2 / (100.0 + free**2)
    np.testing.assert_allclose(given.rapalog_nM, [0.0, 0.0, 0.0, 0.0, 1.0, 20.0])
    both = 1.0 - (1.0 - first(10.0)) * (1.0 - 0.5)
    np.testing.assert_allclose(given.inhibition.PI3K, [0.0, first(0.5), first(10.0), both, both, both])
    np.testing.assert_allclose(given.inhibition.cytotoxic[[0, 2, 3]], [0.0, 0.02, 0.02 + 0.01])  # killing adds up
    assert given.inhibition.MEK == 0.0 and given.hours == 24.0


def test_stroma_holds_back_compounds_here_and_the_rapalog_at_the_cell(two):
    given = medium(conditions(two), two, two.compounds, penetration=0.25, hours=24.0)
    free = 20.0 * 0.5 * 0.25
    assert given.inhibition.PI3K[2] == pytest.approx(0.8 * free**2 / (100.0 + free**2))
    assert given.rapalog_nM[-1] == 20.0  # binding.partition is that of the line


def test_partner_drugs_join_the_compounds_with_what_the_serum_leaves_free():
    config = compose("assay_burkitt", {"+partner": ["capivasertib"]})
    found = compounds_of(config, config.analysis)
    fu = config.partner["capivasertib"].pk.fu
    assert set(found) == {*config.analysis.compounds, "capivasertib"}
    assert fu < found["capivasertib"].fu < 1.0
