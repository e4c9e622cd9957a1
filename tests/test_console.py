"""What a person sees: a table that says what matters, red where the fit is bad, quiet where nobody looks."""

from __future__ import annotations

import io
import logging

import pytest
from rich.console import Console

from trialsim import console

SUMMARY = {
    "title": "A study", "seed": 1, "n_patients": 100, "n_failed": 0, "drug": "everolimus", "published_trial": "CPCT03",
    "regimen": {"dose": 10.0, "unit": "mg", "schedule": "daily"},
    "endpoints": {
        "orr": {"estimate": 0.02, "low": 0.002, "high": 0.07, "n": 100, "unit": "fraction", "method": "exact"},
        "median_os_months": {"estimate": None, "low": 9.1, "high": None, "n": 100, "unit": "months", "method": "KM"},
        "dlt_rate_6.5mg/m2": {"estimate": 0.5, "low": 0.1, "high": 0.9, "n": 6, "unit": "fraction", "method": ""},
    },
    "comparison": {
        "orr": {"published": 1 / 59, "published_low": 0.0, "published_high": 0.09, "predicted": 0.02, "low_90": 0.0,
                "high_90": 0.05, "inside_90": True, "source": "abstract"},
        "dcr": {"published": 0.61, "published_low": 0.47, "published_high": 0.73, "predicted": 0.4, "low_90": 0.3,
                "high_90": 0.5, "inside_90": False, "source": "abstract"},
    },
    "diagnostics": {"ok": True, "max_rhat": 1.002, "min_ess": 1500.0, "divergences": 0, "messages": []},
}  # fmt: skip


def shown(summary: dict, colour: bool = False) -> str:
    stream = io.StringIO()
    console.print_summary(
        summary,
        "outputs/x",
        Console(file=stream, width=140, force_terminal=colour, color_system="standard", highlight=False),
    )
    return stream.getvalue()


def test_the_table_holds_endpoints_comparison_and_report() -> None:
    text = shown(SUMMARY)
    for words in (
        "ORR",
        "0.002 to 0.07",
        "median OS months",
        "DLT rate 6.5 mg/m2",
        "CPCT03",
        "0.0169",
        "yes",
        "no",
        "outputs/x/report.html",
    ):
        assert words in text, words


def test_cautions_stand_above_the_place_of_the_report() -> None:
    text = shown(SUMMARY | {"cautions": ["a dose [so] high"]})
    assert text.index("DCR") < text.index("Caution: a dose [so] high") < text.index("outputs/x/report.html")
    assert "Caution" not in shown(SUMMARY)


def test_an_analysis_ends_with_its_estimates_and_what_its_checks_found() -> None:
    summary = {
        "title": "Dose [and] response", "kind": "dose_response", "seed": 7,
        "results": {"ed50_ps6": {"estimate": 2.97, "low": 0.8, "high": None, "unit": "mg", "n": 9}, "n_patients": 10},
        "diagnostics": {"ok": False, "messages": ["3 courses [failed]"]}, "cautions": ["[far] above"],
    }  # fmt: skip
    stream = io.StringIO()
    console.print_findings(summary, "outputs/x", Console(file=stream, width=140))
    text = stream.getvalue()
    for words in ("Dose [and] response", "seed 7", "2.97", "0.8 to –", "CHECK FAILED: 3 courses [failed]", "Caution: [far] above",
                  "outputs/x/report.html"):  # fmt: skip
        assert words in text, words
    assert "n patients" not in text and "90% prediction" not in text


def test_the_interval_of_a_prediction_is_called_by_its_level() -> None:
    orr = {"estimate": 0.1, "low": 0.0, "high": 0.2, "low_90": 0.0, "high_90": 0.2, "unit": "fraction", "n": 60}
    summary = {"title": "A trial", "kind": "predict", "seed": 7, "results": {"orr": orr}, "diagnostics": {"messages": []}}
    stream = io.StringIO()
    console.print_findings(summary, "outputs/x", Console(file=stream, width=140))
    assert "90% prediction" in stream.getvalue()


def test_a_missing_number_is_a_dash() -> None:
    line = next(line for line in shown(SUMMARY).splitlines() if "median OS" in line)
    assert "–" in line and "None" not in line


def test_good_diagnostics_are_said_and_bad_ones_are_red() -> None:
    assert "Diagnostics good" in shown(SUMMARY)
    bad = SUMMARY | {
        "diagnostics": {"ok": False, "max_rhat": 1.2, "min_ess": 12, "divergences": 40, "messages": ["R-hat 1.2 [tau]"]}
    }
    text = shown(bad, colour=True)
    assert "\x1b[1;31mDIAGNOSTICS BAD" in text
    assert "R-hat 1.2" in text and "[tau]" in text
    assert "DIAGNOSTICS BAD" not in shown(SUMMARY)


def test_a_run_without_a_published_study_has_no_comparison() -> None:
    assert "published study" not in shown(SUMMARY | {"comparison": {}, "published_trial": None})


def test_an_empty_summary_is_still_printed() -> None:
    assert "DIAGNOSTICS BAD" in shown({})


def test_progress_off_a_terminal_becomes_a_log_line_now_and_then(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(console, "LOG_EVERY_S", 0.0)
    monkeypatch.setattr(console, "WORTH_SAYING_S", 0.0)
    with caplog.at_level(logging.INFO, logger="trialsim"):
        with console.progress("simulating patients", 100, "auto") as advance:
            advance(0)  # nothing is done yet: no rate, so no line, and no division by it
            advance(40)
            advance(60)
    assert "0 of 100" not in caplog.text.replace("40 of 100", "")
    assert "40 of 100" in caplog.text
    assert "done in" in caplog.text


def test_the_time_left_leaves_out_the_piece_that_compiled(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first tenth takes 60 s, each of the others 2 s."""
    clock = iter([0.0, 60.0, 62.0, 64.0, 64.0, 64.0])
    monkeypatch.setattr(console.time, "perf_counter", lambda: next(clock))
    with caplog.at_level(logging.INFO, logger="trialsim"), console.progress("simulating patients", 100, "auto") as advance:
        advance(10)
        monkeypatch.setattr(console, "LOG_EVERY_S", 0.0)
        advance(10)
        advance(10)
        advance(0)
    assert "20 of 100, about 16 s left" in caplog.text and "30 of 100, about 14 s left" in caplog.text


def test_short_steps_are_not_mentioned(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, logger="trialsim"), console.step("nothing much"):
        pass
    assert caplog.text == ""


@pytest.mark.parametrize("mode", ["on", "off", "auto"])
def test_every_progress_mode_runs(mode: console.Mode) -> None:
    with console.progress("counting", 3, mode) as advance:
        for _ in range(3):
            advance(1)
    with console.step("thinking", mode):
        pass
    assert console.drawn("on") and not console.drawn("off")


def test_logging_is_set_up_once() -> None:
    root = logging.getLogger()
    before = list(root.handlers)
    try:
        console.set_up_logging()
        console.set_up_logging()
        assert len(root.handlers) <= len(before) + 1
    finally:
        root.handlers[:] = before


def test_text_of_others_is_no_markup():
    from trialsim import console

    screen = Console(file=io.StringIO(), width=200)
    summary = {"title": "[/b] [red]Trial", "endpoints": {"a[/x]": {"estimate": 1.0, "unit": "[/y]"}}, "flow": {}, "seed": 1}
    summary |= {"comparison": {"orr": {"published": 0.1}}, "published_trial": "[/z]"}
    console.print_summary(summary, "out/[/b]", screen)
    shown = screen.file.getvalue()
    assert all(text in shown for text in ("[/b] [red]Trial", "a[/x]", "[/y]", "[/z]", "out/[/b]/report.html"))
