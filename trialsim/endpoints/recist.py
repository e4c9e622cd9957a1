"""RECIST 1.1: from the sum of target-lesion diameters to visit response and best overall response.

Reference: Eisenhauer EA et al. New response evaluation criteria in solid tumours: revised RECIST guideline (version
1.1). Eur J Cancer 2009;45:228-47, doi 10.1016/j.ejca.2008.10.026, with the EORTC clarifications (recist.eortc.org).

Out of scope: lymph nodes as target lesions. Their short axis counts below 10 mm as normal without being zero, so a
complete response of nodal targets would need the axis of every node; here all target lesions are extranodal, and a
complete response is a sum of zero. Also out of scope: patients with non-target disease only, and progression read off a
partly measured sum.
"""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple

import jax
import numpy as np

from trialsim.endpoints.namespace import array_namespace

Array = jax.Array | np.ndarray



class Criteria(NamedTuple):
    """From where on a change of the target lesions is response or progression. Ratios as whole numbers (numerator, denominator).

    Attributes:
        progression: size over nadir. partial: size over baseline. least_increase: over nadir, in the unit of the size.
        volume: the size is the volume of the target lesions, ml; else the sum of their diameters, mm.
    """

    progression: tuple[int, int]
    partial: tuple[int, int]
    least_increase: float = 0.0
    volume: bool = False


RECIST_1_1 = Criteria((6, 5), (7, 10), 5.0)
CRITERIA = {
    "RECIST 1.1": RECIST_1_1,
    # Therasse P et al., J Natl Cancer Inst 2000;92:205: no least increase; its ten target lesions are five here
    "RECIST 1.0": Criteria((6, 5), (7, 10)),
    # Cheson BD et al., J Clin Oncol 2007;25:579: the sum of products of diameters, -50 % and +50 %; as lesions shrink alike, the
    # square root of it for the sum of diameters
    "lymphoma": Criteria((1225, 1000), (7071, 10000)),
    # EXIST-1 and -2 (Franz DN et al., Lancet 2013;381:125; Bissler JJ et al., Lancet 2013;381:817): -50 % and +25 % of the volume
    "volume": Criteria((5, 4), (1, 2), 0.0, volume=True),
}


class Response(IntEnum):
    """Response at a visit, or best overall response."""

    NE = 0  # not evaluable
    CR = 1  # complete response
    PR = 2  # partial response
    SD = 3  # stable disease
    PD = 4  # progressive disease


RESPONSE_NAMES = np.array([response.name for response in Response])
"""``RESPONSE_NAMES[codes]`` turns an array of codes into an array of ``"NE" "CR" "PR" "SD" "PD"``."""


class RecistState(NamedTuple):
    """What the next visit needs to know of the earlier ones. All fields have the same shape, e.g. () or (patients,).

    Attributes:
        baseline_mm: sum of target-lesion diameters at baseline, mm.
        nadir_mm: smallest sum on study so far, baseline included, mm.
        progressed: whether progressive disease has been called at an earlier visit, bool.
    """

    baseline_mm: Array
    nadir_mm: Array
    progressed: Array


def begin(baseline_mm: Array) -> RecistState:
    """State after the baseline scan: the nadir is the baseline itself."""
    xp = array_namespace(baseline_mm)
    baseline_mm = xp.asarray(baseline_mm)
    return RecistState(baseline_mm, baseline_mm, xp.zeros(baseline_mm.shape, bool))


def target_response(
    baseline_mm: Array, nadir_mm: Array, sum_mm: Array, measured: Array, criteria: Criteria = RECIST_1_1
) -> Array:
    """Response of the target lesions (RECIST 1.1, section 4.3.1, or other criteria that are built alike).

    PD: at least 20 % and at least 5 mm over the nadir. It outranks PR: 100 -> 40 -> 50 mm is PD at half the baseline.
    CR: all target lesions gone (sum zero). PR: at least 30 % below baseline. SD: neither. NE: not measured.
    The ratios are written with whole numbers (6/5, 7/10), because 1.2 and 0.7 have no exact binary form and readings in
    whole millimetres do hit the limits exactly.

    Args:
        baseline_mm, nadir_mm, sum_mm: mm, any common shape; a baseline that is NaN or 0 (no target lesion) gives NE.
        measured: whether all target lesions were measured at this visit, bool.
        criteria: from where on. Where they are of volumes, the three sizes are in ml.

    Returns:
        Response codes, int32, same shape.
    """
    xp = array_namespace(baseline_mm, nadir_mm, sum_mm, measured)
    baseline_mm, nadir_mm, sum_mm = xp.asarray(baseline_mm), xp.asarray(nadir_mm), xp.asarray(sum_mm)
    evaluable = xp.asarray(measured) & xp.isfinite(sum_mm) & (baseline_mm > 0)
    (up, of_nadir), (down, of_baseline) = criteria.progression, criteria.partial
    increase = sum_mm - nadir_mm
    progression = (of_nadir * sum_mm >= up * nadir_mm) & (increase >= criteria.least_increase) & (increase > 0)
    complete = sum_mm <= 0
    partial = of_baseline * sum_mm <= down * baseline_mm
    code = xp.where(partial, int(Response.PR), int(Response.SD))
    code = xp.where(complete, int(Response.CR), code)
    code = xp.where(progression, int(Response.PD), code)
    return xp.where(evaluable, code, int(Response.NE)).astype(xp.int32)


def overall_response(
    target: Array, new_lesion: Array, nontarget_progression: Array, nontarget_residual: Array | bool = False
) -> Array:
    """Response of the visit from target lesions, non-target lesions and new lesions (RECIST 1.1, table 1).

    A new lesion or unequivocal non-target progression is PD whatever the target lesions do, even when they were not
    measured. Target lesions gone while non-target disease remains is PR.

    Args:
        target: response codes of the target lesions, any shape.
        new_lesion: a new lesion has been seen, bool.
        nontarget_progression: unequivocal progression of non-target disease, bool.
        nontarget_residual: non-target disease persists (neither gone nor progressing), bool.

    Returns:
        Response codes, int32.
    """
    xp = array_namespace(target, new_lesion, nontarget_progression, nontarget_residual)
    target = xp.asarray(target)
    incomplete = (target == Response.CR) & xp.asarray(nontarget_residual)
    code = xp.where(incomplete, int(Response.PR), target)
    return xp.where(xp.asarray(new_lesion) | xp.asarray(nontarget_progression), int(Response.PD), code).astype(xp.int32)


def assess(
    state: RecistState,
    sum_mm: Array,
    new_lesion: Array,
    nontarget_progression: Array,
    measured: Array,
    nontarget_residual: Array | bool = False,
    criteria: Criteria = RECIST_1_1,
) -> tuple[RecistState, Array]:
    """One visit: (state, findings) -> (state, response code). Pure: for jit, vmap and scan, and for numpy arrays.

    Progression is final: a measured visit after PD is PD too, since new lesions and regrowth do not lapse (RECIST 1.1
    knows no pseudo-progression). Call it only at visits; at a visit that was missed altogether pass ``measured=False``
    and no findings.

    Args:
        state: from `begin` or the visit before.
        sum_mm: measured sum of target-lesion diameters, mm; NaN allowed when not measured.
        new_lesion, nontarget_progression, measured, nontarget_residual: bool, as in `overall_response`,
            `target_response`.
    """
    xp = array_namespace(*state, sum_mm, new_lesion, nontarget_progression, measured, nontarget_residual)
    target = target_response(state.baseline_mm, state.nadir_mm, sum_mm, measured, criteria)
    response = overall_response(target, new_lesion, nontarget_progression, nontarget_residual)
    response = xp.where(state.progressed & (response != Response.NE), int(Response.PD), response).astype(xp.int32)
    nadir_mm = xp.where(target != Response.NE, xp.minimum(state.nadir_mm, sum_mm), state.nadir_mm)
    return RecistState(state.baseline_mm, nadir_mm, state.progressed | (response == Response.PD)), response


def assess_history(
    baseline_mm: np.ndarray,
    sum_mm: np.ndarray,
    new_lesion: np.ndarray,
    nontarget_progression: np.ndarray,
    measured: np.ndarray | None = None,
    nontarget_residual: np.ndarray | bool = False,
    criteria: Criteria = RECIST_1_1,
) -> tuple[np.ndarray, np.ndarray]:
    """Every visit of every patient, in float64 on the host.

    Args:
        baseline_mm: (patients,), mm.
        sum_mm: (patients, scans), mm, in order of time; NaN where missed.
        new_lesion, nontarget_progression: (patients, scans), bool.
        measured: (patients, scans), bool; default: where ``sum_mm`` is finite.
        nontarget_residual: bool, broadcast to (patients, scans). criteria: as in `target_response`.

    Returns:
        response codes (patients, scans), and the nadir in force when each scan was judged (patients, scans), mm: the
        smallest sum before that scan, baseline included.
    """
    sum_mm = np.asarray(sum_mm, float)
    measured = np.isfinite(sum_mm) if measured is None else np.asarray(measured, bool)
    new_lesion, nontarget_progression, nontarget_residual = (
        np.broadcast_to(np.asarray(flag, bool), sum_mm.shape)
        for flag in (new_lesion, nontarget_progression, nontarget_residual)
    )
    response = np.zeros(sum_mm.shape, np.int32)
    nadir = np.zeros(sum_mm.shape)
    state = begin(np.asarray(baseline_mm, float))
    for scan in range(sum_mm.shape[1]):
        nadir[:, scan] = state.nadir_mm
        findings = (
            array[:, scan] for array in (sum_mm, new_lesion, nontarget_progression, measured, nontarget_residual)
        )
        state, response[:, scan] = assess(state, *findings, criteria)
    return response, nadir


def best_overall_response(
    day: np.ndarray,
    response: np.ndarray,
    *,
    sd_minimum_days: float,
    confirmation_days: float | None = None,
    last_day: np.ndarray | None = None,
) -> np.ndarray:
    """Best overall response (RECIST 1.1, section 4.4 and table 3).

    * Scans after the first PD, or after `last_day`, do not count.
    * SD counts only if CR, PR or SD was seen at least once no earlier than `sd_minimum_days` after baseline. Without
      that the best response is PD if progression followed, else NE.
    * With `confirmation_days`, CR and PR count only if met again at least that many days later. Missed scans (NE) may
      lie between (PR-NE-PR is confirmed), SD may not: PR-SD is SD by table 3, and a later PR starts anew. CR followed
      by PR counts towards PR. An unconfirmed response that lasts past `sd_minimum_days` is SD.

    Args:
        day: (patients, scans), days from baseline, ascending; NaN where there is no scan.
        response: (patients, scans), response codes.
        sd_minimum_days: days.
        confirmation_days: days; None: no confirmation asked.
        last_day: (patients,), last day on study treatment (off study, new treatment), days; None: no limit.

    Returns:
        (patients,), response codes, int32.
    """
    day, response = np.asarray(day, float), _countable(day, response, last_day)
    patients = len(day)
    confirmed_cr, confirmed_pr, stable, progressed = (np.zeros(patients, bool) for _ in range(4))
    needed = 0.0 if confirmation_days is None else confirmation_days
    cr_since, pr_since = np.full(patients, np.inf), np.full(patients, np.inf)  # start of the unbroken run; inf: none
    for scan in range(day.shape[1]):
        code, now = response[:, scan], day[:, scan]
        responding = (code == Response.CR) | (code == Response.PR)
        seen = code != Response.NE
        cr_since = np.where(code == Response.CR, np.minimum(cr_since, now), np.where(seen, np.inf, cr_since))
        pr_since = np.where(responding, np.minimum(pr_since, now), np.where(seen, np.inf, pr_since))
        confirmed_cr |= (code == Response.CR) & (now - cr_since >= needed)
        confirmed_pr |= responding & (now - pr_since >= needed)
        stable |= (responding | (code == Response.SD)) & (now >= sd_minimum_days)
        progressed |= code == Response.PD
    best = np.where(progressed, Response.PD, Response.NE)
    best = np.where(stable, Response.SD, best)
    best = np.where(confirmed_pr, Response.PR, best)
    return np.where(confirmed_cr, Response.CR, best).astype(np.int32)


def best_change_percent(
    baseline_mm: np.ndarray,
    sum_mm: np.ndarray,
    day: np.ndarray,
    response: np.ndarray,
    last_day: np.ndarray | None = None,
) -> np.ndarray:
    """Greatest fall (or smallest rise) of the sum from baseline, %, up to and including the first PD: the waterfall
    plot.

    Args and axes as in `best_overall_response`; `sum_mm` (patients, scans), `baseline_mm` (patients,), mm.

    Returns:
        (patients,), %; NaN if no scan counts, or nothing was measurable at baseline.
    """
    sum_mm, baseline_mm = np.asarray(sum_mm, float), np.asarray(baseline_mm, float)
    change = 100.0 * (sum_mm / np.where(baseline_mm > 0.0, baseline_mm, np.nan)[:, None] - 1.0)
    change = np.where(_countable(day, response, last_day) != Response.NE, change, np.nan)
    lowest = np.min(np.where(np.isnan(change), np.inf, change), axis=1, initial=np.inf)
    return np.where(np.isfinite(lowest), lowest, np.nan)


def first_progression_day(day: np.ndarray, response: np.ndarray) -> np.ndarray:
    """Day of the first visit with PD, (patients,), days; inf if there is none. Arguments (patients, scans)."""
    progressive = (np.asarray(response) == Response.PD) & np.isfinite(day)
    return np.min(np.where(progressive, day, np.inf), axis=1, initial=np.inf)


def first_response_day(day: np.ndarray, response: np.ndarray, last_day: np.ndarray | None = None) -> np.ndarray:
    """Day of the first visit with CR or PR, confirmed later or not, (patients,), days; inf if there is none. Arguments as in
    `best_overall_response`."""
    responding = np.isin(_countable(day, response, last_day), (Response.CR, Response.PR))
    return np.min(np.where(responding, np.asarray(day, float), np.inf), axis=1, initial=np.inf)


def is_responder(best: np.ndarray) -> np.ndarray:
    """Objective response: best overall response CR or PR. Bool, any shape."""
    return np.isin(best, (Response.CR, Response.PR))


def has_disease_control(best: np.ndarray) -> np.ndarray:
    """Disease control: best overall response CR, PR or SD. Bool, any shape."""
    return np.isin(best, (Response.CR, Response.PR, Response.SD))


def has_lasting_control(
    best: np.ndarray, day: np.ndarray, response: np.ndarray, minimum_days: float, last_day: np.ndarray | None = None
) -> np.ndarray:
    """Clinical benefit by RECIST: objective response, or a visit without progression at `minimum_days` or later.

    Args as in `best_overall_response`, which gives `best` (patients,).

    Returns:
        (patients,), bool.
    """
    controlled = np.isin(_countable(day, response, last_day), (Response.CR, Response.PR, Response.SD))
    return is_responder(best) | np.any(controlled & (np.asarray(day, float) >= minimum_days), axis=1)


def _countable(day: np.ndarray, response: np.ndarray, last_day: np.ndarray | None) -> np.ndarray:
    """Response codes with everything after the first PD, after `last_day`, or without a scan day set to NE."""
    day, response = np.asarray(day, float), np.asarray(response)
    limit = np.full(len(day), np.inf) if last_day is None else np.asarray(last_day, float)
    with np.errstate(invalid="ignore"):
        counts = day <= np.minimum(limit, first_progression_day(day, response))[:, None]
    return np.where(counts, response, Response.NE)
