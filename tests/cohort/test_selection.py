"""The share that a selection leaves, held to the patients as they are drawn."""

import numpy as np
import pytest

from trialsim import compose
from trialsim.cohort import sample_cohort
from trialsim.cohort.selection import eligible_share, refuse_rare, refuse_share
from trialsim.schema import ConfigError

N = 20_000


@pytest.fixture(scope="module")
def cohort():
    config = compose("predict")
    return config, sample_cohort(config.cohort, config.tumour, config.seed, np.arange(N))


@pytest.mark.parametrize("selection", [
    {"pik3ca": True}, {"tsc": True}, {"pten_loss": True, "pten_mutation": False}, {"pten_loss": False, "pten_mutation": True},
    {"pik3ca": True, "kras": True}, {"pik3ca": False, "akt1": False, "kras": True}, {"mtor": False, "pten_mutation": True},
], ids=str)  # fmt: skip
def test_it_is_the_share_of_those_drawn(selection, cohort):
    config, drawn = cohort
    seen = np.mean(np.logical_and.reduce([drawn[gene] == altered for gene, altered in selection.items()]))
    share = eligible_share(config.cohort, config.tumour, selection)
    assert abs(seen - share) <= 4.5 * np.sqrt(share * (1 - share) / N)  # false alarms: 7e-6 a selection


def test_shares_of_all_genotypes_add_up_to_one(cohort):
    config, _ = cohort
    genes = ("pik3ca", "pten_mutation", "pten_loss", "akt1", "tsc", "kras", "mtor")
    every = [{gene: bool(code >> i & 1) for i, gene in enumerate(genes)} for code in range(2 ** len(genes))]
    assert sum(eligible_share(config.cohort, config.tumour, selection) for selection in every) == pytest.approx(1.0)


def test_what_hardly_anybody_has_is_refused(cohort):
    config, _ = cohort
    refuse_rare(config.cohort, config.tumour, {"tsc": True})
    with pytest.raises(ConfigError, match="analysis.selection.*at least 1 in 2000"):
        refuse_rare(config.cohort, config.tumour, {"tsc": True, "akt1": True, "mtor": True})


def test_a_rare_selection_is_told_what_makes_it_rare():
    """Two alterations of one patient in ten each, of which none has both, and one that hardly anybody has."""
    shares = {("akt1",): 0.1, ("kras",): 0.1, ("mtor",): 1e-5, ("tsc",): 0.7}
    share_of = lambda asked: shares.get(tuple(asked), 0.07 if "tsc" in asked and len(asked) == 2 else 0.0)
    with pytest.raises(ConfigError) as error:
        refuse_share(share_of, {"akt1": True, "kras": True, "mtor": True, "tsc": False}, "selection")
    told = error.value.allowed
    assert "0 of them have these (shares that have each alone: akt1 0.1, kras 0.1, mtor 1e-05, no tsc 0.7; " in told
    assert told.endswith("too rare by itself: mtor; hardly ever together: akt1 with kras)")
