"""One patient through one trial, day by day. Everything random is drawn from the patient's own key and the day.

The order of a day, which is also the order of cause and effect:

    see        a scan if one is due: diameters as read -> RECIST 1.1 -> off treatment on progression
    decide     today's adverse events -> hold, reduce, stop
    give       the dose that schedule, decision and adherence leave
    live       one day of blood, cells and tumour (mechanism.patient)
    befall     toxicity, new lesion, withdrawal, death, each with its hazard
"""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from trialsim.endpoints import measurement, recist
from trialsim.mechanism import growth, patient, toxicity
from trialsim.mechanism.signalling import NetworkConstants
from trialsim.protocol import dosing


class Subject(NamedTuple):
    """One enrolled patient (leading axis (patients,) outside the kernel).

    Attributes:
        parameters: biology. frailty: (terms,).
        lesions_mm: true target-lesion diameters at first dose, NaN where absent, (lesions,).
        lesion_growth: untreated growth of each diameter, 1/day, (lesions,). lesion_resistant: resistant share, (lesions,).
        growth: the patient's untreated growth, 1/day (non-target disease). resistant: the patient's resistant share.
        nontarget: has non-target disease. new_lesion_rate, death_rate: 1/day at first dose.
        full_dose_mg: dose of one administration at full dose.
        scan_days: days from first dose, ascending, (scans,): 0 the pre-treatment scan, 1 the baseline, then on study.
        scan_missed: (scans,). scan_normals: reading errors, (scans, lesions + 1). volume_normals: (scans, lesions).
        key: PRNG key data, uint32 (2,).
    """

    parameters: patient.PatientParameters
    frailty: jax.Array
    lesions_mm: jax.Array
    lesion_growth: jax.Array
    lesion_resistant: jax.Array
    growth: jax.Array
    resistant: jax.Array
    nontarget: jax.Array
    new_lesion_rate: jax.Array
    death_rate: jax.Array
    full_dose_mg: jax.Array
    scan_days: jax.Array
    scan_missed: jax.Array
    scan_normals: jax.Array
    volume_normals: jax.Array
    key: jax.Array


class Setting(NamedTuple):
    """What all patients of a trial share, as arrays.

    Attributes:
        constants, toxicity, rules: biology of the drug and the dose-modification rules (``toxicity.frailty`` is not used).
        schedule: index into ``dosing.SCHEDULES``. adherence: probability that a due dose is taken.
        max_treatment_days, withdrawal_rate (1/day), occasion_days: as configured.
        death_burden, death_progression, new_lesion_growth: see ``schema.network.GrowthSettings``.
        nontarget_ratio: diameter over its minimum that is unequivocal non-target progression.
    """

    constants: NetworkConstants
    toxicity: toxicity.ToxicityParameters
    rules: dosing.Rules
    schedule: jax.Array
    adherence: jax.Array
    max_treatment_days: jax.Array
    withdrawal_rate: jax.Array
    occasion_days: jax.Array
    death_burden: jax.Array
    death_progression: jax.Array
    new_lesion_growth: jax.Array
    nontarget_ratio: jax.Array


class Carry(NamedTuple):
    """What tomorrow needs."""

    biology: patient.PatientState
    dosing: dosing.DosingState
    grades: jax.Array
    exposure: jax.Array
    recist: recist.RecistState
    nontarget_min: jax.Array
    new_lesion: jax.Array
    on_study: jax.Array
    alive: jax.Array


class Scan(NamedTuple):
    """What one scan shows. sum_mm NaN if not measured; volume_ml of the target lesions; response: RECIST code."""

    sum_mm: jax.Array
    volume_ml: jax.Array
    new_lesion: jax.Array
    nontarget_progression: jax.Array
    response: jax.Array


class Record(NamedTuple):
    """One day of the case report form (leading axes (patients, days) outside).

    Attributes:
        scanned: a scan took place; scan: what it showed.
        n_holds, n_reductions: holds begun and reductions made up to today.
        status: index into ``dosing.STATUS`` after today's decisions. action: index of the dose action. dose_mg: taken.
        planned_mg: what the schedule at full dose asks for today, on treatment or not. grades: (terms,) today's CTCAE grades.
        day: concentrations and pathway. I_sensitive, I_resistant: growth integrals at the end of the day.
        alive, on_study: at the end of the day.
    """

    scanned: jax.Array
    scan: Scan
    status: jax.Array
    n_holds: jax.Array
    n_reductions: jax.Array
    action: jax.Array
    dose_mg: jax.Array
    planned_mg: jax.Array
    grades: jax.Array
    day: patient.Day
    I_sensitive: jax.Array
    I_resistant: jax.Array
    alive: jax.Array
    on_study: jax.Array


class Course(NamedTuple):
    """A patient's whole course: scans before treatment (pre-treatment, baseline), the daily records, and whether all is finite."""

    before: Scan
    days: Record
    ok: jax.Array


def _read(subject: Subject, reading: Any, scan: jax.Array, true_mm: jax.Array, missed: jax.Array) -> tuple[jax.Array, jax.Array]:
    sum_mm = measurement.target_sum(measurement.read_diameters(true_mm, subject.scan_normals[scan], reading))
    volumes = measurement.read_volumes(true_mm, subject.volume_normals[scan], reading)
    volume_ml = jnp.nansum(volumes)
    return jnp.where(missed, jnp.nan, sum_mm), jnp.where(missed, jnp.nan, volume_ml)


def _true_mm(subject: Subject, I_sensitive: jax.Array, I_resistant: jax.Array) -> jax.Array:
    return growth.diameters(subject.lesions_mm, subject.lesion_growth, subject.lesion_resistant, I_sensitive, I_resistant)


def _before(subject: Subject, reading: Any) -> Scan:
    """Pre-treatment and baseline scans: the tumour grew freely until the first dose."""

    def one(scan):
        free = subject.scan_days[scan].astype(subject.growth.dtype)  # negative: days of untreated growth to come
        sum_mm, volume_ml = _read(subject, reading, scan, _true_mm(subject, free, free), subject.scan_missed[scan])
        none = jnp.zeros((), bool)
        return Scan(sum_mm, volume_ml, none, none, jnp.zeros((), jnp.int32))

    return jax.vmap(one)(jnp.arange(2))


def simulate_patient(subject: Subject, setting: Setting, reading: Any, days: int, steps: int) -> Course:
    """One patient's course over ``days`` days from the first dose.

    Args:
        subject: one patient (no leading axis).
        setting: shared by all.
        reading: ``EndpointSettings`` (reading error).
        days, steps: days simulated; integration steps a day.
    """
    k, p = setting.constants, subject.parameters
    reference = patient.untreated(k, p)
    tox = setting.toxicity._replace(frailty=subject.frailty)
    terms = subject.frailty.shape[0]
    before = _before(subject, reading)
    sld0 = jnp.nansum(subject.lesions_mm)
    key = jax.random.wrap_key_data(subject.key)

    def live(carry: Carry, day: jax.Array) -> tuple[Carry, Record]:
        bits = jax.random.bits(jax.random.fold_in(key, day), (2 * terms + 4,), "uint32")
        u = (bits >> 8).astype(subject.growth.dtype) * 2.0**-24
        u_tox, (u_miss, u_new, u_leave, u_die) = u[: 2 * terms].reshape(2, terms), u[2 * terms :]
        I_s, I_r = carry.biology.I_sensitive, carry.biology.I_resistant
        true_mm = _true_mm(subject, I_s, I_r)

        # see: target lesions as read, non-target disease against its own minimum, anything new
        is_scan = (subject.scan_days == day) & (jnp.arange(subject.scan_days.shape[0]) >= 2)
        scan = jnp.argmax(is_scan)
        scanned = jnp.any(is_scan) & carry.on_study & ~carry.recist.progressed
        seen = scanned & ~subject.scan_missed[scan]
        sum_mm, volume_ml = _read(subject, reading, scan, true_mm, ~seen)
        one = jnp.ones((1,), true_mm.dtype)
        nontarget = growth.diameters(one, subject.growth * one, subject.resistant * one, I_s, I_r)[0]
        nontarget_min = jnp.minimum(carry.nontarget_min, nontarget)
        worse = seen & subject.nontarget & (nontarget > setting.nontarget_ratio * nontarget_min)
        found = seen & carry.new_lesion
        assessed, response = recist.assess(
            carry.recist, sum_mm, found, worse, seen, nontarget_residual=subject.nontarget & (nontarget > 0.1)
        )
        assessed = jax.tree.map(lambda new, old: jnp.where(scanned, new, old), assessed, carry.recist)
        dose_state = dosing.leave(carry.dosing, dosing.PROGRESSION, assessed.progressed)

        # decide and give
        dose_state, action = dosing.modify(dose_state, carry.grades, setting.rules)
        dose_state = dosing.leave(dose_state, dosing.COMPLETED, day >= setting.max_treatment_days)
        due = dosing.scheduled(setting.schedule, day)
        taken = (u_miss < setting.adherence) | (day == 0)
        dose_mg = dosing.dose_today(dose_state, setting.rules, subject.full_dose_mg, due, taken)
        planned_mg = jnp.where(due, subject.full_dose_mg, 0.0)

        # live
        biology, today = patient.advance_day(carry.biology, dose_mg, day // setting.occasion_days, k, p, reference, steps)
        exposure = toxicity.smoothed_exposure(carry.exposure, today.cmin)

        # befall
        grades = toxicity.next_grades(tox, carry.grades, exposure, day.astype(exposure.dtype), u_tox)
        relative_growth = growth.mean_growth(subject.growth, subject.resistant, I_s, I_r, biology.I_sensitive, biology.I_resistant)
        new_rate = subject.new_lesion_rate * jnp.maximum(relative_growth, 0.0) ** setting.new_lesion_growth
        new_lesion = carry.new_lesion | (u_new < -jnp.expm1(-new_rate))
        burden = jnp.maximum(jnp.nansum(true_mm) / sld0, 0.1)
        after = jnp.where(assessed.progressed, setting.death_progression, 1.0)
        dies = u_die < -jnp.expm1(-subject.death_rate * burden**setting.death_burden * after)
        leaves = u_leave < -jnp.expm1(-setting.withdrawal_rate)
        alive = carry.alive & ~(carry.on_study & dies)
        on_study = carry.on_study & ~dies & ~leaves
        dose_state = dosing.leave(dose_state, dosing.DEATH, carry.on_study & dies)
        dose_state = dosing.leave(dose_state, dosing.WITHDRAWAL, carry.on_study & leaves)
        # whoever is off study takes nothing more
        tomorrow = Carry(biology, dose_state, grades, exposure, assessed, nontarget_min, new_lesion, on_study, alive)
        record = Record(
            scanned=scanned,
            scan=Scan(sum_mm, volume_ml, found, worse, jnp.where(scanned, response, 0)),
            status=dose_state.status.astype(jnp.int8),
            n_holds=dose_state.n_holds.astype(jnp.int16),
            n_reductions=dose_state.n_reductions.astype(jnp.int16),
            action=action.astype(jnp.int8),
            dose_mg=dose_mg,
            planned_mg=planned_mg,
            grades=carry.grades.astype(jnp.int8),
            day=today,
            I_sensitive=biology.I_sensitive,
            I_resistant=biology.I_resistant,
            alive=alive,
            on_study=on_study,
        )
        return tomorrow, record

    yes = jnp.ones((), bool)
    start = Carry(
        biology=patient.initial_state(reference),
        dosing=dosing.first_day(),
        grades=jnp.zeros((terms,), jnp.int32),
        exposure=jnp.zeros((), subject.growth.dtype),
        recist=recist.begin(before.sum_mm[1]),
        nontarget_min=jnp.ones((), subject.growth.dtype),
        new_lesion=~yes,
        on_study=yes,
        alive=yes,
    )
    _, records = jax.lax.scan(live, start, jnp.arange(days))
    finite = jnp.isfinite(records.day.cmin) & jnp.isfinite(records.I_sensitive) & jnp.isfinite(records.I_resistant)
    return Course(before, records, jnp.all(finite))
