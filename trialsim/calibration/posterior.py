"""The shipped posterior: draws of all shifts and of the hierarchy above them, and studies as these draws make them."""

from __future__ import annotations

import json
import zipfile
import zlib
from collections.abc import Collection
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from scipy import special

from trialsim.calibration.apply import shifted
from trialsim.calibration.arms import CHILDREN_BELOW_Y
from trialsim.calibration.parameters import EXPOSURE, GENE_COLUMN, OF_GENE, OF_TYPE, Parameter, prior_of
from trialsim.schema import ConfigError
from trialsim.schema.plain import usable_path

if TYPE_CHECKING:
    from trialsim.schema.study import StudyConfig

SHIPPED = "posterior.npz"
HARDLY = 0.9  # share of the prior's SD from which on the evidence is said to tell hardly anything; ours
POPULATION = ("mu", "tau", "rho", "child", "low_grade", "omega", "error")


class Posterior(NamedTuple):
    """Draws, leading axis (draws,).

    Attributes:
        names: of the shifts. shifts: (draws, shifts).
        mu, tau: mean and SD over tumour types of log growth, logit dependence and log death, (draws, 3). rho: see `model`.
        child: offsets of children's types, (draws, 2). low_grade: offset of log growth of low-grade types, (draws,).
        omega: SD of what a study adds to growth and dependence, (draws, 2).
        error: SD of what moves a published response rate, other rate, time and hazard ratio (`likelihood.SPREADS`), (draws, 4).
        provenance: how it was made.
    """

    names: tuple[str, ...]
    shifts: np.ndarray
    mu: np.ndarray
    tau: np.ndarray
    rho: np.ndarray
    child: np.ndarray
    low_grade: np.ndarray
    omega: np.ndarray
    error: np.ndarray
    provenance: dict[str, Any]

    @property
    def tumour_types(self) -> set[str]:
        """Those that the evidence tells of."""
        return {name.removeprefix("growth ") for name in self.names if name.startswith("growth ")}

    def save(self, path: Path) -> None:
        """As a compressed archive of float32."""
        arrays = {name: getattr(self, name).astype(np.float32) for name in ("shifts", *POPULATION)}
        text = lambda value: np.frombuffer(json.dumps(value).encode(), np.uint8)
        np.savez_compressed(path, names=text(list(self.names)), provenance=text(self.provenance), **arrays)


def read(path: Path) -> Posterior:
    """A posterior as `Posterior.save` wrote it."""
    with np.load(path, allow_pickle=False) as archive:
        text = lambda name: json.loads(archive[name].tobytes().decode())
        numbers = {name: archive[name].astype(float) for name in ("shifts", *POPULATION)}
        return Posterior(names=tuple(text("names")), provenance=text("provenance"), **numbers)


@cache
def shipped() -> Posterior:
    """The posterior that comes with the package."""
    return read(Path(str(files("trialsim.calibration") / "data" / SHIPPED)))


def chosen(path: str | None) -> Posterior:
    """The shipped posterior, or that of a file.

    Raises:
        ConfigError: no such file, or none that `trialsim calibrate` wrote.
    """
    if path is None:
        return shipped()
    try:
        return read(usable_path("analysis.posterior", path))
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        allowed = "null, or a posterior.npz that `trialsim calibrate` wrote"
        raise ConfigError("analysis.posterior", path, allowed) from error


class World(NamedTuple):
    """One draw. Attributes: config: the study in it. error: as in `Posterior`, (4,)."""

    config: StudyConfig
    error: np.ndarray


def unknown_types(config: StudyConfig, posterior: Posterior) -> list[str]:
    """Tumour types of the study that the evidence does not tell of."""
    return sorted({kind for kind, share in config.cohort.mix.items() if share > 0} - posterior.tumour_types)


def untold(config: StudyConfig, posterior: Posterior) -> dict[str, Parameter]:
    """Parameters of the study that no fitted trial tells of, with their priors, which are all that is known of them: alterations
    that no trial selected for, partner drugs that none gave beside a rapalog, a rapalog without a trial."""
    partners = {f"partner {name}": prior_of(partner) for name, partner in config.partner.items()}
    every = OF_GENE | partners | {f"exposure {config.drug.name}": EXPOSURE}
    return {name: prior for name, prior in every.items() if name not in posterior.names}


def of_laboratory(genes: Collection[str], posterior: Posterior) -> list[str]:
    """Those of these alterations (columns of the cohort) whose effect the fitted trials leave as uncertain as laboratory facts do:
    they tell nothing of it, or leave it at least `HARDLY` of its prior's spread."""
    spread = lambda name: posterior.shifts[:, posterior.names.index(name)].std()
    known = {GENE_COLUMN[name] for name, prior in OF_GENE.items() if name in posterior.names and spread(name) < HARDLY * prior.sd}
    return [gene for gene in genes if gene not in known]


def worlds(config: StudyConfig, posterior: Posterior, count: int, seed: int) -> list[World]:
    """The study in ``count`` draws, evenly taken from the posterior, each with what a new study adds; a tumour type of which
    nothing was published is one drawn from the population of types, and any other parameter of which nothing was (`untold`) is
    drawn from its prior.

    World k of a seed is the same world in whatever study: another mix of tumour types or other partner drugs change no draw of
    those that both studies have, so that studies can be compared world by world.
    """
    which = np.random.default_rng(seed).permutation(len(posterior.shifts))[np.arange(count) % len(posterior.shifts)]
    types = [kind for kind, share in config.cohort.mix.items() if share > 0]
    child = float(config.cohort.age.maximum_y < CHILDREN_BELOW_Y)
    open_ = untold(config, posterior)
    found = []
    for k, i in enumerate(which):
        own = lambda name, k=k: np.random.default_rng([seed, k, zlib.crc32(name.encode())])
        shifts = dict(zip(posterior.names, posterior.shifts[i].tolist(), strict=True))
        shifts |= {name: prior.mean + prior.sd * float(own(name).normal()) for name, prior in open_.items()}
        added = posterior.omega[i] * own("study").normal(size=2)
        for kind in types:
            if kind not in posterior.tumour_types:
                shifts |= _new_type(config, posterior, int(i), kind, child, own(kind))
            shifts[f"growth {kind}"] = shifts.get(f"growth {kind}", 0.0) + added[0]
            shifts[f"dependence {kind}"] = shifts.get(f"dependence {kind}", 0.0) + added[1]
        found.append(World(shifted(config, shifts), posterior.error[i]))
    return found


def base_of(tumour: Any) -> tuple[float, float, float]:
    """Log growth, logit dependence and log death of a tumour type's settings."""
    return (
        float(np.log(tumour.growth.rate_median_per_day)),
        float(special.logit(tumour.pathway.dependence_mean)),
        float(np.log(tumour.survival.death_rate_median_per_day)),
    )


def _new_type(
    config: StudyConfig, posterior: Posterior, i: int, kind: str, child: float, rng: np.random.Generator
) -> dict[str, float]:
    deviation = posterior.tau[i] * rng.normal(size=3)
    deviation[0] += config.tumour[kind].growth.low_grade * posterior.low_grade[i]
    deviation[2] += posterior.rho[i] * deviation[0]
    level = posterior.mu[i] + deviation + child * np.append(posterior.child[i], 0.0)
    return {f"{name} {kind}": float(value) for name, value in zip(OF_TYPE, level - base_of(config.tumour[kind]), strict=True)}
