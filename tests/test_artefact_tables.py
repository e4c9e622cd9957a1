"""Tables on disk: row groups of fixed patients, the same bytes whatever wrote them, read by column and by patient."""

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from trialsim.artefacts.tables import GROUP, join_tables, read_patients, read_pieces, read_table, table_writer

PATIENTS = 2 * GROUP + 100


@pytest.fixture(scope="module")
def events():
    """Three rows a patient, some patients without any."""
    ids = np.repeat(np.arange(PATIENTS)[np.arange(PATIENTS) % 7 != 3], 3)
    return pd.DataFrame(
        {
            "patient_id": ids,
            "term": np.array(["rash", "fatigue", "anaemia"], dtype=object)[np.arange(len(ids)) % 3],
            "day": np.where(ids % 5 == 0, np.nan, ids / 3).astype("f4"),
            "dlt": ids % 11 == 0,
        }
    )


def write(table, path, rows):
    with table_writer(path) as append:
        for start in range(0, len(table), rows):
            append(table[start : start + rows])
    return path


@pytest.fixture(scope="module")
def joined(events, tmp_path_factory):
    folder = tmp_path_factory.mktemp("tables")
    join_tables([write(events, folder / "one.parquet", 5000)], folder / "joined.parquet")
    return folder / "joined.parquet"


def test_a_table_reads_back(events, joined):
    pd.testing.assert_frame_equal(pd.read_parquet(joined), events)


def test_a_row_group_holds_the_patients_of_its_ids(joined):
    with pq.ParquetFile(joined) as file:
        for index in range(file.num_row_groups):
            assert set(file.read_row_group(index)["patient_id"].to_numpy() // GROUP) == {index}
        assert file.num_row_groups == 3


@pytest.mark.parametrize(("blocks", "rows"), [(1, 999), (3, 5000), (10, 40_000)])
def test_the_bytes_do_not_depend_on_how_the_rows_came(events, joined, tmp_path, blocks, rows):
    cut = [events[events["patient_id"] * blocks // PATIENTS == block] for block in range(blocks)]
    join_tables([write(part, tmp_path / f"{i}.parquet", rows) for i, part in enumerate(cut)], tmp_path / "joined.parquet")
    assert (tmp_path / "joined.parquet").read_bytes() == joined.read_bytes()


def test_a_first_chunk_without_rows_fixes_the_types_of_the_others(events, tmp_path):
    with table_writer(tmp_path / "a.parquet") as append:
        append(events[:0].astype({"term": object}))
        append(events)
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "a.parquet"), events)


def test_a_table_without_any_rows(events, tmp_path):
    with table_writer(tmp_path / "empty.parquet") as append:
        append(events[:0])
    join_tables([tmp_path / "empty.parquet"], tmp_path / "joined.parquet")
    assert list(pd.read_parquet(tmp_path / "joined.parquet").columns) == list(events.columns)
    assert list(read_pieces(tmp_path / "joined.parquet", ["term"])) == []
    assert read_patients(tmp_path / "joined.parquet", [1, 2], ["term"]).empty


def test_only_the_wanted_columns_are_read(joined, events):
    assert list(read_table(joined, ["dlt", "term", "nonesuch"]).columns) == ["term", "dlt"]


def test_pieces_are_the_table_and_split_no_patient(joined, events):
    pieces = list(read_pieces(joined, ["day"]))
    pd.testing.assert_frame_equal(pd.concat(pieces, ignore_index=True), events[["patient_id", "day"]])
    sets = [set(piece["patient_id"]) for piece in pieces]
    assert len(sets) == 3 and sum(map(len, sets)) == len(set.union(*sets))


def test_the_rows_of_some_patients(joined, events):
    wanted = [0, 1, GROUP + 5, 3]  # patient 3 has none
    found = read_patients(joined, wanted, ["term"])
    expected = events.loc[events["patient_id"].isin(wanted), ["patient_id", "term"]]
    pd.testing.assert_frame_equal(found, expected.reset_index(drop=True))
