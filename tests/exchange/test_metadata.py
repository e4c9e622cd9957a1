"""The table of variables keeps the limits of SAS transport files, and covers what the model can produce."""

from pathlib import Path

import numpy as np
import pytest
import yaml

from trialsim import ConfigError
from trialsim.exchange.analysis_data import BUILDERS
from trialsim.exchange.events_data import preferred_terms
from trialsim.exchange.metadata import DIGITS, conform, datasets, read_data, significant

CONF = Path(__file__).parents[2] / "conf"


def test_names_labels_and_lengths_fit_sas_transport_files():
    assert set(datasets()) == set(BUILDERS)
    for dataset in datasets().values():
        assert len(dataset.name) <= 8 and len(dataset.label) <= 40
        names = [v.name for v in dataset.variables]
        assert len(set(names)) == len(names) and names[:2] == ["STUDYID", "USUBJID"]
        for v in dataset.variables:
            assert v.name.isidentifier() and v.name.isupper() and v.name.isascii() and len(v.name) <= 8, v.name
            assert 0 < len(v.label) <= 40 and v.origin, v.name
            assert v.type in ("text", "integer", "float", "date") and v.length <= 200, v.name
            assert v.type == "text" or v.length == 8, v.name
            assert all(len(term) <= v.length for term in v.terms or ()), v.name


def test_every_term_of_the_shipped_drugs_has_a_preferred_term():
    files = [*(CONF / "drug").glob("*.yaml"), *(CONF / "partner").glob("*.yaml")]
    terms = {term for file in files for term in yaml.safe_load(file.read_text())["toxicity"]["terms"]}
    assert len(terms) >= 9 and terms <= set(preferred_terms())


def test_event_table_columns_are_described():
    from trialsim.exchange.nonmem import COVARIATES

    described = list(read_data("nonmem.csv")["name"])
    assert described == ["ID", "TIME", "AMT", "DV", "EVID", "MDV", "CMT", "ADDL", "II", *COVARIATES]


def test_rounding_keeps_single_precision_apart_and_whole_numbers_whole():
    rng = np.random.default_rng(1)
    values = (10.0 ** rng.uniform(-12, 6, 5000)).astype("f4").astype(float)
    rounded = significant(values)
    assert np.array_equal(rounded.astype("f4"), values.astype("f4"))
    assert max(len(f"{value:.15g}".replace(".", "").lstrip("0").split("e")[0]) for value in rounded) <= DIGITS
    whole = np.arange(-5000.0, 5000)
    assert np.array_equal(significant(whole), whole)
    assert np.array_equal(significant(np.array([0.0, np.nan, 1e-30])), [0.0, np.nan, 1e-30], equal_nan=True)


@pytest.mark.parametrize(
    ("name", "value", "match"),
    [("SEX", "X", "ADSL.SEX = 'X'.*one of F, M"), ("ECOGBL", 7, "ADSL.ECOGBL"), ("AGE", 1.5, "ADSL.AGE.*whole"),
     ("TUMTYPE", "x" * 81, "ADSL.TUMTYPE.*80 bytes"), ("AGE", "old", "ADSL.AGE.*numbers")],
)  # fmt: skip
def test_what_is_no_controlled_term_is_refused(run, name, value, match):
    from trialsim import adam

    table = adam(run, "ADSL").head(2)
    columns = {column: table[column].astype(object).to_numpy() for column in table}
    conform(datasets()["ADSL"], columns)
    with pytest.raises(ConfigError, match=match):
        conform(datasets()["ADSL"], columns | {name: np.array([table[name].iloc[0], value], dtype=object)})


def test_the_listing_escapes_what_users_named():
    from trialsim.exchange.define import page

    text = page("<script>alert(1)</script>", {"ADAE": ["AETERM"]}, {"ADAE": 3}, datasets(), ["<b>"])
    assert "<script>" not in text and "<b>" not in text and "Reported Term" in text
    assert text.count("<table>") == 1
