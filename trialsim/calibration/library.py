"""Patients simulated over the prior: each lives one arm of one trial with settings shifted in a way of its own.

What an arm's outcome depends on is spread evenly over its prior (scrambled Sobol points), so that the share of patients with an
outcome can be told as a function of the shifts (`emulator`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd
from scipy.stats import norm, qmc

from trialsim.bank.studies import GRACE_DAYS, eligible
from trialsim.bank.treatments import CENTRAL
from trialsim.calibration.arms import Arm
from trialsim.calibration.parameters import Parameter, parameters_of, varied
from trialsim.cohort import sample_cohort
from trialsim.conduct.inputs import start_dose_mg
from trialsim.conduct.tables import make_patients
from trialsim.simulation import simulate_patients
from trialsim.streams import derived_seed
from trialsim.units import DAYS_PER_MONTH, DAYS_PER_WEEK

if TYPE_CHECKING:
    from trialsim.schema.study import StudyConfig

HORIZON = 18.0  # months that a patient is followed: published medians beyond it are not used
PFS_MONTHS = (1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0, 5.0, 6.0, 7.0, 8.0, 10.0, 12.0, 15.0, 18.0)
OS_MONTHS = (2.0, 4.0, 6.0, 8.0, 10.0, 12.0, 15.0, 18.0)
WIDEST = 2.5  # standard deviations of the prior over which patients are spread
OUTCOMES = ("orr", "dcr", "clinical_benefit_rate", *(f"pfs_{t:g}" for t in PFS_MONTHS), *(f"os_{t:g}" for t in OS_MONTHS))


class Cell(NamedTuple):
    """Patients of one tumour type in one arm.

    Attributes:
        arm, kind: whose, and the tumour type. share: of the arm's patients. parameters: what the outcome depends on.
    """

    arm: Arm
    kind: str
    share: float
    parameters: dict[str, Parameter]

    @property
    def name(self) -> str:
        return f"{self.arm.name}/{self.kind}"


def cells_of(arm: Arm) -> list[Cell]:
    """The arm's cells, one a tumour type of its mix."""
    mix = arm.config.cohort.mix
    return [Cell(arm, kind, share, parameters_of(arm.config, kind, arm.on_drug)) for kind, share in mix.items() if share > 0]


def spread(parameters: dict[str, Parameter], count: int, seed: int) -> dict[str, np.ndarray]:
    """Shifts of ``count`` patients, normal as the priors up to `WIDEST`."""
    points = qmc.Sobol(len(parameters), rng=np.random.default_rng(seed)).random(count)
    z = norm.ppf(norm.cdf(-WIDEST) + points * (1.0 - 2.0 * norm.cdf(-WIDEST)))
    return {name: prior.mean + prior.sd * z[:, j] for j, (name, prior) in enumerate(parameters.items())}


def of_one_type(config: StudyConfig, kind: str) -> StudyConfig:
    """The study with patients of one tumour type, all followed to the horizon."""
    cohort = config.cohort.model_copy(update={"mix": {kind: 1.0}})
    design = config.design.model_copy(update={"max_follow_up_months": HORIZON, "withdrawal_rate_per_month": 0.0})
    return config.model_copy(update={"cohort": cohort, "design": design})


def simulated(cell: Cell, count: int) -> pd.DataFrame:
    """One row a patient whose integration went well: the shifts by parameter, `OUTCOMES` (0 or 1) and dose_level."""
    config = of_one_type(cell.arm.config, cell.kind)
    seed = derived_seed(config.seed, f"calibration {cell.name}")
    config = config.model_copy(update={"seed": int(seed) % 2**32})
    ids = eligible(config, config.analysis, count)
    shifts = spread(cell.parameters, count, seed)
    cohort = varied(config, cell.kind, sample_cohort(config.cohort, config.tumour, config.seed, ids), shifts)
    levels = config.analysis.dose_levels
    dose = np.asarray(levels, float)[np.arange(count) % len(levels)] if levels else np.full(count, config.regimen.dose)
    dose = dose if cell.arm.on_drug else np.zeros(count)
    enrolled = cohort.assign(
        replicate=0, dose_level=dose, phase="", start_dose_mg=start_dose_mg(config, cohort, dose), enrolment_day=0,
        follow_up_days=float(np.ceil(HORIZON * DAYS_PER_MONTH)),
    )  # fmt: skip
    table = pd.concat(simulate_patients(config, enrolled, make=make_patients), ignore_index=True)
    found = pd.DataFrame(shifts | outcomes(table, config) | {"dose_level": dose})
    return found[table["integration_ok"].to_numpy()].reset_index(drop=True)


def outcomes(table: pd.DataFrame, config: StudyConfig) -> dict[str, np.ndarray]:
    """`OUTCOMES` of the patients, by the reader that the trial publishes."""
    settings = config.analysis
    suffix = CENTRAL if settings.reader == "central" else ""
    column = lambda name: table[name].to_numpy()
    free = np.where(column(f"pfs_event{suffix}"), column(f"pfs_days{suffix}"), np.inf)
    alive = np.where(column("os_event"), column("os_days"), np.inf)
    controlled = column(f"disease_control{suffix}")
    if settings.disease_control_weeks is not None:
        controlled = free > settings.disease_control_weeks * DAYS_PER_WEEK + GRACE_DAYS
    found = {"orr": column(f"responder{suffix}"), "dcr": controlled, "clinical_benefit_rate": column("clinical_benefit")}
    found |= {f"pfs_{t:g}": free > t * DAYS_PER_MONTH for t in PFS_MONTHS}
    found |= {f"os_{t:g}": alive > t * DAYS_PER_MONTH for t in OS_MONTHS}
    return {name: np.asarray(value, bool).astype(np.int8) for name, value in found.items()}
