"""Runs of several seeds taken together."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import stand_in

import trialsim
from trialsim import summary
from trialsim.artefacts.saved import load_run
from trialsim.sweeps.differences import differences
from trialsim.sweeps.runs import Result, Run, Runs, results_of, units_of
from trialsim.sweeps.seeds import mean, together

SEEDS, DOSES = (1, 2, 3), (5, 10)


@pytest.fixture(scope="module")
def runs(tmp_path_factory) -> Runs:
    place, found = tmp_path_factory.mktemp("seeds"), []
    for dose in DOSES:
        for seed in SEEDS:
            config = trialsim.compose(overrides=["cohort.size=40", f"regimen.dose={dose}", f"seed={seed}"])
            folder = place / f"{len(found)}"
            stand_in.run(config, folder)
            saved = load_run(folder)
            values = {"regimen.dose": dose, "seed": seed}
            units = units_of(saved.config, values)
            found.append(Run(f"{len(found)}", folder, values, "complete", "", results_of(saved.summary), saved, units))
    return Runs(place, ["regimen.dose", "seed"], found)


def patients(runs: Runs, dose: int) -> pd.DataFrame:
    tables = [pd.read_parquet(run.folder / "patients.parquet") for run in runs.runs if run.values["regimen.dose"] == dose]
    return pd.concat(tables, ignore_index=True)


def test_the_endpoints_of_a_setting_are_those_of_all_its_patients(runs: Runs) -> None:
    low, high = together(runs).complete
    assert (low.name, high.name) == ("0, 1, 2", "3, 4, 5") and low.values == {"regimen.dose": 5}
    assert low.results == results_of({"endpoints": summary.endpoints(patients(runs, 5), "mg")})
    assert low.results["orr"].n == 40 * len(SEEDS)
    assert low.units == {"regimen.dose": "mg"}


def test_a_patient_is_paired_with_the_same_one_of_the_same_seed(runs: Runs) -> None:
    settings = together(runs)
    found = {d.result: d for d in differences(settings, settings.complete[0])}
    assert all(d.run == "3, 4, 5" for d in found.values())
    share = found["orr"]
    gain = patients(runs, 10)["responder"].astype(int) - patients(runs, 5)["responder"]
    assert share.paired and share.n == 40 * len(SEEDS)
    assert share.difference == pytest.approx(gain.mean())
    # one seed's interval is wider by about the root of the number of seeds
    one = next(d for d in differences(Runs(None, runs.keys, [runs.runs[0], runs.runs[3]]), runs.runs[0]) if d.result == "orr")
    assert (one.high - one.low) / (share.high - share.low) == pytest.approx(np.sqrt(len(SEEDS)), rel=0.25)


def test_a_mean_has_the_interval_that_mover_recovers() -> None:
    """With symmetric limits it is that of a mean of independent normal estimates."""
    found = mean([Result(1.0, 0.0, 2.0, 10, "mg"), Result(3.0, 0.0, 6.0, 20, "mg")])
    assert found == Result(2.0, pytest.approx(2 - np.sqrt(10) / 2), pytest.approx(2 + np.sqrt(10) / 2), 30, "mg", found.method)
    assert mean([Result(1.0, None, 2.0), Result(3.0, 2.0, 4.0)])[:3] == (2.0, None, pytest.approx(2 + np.sqrt(2) / 2))
    assert mean([Result(None, None, None), Result(3.0, 2.0, 4.0)])[:3] == (None, None, None)


def test_settings_that_have_one_seed_each_stay_as_they_are(runs: Runs) -> None:
    for some in (runs.runs[:3], [runs.runs[0], runs.runs[4]]):  # one setting; seed and dose change together
        kept = Runs(None, runs.keys, some)
        assert together(kept) is kept


def test_a_setting_that_lost_a_seed_keeps_the_others(runs: Runs) -> None:
    lost = runs.runs[5]._replace(saved=None, results={}, state="failed")
    settings = together(Runs(runs.folder, runs.keys, [*runs.runs[:5], lost]))
    assert [run.name for run in settings.complete] == ["0, 1, 2", "3, 4"]
    share = next(d for d in differences(settings, settings.complete[0]) if d.result == "orr")
    assert share.paired and share.low < share.difference < share.high


def test_runs_without_a_unit_have_none(tmp_path: Path) -> None:
    assert units_of({"regimen": {"dose": 5, "unit": "mg"}, "cohort": {"size": 3}}, ["regimen.dose", "cohort.size"]) == {
        "regimen.dose": "mg"
    }
