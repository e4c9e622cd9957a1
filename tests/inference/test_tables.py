"""From patients to counts: nobody is lost, empty cells are dropped."""

import numpy as np
import pandas as pd
import pytest

from trialsim.evidence import monotherapy_counts
from trialsim.inference.tables import cells_of, count_dlt, count_patients, count_published, response_data
from trialsim.schema import ConfigError
from trialsim.schema.inference import InferenceSettings

SETTINGS = InferenceSettings()


def test_counts_add_up_to_the_patients(make_patients):
    patients = make_patients(200)
    counts = count_patients(patients, SETTINGS)
    for endpoint, column in (("orr", "responder"), ("dcr", "disease_control"), ("clinical_benefit_rate", "clinical_benefit")):
        mine = counts[counts["endpoint"] == endpoint]
        assert mine["n"].sum() == 200 and mine["y"].sum() == patients[column].sum()
    assert (counts["n"] > 0).all()


def test_strata_mean_what_they_say(make_patients):
    patients = make_patients(50)
    cells = cells_of(patients, SETTINGS)
    assert (cells["later_line"] == (patients["line"] >= SETTINGS.later_line_from)).all()
    pathway = patients[["pik3ca", "pten_mutation", "pten_loss", "akt1", "tsc", "mtor"]].any(axis=1)
    assert (cells["pathway_altered"] == pathway).all(), "KRAS is another pathway"


def test_a_missing_outcome_leaves_only_its_endpoint(make_patients):
    patients = make_patients(30).astype({"clinical_benefit": object})
    patients.loc[:9, "clinical_benefit"] = None
    counts = count_patients(patients, SETTINGS)
    assert counts.groupby("endpoint")["n"].sum().to_dict() == {"orr": 30, "dcr": 30, "clinical_benefit_rate": 20}


def test_cells_of_the_population_without_patients_are_kept_for_prediction(make_patients):
    patients = make_patients(300)
    data = response_data(count_patients(patients[:10], SETTINGS), cells_of(patients, SETTINGS))
    assert data.cell_weight.sum() == pytest.approx(1) and len(data.cell_type) > len(set(data.obs_cell))
    assert data.n.sum() == 30 and len(set(data.labels)) == len(data.labels)


def test_published_arms_become_counts():
    data = response_data(count_published(monotherapy_counts()))
    assert data.endpoints == ("orr", "dcr") and data.covariates == ()
    mixed = data.tumour_types.index("mixed")
    assert data.n[(data.cell_type[data.obs_cell] == mixed) & (data.obs_endpoint == 0)].sum() == 59 + 18 + 92 + 55


def test_dlt_counts_only_the_evaluable():
    patients = pd.DataFrame(
        {"dose_level": [3, 3, 5, 5.0], "dlt": [True, False, True, True], "dlt_evaluable": [True, True, True, False]}
    )
    assert count_dlt(patients).to_numpy().tolist() == [[3, 2, 1], [5, 1, 1]]


@pytest.mark.parametrize("change", [{"y": [3]}, {"n": [0]}, {"y": [-1]}])
def test_impossible_counts_are_refused(change):
    counts = pd.DataFrame({"tumour_type": ["a"], "endpoint": ["orr"], "n": [2], "y": [1]} | change)
    with pytest.raises(ConfigError, match="0 <= y <= n"):
        response_data(counts)


def test_an_empty_cohort_is_refused(make_patients):
    with pytest.raises(ConfigError, match="at least one"):
        count_patients(make_patients(5)[:0], SETTINGS)


def test_population_must_hold_the_counts(make_patients):
    patients = make_patients(40)
    with pytest.raises(ConfigError, match="every cell"):
        response_data(count_patients(patients, SETTINGS), cells_of(patients[patients["tumour_type"] != "a"], SETTINGS))
    assert np.isfinite(response_data(count_patients(patients, SETTINGS)).cell_weight).all()
