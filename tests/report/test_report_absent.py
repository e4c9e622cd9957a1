"""The report of an unusual run: something bad, missing, empty or tiny."""

import json
from html import unescape

import numpy as np
import pandas as pd
import pytest

from trialsim.report import write_report
from trialsim.schema import ConfigError


def change_summary(folder, **changes):
    path = folder / "summary.json"
    summary = json.loads(path.read_text())
    path.write_text(json.dumps(summary | changes))


def change_patients(folder, **columns):
    path = folder / "patients.parquet"
    pd.read_parquet(path).assign(**columns).to_parquet(path, index=False)


def page(folder):
    text = write_report(folder).read_text(encoding="utf-8")
    return unescape(text).replace("\u00a0", " ")


def test_bad_diagnostics_are_red_and_say_why(make_run):
    folder = make_run(count=40)
    messages = ["R-hat of tau[response] is 1.21, above 1.01", "<b>17</b> divergent transitions"]
    change_summary(
        folder, diagnostics={"ok": False, "max_rhat": 1.21, "min_ess": 31.0, "divergences": 17, "messages": messages}
    )
    text = page(folder)
    start = text.index('class="verdict bad" role="alert"')
    banner = text[start : text.index("</div>", start)]
    assert "FAILED" in banner and all(message in banner for message in messages)
    assert start < text.index('class="cards"')


def test_missing_diagnostics_are_not_taken_for_good(make_run):
    folder = make_run(count=40)
    change_summary(folder, diagnostics={})
    assert 'class="verdict bad"' in page(folder)


def test_no_published_study(make_run):
    folder = make_run(count=40)
    change_summary(folder, comparison={}, published_trial=None, not_published=[])
    text = page(folder)
    assert "No published result was compared: no published study was chosen." in text
    assert not (folder / "figures" / "comparison.json").exists()


def test_no_fits(make_run):
    folder = make_run(count=40)
    (folder / "posterior.nc").unlink()
    (folder / "posterior_published.nc").unlink()
    text = page(folder)
    assert "The statistical fit was not saved" in text and "so there is no forest plot" in text


def test_no_published_fit(make_run):
    folder = make_run(count=40)
    (folder / "posterior_published.nc").unlink()
    assert "No fit to published counts was saved to set beside it." in page(folder)
    assert (folder / "figures" / "forest_orr.json").exists()


def test_three_plus_three_without_mtd(make_run):
    folder = make_run(count=40, paediatric=True)
    change_summary(folder, mtd=None)
    text = page(folder)
    assert "No virtual study declared a maximum tolerated dose" in text and 'id="dose-finding"' in text


@pytest.mark.parametrize("count", [1, *(pytest.param(n, marks=pytest.mark.slow) for n in (2, 4))])
def test_a_handful_of_patients(make_run, count):
    folder = make_run(count=count)
    assert f"Only {count} virtual patient" in page(folder)


def test_nobody_responds_nobody_benefits_nobody_has_a_ratio(make_run):
    folder = make_run(count=40)
    change_patients(
        folder, best_response="PD", responder=False, disease_control=False, clinical_benefit=False, ttp_ratio=np.nan
    )
    visits = pd.read_parquet(folder / "visits.parquet")
    visits.assign(response="PD").to_parquet(folder / "visits.parquet", index=False)
    assert 'id="response"' in page(folder)


def test_benefit_that_is_not_known(make_run):
    folder = make_run(count=40)
    change_patients(folder, clinical_benefit=pd.array([None] * 40, dtype="boolean"))
    summary = json.loads((folder / "summary.json").read_text())
    nothing = {"estimate": None, "low": None, "high": None, "n": 0, "unit": "fraction", "method": "Clopper-Pearson"}
    summary["endpoints"]["clinical_benefit_rate"] = nothing
    change_summary(folder, endpoints=summary["endpoints"])
    assert "not determined" in page(folder)


def test_nobody_was_scanned(make_run):
    folder = make_run(count=40)
    change_patients(folder, best_response="NE", best_sld_change_percent=np.nan)
    visits = pd.read_parquet(folder / "visits.parquet")
    visits[visits["day"] < 0].to_parquet(folder / "visits.parquet", index=False)
    text = page(folder)
    assert text.count("No patient had a scan on treatment") == 2


def test_no_adverse_events(make_run):
    folder = make_run(count=40)
    pd.read_parquet(folder / "adverse_events.parquet").iloc[:0].to_parquet(
        folder / "adverse_events.parquet", index=False
    )
    assert "No adverse event occurred in any virtual patient." in page(folder)


def test_median_not_reached(make_run):
    folder = make_run(count=40)
    summary = json.loads((folder / "summary.json").read_text())
    summary["endpoints"]["median_os_months"] |= {"estimate": None, "low": 9.1, "high": None}
    change_summary(folder, endpoints=summary["endpoints"])
    text = page(folder)
    assert "Median not reached (95 % confidence interval 9.1 months to not reached)" in text


def test_the_median_is_told_also_where_progression_lies_between_scans(make_run):
    folder = make_run(count=40)
    assert "Dated between" not in page(folder)  # a run from before this was estimated
    endpoints = json.loads((folder / "summary.json").read_text())["endpoints"]
    months = endpoints["median_pfs_months"]
    added = {
        "median_pfs_turnbull_months": months | {"estimate": 2.9, "low": None, "high": None},
        "median_pfs_weibull_months": months | {"estimate": 2.8, "low": 2.2, "high": 3.4},
        "progression_delay_weeks": months | {"estimate": 4.2, "low": None, "high": None, "unit": "weeks"},
    }
    change_summary(folder, endpoints=endpoints | added)
    text = page(folder)
    assert "on average 4.2 weeks after it happened. Dated between the two scans instead, the median is 2.9 months" in text
    assert "with a Weibull curve 2.8 months (95 % confidence interval 2.2 to 3.4 months)" in text
    change_summary(folder, endpoints=endpoints | added | {"median_pfs_weibull_months": months | {"estimate": None}})
    assert "Weibull curve" not in page(folder)


def test_bare_minimum(make_run):
    """Only the two files that the report cannot do without."""
    folder = make_run(count=20)
    for path in folder.iterdir():
        if path.name not in ("summary.json", "patients.parquet"):
            path.unlink()
    (folder / "summary.json").write_text('{"study": "bare", "seed": 0}')
    assert "The configuration was not saved." in page(folder)


def test_unfinished_run_is_refused(make_run):
    folder = make_run(count=20)
    (folder / "summary.json").unlink()
    with pytest.raises(ConfigError, match="no summary.json"):
        write_report(folder)
