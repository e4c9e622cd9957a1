"""Forms of figures: what is drawn where a value is not reached, and the other form in a narrow place."""

import numpy as np
import pandas as pd
import pytest

from trialsim.report.figures.assay.look import blank
from trialsim.report.figures.predicted import intervals_panel
from trialsim.report.figures.sensitivity import morris
from trialsim.report.figures.surfaces import responses
from trialsim.report.theme import ABOVE_LINE, figure, names_above, reference_line

NAMES = {"drug": "everolimus", "control": "placebo"}


def row(arm, endpoint, unit, median, low, high):
    limits = {f"{end}_{level}": value for level in (50, 80, 90) for end, value in (("low", low), ("high", high))}
    unknown = dict.fromkeys(("published", "published_low", "published_high"), np.nan)
    return dict(arm=arm, endpoint=endpoint, unit=unit, median=median, inside_90=None, source="") | limits | unknown


def test_a_median_that_most_trials_do_not_reach_is_drawn_from_its_lower_limit():
    found = [
        row("drug", "median_os_months", "months", 10.0, 7.0, 14.0),
        row("control", "median_os_months", "months", np.inf, 16.0, np.inf),
        row("control", "os_hr", "ratio", np.nan, np.nan, np.nan),
    ]
    panel = intervals_panel("x", "Endpoints", pd.DataFrame(found), NAMES)
    names = [text.replace("<br>", " ") for text in panel.figure.layout.yaxis.ticktext]
    assert names == ["Median overall survival, everolimus", "Median overall survival, placebo"]
    bars = np.array(panel.figure.data[0].x).reshape(2, 3)[:, :2]  # start and end of each
    edge = panel.figure.layout.xaxis.range[1]
    assert bars == pytest.approx(np.array([[7.0, 14.0], [16.0, edge]])) and edge > 16.0
    assert "do not reach the median overall survival, placebo" in panel.caption


def test_what_the_title_says_is_not_said_again_in_every_row():
    table = pd.DataFrame([row("drug", "grade_3_4_rash", "fraction", 0.1, 0.0, 0.2)])
    panel = intervals_panel("x", "Adverse events of grade 3 and 4", table, {"drug": "everolimus"})
    assert list(panel.figure.layout.yaxis.ticktext) == ["Rash"]


def test_names_stand_above_their_rows_in_a_narrow_place_and_other_notes_stay():
    made = figure(300)
    reference_line(made, x=1.0, text="no effect")
    asked = names_above(made, 560, {"y": ["a", "b"], "y2": ["c"]}, 400, {"y": 8, "y2": 20}).layout.meta["narrow"]
    notes = asked["layout"]["annotations"]
    assert [note["text"] for note in notes] == ["no effect", "a", "b", "c"]
    assert [(note["yref"], note["y"], note["yshift"]) for note in notes[1:]] == [("y", 0, 8), ("y", 1, 8), ("y2", 0, 20)]
    assert asked["below"] == 560 and asked["layout"]["yaxis2.showticklabels"] is False
    assert made.layout.height == 300  # the wide form is as it was


def test_rows_have_room_for_the_longest_of_their_names():
    """In the narrow form, where a name of two lines would lie on the bar above it."""
    def height(parameter):
        effect = dict(outcome="orr", mu_star=0.1, mu=0.1, low=0.05, high=0.2)
        made = morris(pd.DataFrame([effect | {"parameter": name} for name in ("cell_loss", parameter)]), "orr").figure
        return made.layout.meta["narrow"]["layout"]["height"]

    assert height("b_resistant") == height("K_FKBP12") + 2 * ABOVE_LINE  # "rapamycin-insensitive share of resistant cells"


def test_of_no_responses_no_interval_of_a_difference_is_told():
    measures = ("responder", "hsa_responder", "bliss_responder", "excess_hsa_responder")

    def told(rate):
        cells = [(1.0, 0.0, "responder"), (0.0, 1.0, "responder"), *((1.0, 1.0, name) for name in measures)]
        table = pd.DataFrame(cells, columns=["rapalog_factor", "partner_factor", "measure"])
        return responses(table.assign(estimate=rate, low=rate, high=rate, n=60), (1.0, 1.0), ("everolimus", "alpelisib"))

    assert "None of 60" in told(0.0).caption.replace("\u00a0", " ") and "6" in told(0.0).caption  # 1 - 0.025^(1/60) = 6.0 %
    assert "interval" not in told(0.0).caption and told(0.0).figure.layout.yaxis.range == (0, 10)
    assert "+20.0 points" in told(0.2).caption


def test_a_legend_of_many_lines_is_not_stacked_by_groups():
    assert blank(9).layout.legend.traceorder == "normal" and blank(9).layout.height > blank(4).layout.height
