"""Real covariates from a file: taken as they are, completed by sampling, refused with the place of the fault."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from trialsim.cohort.plausibility import LESION_COLUMNS
from trialsim.schema import ConfigError

REQUIRED = ["age_y", "sex", "weight_kg", "height_cm", "tumour_type"]


@pytest.fixture(scope="module")
def sampled(adults):
    return adults.sample(40, seed=5)


@pytest.fixture(params=[".csv", ".parquet"])
def save(request, tmp_path):
    def write(frame):
        path = tmp_path / f"patients{request.param}"
        frame.to_csv(path, index=False) if request.param == ".csv" else frame.to_parquet(path, index=False)
        return str(path)

    return write


def as_csv(tmp_path, frame):
    path = tmp_path / "patients.csv"
    frame.to_csv(path, index=False)
    return str(path)


def test_a_complete_file_comes_back_as_it_is(adults, sampled, save):
    path = save(sampled.drop(columns=["bsa_m2", "ffm_kg", "n_target_lesions", "sld_baseline_mm"]))
    back = adults.sample(40, seed=99, covariates_file=path)
    pd.testing.assert_frame_equal(back, sampled, check_exact=False, rtol=1e-12)


def test_absent_columns_are_sampled_as_ever(adults, sampled, save):
    # With the same seed and the same tumour type, what depends on nothing else in the file is the same patient's.
    back = adults.sample(40, seed=5, covariates_file=save(sampled[REQUIRED]))
    for name in ("ecog", "kras", "pten_loss", "pathway_dependence", "growth_rate_per_day", "sld_baseline_mm"):
        np.testing.assert_allclose(back[name].astype(float), sampled[name].astype(float), rtol=1e-12)


def test_a_smaller_cohort_takes_the_first_rows(adults, sampled, tmp_path):
    back = adults.sample(7, covariates_file=as_csv(tmp_path, sampled[REQUIRED]))
    np.testing.assert_allclose(back.age_y, sampled.age_y[:7])


def test_known_columns_inform_the_sampled_ones(adults, many_adults, tmp_path):
    crc = many_adults[many_adults.tumour_type == "colorectal"].reset_index(drop=True)
    given = [*REQUIRED, "kras", "sld_baseline_mm", "pten_loss", "haematocrit", "death_rate_per_day"]
    back = adults.sample(len(crc), seed=8, covariates_file=as_csv(tmp_path, crc[given]))
    table = np.array([[(back.pik3ca & back.kras).sum(), (back.pik3ca & ~back.kras).sum()],
                      [(~back.pik3ca & back.kras).sum(), (~back.pik3ca & ~back.kras).sum()]])  # fmt: skip
    log_odds_ratio = np.log(table[0, 0] * table[1, 1] / (table[0, 1] * table[1, 0]))
    assert abs(log_odds_ratio - np.log(2.8)) < 3.89 * np.sqrt((1 / table).sum())  # false alarm 1e-4
    assert (
        stats.binomtest(int((back.pten_loss & back.pten_mutation).sum()), int(back.pten_mutation.sum()), 0.725).pvalue
        > 1e-4
    )
    for name in ("sld_baseline_mm", "haematocrit"):
        here, there = (stats.spearmanr(frame[name], frame.ecog).statistic for frame in (back, crc))
        assert here == pytest.approx(there, abs=2 * 3.89 / np.sqrt(len(crc)))
        assert abs(here) > 0.08
    assert stats.spearmanr(back.growth_rate_per_day, back.death_rate_per_day).statistic > 0.25


def test_lesions_give_number_and_sum(adults, sampled, tmp_path):
    frame = sampled[REQUIRED].assign(lesion_1_mm=20.0, lesion_2_mm=[35.0] + [np.nan] * 39)
    back = adults.sample(40, covariates_file=as_csv(tmp_path, frame))
    assert back[list(LESION_COLUMNS)].iloc[0].tolist()[:2] == [35.0, 20.0]  # largest first
    assert back.n_target_lesions.tolist() == [2] + [1] * 39
    assert back.sld_baseline_mm.tolist() == [55.0] + [20.0] * 39


def test_number_without_sum_and_sum_without_number(adults, sampled, tmp_path):
    number = adults.sample(40, covariates_file=as_csv(tmp_path, sampled[[*REQUIRED, "n_target_lesions"]]))
    assert (number.n_target_lesions == sampled.n_target_lesions).all()
    assert (number.sld_baseline_mm >= 10 * number.n_target_lesions).all()
    total = adults.sample(40, covariates_file=as_csv(tmp_path, sampled[[*REQUIRED, "sld_baseline_mm"]]))
    np.testing.assert_allclose(total[list(LESION_COLUMNS)].sum(axis=1), sampled.sld_baseline_mm)


def test_flags_may_be_one_and_zero(adults, sampled, tmp_path):
    frame = sampled[REQUIRED].assign(pik3ca=[1, 0] * 20)
    assert adults.sample(40, covariates_file=as_csv(tmp_path, frame)).pik3ca.tolist() == [True, False] * 20


def _set(column, row, value):
    def change(frame):
        frame[column] = frame[column].astype(object)
        frame.loc[row, column] = value
        return frame

    return change


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            lambda f: f.drop(columns="weight_kg"),
            "missing column weight_kg.*age_y, sex, weight_kg, height_cm, tumour_type",
        ),
        (lambda f: f.drop(columns=["sex", "age_y"]), "missing column age_y, sex"),
        (_set("weight_kg", 2, np.nan), "column weight_kg, row 3: empty .*a number from 6 to 300 kg"),
        (_set("weight_kg", 0, -70.0), "column weight_kg, row 1: -70.*from 6 to 300 kg"),
        (_set("weight_kg", 4, "heavy"), "column weight_kg, row 5: 'heavy'.*a number from 6 to 300 kg"),
        (_set("weight_kg", 4, np.inf), "column weight_kg, row 5: inf"),
        (
            _set("weight_kg", 1, 20.0),
            "column weight_kg, row 2: 20 with height_cm.*body-mass index of a number from 9 to 80",
        ),
        (_set("age_y", 39, 300), "column age_y, row 40: 300.*2 to 110 years"),
        (_set("sex", 3, "male"), "column sex, row 4: 'male'.*one of F, M"),
        (_set("sex", 3, None), "column sex, row 4: empty"),
        (_set("tumour_type", 1, "colon"), "column tumour_type, row 2: 'colon'.*one of .*colorectal"),
        (lambda f: f.assign(haematocrit=38.0), "column haematocrit, row 1: 38.*0.15 to 0.65 fraction of volume"),
        (lambda f: f.assign(haematocrit=[0.4] * 39 + [np.nan]), "column haematocrit, row 40: empty"),
        (lambda f: f.assign(ecog=1.5), "column ecog, row 1: 1.5.*a whole number from 0 to 3"),
        (lambda f: f.assign(ecog=[True] * 40), "column ecog, row 1: True"),
        (lambda f: f.assign(pik3ca="maybe"), "column pik3ca, row 1: 'maybe'.*true or false"),
        (lambda f: f.assign(hematocrit=0.4), "unknown column hematocrit.*haematocrit"),
        (lambda f: f.assign(bsa_m2=1.8), "column bsa_m2.*computed from weight_kg and height_cm"),
        (lambda f: f.assign(lesion_2_mm=20.0), "lesion_2_mm without lesion_1_mm"),
        (lambda f: f.assign(lesion_1_mm=5.0), "column lesion_1_mm, row 1: 5.*from 10 to 500 mm"),
        (lambda f: f.assign(lesion_1_mm=20.0, sld_baseline_mm=20.0), "sld_baseline_mm beside lesion_1_mm"),
        (lambda f: f.assign(n_target_lesions=5, sld_baseline_mm=30.0), "row 1: 30.*at least 50 mm for 5 lesions"),
        (lambda f: f.head(0), "no rows"),
    ],
)
def test_faults_name_column_row_and_what_is_allowed(adults, sampled, tmp_path, change, words):
    path = as_csv(tmp_path, change(sampled[REQUIRED].copy()))
    with pytest.raises(ConfigError, match=f"(?s)cohort.covariates_file.*{words}") as caught:
        adults.sample(1, covariates_file=path)
    assert caught.value.key == "cohort.covariates_file"


def test_more_patients_than_rows(adults, sampled, tmp_path):
    path = as_csv(tmp_path, sampled[REQUIRED])
    with pytest.raises(ConfigError, match="at most 40") as caught:
        adults.sample(41, covariates_file=path)
    assert (caught.value.key, caught.value.value) == ("cohort.size", 41)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("absent.csv", None, "no such file"),
        ("patients.xlsx", b"", "ends in .csv or .parquet"),
        ("patients.parquet", b"not parquet", "cannot be read"),
        ("patients.csv", b"", "cannot be read"),
    ],
)
def test_files_that_cannot_be_read(adults, tmp_path, name, content, words):
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigError, match=words):
        adults.sample(1, covariates_file=str(path))


def refused(path, match):
    from trialsim.cohort.covariates_file import read_covariates

    with pytest.raises(ConfigError, match=match):
        read_covariates(path, ("colorectal",), 1, np.arange(1))


ONE = "age_y,sex,weight_kg,height_cm,tumour_type\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (ONE + "61,F,70,165,colorectal\n0,61,F,70,165,colorectal\n", "row 2: 6 cells"),  # else taken for an index
        (ONE.strip() + ",lesion_1_mm,lesion_2_mm\n61,F,70,165,colorectal,20\n", "row 1: 6 cells"),  # cut off
        (ONE + f"61,F,70,165,{'x' * 300}\n", "a cell of 300 characters"),
        (ONE.strip() + ",age_y\n61,F,70,165,colorectal,61\n", "age_y more than once"),
        (",".join(f"x{i}" for i in range(300)) + "\n", "300 columns"),
        (ONE + '61,F,70,165,"color\n', "cannot be read"),
    ],
)  # fmt: skip
def test_csv_that_is_not_what_it_seems(tmp_path, text, said):
    (tmp_path / "patients.csv").write_text(text)
    refused(tmp_path / "patients.csv", said)


def test_csv_of_another_encoding(tmp_path):
    (tmp_path / "patients.csv").write_bytes(ONE.encode() + "61,F,70,165,carcinoma à cellules".encode("latin-1"))
    refused(tmp_path / "patients.csv", "cannot be read")


def test_parquet_that_stands_for_gigabytes(tmp_path):
    import pyarrow as pa
    import pyarrow.parquet as pq

    frame = pd.DataFrame({"age_y": [61.0], "sex": ["F"], "weight_kg": [70.0], "height_cm": [165.0], "tumour_type": ["colorectal"]})
    long = pa.table({"sex": pa.array(["x" * 1_000_000]).dictionary_encode().take(pa.array([0] * 20_000))})
    many = pa.table({name: pa.array([value]).take(pa.array(np.zeros(20_000, int))) for name, value in frame.iloc[0].items()
                     if name != "sex"})  # fmt: skip
    pq.write_table(many.append_column("sex", long["sex"]), tmp_path / "patients.parquet")
    assert (tmp_path / "patients.parquet").stat().st_size < 5_000_000  # 20 GB of text once unpacked
    refused(tmp_path / "patients.parquet", "a cell of 1000000 bytes")


@pytest.mark.parametrize("value", [[1.0], {"a": 1}, pd.Timestamp("2020-01-01"), b"61"])
def test_parquet_columns_of_another_type(tmp_path, value):
    frame = pd.DataFrame({"age_y": [value], "sex": "F", "weight_kg": 70.0, "height_cm": 165.0, "tumour_type": "colorectal"})
    frame.to_parquet(tmp_path / "patients.parquet")
    refused(tmp_path / "patients.parquet", "column age_y: of type")


def test_the_index_of_a_saved_table_and_the_names_of_folders_are_no_covariates(tmp_path):
    from trialsim.cohort.covariates_file import read_covariates

    (tmp_path / "study=1").mkdir()  # a reader of data sets would take this for a column
    path = tmp_path / "study=1" / "patients.parquet"
    frame = pd.DataFrame({"age_y": [61.0, 50], "sex": "F", "weight_kg": 70.0, "height_cm": 165.0, "tumour_type": "colorectal"})
    frame.iloc[[1]].to_parquet(path)
    assert read_covariates(path, ("colorectal",), 1, np.arange(1))["age_y"] == [50]
