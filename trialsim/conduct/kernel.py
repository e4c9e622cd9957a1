"""Patients through a trial, day by day. Everything random is drawn from the patient's own key and the day.

Arrays have patients last: what is decided is written for one patient and mapped over the last axis, the biology of a day is one
call for all. The days are grouped by dosing occasion, since kinetics are tabulated once an occasion.

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
import numpy as np

from trialsim.conduct import combination
from trialsim.endpoints import measurement, recist
from trialsim.engine import counter
from trialsim.mechanism import growth, patient, routes, toxicity
from trialsim.mechanism.pharmacokinetics import DrugKinetics
from trialsim.mechanism.signalling import NetworkConstants
from trialsim.protocol import dosing


class Subject(NamedTuple):
    """Enrolled patients (a last axis (patients,) inside the kernel, a leading one outside).

    Attributes:
        parameters: biology. frailty: (terms,).
        lesions_mm: true target-lesion diameters at first dose, NaN where absent, (lesions,).
        lesion_growth: untreated growth of each diameter, 1/day, (lesions,). lesion_resistant: resistant share, (lesions,).
        growth: the patient's untreated growth, 1/day (non-target disease). resistant: the patient's resistant share.
        nontarget: has non-target disease. new_lesion_rate, death_rate: 1/day at first dose.
        full_dose_mg: dose of one administration at full dose. partner_mg: of the partner drugs, (partners,), if there are any.
        scan_days: days from first dose, ascending, (scans,): 0 the pre-treatment scan, 1 the baseline, then on study.
        scan_missed: (scans,). scan_normals: reading errors, (scans, lesions + 1). volume_normals: (scans, lesions).
        key: PRNG key data, uint32 (2,).
        crosses: on control, and takes the rapalog from progression on; None: nobody.
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
    partner_mg: jax.Array | None = None
    crosses: jax.Array | None = None


class Setting(NamedTuple):
    """What all patients of a trial share, as arrays.

    Attributes:
        constants, toxicity, rules: biology of the drug and the dose-modification rules (``toxicity.frailty`` is not used).
        schedule: of the rapalog. adherence: probability that a due dose is taken.
        max_treatment_days, withdrawal_rate (1/day): as configured.
        death_burden, death_progression, new_lesion_growth: see ``schema.network.GrowthSettings``.
        nontarget_ratio: diameter over its minimum that is unequivocal non-target progression.
        partners: the partner drugs, None if there are none.
    """

    constants: NetworkConstants
    toxicity: toxicity.ToxicityParameters
    rules: dosing.Rules
    schedule: dosing.Schedule
    adherence: jax.Array
    max_treatment_days: jax.Array
    withdrawal_rate: jax.Array
    death_burden: jax.Array
    death_progression: jax.Array
    new_lesion_growth: jax.Array
    nontarget_ratio: jax.Array
    partners: combination.Combination | None = None


class Carry(NamedTuple):
    """What tomorrow needs. crossed: first day of the rapalog after crossover, ``dosing.FOREVER`` before; None: nobody crosses."""

    biology: patient.PatientState
    dosing: dosing.DosingState
    grades: jax.Array
    exposure: jax.Array
    recist: recist.RecistState
    nontarget_min: jax.Array
    new_lesion: jax.Array
    on_study: jax.Array
    alive: jax.Array
    partner_exposure: jax.Array | None = None
    crossed: jax.Array | None = None


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
        planned_mg: what the schedule at full dose asks for today, on treatment or not.
        partner_mg, partner_planned_mg: the same of each administration of the partner drugs, (partners,).
        grades: (terms,) today's CTCAE grades.
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
    partner_mg: jax.Array | None = None
    partner_planned_mg: jax.Array | None = None


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


class Morning(NamedTuple):
    """What is seen and decided before a day is lived; the fields are explained where they are used."""

    chances: combination.Chances
    true_mm: jax.Array
    scanned: jax.Array
    scan: Scan
    assessed: recist.RecistState
    nontarget_min: jax.Array
    dosing: dosing.DosingState
    action: jax.Array
    dose_mg: jax.Array
    planned_mg: jax.Array
    partner_mg: jax.Array | None = None
    partner_planned_mg: jax.Array | None = None
    crossed: jax.Array | None = None


def _decide(carry: Carry, subject: Subject, day: jax.Array, setting: Setting, reading: Any) -> Morning:
    """See a scan if one is due, judge it, and decide on today's dose. One patient."""
    terms, partners = subject.frailty.shape[0], setting.partners
    count = terms + combination.EVENTS + (partners.count if partners else 0)
    u = combination.chances(counter.uniforms(subject.key, day, count, subject.growth.dtype), terms, partners)
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
    criteria = recist.CRITERIA[reading.criteria]
    size = volume_ml if criteria.volume else sum_mm
    assessed, response = recist.assess(carry.recist, size, found, worse, seen, subject.nontarget & (nontarget > 0.1), criteria)
    assessed = jax.tree.map(lambda new, old: jnp.where(scanned, new, old), assessed, carry.recist)
    crossed, ends, waits, drug_day = carry.crossed, assessed.progressed, False, day
    if subject.crosses is not None:
        crossed = jnp.where(subject.crosses & assessed.progressed, jnp.minimum(crossed, day), crossed)
        ends, waits = ends & ~subject.crosses, subject.crosses & (day < crossed)
        drug_day = jnp.where(subject.crosses, day - crossed, day)
    dose_state = dosing.leave(carry.dosing, dosing.PROGRESSION, ends)

    # decide and give; where no drug is given there is none to hold
    treated = (subject.full_dose_mg > 0.0) & ~jnp.asarray(waits)
    if partners:
        treated = treated | jnp.any(subject.partner_mg > 0.0)
    dose_state, action = dosing.modify(dose_state, jnp.where(treated, carry.grades, 0), setting.rules)
    dose_state = dosing.leave(dose_state, dosing.COMPLETED, drug_day >= setting.max_treatment_days)
    due = dosing.scheduled(setting.schedule, drug_day)  # never on a negative day
    taken = (u.taken < setting.adherence) | (drug_day == setting.schedule.start_day)
    others = (None, None)
    if partners:
        kept, free = u.partners < setting.adherence, carry.on_study & ~assessed.progressed
        others = combination.doses(partners, dose_state, setting.rules, subject.partner_mg, day, kept, carry.grades, free)
    return Morning(
        chances=u,
        true_mm=true_mm,
        scanned=scanned,
        scan=Scan(sum_mm, volume_ml, found, worse, jnp.where(scanned, response, 0)),
        assessed=assessed,
        nontarget_min=nontarget_min,
        dosing=dose_state,
        action=action,
        dose_mg=dosing.dose_today(dose_state, setting.rules, subject.full_dose_mg, due, taken),
        planned_mg=jnp.where(due, subject.full_dose_mg, 0.0),
        partner_mg=others[0],
        partner_planned_mg=others[1],
        crossed=crossed,
    )


def _befall(
    carry: Carry,
    morning: Morning,
    biology: patient.PatientState,
    seen: patient.Day,
    subject: Subject,
    timing: tuple[jax.Array, jax.Array | None],
    setting: Setting,
) -> Carry:
    """What happens by the end of the day: toxicity, a new lesion, withdrawal, death. One patient."""
    u = morning.chances
    tox = setting.toxicity._replace(frailty=subject.frailty)
    exposure = toxicity.smoothed_exposure(carry.exposure, seen.cmin)
    partner_exposure, others = None, None
    if setting.partners:
        partner_exposure = toxicity.smoothed_exposure(carry.partner_exposure, seen.partners.mean)
        others = toxicity.PartnerExposure(setting.partners.toxicity, partner_exposure, timing[1])
    grades = toxicity.next_grades(tox, carry.grades, exposure, timing[0], u.toxicity, others)
    before = carry.biology
    relative_growth = growth.mean_growth(
        subject.growth, subject.resistant, before.I_sensitive, before.I_resistant, biology.I_sensitive, biology.I_resistant
    )
    new_rate = subject.new_lesion_rate * jnp.maximum(relative_growth, 0.0) ** setting.new_lesion_growth
    waited = lambda u: -jnp.log(1.0 - u)  # unit-exponential: an event comes today if the hazard exceeds it
    new_lesion = carry.new_lesion | (waited(u.new_lesion) < new_rate)
    burden = jnp.maximum(jnp.nansum(morning.true_mm) / jnp.nansum(subject.lesions_mm), 0.1)
    after = jnp.where(morning.assessed.progressed, setting.death_progression, 1.0)
    dies = waited(u.die) < subject.death_rate * burden**setting.death_burden * after
    leaves = waited(u.leave) < setting.withdrawal_rate
    dose_state = dosing.leave(morning.dosing, dosing.DEATH, carry.on_study & dies)
    dose_state = dosing.leave(dose_state, dosing.WITHDRAWAL, carry.on_study & leaves)
    # whoever is off study takes nothing more
    return Carry(
        biology=biology,
        dosing=dose_state,
        grades=grades,
        exposure=exposure,
        recist=morning.assessed,
        nontarget_min=morning.nontarget_min,
        new_lesion=new_lesion,
        on_study=carry.on_study & ~dies & ~leaves,
        alive=carry.alive & ~(carry.on_study & dies),
        partner_exposure=partner_exposure,
        crossed=morning.crossed,
    )


def simulate_patients(
    subject: Subject, setting: Setting, reading: Any, days: int, steps: int, occasion_days: int, drug: DrugKinetics
) -> Course:
    """Courses over ``days`` days from the first dose, leaves (..., patients).

    Args:
        subject: leaves (patients, ...). setting: shared by all.
        reading: criteria and reading error, ``schema.endpoint.Reading``.
        days, steps: days simulated; integration steps a day. occasion_days: days of a dosing occasion.
        drug: closed form of its kinetics.
    """
    subject = jax.tree.map(lambda leaf: jnp.moveaxis(leaf, 0, -1), subject)
    k, p = setting.constants, routes.cut(subject.parameters)
    treated = routes.treated(k, p.routes)
    of_patients = lambda function: jax.vmap(function, in_axes=-1, out_axes=-1)
    before = of_patients(lambda s: _before(s, reading))(subject)
    reference = patient.untreated(k, p)
    mesh = patient.day_mesh(steps, drug)
    n, dtype = subject.growth.shape[0], subject.growth.dtype

    def occasion(carry: Carry, number: jax.Array) -> tuple[Carry, jax.Array]:
        kinetics = patient.occasion_kinetics(p, number, mesh, drug)

        def live(carry: Carry, now: tuple[jax.Array, jax.Array]) -> tuple[Carry, jax.Array]:
            day, timing = now
            morning = of_patients(lambda c, s: _decide(c, s, day, setting, reading))(carry, subject)
            given = morning.dose_mg, kinetics, treated, p, reference, mesh, morning.partner_mg
            biology, today = patient.advance_day(carry.biology, *given)
            evening = of_patients(lambda c, m, b, d, s: _befall(c, m, b, d, s, timing, setting))
            after = evening(carry, morning, biology, today, subject)
            record = Record(
                scanned=morning.scanned,
                scan=morning.scan,
                status=after.dosing.status,
                n_holds=after.dosing.n_holds,
                n_reductions=after.dosing.n_reductions,
                action=morning.action,
                dose_mg=morning.dose_mg,
                planned_mg=morning.planned_mg,
                grades=carry.grades,
                day=today,
                I_sensitive=biology.I_sensitive,
                I_resistant=biology.I_resistant,
                alive=after.alive,
                on_study=after.on_study,
                partner_mg=morning.partner_mg,
                partner_planned_mg=morning.partner_planned_mg,
            )
            shapes.append(jax.tree.map(lambda leaf: jax.ShapeDtypeStruct(leaf.shape, leaf.dtype), record))
            # one array a day: the compiler then writes it in place, where it copies the whole record for each of many arrays
            return after, jnp.concatenate([leaf.reshape(-1, n).astype(dtype) for leaf in jax.tree.leaves(record)])

        days = number * occasion_days + jnp.arange(occasion_days)
        rapalog = lambda day: toxicity.timing(setting.toxicity, day)
        partners = lambda day: combination.timing(setting.partners, day) if setting.partners else None
        timing = jax.vmap(lambda day: (rapalog(day), partners(day)))(days.astype(dtype))
        return jax.lax.scan(live, carry, (days, timing))

    shapes: list[Record] = []
    everyone = lambda value, kind: jnp.full((n,), value, kind)
    start = Carry(
        biology=patient.initial_state(reference, drug, p.partners),
        dosing=jax.tree.map(lambda v: jnp.broadcast_to(v, (n,)), dosing.first_day()),
        grades=jnp.zeros((subject.frailty.shape[0], n), jnp.int32),
        exposure=everyone(0.0, dtype),
        recist=of_patients(recist.begin)((before.volume_ml if recist.CRITERIA[reading.criteria].volume else before.sum_mm)[1]),
        nontarget_min=everyone(1.0, dtype),
        new_lesion=everyone(False, bool),
        on_study=everyone(True, bool),
        alive=everyone(True, bool),
        partner_exposure=None if subject.partner_mg is None else jnp.zeros_like(subject.partner_mg),
        crossed=None if subject.crosses is None else everyone(dosing.FOREVER, jnp.int32),
    )
    _, packed = jax.lax.scan(occasion, start, jnp.arange(-(-days // occasion_days)))
    packed = packed.reshape(-1, *packed.shape[2:])[:days]  # (days, rows, patients)
    records = _unpacked(packed, shapes[0])
    finite = jnp.isfinite(records.day.cmin) & jnp.isfinite(records.I_sensitive) & jnp.isfinite(records.I_resistant)
    return Course(before, records, jnp.all(finite, axis=0))


SMALL_INTEGERS = {"status": jnp.int8, "action": jnp.int8, "grades": jnp.int8, "n_holds": jnp.int16, "n_reductions": jnp.int16}


def _unpacked(packed: jax.Array, shape: Record) -> Record:
    """The records of all days, leaves (days, ..., patients), from (days, rows, patients)."""
    leaves, row = [], 0
    for leaf in jax.tree.leaves(shape):
        rows = int(np.prod(leaf.shape[:-1]))
        block = packed[:, row : row + rows].reshape(packed.shape[0], *leaf.shape)
        leaves.append(block.astype(leaf.dtype))
        row += rows
    record = jax.tree.unflatten(jax.tree.structure(shape), leaves)
    return record._replace(**{name: getattr(record, name).astype(kind) for name, kind in SMALL_INTEGERS.items()})
