"""Tables of options over all worlds: true values, comparisons, which is best, sizes of trials. Columns: `analyses.options.run`."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from trialsim.options import sizes, spread
from trialsim.options.truths import COMPARED, ENDPOINTS, HAZARD_RATIO

if TYPE_CHECKING:
    from trialsim.schema.analysis.options import OptionsSettings

KEYS = ["kind", "who", "what", "against_who", "against_what"]


def _by(table: pd.DataFrame, keys: list[str]) -> Iterator[tuple[dict[str, Any], np.ndarray, np.ndarray]]:
    """Values and errors of the worlds, by keys."""
    for key, part in table.groupby(keys, sort=False):
        part = part.sort_values("world")
        yield dict(zip(keys, key, strict=True)), part["value"].to_numpy(float), part["error"].to_numpy(float)


def true_values(worlds: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Table ``options``."""
    rows = []
    for key, value, error in _by(worlds[worlds["kind"] == ""], ["who", "what", "endpoint"]):
        unit = ENDPOINTS[key["endpoint"]].unit if key["endpoint"] in ENDPOINTS else "fraction"
        found = spread.quantiles(spread.truth(value, error))
        rows.append(key | {"unit": unit} | found | {"error": spread.median_error(value, error, seed)})
    return pd.DataFrame(rows)


def compared(worlds: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Table ``compared``."""
    rows = []
    for key, value, error in _by(worlds[worlds["kind"] != ""], [*KEYS, "endpoint"]):
        of = COMPARED.get(key["endpoint"])
        ratio, sign = (of.ratio, of.better) if of else (False, -1)
        found = spread.quantiles(spread.truth(value, error))
        if ratio:
            found = {name: float(np.exp(number)) for name, number in found.items()}
        found |= {"error": spread.median_error(value, error, seed)}
        better = spread.probability_positive(sign * value, error, seed) if sign and np.isfinite(value).all() else (np.nan, np.nan)
        rows.append(key | {"ratio": ratio} | found | {"better": float(better[0]), "better_error": float(better[1])})
    return pd.DataFrame(rows)


def best(worlds: pd.DataFrame, settings: OptionsSettings, seed: int) -> pd.DataFrame:
    """Table ``best``. Ties are shared, and the reference is among those that are compared."""
    rows = []
    for kind, same, other, base in (
        ("treatment", "who", "what", settings.reference.what),
        ("population", "what", "who", settings.reference.who),
    ):
        found = worlds[(worlds["kind"] == kind) & worlds["endpoint"].isin([n for n, of in COMPARED.items() if of.better])]
        for (name, endpoint), part in found.groupby([same, "endpoint"], sort=False):
            wide = {one: (value, error) for one, value, error in ((key[other], v, e) for key, v, e in _by(part, [other]))}
            zero = np.zeros(settings.draws)
            wide = {base: (zero, zero)} | wide
            values, errors = (np.stack([pair[i] for pair in wide.values()]) for i in (0, 1))
            if not np.isfinite(values).all():
                continue
            found_best = spread.probability_best(COMPARED[endpoint].better * values, errors, seed)
            rows += [
                {"kind": kind, same: name, other: one, "endpoint": endpoint, "probability": float(p), "error": float(e)}
                for one, p, e in zip(wide, *found_best, strict=True)
            ]
    return pd.DataFrame(rows, columns=["kind", "who", "what", "endpoint", "probability", "error"])


def screened(people: pd.DataFrame) -> pd.DataFrame:
    """Table ``people``."""
    found = people.groupby("who", sort=False)[["screened", "eligible", "patients", "failed"]].sum().reset_index()
    prevalence = found["eligible"] / found["screened"]
    columns = found[["who"]].assign(prevalence=prevalence, screened=1.0 / prevalence)
    return columns.assign(patients=found["patients"], failed=found["failed"])


def sizes_needed(
    every: dict[str, pd.DataFrame], people: pd.DataFrame, settings: OptionsSettings, seed: int
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Tables ``sizes`` and ``needed``."""
    plan = settings.sizes
    assert plan is not None
    patients, per_patient = np.asarray(plan.patients), people.set_index("who")["screened"]
    seen = every["events"].sort_values("world").set_index(["who", "what"])
    found, needed = [], []

    def add(who: str, what: str, test: str, arms: int, power: np.ndarray, misfit: np.ndarray | None, ceiling: Any) -> None:
        worlds, total = power.shape[1], arms * patients
        assurance = power.mean(axis=1)
        beyond = misfit.mean(axis=1) if misfit is not None else np.full(len(patients), np.nan)
        key = {"who": who, "what": what, "test": test}
        numbers = {"patients": patients, "total": total, "screened": np.ceil(total * per_patient[who]), "assurance": assurance,
                   "error": power.std(axis=1, ddof=1) / np.sqrt(worlds), "with_misfit": beyond,
                   "ceiling": float(ceiling.value), "ceiling_error": float(ceiling.error)}  # fmt: skip
        found.append(pd.DataFrame(key | numbers))
        least, more = sizes.smallest(patients, assurance, plan.assurance), sizes.smallest(patients, beyond, plan.assurance)
        counts = {"patients": least, "total": arms * least if least else None}
        counts |= {"screened": float(np.ceil(arms * least * per_patient[who])) if least else None, "patients_with_misfit": more}
        needed.append(key | counts)

    ratios = every["worlds"].query("kind == 'treatment' and endpoint == @HAZARD_RATIO", local_dict={"HAZARD_RATIO": HAZARD_RATIO})
    for key, value, error in _by(ratios, ["who", "what"]):
        if not np.isfinite(value).all():
            continue
        who, what = key["who"], key["what"]
        arms = [seen.loc[[(who, one)]] for one in (what, settings.reference.what)]
        events, tau = sum(arm["events"].to_numpy(float) for arm in arms), arms[0]["misfit"].to_numpy(float)
        power = partial(sizes.power_log_rank, spread.truth(value, error), events, patients, plan.alpha)
        add(who, what, "log_rank", 2, power(), power(misfit=tau), spread.probability_positive(-value, error, seed))
    if plan.null_response is not None:
        rates = every["worlds"].query("kind == '' and endpoint == 'orr'")
        for key, value, error in _by(rates, ["who", "what"]):
            power = sizes.power_response(spread.truth(value, error), plan.null_response, patients, plan.alpha)
            ceiling = spread.probability_positive(value - plan.null_response, error, seed)
            add(key["who"], key["what"], "response", 1, power, None, ceiling)
    columns = ["patients", "total", "screened", "patients_with_misfit"]
    return pd.concat(found, ignore_index=True), pd.DataFrame(needed).astype(dict.fromkeys(columns, float))


def matched(doses: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Table ``matched``."""
    rows = []
    for key, value, error in _by(doses, ["who", "endpoint", "unit", "schedule"]):
        inside = float(np.mean(np.isfinite(value) & (value > 0)))
        found = spread.quantiles(spread.truth(value, error)) | {"error": spread.median_error(value, error, seed)}
        rows.append(key | found | {"inside": inside})
    return pd.DataFrame(rows)


def exposure(exposure: pd.DataFrame, settings: OptionsSettings) -> pd.DataFrame:
    """Table ``exposure``: over the patients of all worlds, as no parameter of the kinetics differs between these."""
    found = exposure.groupby(["who", "what"], sort=False)[settings.match].quantile([0.05, 0.5, 0.95]).unstack()
    found.columns = ["low", "median", "high"]
    return found.reset_index().assign(endpoint=settings.match)
