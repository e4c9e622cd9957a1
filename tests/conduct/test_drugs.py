"""A small study of every rapalog, from its configuration to its tables."""

import numpy as np
import pytest
from small import SMALL, simulate

from trialsim import compose
from trialsim.conduct.inputs import make_schedule
from trialsim.conduct.tables import make_tables

DAYS, N = 56, 48
USUAL = {"sirolimus": (4.0, 1), "temsirolimus": (25.0, 7), "ridaforolimus": (40.0, 1)}  # mg, days between doses


@pytest.mark.slow
@pytest.mark.parametrize("drug", USUAL)
def test_a_study_of_every_drug(drug):
    config = compose(f"{drug}_adult", SMALL | {"cohort.size": N})
    cohort, course = simulate(config, days=DAYS)
    assert course.ok.all()
    dose, every = USUAL[drug]
    given = course.days.planned_mg[0, :14]
    assert set(given) <= {0.0, dose} and given[0] == dose and (every == 1 or given[every] == dose and not given[1:every].any())
    first = course.days.day.cmin[:, :7]
    assert (first[:, 0] > 0).all()
    if drug == "temsirolimus":
        assert (np.diff(first, axis=1) < 0).all()  # one infusion a week
    else:
        assert np.median(first[:, 4]) > np.median(first[:, 0])  # five doses accumulate, a few of them missed
    assert np.median(course.days.day.ps6[:, 27, 0]) < 0.6
    schedule = make_schedule(config, cohort["patient_id"].to_numpy())
    tables = make_tables(config, course, schedule, cohort, np.full(N, float(DAYS)))
    assert set(tables.adverse_events["term"]) <= set(config.drug.toxicity.terms) and len(tables.adverse_events) > N / 2
    full = tables.patients["cmax_ng_ml"].dropna()
    assert len(full) > N / 4 and (full > tables.patients.loc[full.index, "cmin_ng_ml"]).all()
