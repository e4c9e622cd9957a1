"""An experiment on cell lines: what they are in truth under every condition, and the tables that a laboratory makes of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from trialsim.assays import readouts
from trialsim.assays.culture import Seen, grow
from trialsim.assays.lines import wells_of
from trialsim.assays.plate import BLANK, TIME_0, ids, lay_out
from trialsim.assays.treatments import compounds_of, conditions, medium
from trialsim.mechanism.individual import network_constants
from trialsim.mechanism.signalling import Network
from trialsim.schema.analysis.assay import VEHICLE

if TYPE_CHECKING:
    from trialsim.schema.analysis.assay import AssaySettings
    from trialsim.schema.cell_line import CellLineSettings
    from trialsim.schema.study import StudyConfig

UNDER = ["line", "treatment", "dose_nM"]
EXACT = ("live", "dying", "proliferation", "death", "AKT", "cap", "occupancy", "C_medium_nM")  # of `Seen`, beside its network


def hours_seen(settings: AssaySettings) -> list[float]:
    """Every time at which something is measured, time 0 first."""
    stains = (settings.stain.EdU_h, settings.stain.annexin_V_h, settings.stain.LC3_h)
    every = {0.0, settings.plate.hours, *settings.blot.hours, *settings.count_hours, *(h for h in stains if h is not None)}
    return sorted(float(hours) for hours in every)


def grow_line(config: StudyConfig, settings: AssaySettings, name: str, line: CellLineSettings) -> pd.DataFrame:
    """The cells of one line under every condition.

    Returns:
        One row a condition a time: line, treatment, dose_nM, sampled, hours, `EXACT`, blocked (part of the autophagic flux that
        the treatment blocks) and the levels of the network.
    """
    under, hours = conditions(settings), hours_seen(settings)
    well = wells_of([line] * len(under), config.network, config.drug, config.culture)
    given = medium(under, settings, compounds_of(config, settings), line.pathway.penetration or 1.0, hours[-1])
    seen: Seen = grow(network_constants(config.network), well, [given], hours)
    blocked = np.broadcast_to(np.asarray(given.inhibition.autophagy), len(under))
    flat = lambda leaf: np.asarray(leaf, float).ravel()  # times outside, conditions inside
    columns = {
        **{column: np.tile(under[column], len(hours)) for column in under},
        "hours": np.repeat(hours, len(under)),
        **{column: flat(getattr(seen, column)) for column in EXACT},
        "blocked": np.tile(blocked, len(hours)),
        **{column: flat(getattr(seen.network, column)) for column in Network._fields},
    }
    return pd.DataFrame(columns).assign(line=name)[["line", *columns]]


# ---- plates


def read_plates(states: pd.DataFrame, config: StudyConfig, settings: AssaySettings) -> pd.DataFrame:
    """The wells of one line as the plate reader and the microscope give them.

    Returns:
        One row a well: the columns of `plate.lay_out`, luminescence (RLU), cells (counted), viability (of the plate's vehicle
        wells), GR. The last two are absent in blanks, and at time 0.
    """
    (line,), k, seed = states["line"].unique(), settings.instrument, config.seed
    under = conditions(settings)
    wells = lay_out(line, settings.replicates, under[under["treatment"] != VEHICLE], settings.plate, seed)
    at = states.set_index(["hours", "treatment", "dose_nM"])["live"]
    there = at[settings.plate.hours].to_dict() | {(TIME_0, 0.0): 1.0, (BLANK, 0.0): 0.0}
    expected = np.array([there[key] for key in zip(wells["treatment"], wells["dose_nM"], strict=True)]) * config.culture.seeded
    cells = readouts.in_wells(expected, wells, k, seed)
    wells["luminescence"] = readouts.luminescence(cells, wells, ids(wells["plate"]), k, seed)
    wells["cells"] = readouts.counted(cells, wells["id"].to_numpy(), k, seed)
    wells["viability"] = readouts.viability(wells)
    mean = lambda treatment, by: wells["cells"].where(wells["treatment"] == treatment).groupby(wells[by]).transform("mean")
    wells["GR"] = readouts.growth_rate_value(wells["cells"], mean(TIME_0, "replicate"), mean(VEHICLE, "plate"))
    wells.loc[wells["treatment"].isin([BLANK, TIME_0]), "GR"] = np.nan
    return wells


# ---- the sampled doses


def _samples(states: pd.DataFrame, replicates: int, kind: str) -> tuple[pd.DataFrame, np.ndarray]:
    """Each sampled state once a replicate, and the ids of these samples."""
    taken = states[states["sampled"]]
    samples = pd.concat([taken.assign(replicate=n + 1) for n in range(replicates)], ignore_index=True)
    named = (samples[column] for column in (*UNDER, "hours", "replicate"))
    return samples, ids([kind] * len(samples), *named)


def _over_vehicle(table: pd.DataFrame, value: str, by: list[str]) -> pd.Series:
    """``value`` over that of the vehicle within each group; absent where there is none."""
    vehicle = table[value].where(table["treatment"] == VEHICLE)
    return table[value] / vehicle.groupby([table[column] for column in by]).transform("mean")


def blots(states: pd.DataFrame, config: StudyConfig, settings: AssaySettings) -> pd.DataFrame:
    """Western blots; all lanes of a replicate are on one membrane.

    Returns:
        One row a band of a lane: line, treatment, dose_nM, hours, replicate, band, density, loading (density of the loading
        control), signal (their ratio), fold (of vehicle of the same line and time), basal (signal over that of the first line's
        vehicle).
    """
    first, bands = states["line"].iloc[0], list(settings.blot.bands)
    samples, lane = _samples(states[states["hours"].isin(settings.blot.hours)], settings.replicates, "blot")
    untreated = states[(states["line"] == first) & (states["treatment"] == VEHICLE) & (states["hours"] == 0.0)].iloc[0]
    densities = readouts.bands(samples[bands], lane, untreated[bands], settings.instrument, config.seed)
    wide = pd.concat([samples[[*UNDER, "hours", "replicate"]], densities], axis=1)
    long = wide.melt([*UNDER, "hours", "replicate", "loading"], bands, "band", "density")
    long["signal"] = long["density"] / long["loading"]
    long["fold"] = _over_vehicle(long, "signal", ["line", "hours", "replicate", "band"])
    of_first = long["signal"].where((long["treatment"] == VEHICLE) & (long["line"] == first))
    long["basal"] = long["signal"] / of_first.groupby([long[c] for c in ("hours", "replicate", "band")]).transform("mean")
    return long


def stains(states: pd.DataFrame, config: StudyConfig, settings: AssaySettings) -> pd.DataFrame:
    """EdU, annexin V and LC3.

    Returns:
        One row a sample: line, treatment, dose_nM, hours, replicate, stain (EdU, annexin_V; LC3_minus, LC3_plus, LC3_flux), value
        (share of cells; LC3-II without and with bafilomycin and their difference, in units of the first line's vehicle
        without), fold (of vehicle).
    """
    k, culture, seed = settings.instrument, config.culture, config.seed
    shares = {
        "EdU": lambda s: readouts.edu_fraction(s["proliferation"].to_numpy(), culture),
        "annexin_V": lambda s: readouts.annexin_fraction(s["live"].to_numpy(), s["dying"].to_numpy(), k.annexin_V_handling),
    }
    found = []
    for stain, share in shares.items():
        hours = settings.stain.hours(stain)
        if hours is not None:
            samples, sample = _samples(states[states["hours"] == hours], settings.replicates, stain)
            value = readouts.gated(share(samples), sample, stain, k, seed)
            found.append(samples[[*UNDER, "hours", "replicate"]].assign(stain=stain, value=value))
    if settings.stain.LC3_h is not None:
        found.append(_lc3(states, config, settings))
    if not found:
        return pd.DataFrame(columns=[*UNDER, "hours", "replicate", "stain", "value", "fold"])
    table = pd.concat(found, ignore_index=True)
    table["fold"] = _over_vehicle(table, "value", ["line", "stain", "replicate"])
    return table


def _lc3(states: pd.DataFrame, config: StudyConfig, settings: AssaySettings) -> pd.DataFrame:
    samples, _ = _samples(states[states["hours"] == settings.stain.LC3_h], settings.replicates, "LC3")
    p, flux, blocked = settings.stain.bafilomycin_h, samples["flux"].to_numpy(), samples["blocked"].to_numpy()
    levels = dict(zip(("LC3_minus", "LC3_plus"), readouts.lc3(flux, blocked, p, config.culture), strict=True))
    unit = pd.Series({"LC3": levels["LC3_minus"][0]})  # the first sample is vehicle of the first line
    signals = {}
    for name, level in levels.items():
        _, lane = _samples(states[states["hours"] == settings.stain.LC3_h], settings.replicates, name)
        blot = readouts.bands(pd.DataFrame({"LC3": level}), lane, unit, settings.instrument, config.seed)
        signals[name] = blot["LC3"] / blot["loading"]
    signals["LC3_flux"] = signals["LC3_plus"] - signals["LC3_minus"]
    base = samples[[*UNDER, "hours", "replicate"]]
    return pd.concat([base.assign(stain=name, value=value) for name, value in signals.items()], ignore_index=True)


def counts(states: pd.DataFrame, config: StudyConfig, settings: AssaySettings) -> pd.DataFrame:
    """Growth curves: line, treatment, dose_nM, hours, replicate, cells (counted in a well), fold (over those counted at time 0)."""
    k, seed = settings.instrument, config.seed
    samples, well = _samples(states[states["hours"].isin([0.0, *settings.count_hours])], settings.replicates, "count")
    expected = samples["live"].to_numpy() * config.culture.seeded * readouts.error(seed, "seeding", well, k.seeding_cv)
    table = samples[[*UNDER, "hours", "replicate"]].assign(cells=readouts.counted(expected, well, k, seed))
    start = table["cells"].where(table["hours"] == 0.0)
    table["fold"] = table["cells"] / start.groupby([table[c] for c in ("line", "replicate")]).transform("mean")
    return table


def quality(wells: pd.DataFrame) -> pd.Series:
    """CV of the vehicle wells of each plate."""
    vehicle = wells[wells["treatment"] == VEHICLE].groupby("plate")["luminescence"]
    return vehicle.std() / vehicle.mean()
