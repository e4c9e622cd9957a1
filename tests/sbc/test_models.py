"""Every inference model of the package is calibrated. The page of the documentation has all of them, many times over."""

import ast
from pathlib import Path

import pandas as pd
import pytest

from trialsim.inference import dlt
from trialsim.sbc import hierarchies, page, trial_models
from trialsim.sbc.hierarchies import printed
from trialsim.sbc.judge import judged
from trialsim.sbc.models import EXACT, MODELS, QUADRATURE

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "simulation_based_calibration.md"
COMPUTED = [name for name, model in MODELS.items() if model.repetitions == EXACT]
INTEGRATED = [name for name, model in MODELS.items() if model.group == "Models of designs" and model.repetitions == QUADRATURE]
HIERARCHIES = [name for name, model in MODELS.items() if model.group == "Models of the calibration"]
SAMPLED = [name for name in MODELS if name not in (*COMPUTED, *INTEGRATED, *HIERARCHIES)]


def verdict_of(batch, repetitions):
    return judged(pd.DataFrame([one.ranks for one in batch(range(repetitions))]))


def test_every_model_of_the_package_is_among_them():
    """Those that NUTS samples by their source; those of designs by the modules that hold a posterior."""
    told = {model.code for model in MODELS.values()}
    for path in (ROOT / "trialsim").rglob("*.py"):
        calls = [node for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.Call)]
        if any(ast.unparse(call.func) == "numpyro.sample" for call in calls):
            assert ".".join(path.relative_to(ROOT).with_suffix("").parts) in told, path
    designs = {
        "adaptive.posterior",
        "basket.models",
        "borrowing",
        "escalation.boin",
        "escalation.crm_model",
        "single_arm.predictive",
    }
    assert {f"trialsim.designs.{name}" for name in designs} <= told


@pytest.mark.parametrize("name", COMPUTED)
def test_posteriors_in_closed_form_are_calibrated(name):
    """False alarm 0.001 of the ranks and 0.001 of the coverage of each; the seeds are fixed."""
    assert verdict_of(MODELS[name].batch(), 300).faults == []


@pytest.mark.slow
@pytest.mark.parametrize("name", [*SAMPLED, *INTEGRATED])
def test_posteriors_of_trials_and_by_quadrature_are_calibrated(name):
    assert verdict_of(MODELS[name].batch(), 100).faults == []


@pytest.mark.slow
@pytest.mark.parametrize("name", HIERARCHIES)
def test_the_models_of_the_calibration_are_calibrated(name):
    assert verdict_of(MODELS[name].batch(), 50).faults == []


@pytest.mark.slow
def test_a_sampled_model_with_a_wrong_prior_is_found(monkeypatch):
    """Dose-limiting toxicities fitted with half the prior's standard deviations."""
    batch = trial_models.dlt_model(["one"])
    fit = dlt.fit_dlt

    def narrow(counts, settings, seed):
        half = {"intercept_sd": settings.dlt_priors.intercept_sd / 2, "log_slope_sd": settings.dlt_priors.log_slope_sd / 2}
        priors = settings.dlt_priors.model_copy(update=half)
        return fit(counts, settings.model_copy(update={"dlt_priors": priors}), seed)

    monkeypatch.setattr(dlt, "fit_dlt", narrow)
    assert verdict_of(batch, 100).faults


def test_a_median_that_was_not_reached_lies_beyond_the_curves():
    (early, late), (one, none), _ = printed("pfs", 130.0)
    assert early.sum() + one == pytest.approx(1.0) and late.sum() == none == 0.0
    (before, after), constants, beyond = printed("pfs", 4.03)
    assert before.sum() + constants[0] == pytest.approx(1.0) and after.sum() + constants[1] == pytest.approx(1.0)
    assert beyond == [0.0, 0.0]
    assert printed("os", 30.0).late == pytest.approx([11.95 / 6.0, 12.05 / 6.0])  # months beyond 18 over those from 12 to 18


def test_the_page_has_every_model_with_its_verdict():
    text = PAGE.read_text(encoding="utf-8")
    rows = [line for line in text.splitlines() if line.startswith("| [")]
    named = [row.split("[")[1].split("]")[0] for row in rows]
    assert named == list(MODELS)
    assert all(row.endswith("| passes |") for row in rows) and f"**{len(named)} of {len(named)} models pass.**" in text
    assert text.count('<div class="ranks">') == len(named) and "false alarm" in text


def test_a_fault_stands_on_the_page():
    ranks = pd.DataFrame({"seed": range(100), "ess": 400.0, "divergences": 0, "seconds": 0.1, "a": [0] * 60 + [39] * 40})
    found = {"DLT, one stratum": page.judged_rows(MODELS["DLT, one stratum"], ranks)}
    text = page.document(found)
    assert "**0 of 1 models pass.**" in text and "**fails**: ranks of a: p = " in text and 'class="wrong"' in text


def test_the_made_up_data_are_those_of_ten_trials():
    assert len(set(hierarchies.TRIALS)) == 10
