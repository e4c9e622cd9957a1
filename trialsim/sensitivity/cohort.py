"""Outcomes of a virtual trial at many parameter sets: the same patients, scans and chances in each (common random numbers), so that
what differs between two sets is their doing.

Constants of the network are inputs of the patients' program, one value a patient, so the cohorts of many sets go through one
compiled program side by side.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from contextlib import nullcontext
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd

from trialsim.cohort import sample_cohort
from trialsim.conduct.inputs import make_schedule, make_setting, make_subjects
from trialsim.conduct.kernel import Course, Record, simulate_patients
from trialsim.conduct.observe import observe
from trialsim.endpoints import proportions, recist, survival
from trialsim.endpoints.estimate import Estimate
from trialsim.engine.population import Program, map_population, usable_devices
from trialsim.mechanism import growth
from trialsim.mechanism.individual_pk import kinetics_of
from trialsim.mechanism.patient import TUMOUR, steps_for
from trialsim.mechanism.pharmacokinetics import DrugKinetics
from trialsim.mechanism.signalling import NetworkConstants
from trialsim.sensitivity.priors import Prior, changed, constants_of, is_constant
from trialsim.sensitivity.references import with_references
from trialsim.units import DAYS_PER_MONTH, DAYS_PER_WEEK

if TYPE_CHECKING:
    from trialsim.schema.study import StudyConfig

OUTCOMES = {
    "orr": "proportion",
    "dcr": "proportion",
    "pfs_mean": "months",
    "pfs_median": "months",
    "best_change": "%",
    "size_week_8": "%",
    "ps6_week_4": "fold",
    "pakt_week_4": "fold",
}
SIZE_DAY, MARKER_DAY = int(8 * DAYS_PER_WEEK), int(4 * DAYS_PER_WEEK)
PATIENTS_A_BLOCK = 16_384  # enough for two cores, see `engine.population`
_KEEP = ("scanned", "scan", "status", "alive", "on_study")  # of the record: what `conduct.observe` looks at
_with_references = jax.jit(with_references)


class Seen(NamedTuple):
    """What is taken from each course.

    Attributes:
        course: with `_KEEP` of the record only. log_size: ln of the true sum of diameters after eight weeks over baseline.
        log_ps6, log_pakt: ln of the folds in the tumour after four weeks.
    """

    course: Course
    log_size: jax.Array
    log_ps6: jax.Array
    log_pakt: jax.Array


@cache
def _program(
    reading, days: int, steps: int, occasion_days: int, drug: DrugKinetics, devices: int | None, precision: str
) -> Program:
    def course(patients, setting):
        subjects, constants = patients
        found = simulate_patients(subjects, setting._replace(constants=constants), reading, days, steps, occasion_days, drug)
        grown = found.days.I_sensitive[SIZE_DAY - 1], found.days.I_resistant[SIZE_DAY - 1]
        size = growth.diameters(subjects.lesions_mm, subjects.lesion_growth, subjects.lesion_resistant, *grown)
        log_size = jnp.log(jnp.nansum(size, axis=1) / jnp.nansum(subjects.lesions_mm, axis=1))
        marker = lambda name: jnp.log(getattr(found.days.day, name)[MARKER_DAY - 1, TUMOUR])
        kept = dict.fromkeys(Record._fields) | {name: getattr(found.days, name) for name in _KEEP}
        return Seen(found._replace(days=Record(**kept)), log_size, marker("ps6"), marker("pakt"))

    return Program(course, usable_devices(devices))


class Trial:
    """The study's cohort, to be treated at any values of some parameters.

    Args:
        config: the study. priors: the parameters.
    """

    def __init__(self, config: StudyConfig, priors: Sequence[Prior]):
        settings = config.analysis
        self.config, self.priors = config, tuple(priors)
        self.days, self.horizon = settings.simulated_days(config), float(settings.weeks * DAYS_PER_WEEK)
        self.cohort = sample_cohort(config.cohort, config.tumour, config.seed)
        self.level = np.full(len(self.cohort), config.regimen.dose)
        self.schedule = make_schedule(config, self.cohort["patient_id"].to_numpy())
        self.setting = make_setting(config)
        self._subjects: OrderedDict[tuple[float, ...], Any] = OrderedDict()

    @property
    def sets_a_block(self) -> int:
        """Parameter sets between two checkpoints."""
        return max(PATIENTS_A_BLOCK // len(self.cohort), 1)

    @property
    def present(self) -> np.ndarray:
        """The present values, (1, parameters)."""
        return np.array([[prior.value for prior in self.priors]])

    def outcomes(self, values: np.ndarray) -> pd.DataFrame:
        """`OUTCOMES` and ``failed`` (patients whose course is not finite) of each parameter set, one row a set.

        Args:
            values: (sets, parameters).
        """
        found = [self._estimates(*part) for part in self._patients(values)]
        numbers = [{name: float(one.estimate) for name, one in row.items()} for row, _ in found]
        return pd.DataFrame([row | {"failed": failed} for row, (_, failed) in zip(numbers, found, strict=True)])

    def estimates(self, values: np.ndarray) -> dict[str, Estimate]:
        """The outcomes at one parameter set, (1, parameters), with the intervals that a cohort of this size leaves."""
        return self._estimates(*next(self._patients(values)))[0]

    def _subjects_at(self, row: np.ndarray):
        """Everything but the constants of the network; kept, as most steps of a screening change those only."""
        mine = {p.path: float(value) for p, value in zip(self.priors, row, strict=True) if not is_constant(p.path)}
        key = tuple(mine.values())
        if key not in self._subjects:
            self._subjects[key] = make_subjects(changed(self.config, mine), self.cohort, self.level)
        self._subjects.move_to_end(key)
        while len(self._subjects) > 2:
            self._subjects.popitem(last=False)
        return self._subjects[key]

    def _constants(self, values: np.ndarray) -> NetworkConstants:
        """Leaves (sets,), with the reference levels that go with them."""
        sets, spread = len(values), self.config.network.spread
        column = {p.path: values[:, j] for j, p in enumerate(self.priors)}
        of = lambda section, name, value: np.asarray(column.get(f"network.{section}.{name}", np.full(sets, value)), float)
        k = constants_of(self.config)
        k = NetworkConstants(*(of("signalling", name, value) for name, value in k._asdict().items()))
        f_S6K, f_GRB10 = (of("spread", name, getattr(spread, name)) for name in ("f_S6K", "f_GRB10"))
        room = self.sets_a_block  # one shape, one program
        padded = lambda leaf: np.concatenate([leaf, np.repeat(leaf[-1:], -len(leaf) % room)])
        with jax.enable_x64(True):
            found = _with_references(jax.tree.map(padded, k), padded(f_S6K), padded(f_GRB10))
        return jax.tree.map(lambda leaf: np.asarray(leaf, self.config.compute.precision)[:sets], found)

    def _patients(self, values: np.ndarray):
        """What each set's patients show: (courses, size, markers) of one set after another."""
        c, n = self.config, len(self.cohort)
        subjects = [self._subjects_at(row) for row in values]
        subjects = jax.tree.map(lambda *leaves: np.concatenate(leaves), *subjects)
        everyone = (subjects, jax.tree.map(lambda leaf: np.repeat(leaf, n), self._constants(values)))
        with jax.enable_x64(True) if c.compute.precision == "float64" else nullcontext():
            occasion_days, drug = c.drug.pk.occasion_days, kinetics_of(c.drug)
            steps = steps_for(c.compute.accuracy, drug)
            program = _program(c.endpoint.reading, self.days, steps, occasion_days, drug, c.compute.devices, c.compute.precision)
            part = lambda these: jax.tree.map(lambda leaf: leaf[these], everyone)
            found = [seen for _, seen in map_population(program, part, self.setting, n * len(values))]
        whole = jax.tree.map(lambda *leaves: np.concatenate(leaves), *found)
        for i in range(len(values)):
            yield jax.tree.map(lambda leaf, i=i: leaf[i * n : (i + 1) * n], whole)

    def _estimates(self, course: Course, log_size: np.ndarray, log_ps6: np.ndarray, log_pakt: np.ndarray):
        e = self.config.endpoint
        follow_up = np.full(len(self.cohort), float(self.days))
        seen = observe(course, self.schedule, follow_up)
        best = recist.best_overall_response(
            seen.scan_day, seen.response, sd_minimum_days=e.sd_minimum_days, confirmation_days=e.confirmation_days,
            last_day=seen.until,
        )  # fmt: skip
        pfs = survival.progression_free_survival(
            seen.scan_day, seen.response, seen.death, seen.until, maximum_gap_days=e.maximum_gap_days
        )
        curve = survival.kaplan_meier(pfs.time, pfs.event)
        change = recist.best_change_percent(course.before.sum_mm[:, 1], seen.sum_mm, seen.scan_day, seen.response)
        last = self.horizon if curve.survival[-1] <= survival.TIE else min(self.horizon, float(curve.time[-1]))
        median = survival.quantile(curve)
        reached = np.isfinite(median.estimate)  # a median that is not reached counts as the end of follow-up
        found = {
            "orr": proportions.share(recist.is_responder(best)),
            "dcr": proportions.share(recist.has_disease_control(best)),
            "pfs_mean": _in_months(survival.restricted_mean(curve, last)),
            "pfs_median": _in_months(median if reached else median._replace(estimate=float(self.days))),
            "best_change": _mean(change[np.isfinite(change)]),
            "size_week_8": _as_change(_geometric(log_size)),
            "ps6_week_4": _geometric(log_ps6),
            "pakt_week_4": _geometric(log_pakt),
        }
        return found, int(np.sum(~course.ok))


def _in_months(found: Estimate) -> Estimate:
    return found._replace(**{name: getattr(found, name) / DAYS_PER_MONTH for name in ("estimate", "low", "high")})


def _mean(values: np.ndarray) -> Estimate:
    values = np.asarray(values, float)
    n = len(values)
    mean, half = (float(np.mean(values)), 1.96 * float(np.std(values, ddof=1)) / np.sqrt(n)) if n > 1 else (np.nan, np.nan)
    return Estimate(mean, mean - half, mean + half, n, "mean, normal interval")


def _as_change(found: Estimate) -> Estimate:
    """A ratio as a change in percent."""
    return found._replace(**{name: 100.0 * (getattr(found, name) - 1.0) for name in ("estimate", "low", "high")})


def _geometric(logs: np.ndarray) -> Estimate:
    found = _mean(logs)
    return found._replace(
        estimate=np.exp(found.estimate), low=np.exp(found.low), high=np.exp(found.high), method="geometric mean, normal interval"
    )
