"""The columns of a cohort: what each means, its unit, and what a plausible value is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from trialsim.schema.base import ConfigError


@dataclass(frozen=True)
class Quantity:
    """A numeric column: meaning, unit, and the closed range of plausible values. ``whole`` columns hold integers."""

    meaning: str
    unit: str
    low: float
    high: float
    whole: bool = False

    @property
    def allowed(self) -> str:
        kind = "a whole number" if self.whole else "a number"
        return f"{kind} from {self.low:g} to {self.high:g} {self.unit}".strip()


@dataclass(frozen=True)
class Category:
    """A column of labels."""

    meaning: str
    choices: tuple[str, ...]

    @property
    def allowed(self) -> str:
        return "one of " + ", ".join(self.choices)


@dataclass(frozen=True)
class Flag:
    """A yes/no column."""

    meaning: str

    @property
    def allowed(self) -> str:
        return "true or false (or 1 or 0)"


Column = Quantity | Category | Flag

COLUMNS: dict[str, Column] = {
    "age_y": Quantity("age at enrolment", "years", 2, 110),
    "sex": Category("sex", ("F", "M")),
    "weight_kg": Quantity("body weight", "kg", 6, 300),
    "height_cm": Quantity("height", "cm", 65, 230),
    "haematocrit": Quantity("haematocrit", "fraction of volume", 0.15, 0.65),
    "hepatic_function": Category("hepatic function", ("normal", "child_pugh_a", "child_pugh_b", "child_pugh_c")),
    "cyp3a4_comedication": Category("CYP3A4/P-gp co-medication", ("none", "inhibitor", "inducer")),
    "abcb1_ttt": Flag("at least one ABCB1 TTT haplotype"),
    "line": Quantity("line of therapy (prior lines + 1)", "", 1, 15, whole=True),
    "ecog": Quantity("ECOG performance status", "", 0, 3, whole=True),
    "pik3ca": Flag("PIK3CA mutated"),
    "pten_mutation": Flag("PTEN mutated"),
    "pten_loss": Flag("PTEN protein lost"),
    "akt1": Flag("AKT1 mutated"),
    "tsc": Flag("TSC1 or TSC2 inactivated"),
    "kras": Flag("KRAS mutated"),
    "mtor": Flag("MTOR activated by mutation"),
    "pathway_dependence": Quantity("share of proliferation through mTORC1-dependent translation", "", 0, 1),
    "n_target_lesions": Quantity("number of target lesions", "", 1, 5, whole=True),
    "lesion_1_mm": Quantity("diameter of the largest target lesion", "mm", 10, 500),
    "lesion_2_mm": Quantity("diameter of the second target lesion; empty if absent", "mm", 10, 500),
    "lesion_3_mm": Quantity("diameter of the third target lesion; empty if absent", "mm", 10, 500),
    "lesion_4_mm": Quantity("diameter of the fourth target lesion; empty if absent", "mm", 10, 500),
    "lesion_5_mm": Quantity("diameter of the fifth target lesion; empty if absent", "mm", 10, 500),
    "sld_baseline_mm": Quantity("true sum of target-lesion diameters at baseline", "mm", 10, 2000),
    "nontarget": Flag("non-target disease at baseline"),
    "growth_rate_per_day": Quantity("untreated growth rate of a lesion's diameter", "per day", 0, 0.3),
    "resistant_fraction": Quantity("share of tumour cells not slowed by the drug", "", 0, 1),
    "new_lesion_rate_per_day": Quantity("hazard of a new lesion at the baseline burden", "per day", 0, 0.5),
    "death_rate_per_day": Quantity("hazard of death at the baseline burden", "per day", 0, 0.5),
}
LESION_COLUMNS = tuple(f"lesion_{k}_mm" for k in range(1, 6))
MAY_BE_EMPTY = LESION_COLUMNS[1:]  # a patient may have fewer than five target lesions
BODY_MASS_INDEX = Quantity("body-mass index", "kg/m2", 9, 80)


def first_implausible(name: str, values: np.ndarray | pd.Series) -> int | None:
    """Position of the first value of a numeric column outside its plausible range, or None. Empty lesions are fine."""
    quantity = COLUMNS[name]
    assert isinstance(quantity, Quantity), f"{name} is not numeric"
    numbers = np.asarray(values, float)
    wrong = ~((numbers >= quantity.low) & (numbers <= quantity.high))
    if name in MAY_BE_EMPTY:
        wrong &= ~np.isnan(numbers)
    return int(np.argmax(wrong)) if wrong.any() else None


def implausible_build(height_cm: np.ndarray, weight_kg: np.ndarray) -> int | None:
    """Position of the first patient whose weight and height do not belong together, or None."""
    bmi = np.asarray(weight_kg, float) / (np.asarray(height_cm, float) / 100.0) ** 2
    wrong = ~((bmi >= BODY_MASS_INDEX.low) & (bmi <= BODY_MASS_INDEX.high))
    return int(np.argmax(wrong)) if wrong.any() else None


def check_sampled(columns: Mapping[str, np.ndarray], ids: np.ndarray) -> None:
    """Refuse a sampled cohort whose settings led to an impossible patient.

    Args:
        columns: sampled columns by name, each of shape (patients,).
        ids: patient_id, shape (patients,).

    Raises:
        ConfigError: names the column, the patient and the plausible range.
    """
    for name, column in COLUMNS.items():
        if isinstance(column, Quantity) and name in columns:
            at = first_implausible(name, columns[name])
            if at is not None:
                raise ConfigError(
                    "cohort",
                    f"{name} {float(columns[name][at]):.4g} (patient {ids[at]})",
                    f"the settings must lead to {column.allowed}",
                )
    at = implausible_build(columns["height_cm"], columns["weight_kg"])
    if at is not None:
        raise ConfigError(
            "cohort.body_size",
            f"{columns['weight_kg'][at]:.4g} kg at {columns['height_cm'][at]:.4g} cm (patient {ids[at]})",
            f"the settings must lead to a body-mass index of {BODY_MASS_INDEX.allowed}",
        )
