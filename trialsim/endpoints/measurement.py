"""What a reader writes down for lesions of known size: reading error, the 5 mm rule, volumes.

Reading error of one diameter, per reading:

    reading_l = d_l (1 + c z_0) + sqrt((v d_l)^2 + a^2) z_l

with d_l the true diameter of lesion l (mm), z_0 one standard normal shared by the lesions of a reading (the reader's
habit, the scan's phase and slice), z_l one standard normal a lesion (where the calipers are put), v = `lesion_cv`, a =
`lesion_error_mm` and c the shared part that makes the CV of the sum equal `reader_cv` in a patient with three lesions
of 34 mm.

Why these numbers. Repeated readings differ, in 95 % of cases, by (Yoon SH et al. Eur J Cancer 2016;53:5-15)

    one lesion   -22.1 to +25.4 % between readers, -17.8 to +16.1 % within a reader: CV per reading 8.6 %, 6.1 %
    the sum      -19.2 to +19.5 % between readers,  -9.8 to +13.1 % within a reader: CV per reading 7.0 %, 4.1 %

(half-width / 1.96 / sqrt 2). Were the lesions of a patient read independently, three lesions of 8.6 % would give a sum
of 5.0 %, not 7.0 %; so part of the error is shared. Solving both lines for three lesions gives a lesion part of 6.1 %
(between readers) or 5.6 % (within) and a shared part of 6.1 % or 2.5 %: what distinguishes two readers is shared, the
caliper error is the same.
The caliper error also has a part in mm, since small lesions vary more in percent: same-day repeat scans of single
lesions differ with SD 2.4 mm, 84 % of them within +-10 % (Oxnard GR et al. J Clin Oncol 2011;29:3114-9), which is 1.7
mm and 5.0 % per reading and meets at d = 34 mm. Defaults v = 5 %, a = 1 mm give 5.8 % at 34 mm. The split between v and
a is assumed.
"""

from __future__ import annotations

import math
from typing import Protocol

import jax
import numpy as np

from trialsim.endpoints.namespace import array_namespace
from trialsim.units import sphere_volume_ml

Array = jax.Array | np.ndarray

REFERENCE_LESIONS = 3
"""Target lesions of the patient for whom `reader_cv` is the CV of the sum; assumed: typical number in the studies of
Yoon 2016.
"""
REFERENCE_DIAMETER_MM = 34.0
"""Their diameter, mm: where 1.7 mm and 5.0 % per reading (both Oxnard 2011) are the same error."""


class ReadingSettings(Protocol):
    """What `read_diameters` and `read_volumes` need of the endpoint settings
    (`trialsim.schema.endpoint.EndpointSettings`).
    """

    reader_cv: float  # CV of the sum of target lesions, per reading, fraction
    lesion_cv: float  # CV of one lesion beyond the shared part, per reading, fraction
    lesion_error_mm: float  # SD of one lesion that does not grow with size, per reading, mm
    reading_resolution_mm: float  # readings are written to the nearest multiple, mm; 0: unrounded
    smallest_measurable_mm: float  # default reading of a lesion still seen but too small to measure, mm
    gone_below_mm: float  # true diameter below which a lesion is no longer seen, mm
    volume_cv: float  # CV of the volume of one lesion, per reading, fraction


def shared_reading_cv(reader_cv: float, lesion_cv: float, lesion_error_mm: float) -> float:
    """CV shared by all lesions of a reading, so that the sum of the reference patient has CV `reader_cv`. Fraction.

    NaN if the lesion part alone exceeds `reader_cv`.
    """
    own = lesion_cv**2 + (lesion_error_mm / REFERENCE_DIAMETER_MM) ** 2
    rest = reader_cv**2 - own / REFERENCE_LESIONS
    return math.sqrt(rest) if rest >= 0 else math.nan


def read_diameters(true_mm: Array, normals: Array, settings: ReadingSettings) -> Array:
    """Diameters as written down at one reading.

    Args:
        true_mm: true diameters, (..., lesions), mm; NaN where the patient has no such lesion.
        normals: standard normals, (..., lesions + 1): [..., 0] is shared by the lesions, [..., 1:] are the lesions'
            own.
        settings: see `ReadingSettings`.

    Returns:
        (..., lesions), mm; NaN where absent; 0 for a lesion that is gone; `smallest_measurable_mm` (5 mm) for a lesion
        that is seen but reads smaller than that (RECIST 1.1, section 4.3.2, "too small to measure").
    """
    xp = array_namespace(true_mm, normals)
    true_mm, normals = xp.asarray(true_mm), xp.asarray(normals)
    shared = shared_reading_cv(settings.reader_cv, settings.lesion_cv, settings.lesion_error_mm)
    own_sd_mm = xp.sqrt((settings.lesion_cv * true_mm) ** 2 + settings.lesion_error_mm**2)
    reading = true_mm * (1 + shared * normals[..., :1]) + own_sd_mm * normals[..., 1:]
    if settings.reading_resolution_mm > 0:
        reading = xp.round(reading / settings.reading_resolution_mm) * settings.reading_resolution_mm
    reading = xp.maximum(reading, settings.smallest_measurable_mm)
    return xp.where(true_mm < settings.gone_below_mm, xp.zeros_like(reading), reading)


def target_sum(diameters_mm: Array) -> Array:
    """Sum of target-lesion diameters, mm: (..., lesions) -> (...). Absent lesions (NaN) do not count; no lesion at all
    is NaN.
    """
    xp = array_namespace(diameters_mm)
    present = xp.isfinite(diameters_mm)
    total = xp.sum(xp.where(present, diameters_mm, 0.0), axis=-1)
    return xp.where(xp.any(present, axis=-1), total, xp.nan)


def read_volumes(true_mm: Array, normals: Array, settings: ReadingSettings) -> Array:
    """Lesion volumes as measured by software at one reading; a segmentation, so not the cube of the read diameter.

    Lognormal error with CV `volume_cv`, independent between lesions. Default 10 %: interscan differences of lesion
    volume lie, in 95 % of cases, within -25.1 to +28.9 % (thin-slice CT, 202 nodules, PMC3043750) and +-27 % (automated
    volumes, 233 nodules, "Pulmonary Nodules: Volume Repeatability at Multidetector CT Lung Cancer Screening",
    Radiology); half-width / 1.96 / sqrt 2 is 9.7 %. Those nodules are small (mean 11 mm in the first); larger lesions
    are likely measured better.

    Args:
        true_mm: true diameters, (..., lesions), mm; NaN where absent.
        normals: standard normals, (..., lesions).
        settings: see `ReadingSettings`.

    Returns:
        (..., lesions), ml; NaN where absent; 0 for a lesion that is gone.
    """
    xp = array_namespace(true_mm, normals)
    true_mm = xp.asarray(true_mm)
    log_sd = math.sqrt(math.log1p(settings.volume_cv**2))
    volume = sphere_volume_ml(true_mm) * xp.exp(log_sd * xp.asarray(normals))
    return xp.where(true_mm < settings.gone_below_mm, xp.zeros_like(volume), volume)
