"""Basket and historical-control designs as shipped in conf/design."""

import numpy as np
import pytest
from settings_of import settings_of

from trialsim.cli import compose
from trialsim.designs.basket.from_settings import basket_design
from trialsim.designs.basket.models import Hierarchical, Independent, Pooled
from trialsim.designs.basket.operating import plain_responses
from trialsim.designs.basket.trial import play
from trialsim.designs.borrowing.decision import power, success_table
from trialsim.designs.borrowing.from_settings import historical_design
from trialsim.evidence import historical_counts
from trialsim.schema import ConfigError

MODELS = {"independent": Independent, "pooled": Pooled, "berry": Hierarchical, "exnex": Hierarchical}


SLOW = {"exnex"}  # berry has the same model of the others


@pytest.mark.parametrize(
    ("name", "model"), [pytest.param(*one, marks=[pytest.mark.slow] if one[0] in SLOW else []) for one in MODELS.items()]
)
def test_shipped_basket_designs_keep_their_error(name, model):
    """Calibrated on 1,000 trials without futility stops, so that in the same trials with them the error is not above 0.1."""
    settings = compose("dose_response", [f"design=basket_{name}"]).design
    design = basket_design(settings, np.random.default_rng(1), replicates=1000)
    assert isinstance(design.model, model) and np.all((design.gamma > 0.5) & (design.gamma < 1))
    null = plain_responses(design.null_rate, design.caps, 1000, np.random.default_rng(1))
    assert 0.04 < play(design, null).positive.mean() <= 0.1
    active = play(design, plain_responses(np.full(5, 0.3), design.caps, 500, np.random.default_rng(2)))
    assert np.all(active.positive.mean(axis=0) > 0.75)


@pytest.mark.parametrize(
    ("override", "key"),
    [
        ("design.looks=[15,10]", "design.looks"),
        ("design.baskets.endometrial.target_rate=0.05", "design.baskets.endometrial.target_rate"),
        ("design.futility={kind: predictive, below: 0.05, binding: true}", "design.futility.binding"),
    ],
)
def test_incoherent_baskets_are_refused(override, key):
    with pytest.raises(ConfigError) as fault:
        settings_of("dose_response", ["design=basket_exnex", override])
    assert fault.value.key == key


def test_shipped_historical_control():
    """Power rises with the treated rate; the sizes must add up."""
    settings = compose("dose_response", ["design=historical_control"]).design
    history = historical_counts(settings.history.drug, settings.history.tumour_types, settings.history.age_group)
    assert len(history) >= 8 and set(history["age_group"]) == {"adult"}
    design = historical_design(settings, history["events"], history["n"])
    table = success_table(design)
    assert table.shape == (41, 21)
    found = power(table, [0.03, 0.1, 0.2, 0.3], 0.03)
    assert np.all(np.diff(found) > 0) and found[0] < 0.1 and found[-1] > 0.9
    with pytest.raises(ConfigError, match="replicate_size"):
        compose("dose_response", ["design=historical_control", "design.control=0"])
