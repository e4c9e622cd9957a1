"""Partner drugs when the rapalog has been stopped."""

import jax.numpy as jnp
import numpy as np
import pytest

from trialsim.cli.trial_file import compose_trial
from trialsim.conduct import combination
from trialsim.conduct.inputs import make_setting
from trialsim.protocol import dosing


@pytest.fixture(scope="module")
def setting():
    return make_setting(compose_trial("bolero2"))


def given(setting, status, grades=None, free=True, level=0):
    config_terms = setting.rules.hold_at.shape[0]
    state = dosing.first_day()._replace(status=jnp.int32(status), level=jnp.int32(level))
    grades = jnp.zeros(config_terms, jnp.int32) if grades is None else grades
    full, always = jnp.array([25.0]), jnp.array([True])
    taken, planned = combination.doses(
        setting.partners, state, setting.rules, full, jnp.int32(40), always, grades, jnp.asarray(free)
    )
    return float(taken[0]), float(planned[0])


def test_the_partner_goes_on_when_toxicity_ends_the_rapalog_and_no_longer_than_the_study(setting):
    assert given(setting, dosing.ON) == given(setting, dosing.TOXICITY) == (25.0, 25.0)
    assert given(setting, dosing.TOXICITY, free=False) == (0.0, 25.0)
    for status in (dosing.PROGRESSION, dosing.DEATH, dosing.WITHDRAWAL, dosing.COMPLETED):
        assert given(setting, status)[0] == 0.0


def test_alone_it_is_held_by_its_own_rules_only(setting):
    terms = list(compose_trial("bolero2").terms)
    grade = lambda term: jnp.array([3 if name == term else 0 for name in terms], jnp.int32)
    assert given(setting, dosing.TOXICITY, grade("arthralgia"))[0] == 0.0  # exemestane's own rule, from grade 3
    assert given(setting, dosing.TOXICITY, grade("stomatitis"))[0] == 25.0  # everolimus's
    assert np.asarray(setting.partners.alone_at).shape == (1, len(terms))
