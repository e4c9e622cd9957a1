"""Figures of the published numbers: every row is there, its numbers are those of the table, role and trust can be seen."""

import numpy as np
import pytest

from trialsim import evidence
from trialsim.evidence import clopper_pearson
from trialsim.report.figures.evidence import LOOKS, PALE, PLOTS, plot
from trialsim.schema import ConfigError


@pytest.fixture(scope="module")
def efficacy():
    rows = evidence.load_efficacy()
    return rows, plot("efficacy", rows)


def points(made, axis=""):
    """Row name -> (value, symbol, opacity) of the markers of one panel."""
    found = {}
    for trace in made.data:
        if trace.mode == "markers" and trace.xaxis == f"x{axis}":
            for value, told in zip(trace.x, trace.customdata, strict=True):
                if np.isfinite(value):
                    found[told[0]] = (value, trace.marker.symbol, trace.opacity)
    return found


def test_every_arm_has_a_row_under_its_tumour_type(efficacy):
    rows, made = efficacy
    names = list(made.layout.yaxis.ticktext)
    assert len(rows) > 130 and len(names) == len(rows) + rows["tumour_type"].nunique()
    place = {name: k for k, name in enumerate(names)}
    assert place["<b>HCC</b>"] < place["EVOLVE1 · everolimus (n = 362)"] < place["<b>high-grade glioma</b>"]
    assert made.layout.height / len(names) > 18, "px a row: a name of 11 px is legible"


def test_the_rates_have_exact_limits(efficacy):
    _, made = efficacy
    name = "SLOMOVITZ10 · everolimus (n = 35)"
    row = list(made.layout.yaxis.ticktext).index(name)
    n = 28  # evaluable, of whom none responded
    assert points(made)[name][0] == 0.0
    ends = [x for trace in made.data if trace.mode == "lines" and trace.xaxis == "x"
            for x, y in zip(trace.x, trace.y, strict=True) if y == row and np.isfinite(x)]  # fmt: skip
    assert evidence.load_efficacy().set_index("trial_id").loc["SLOMOVITZ10", "n_evaluable_response"] == n
    np.testing.assert_allclose(sorted(ends), [0.0, 100 * clopper_pearson(0, n)[1]], rtol=1e-5)


def test_role_and_trust_can_be_seen(efficacy):
    rows, made = efficacy
    for _, row in rows[rows["pfs_hr"].notna()].iterrows():
        name = f"{row['trial_id']} · {row['arm_id'].replace('_', ' ')[:20]}"
        (found,) = (seen for told, seen in points(made, "4").items() if told.startswith(name))
        assert found == (row["pfs_hr"], LOOKS[row["role"]].symbol, PALE if row["trust"] == "low" else 1.0)
    assert {trace.name for trace in made.data if trace.showlegend is not False} == {
        LOOKS["fit"].name, LOOKS["validation"].name, "pale: trust low, a number at second hand",
    }  # fmt: skip


@pytest.mark.parametrize("table", [name for name in PLOTS if name != "efficacy"])
def test_every_table_that_can_be_drawn_is(table):
    made = plot(table, getattr(evidence, f"load_{table}")())
    assert sum(np.isfinite(np.asarray(trace.x, float)).sum() for trace in made.data if trace.x[0] is not None) >= 4


def test_what_cannot_be_drawn_is_told():
    with pytest.raises(ConfigError, match="efficacy, phase1, biomarkers"):
        plot("doses", evidence.load_doses())
    with pytest.raises(ConfigError, match="at least one holds a number"):
        plot("efficacy", evidence.load_efficacy().iloc[:0])
