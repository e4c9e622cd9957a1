"""What is computed from weight, height, age and sex."""

from __future__ import annotations

import numpy as np

ADULT_FFM_AGE_Y = 18.0


def body_surface_area(weight_kg: np.ndarray, height_cm: np.ndarray) -> np.ndarray:
    """BSA = sqrt(height * weight / 3600), m2. Mosteller RD, N Engl J Med 1987;317:1098."""
    return np.sqrt(height_cm * weight_kg / 3600.0)


def fat_free_mass(weight_kg: np.ndarray, height_cm: np.ndarray, age_y: np.ndarray, sex: np.ndarray) -> np.ndarray:
    """Fat-free mass, kg.

    Adults, Janmahasatian S et al., Clin Pharmacokinet 2005;44:1051, with B = weight / height^2 in kg/m2:
        men 9270 W / (6680 + 216 B);  women 9270 W / (8780 + 244 B)
    Under 18 years, Al-Sallami HS et al., Clin Pharmacokinet 2015;54:1169, the adult value times
        boys 0.88 + 0.12 / (1 + (age/13.4)^-12.7);  girls 1.11 - 0.11 / (1 + (age/7.1)^-1.1)
    """
    bmi = weight_kg / (height_cm / 100.0) ** 2
    female = sex == "F"
    adult = 9270.0 * weight_kg / np.where(female, 8780.0 + 244.0 * bmi, 6680.0 + 216.0 * bmi)
    age = np.maximum(age_y, 0.1)
    girl = 1.11 - 0.11 / (1.0 + (age / 7.1) ** -1.1)
    boy = 0.88 + 0.12 / (1.0 + (age / 13.4) ** -12.7)
    return np.where(age_y < ADULT_FFM_AGE_Y, adult * np.where(female, girl, boy), adult)
