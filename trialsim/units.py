"""Units and physical constants, once. Time: hours inside the mechanism, days in the conduct of a trial."""

from __future__ import annotations

HOURS_PER_DAY = 24.0
DAYS_PER_WEEK = 7.0
DAYS_PER_MONTH = 30.4375  # 365.25 / 12, the convention of oncology reports


def ng_ml_to_nM(molar_mass_g_mol: float) -> float:
    """Factor from ng/mL (= ug/L) to nmol/L for a molar mass in g/mol."""
    return 1e3 / molar_mass_g_mol


def sphere_volume_ml(diameter_mm):
    """Volume of a sphere in mL from its diameter in mm."""
    return 0.5235987755982988 * diameter_mm**3 * 1e-3
