"""How large the numerical error of the run is, measured on a few of its own patients.

The patient's model (`mechanism.rapalog`) is computed twice for the first weeks of the study's own regimen at full dose: as in the
run, and in float64 with 8 times as many steps. The scheme is of second order, so the finer answer is some 60 times closer to the
exact one (a test compares it with an adaptive solver), and the difference is the run's own error: time steps and rounding together.
Partner drugs enter by the mean of their effects over these weeks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from trialsim.conduct.full_dose import at_full_dose
from trialsim.engine import simulate
from trialsim.units import HOURS_PER_DAY

if TYPE_CHECKING:
    import pandas as pd

    from trialsim.schema.study import StudyConfig

REFINEMENT = 8
DAYS = 28  # they hold the fastest changes: loading, feedback, 4E-BP1 adaptation
SHARE = 0.99  # of the patients, that stay below an error
MARKERS = ("ps6", "p4ebp1", "pakt", "perk", "autophagy")


def solver_check(config: StudyConfig, enrolled: pd.DataFrame) -> dict[str, Any]:
    """Errors of the fast scheme over the first patients of the cohort: what 99 % of them stay below.

    Returns:
        ``patients``, ``days``, ``steps`` (a day), ``refinement``, ``accuracy`` (as asked for), ``error`` (the largest of the
        following but that of pERK), ``error_net_growth`` (share of the untreated rate), ``error_ps6`` and so on (folds, largest of
        all days), and ``ok``. Empty if ``compute.solver_check_patients`` is 0.
    """
    count = min(config.compute.solver_check_patients, len(enrolled))
    if count == 0:
        return {}
    some = enrolled.iloc[:count]
    model, parameters, regimen, plan, *_ = at_full_dose(config, some, some["dose_level"].to_numpy(), DAYS)
    fine = plan._replace(steps=REFINEMENT * plan.steps, precision="float64")
    ends = HOURS_PER_DAY * np.arange(1, DAYS + 1)
    found, exact = (simulate(model, parameters, regimen, ends, one) for one in (plan, fine))
    of = lambda name: np.abs(getattr(found, name) - getattr(exact, name))
    growth = np.maximum(of("I_sensitive"), of("I_resistant"))[:, -1] / DAYS
    errors = {"error_net_growth": growth} | {f"error_{name}": np.max(of(name), axis=1) for name in MARKERS}
    errors = {name: float(np.quantile(value, SHARE)) for name, value in errors.items()}
    error = float(np.max([value for name, value in errors.items() if name != "error_perk"]))  # not a number if one is not
    facts = {"patients": count, "days": DAYS, "steps": plan.steps, "refinement": REFINEMENT, "accuracy": config.compute.accuracy}
    return facts | {"error": error} | errors | {"ok": bool(error <= config.compute.accuracy)}


def meet_accuracy(config: StudyConfig, enrolled: pd.DataFrame) -> tuple[StudyConfig, dict[str, Any]]:
    """Settings with which these patients are computed as exactly as ``compute.accuracy`` asks.

    The steps that an accuracy takes were calibrated in a mixed population (`mechanism.patient.steps_for`); patients with much
    higher concentrations, as in hepatocellular carcinoma, take more. The error falls with the square of the steps.

    Args:
        config: of the study. enrolled: as for `solver_check`.

    Returns:
        The settings, with a lower ``compute.accuracy`` where that is needed, and the check made with them, held to the accuracy
        that was asked for.
    """
    asked, check = config.compute.accuracy, solver_check(config, enrolled)
    if not check or check["ok"] or not np.isfinite(check["error"]):
        return config, check
    # to 0.8 of what was asked for: ours, so that rounding does not tip it
    finer = config.model_copy(update={"compute": config.compute.model_copy(update={"accuracy": 0.8 * asked**2 / check["error"]})})
    again = solver_check(finer, enrolled)
    return finer, again | {"accuracy": asked, "ok": bool(again["error"] <= asked)}
