"""The patients of BENCH-1 and their reference solution: inside an installed package, or in a checkout's experiments folder."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np

PARAMETERS = "params.csv"
REFERENCE = "reference_1000.npz"


class Reference(NamedTuple):
    """The reference solution; its patients are the first rows of the parameter file, in order."""

    t_h: np.ndarray  # (times,) h since the first dose
    tumour_mm: np.ndarray  # (patients, times) sensitive and resistant part together, mm
    C_ng_ml: np.ndarray  # (patients, times) plasma concentration just before a dose, ng/mL
    pS6K: np.ndarray  # (patients, times) active fraction


def folder() -> Path:
    """Absolute path of the folder with the two files; inside the package is tried first, as for ``conf``."""
    benchmark = Path(__file__).resolve().parent
    places = (benchmark / "data", benchmark.parents[1] / "experiments" / "benchmark")
    for place in places:
        if (place / PARAMETERS).is_file():
            return place
    raise FileNotFoundError(f"{PARAMETERS} not found in " + " or ".join(str(place) for place in places))


def parameters(n: int) -> dict[str, np.ndarray]:
    """The first ``n`` patients.

    Returns:
        CL (L/h), Vc (L), Vp (L), K (ng/mL), kg (/h), V0 (mm), a_fb, m, pten, ras: each (n,) float64.
    """
    path = folder() / PARAMETERS
    names = path.read_text(encoding="utf-8").split("\n", 1)[0].strip().split(",")
    table = np.loadtxt(path, delimiter=",", skiprows=1, dtype=np.float64, ndmin=2)
    if not 1 <= n <= len(table):
        raise ValueError(f"{n} patients asked for; {path.name} has 1 to {len(table)}")
    return {name: np.ascontiguousarray(table[:n, column]) for column, name in enumerate(names)}


def reference() -> Reference:
    """Tumour, concentration and pS6K of the first 1,000 patients every 168 h from 0 to 4032 h."""
    with np.load(folder() / REFERENCE) as saved:
        return Reference(t_h=saved["t"], tumour_mm=saved["T"], C_ng_ml=saved["C"], pS6K=saved["pS6K"])
