"""Facts seen in patients: biopsies and blood cells under everolimus, in virtual patients of the configured population."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import jax
import numpy as np

from trialsim.cohort import sample_cohort
from trialsim.engine import Plan, Regimen, simulate
from trialsim.mechanism import rapalog
from trialsim.mechanism.individual import individual_parameters, network_constants
from trialsim.mechanism.individual_pk import kinetics_of
from trialsim.mechanism.patient import PBMC, TUMOUR, steps_for
from trialsim.units import HOURS_PER_DAY

if TYPE_CHECKING:
    from trialsim.schema.study import StudyConfig

DAYS = 28  # pathway at steady state
SHRUNK = 0.7  # of the diameter: partial response
ATTEMPTED_DAYS = 168  # over which a response is looked for

Experiment = Callable[["Clinic"], float]
IN_PATIENTS: dict[str, Experiment] = {}


def in_patients(fact_id: str) -> Callable[[Experiment], Experiment]:
    """The function below measures this fact in a `Clinic`."""

    def register(experiment: Experiment) -> Experiment:
        assert fact_id not in IN_PATIENTS, fact_id
        IN_PATIENTS[fact_id] = experiment
        return experiment

    return register


class Clinic:
    """The patients of the configuration; whoever is asked about is dosed on all days that the schedule has, without holds."""

    def __init__(self, config: StudyConfig):
        self.config = config
        self.cohort = sample_cohort(config.cohort, config.tumour, config.seed)
        self._course = lru_cache(maxsize=None)(self._simulated)

    def course(
        self,
        mg: float,
        every: int = 1,
        days: int = DAYS,
        cells: int = TUMOUR,
        blood: bool = False,
        autophagy: float = 0.0,
        changes: Mapping[str, Any] | None = None,
    ) -> rapalog.Seen:
        """What is seen at the end of each day, leaves (patients, days).

        Args:
            mg: dose, given every ``every`` days from day 0; ``every`` of `days` or more: once.
            cells: TUMOUR or PBMC. blood: the tumour lies in the blood, where it sees as much drug as PBMC.
            autophagy: part of the flux that a lysosomal inhibitor blocks. changes: covariates of all patients set to a value.
        """
        return self._course(mg, every, days, cells, blood, autophagy, tuple(sorted((changes or {}).items())))

    def _simulated(
        self, mg: float, every: int, days: int, cells: int, blood: bool, autophagy: float, changes: tuple
    ) -> rapalog.Seen:
        c, cohort = self.config, self.cohort.assign(**dict(changes))
        ids, n = cohort["patient_id"].to_numpy(), len(cohort)
        parameters = individual_parameters(cohort, c.drug, c.network, c.tumour, c.seed, ids, 1, mg)
        if blood:
            held = jax.tree.map(lambda leaf: leaf[:, [PBMC, PBMC]], parameters.binding)
            parameters = parameters._replace(binding=held)
        lesion = {"d0_mm": np.ones(n), "growth_per_day": cohort["growth_rate_per_day"], "resistant": cohort["resistant_fraction"]}
        kinetics = kinetics_of(c.drug)
        model = rapalog.open_model(kinetics)  # compiled once, also for networks with other constants
        plan = Plan(steps_for(c.compute.accuracy, kinetics), grading=kinetics.grading)
        ends = HOURS_PER_DAY * np.arange(1, days + 1)
        regimen = Regimen.repeated(np.full(n, mg), days, HOURS_PER_DAY, every)
        given = rapalog.parameters_of(parameters, lesion, cells) | {"i_autophagy": np.full(n, autophagy)}
        return simulate(model, given | network_constants(c.network)._asdict(), regimen, ends, plan)


DAILY_MG, WEEK = 10.0, 7


def _last(values: np.ndarray) -> np.ndarray:
    return np.asarray(values)[:, -1]


@in_patients("odonnell_pbmc_s6k_7d")
def _(clinic: Clinic) -> float:
    """20 mg once, blood cells a week later. S6 stands in for its kinase, which is not observed: it follows within the hour."""
    return float(np.median(_last(clinic.course(20.0, every=WEEK, days=WEEK, cells=PBMC).ps6)))


@in_patients("tabernero_ps6_daily")
def _(clinic: Clinic) -> float:
    return float(np.median(_last(clinic.course(DAILY_MG).ps6)))


@in_patients("tabernero_ps6_weekly")
def _(clinic: Clinic) -> float:
    """Fifth day after the fourth weekly dose."""
    return float(np.median(np.asarray(clinic.course(50.0, every=WEEK).ps6)[:, DAYS - 3]))


@in_patients("tabernero_dose_order")
def _(clinic: Clinic) -> float:
    daily, weekly = (np.median(_last(course.ps6)) for course in (clinic.course(DAILY_MG), clinic.course(20.0, every=WEEK)))
    return float(daily / weekly)


@in_patients("tabernero_pakt_half")
def _(clinic: Clinic) -> float:
    return float(np.mean(_last(clinic.course(DAILY_MG).pakt) > 1.2))


@in_patients("tabernero_4ebp1_trough")
def _(clinic: Clinic) -> float:
    five, ten = (np.median(_last(clinic.course(mg).p4ebp1)) for mg in (5.0, DAILY_MG))
    return float(ten / five)


GLIOBLASTOMA = {"pten_loss": True}


@in_patients("cloughesy_ki67_half")
def _(clinic: Clinic) -> float:
    """Rapamycin at 10 mg daily, a week, in tumours without PTEN."""
    return float(np.mean(_last(clinic.course(DAILY_MG, days=WEEK, changes=GLIOBLASTOMA).proliferation) < 0.75))


@in_patients("cloughesy_ki67_follows_s6")
def _(clinic: Clinic) -> float:
    seen = clinic.course(DAILY_MG, days=WEEK, changes=GLIOBLASTOMA)
    S6, proliferation = _last(seen.ps6), _last(seen.proliferation)
    deep = S6 < np.median(S6)
    return float(np.mean(proliferation[deep]) / np.mean(proliferation[~deep]))


SATURATING_MG = 100.0


def _net(clinic: Clinic) -> np.ndarray:
    """Growth of the sensitive cells in the fourth week of a saturating dose, over untreated."""
    grown = np.asarray(clinic.course(SATURATING_MG).I_sensitive)
    return (grown[:, -1] - grown[:, -1 - WEEK]) / WEEK


@in_patients("pptp_in_vivo_delay")
def _(clinic: Clinic) -> float:
    return float(np.mean(_net(clinic) < 0.8))


@in_patients("pptp_in_vivo_regression_rare")
def _(clinic: Clinic) -> float:
    return float(np.mean(_net(clinic) < 0.0))


@in_patients("stroma_lowers_drug")
def _(clinic: Clinic) -> float:
    """Occupancy falls with delivery; the level is that of free drug at the cells, which delivery scales."""
    tumour = clinic.config.tumour
    return tumour["pancreatic_adenocarcinoma"].pathway.penetration / tumour["colorectal"].pathway.penetration


@in_patients("stroma_depletion_raises_drug")
def _(clinic: Clinic) -> float:
    return 1.0 / clinic.config.tumour["pancreatic_adenocarcinoma"].pathway.penetration


@in_patients("aml_patients_s473_falls")
def _(clinic: Clinic) -> float:
    """Leukaemias that lose at least half of mTORC2 on prolonged exposure."""
    c, ids = clinic.config, clinic.cohort["patient_id"].to_numpy()
    labile = individual_parameters(clinic.cohort, c.drug, c.network, c.tumour, c.seed, ids, 1).cell.phi_mTORC2[:, TUMOUR] > 0.5
    return float(np.mean(_last(clinic.course(DAILY_MG, blood=True).pakt)[labile] < 0.8))


@in_patients("pik3ca_crc_no_response")
def _(clinic: Clinic) -> float:
    seen = clinic.course(DAILY_MG, days=ATTEMPTED_DAYS, changes={"tumour_type": "colorectal", "pik3ca": True, "kras": True})
    return _responses(seen)


def _responses(seen: rapalog.Seen) -> float:
    return float(np.mean(np.min(np.asarray(seen.diameter_mm), axis=1) <= SHRUNK))


def _blocked(clinic: Clinic, mg_a_day: float) -> float:
    """Part of the flux blocked by hydroxychloroquine at its steady-state mean concentration."""
    hcq = clinic.config.partner["hydroxychloroquine"]
    mean_mg_L = hcq.pk.F * mg_a_day / (hcq.pk.CL * HOURS_PER_DAY)
    free_nM = hcq.pk.fu * 1e6 * mean_mg_L / hcq.pk.molar_mass
    effect = hcq.inhibits["autophagy"]
    return effect.max * free_nM**effect.hill / (free_nM**effect.hill + effect.IC50_nM**effect.hill)


@in_patients("hcq_dose_threshold")
def _(clinic: Clinic) -> float:
    return _blocked(clinic, 1200.0) - _blocked(clinic, 400.0)


@in_patients("hcq_everolimus_response")
def _(clinic: Clinic) -> float:
    renal = {"tumour_type": "rcc_clear_cell"}
    return _responses(clinic.course(DAILY_MG, days=ATTEMPTED_DAYS, autophagy=_blocked(clinic, 1200.0), changes=renal))


@in_patients("hcq_tems_response")
def _(clinic: Clinic) -> float:
    """Everolimus 10 mg daily stands in for temsirolimus 25 mg weekly."""
    return _responses(clinic.course(DAILY_MG, days=ATTEMPTED_DAYS, autophagy=_blocked(clinic, 1200.0)))
