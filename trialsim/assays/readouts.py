"""What instruments give: exact values of the culture, and the errors of measuring them.

Light (ATP, CellTiter-Glo)      L = g_plate l (N + N_blank) e^z,        N = cells of the well after its seeding and edge effects
Cell counts (imaging)           n / f, n ~ Poisson(f N), times the error of segmentation; f: share of the well that is seen
Western blot, a lane's band     B = q (x / x_ref + floor) e^z over its loading control q e^z', q: protein in the lane
Single cells (flow cytometry)   n ~ Binomial(events, p), logit p shifted by where the gate was set

All z are normal and all errors lognormal with mean 1. Every error is drawn for the id of a well, lane or sample (`plate.ids`), so
it does not depend on what else is measured. With errors of zero every read-out is the exact value.

EdU: with k = k_prol divisions per cell and hour, and S and G2/M of fixed length, k e^(k s) cells, per living cell, are s hours
from dividing: until then divisions rise by e^((k - d) s), and e^(-d s) of the cells live to divide. Those in S at some time of a
pulse of length p have T_G2M - p <= s <= T_G2M + T_S, hence, for k that changes little within s,

    EdU+ = e^(k (T_G2M + T_S)) - e^(k (T_G2M - p)),   k = ln2/T_c without death: Steel, Growth Kinetics of Tumours 1977
         ~ k (T_S + p) for slow cells: the labelling index of Nowakowski et al., J Neurocytol 1989;18:311-318

LC3-II turns over with k_LC3; a drug that blocks part i of it piles LC3-II up, bafilomycin for p hours blocks the rest:

    LC3-II = v / (k_LC3 (1 - i)),   with bafilomycin + v p,   their difference the flux (Yoshii & Mizushima, IJMS 2017;18:1865)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy import stats

from trialsim.assays.plate import BLANK, TIME_0
from trialsim.schema.analysis.assay import VEHICLE
from trialsim.streams import normals, uniforms

if TYPE_CHECKING:
    from trialsim.schema.analysis.assay import InstrumentSettings
    from trialsim.schema.cell_line import CultureSettings

MOST_BLOCKED = 0.95  # of LC3-II turnover: some lysosomes always work


def error(seed: int, name: str, ids: np.ndarray, cv: float) -> np.ndarray:
    """Lognormal factors of mean 1 and this CV, one for each id."""
    sd = np.sqrt(np.log1p(cv**2))
    return np.exp(sd * normals(seed, f"assay_{name}", ids)[:, 0] - 0.5 * sd**2)


# ---- plates


def in_wells(cells: np.ndarray, wells: pd.DataFrame, k: InstrumentSettings, seed: int) -> np.ndarray:
    """Living cells of each well, from those expected in the middle of a plate: unequal seeding, and what the edge takes."""
    lost = np.array([*k.edge_loss, 0.0])[np.minimum(wells["ring"], len(k.edge_loss))]
    return cells * (1.0 - lost) * error(seed, "seeding", wells["id"].to_numpy(), k.seeding_cv)


def luminescence(cells: np.ndarray, wells: pd.DataFrame, plates: np.ndarray, k: InstrumentSettings, seed: int) -> np.ndarray:
    """Relative light units. ``plates``: id of each well's plate."""
    gain = k.light_per_cell * error(seed, "plate", plates, k.plate_cv)
    return gain * (cells + k.background_cells) * error(seed, "luminescence", wells["id"].to_numpy(), k.luminescence_cv)


def counted(cells: np.ndarray, ids: np.ndarray, k: InstrumentSettings, seed: int) -> np.ndarray:
    """Cells a well by imaging part of it."""
    seen = cells
    if k.imaged > 0.0:
        seen = stats.poisson.ppf(uniforms(seed, "assay_imaged", ids)[:, 0], k.imaged * cells) / k.imaged
    return seen * error(seed, "count", ids, k.count_cv)


def viability(wells: pd.DataFrame) -> np.ndarray:
    """Light over that of the vehicle wells of the same plate, the mean of its blanks subtracted from both."""
    light = wells["luminescence"]
    of_plate = lambda treatment: light.where(wells["treatment"] == treatment).groupby(wells["plate"]).transform("mean")
    blank = of_plate(BLANK)
    found = (light - blank) / (of_plate(VEHICLE) - blank)
    return found.where(~wells["treatment"].isin([BLANK, TIME_0])).to_numpy()


def growth_rate_value(cells: np.ndarray, at_0: np.ndarray, control: np.ndarray) -> np.ndarray:
    """GR = 2^(log2(x/x0) / log2(x_ctrl/x0)) - 1: 1 untreated, 0 no growth, negative where cells die (Hafner, Nat Methods
    2016;13:521-527)."""
    return 2.0 ** net_growth(cells, at_0, control) - 1.0


def net_growth(cells: np.ndarray, at_0: np.ndarray, control: np.ndarray) -> np.ndarray:
    """Growth rate over that of the control."""
    with np.errstate(divide="ignore"):  # no living cell: log 0, GR -1
        return np.log(cells / at_0) / np.log(control / at_0)


# ---- blots


def bands(levels: pd.DataFrame, ids: np.ndarray, reference: pd.Series, k: InstrumentSettings, seed: int) -> pd.DataFrame:
    """Lanes by bands as a densitometer gives them.

    Args:
        levels: exact levels, one row a lane, one column a band. ids: of the lanes. reference: level at which a band has density 1.

    Returns:
        The densities, and ``loading``, the density of the loading control.
    """
    protein = error(seed, "loading", ids, k.loading_cv)
    found = {}
    for name in levels:
        density = (levels[name].to_numpy() / reference[name] + k.blot_floor) / (1.0 + k.blot_floor)
        found[name] = protein * density * error(seed, f"band_{name}", ids, k.band_cv)
    return pd.DataFrame({**found, "loading": protein * error(seed, "loading_control", ids, k.loading_control_cv)})


def lc3(flux: np.ndarray, blocked: np.ndarray, hours: float, culture: CultureSettings) -> tuple[np.ndarray, np.ndarray]:
    """LC3-II without and with bafilomycin for so many hours.

    Args:
        flux: autophagosomes made, 1/h. blocked: part of their turnover that the treatment blocks.
    """
    turnover = culture.k_LC3 * (1.0 - np.minimum(blocked, MOST_BLOCKED))
    return flux / turnover, flux / turnover + flux * hours


# ---- single cells


def edu_fraction(proliferation: np.ndarray, culture: CultureSettings) -> np.ndarray:
    """EdU-positive share of living cells at the end of the pulse. ``proliferation``: k_prol, 1/h."""
    last, first = culture.G2M_h - culture.pulse_h, culture.G2M_h + culture.S_phase_h
    return np.minimum(np.exp(proliferation * first) - np.exp(proliferation * last), 1.0)


def annexin_fraction(live: np.ndarray, dying: np.ndarray, handling: float) -> np.ndarray:
    """Annexin V-positive share of the cells that are still there; ``handling`` makes some of the living positive."""
    share = dying / (live + dying)
    return share + handling * (1.0 - share)


def gated(share: np.ndarray, ids: np.ndarray, name: str, k: InstrumentSettings, seed: int) -> np.ndarray:
    """The share that a cytometer gives."""
    shift = k.gate_sd * normals(seed, f"assay_gate_{name}", ids)[:, 0]
    odds = share * np.exp(shift)
    shown = odds / (odds + 1.0 - share)
    if k.events == 0:
        return shown
    return stats.binom.ppf(uniforms(seed, f"assay_events_{name}", ids)[:, 0], k.events, shown) / k.events
