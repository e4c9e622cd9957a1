"""A study shared by several runs: merged, it is the study of one run; and nothing else is taken for its parts."""

import json
import shutil
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from short_studies import ADULT, CHILDREN, content

import trialsim.parts as module
from trialsim import ConfigError, cli, compose, load_run, merge, run, simulation
from trialsim.artefacts.files import file_sha256


def part(folder, number, count=3, study=CHILDREN, **changes):
    experiment, settings = study
    return run(compose(experiment, settings | {"compute.parts": count, "compute.part": number} | changes), folder)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "whole"
    run(compose(*CHILDREN), folder)
    return folder


@pytest.fixture(scope="module")
def parts(tmp_path_factory):
    folder = tmp_path_factory.mktemp("parts")
    return [folder / str(number) for number in (1, 2, 3) if part(folder / str(number), number)]


@pytest.fixture(scope="module")
def merged(parts, tmp_path_factory):
    into = tmp_path_factory.mktemp("runs") / "merged"
    merge(parts[::-1], into)
    return into


def test_the_merged_study_is_that_of_one_run(whole, merged):
    assert content(merged) == content(whole)
    assert load_run(merged).summary == load_run(whole).summary
    assert (merged / "config.yaml").read_bytes() == (whole / "config.yaml").read_bytes()
    assert (merged / "report.html").is_file()


def test_a_part_stops_after_the_simulation_and_says_so(parts):
    status = json.loads((parts[1] / "status.json").read_text())
    assert status["state"] == "part" and not status["complete"] and [s["name"] for s in status["stages"]] == ["simulate"]
    assert not (parts[1] / "summary.json").exists()
    with pytest.raises(ConfigError, match="this one is part"):
        load_run(parts[1])
    with pytest.raises(ConfigError, match="trialsim merge"):
        part(parts[1], 2)


def test_a_finished_part_that_is_resumed_has_nothing_to_do(parts, monkeypatch):
    monkeypatch.setattr(simulation, "enrol", lambda *_: pytest.fail("simulated again"))
    assert part(parts[1], 2, resume=True) == {"part": 2, "parts": 3, "patients": 26}


def test_merging_again_has_nothing_to_do(parts, merged):
    before = (merged / "status.json").read_bytes()
    assert merge(parts, merged)["study"] == "everolimus_paediatric"
    assert (merged / "status.json").read_bytes() == before


def test_an_interrupted_merge_goes_on(parts, whole, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "conclude", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        merge(parts, tmp_path / "merged")
    monkeypatch.setattr(module, "conclude", lambda *_: {"done": True})
    monkeypatch.setattr(module, "save_study", lambda *_: pytest.fail("put together again"))
    assert merge(parts, tmp_path / "merged") == {"done": True}
    assert content(tmp_path / "merged") == content(whole)


@pytest.mark.parametrize("count", [1, 2, 3, 7, 90])
def test_parts_share_out_every_patient_once(count):
    for experiment, settings in (ADULT, CHILDREN):
        config = compose(experiment, settings)
        parts = min(count, 4 if experiment else 90)
        shares = [config.compute.model_copy(update={"parts": parts, "part": number}) for number in range(1, parts + 1)]
        blocks = [simulation.blocks(config.model_copy(update={"compute": share})) for share in shares]
        assert all(blocks)
        edges = [edge for part in blocks for block in part for edge in block]
        assert edges == [0, *np.repeat(edges[1:-1:2], 2), settings["cohort.size"]]


def test_a_missing_part_is_named(parts, tmp_path):
    with pytest.raises(ConfigError, match="missing: 2") as caught:
        merge([parts[0], parts[2]], tmp_path / "merged")
    assert caught.value.key == "compute.part" and not (tmp_path / "merged").exists()


def test_a_part_given_twice_is_named(parts, tmp_path):
    with pytest.raises(ConfigError, match="more than once: 2"):
        merge([*parts, parts[1]], tmp_path / "merged")


def test_a_part_of_another_study_is_refused_and_says_what_differs(parts, tmp_path):
    part(tmp_path / "other", 2, seed=99)
    with pytest.raises(ConfigError, match="differs in: seed") as caught:
        merge([parts[0], tmp_path / "other", parts[2]], tmp_path / "merged")
    assert (caught.value.key, caught.value.value) == ("merge", str(tmp_path / "other"))


def test_a_damaged_part_is_refused(parts, tmp_path):
    shutil.copytree(parts[1], tmp_path / "damaged")
    next((tmp_path / "damaged").rglob("patients.parquet")).write_bytes(b"rubbish")
    with pytest.raises(ConfigError, match="as its run wrote them"):
        merge([parts[0], tmp_path / "damaged", parts[2]], tmp_path / "merged")


SPOILT = ["patients of others", "patients twice", "other columns", "no table", "screened", "mtd", "solver_check"]


@pytest.mark.parametrize("spoil", SPOILT)
def test_a_part_with_other_content_is_refused_though_its_digests_fit(parts, tmp_path, spoil):
    copy = Path(shutil.copytree(parts[0], tmp_path / "part"))
    status = json.loads((copy / "status.json").read_text())
    files = next(iter(status["blocks"].values()))
    table, facts = (copy / next(name for name in files if name.endswith(end)) for end in ("patients.parquet", "block.json"))
    rows, said = pd.read_parquet(table), json.loads(facts.read_text())
    if spoil == "no table":
        table.write_bytes(b"PAR1 no table PAR1")
    elif spoil in ("screened", "mtd", "solver_check"):
        facts.write_text(json.dumps(said | {spoil: "many"}))
    else:
        change = {"patients of others": {"patient_id": rows["patient_id"] + 90}, "patients twice": {"patient_id": 0}}
        rows.assign(**change.get(spoil, {"more": 1.0})).to_parquet(table, index=False)
    files |= {name: file_sha256(copy / name) for name in files}
    (copy / "status.json").write_text(json.dumps(status))
    with pytest.raises(ConfigError, match="facts of patients|rows of patients|columns of the other|Parquet table"):
        merge([copy, *parts[1:]], tmp_path / "merged")
    assert not (tmp_path / "merged").exists()


def test_a_part_without_doses_is_of_an_older_version(parts, tmp_path):
    shutil.copytree(parts[1], tmp_path / "old")
    status = json.loads((tmp_path / "old" / "status.json").read_text())
    for files in status["blocks"].values():
        del files[next(name for name in files if name.endswith("doses.parquet"))]
    (tmp_path / "old" / "status.json").write_text(json.dumps(status))
    with pytest.raises(ConfigError, match="older version of trialsim made this one without doses"):
        merge([parts[0], tmp_path / "old", parts[2]], tmp_path / "merged")
    assert not (tmp_path / "merged").exists()


@pytest.mark.parametrize("folder", ["whole", "nowhere"])
def test_what_is_not_a_part_is_refused(folder, whole, tmp_path):
    with pytest.raises(ConfigError, match="the folder of a finished part"):
        merge([whole if folder == "whole" else tmp_path / "nowhere"], tmp_path / "merged")


BAD = [
    (["compute.parts=0"], "compute.parts", "at least 1"),
    (["compute.parts=2", "compute.part=3"], "compute.part", "from 1 to compute.parts, 2"),
    (["compute.parts=91"], "compute.parts", "at most 90, the number of patients in cohort.size = 90"),
    (["compute.block=8"], "compute.block", "at least 16"),
]


@pytest.mark.parametrize(("overrides", "key", "allowed"), BAD, ids=[" ".join(row[0]) for row in BAD])
def test_impossible_parts_are_told(overrides, key, allowed):
    with pytest.raises(ConfigError, match=allowed) as caught:
        compose(None, ["cohort.size=90", *overrides])
    assert caught.value.key == key


def test_more_parts_than_virtual_studies_are_told():
    with pytest.raises(ConfigError, match="at most 4, the number of virtual studies of design.replicate_size = 26 patients"):
        compose("everolimus_paediatric", {"cohort.size": 100, "compute.parts": 5})


def test_from_the_command_line(parts, merged, tmp_path, monkeypatch, capsys):
    def trial(*arguments):
        monkeypatch.setattr(sys, "argv", ["trialsim", *map(str, arguments)])
        return cli.main()

    assert trial("merge", merged, *parts) == 0
    assert "report.html" in capsys.readouterr().out
    assert trial("merge", tmp_path / "merged", *parts[:2]) == 2
    assert "trialsim: compute.part = [1, 2] is not allowed: every part from 1 to 3; missing: 3" in capsys.readouterr().err
    assert trial("merge", tmp_path / "merged") == 2
    assert "usage: trialsim merge" in capsys.readouterr().err
