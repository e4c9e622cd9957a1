"""Who is asked in."""

import numpy as np
import pytest

from trialsim import beforehand, compose
from trialsim.cohort import sample_cohort
from trialsim.cohort.selection import eligible_share
from trialsim.options import populations
from trialsim.schema import ConfigError
from trialsim.schema.analysis.options import WhatSettings, WhoSettings

CONFIG = compose("question_biomarker")
WHO = {
    "all": WhoSettings(label="all"),
    "pten": WhoSettings(label="pten", selection={"pten_loss": True, "kras": False}),
    "old": WhoSettings(label="old", ages_y=(60.0, 70.0)),
}


def test_patients_are_as_asked_the_first_of_their_world_and_the_same_persons_in_every_population():
    found = populations.eligible(CONFIG, WHO, 60, 3)
    cohort = {name: sample_cohort(CONFIG.cohort, CONFIG.tumour, CONFIG.seed, one.ids) for name, one in found.items()}
    assert (found["all"].ids == 3 * populations.APART + np.arange(60)).all()
    assert cohort["pten"]["pten_loss"].all() and not cohort["pten"]["kras"].any()
    assert cohort["old"]["age_y"].between(60, 70, inclusive="left").all()
    alone = populations.eligible(CONFIG, {"pten": WHO["pten"]}, 60, 3)["pten"]
    assert (alone.ids == found["pten"].ids).all()


def test_the_prevalence_that_is_counted_is_that_of_the_genotypes():
    """z within 4 (false alarm 6e-5)."""
    found = populations.eligible(CONFIG, {"pten": WHO["pten"]}, 60, 0)["pten"]
    share = eligible_share(CONFIG.cohort, CONFIG.tumour, WHO["pten"].selection)
    assert found.eligible / found.screened == pytest.approx(share, abs=4 * np.sqrt(share * (1 - share) / found.screened))


def test_another_mix_or_population_is_sampled_and_the_treatment_has_its_own_dose_and_partners():
    one = populations.of_population(CONFIG, WhoSettings(label="x", mix={"melanoma": 1.0}))
    assert set(sample_cohort(one.cohort, one.tumour, 1, np.arange(20))["tumour_type"]) == {"melanoma"}
    partner = CONFIG.model_copy(update={"partner": {"trametinib": "its settings", "letrozole": "others"}})
    given = lambda names: list(populations.given(partner, WhatSettings(label="x", partners=names)).partner)
    assert (given(["trametinib"]), given([]), given(None)) == (["trametinib"], [], ["trametinib", "letrozole"])
    regimen = populations.given(CONFIG, WhatSettings(label="x", dose=50.0, unit="mg", schedule="weekly")).regimen
    assert (regimen.dose, regimen.unit, regimen.schedule) == (50.0, "mg", "weekly")
    assert regimen.adherence == CONFIG.regimen.adherence


def test_hardly_anybody_is_told_by_its_key_before_anything_is_simulated():
    everything = dict.fromkeys(("pik3ca", "pten_mutation", "akt1", "tsc", "kras", "mtor"), True)
    who = {"rare": WhoSettings(label="rare", selection=everything)}
    with pytest.raises(ConfigError, match="analysis.who.rare.selection.*1 in 2000"):
        beforehand.check(CONFIG.model_copy(update={"analysis": CONFIG.analysis.model_copy(update={"who": who})}))
