"""May this run have this folder? Nothing is overwritten, and only the same configuration resumes."""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from trialsim.artefacts.files import file_sha256, unchanged
from trialsim.artefacts.reading import read_yaml
from trialsim.artefacts.status import STATUS, read_status
from trialsim.schema import ConfigError
from trialsim.schema.plain import usable_path
from trialsim.schema.study import StudyConfig

SWEEP = "sweep.json"  # record of a sweep, in the folder that holds those of its runs
TRIAL = "trial.yaml"  # the file of the trial that a prediction was asked for
BLOCKS = "blocks"  # folder of the blocks of patients, or steps of an analysis, that are done, until the tables are put together
PART = "part"  # state of a folder that holds one finished part of a study
TABLES = ("patients", "visits", "pharmacodynamics", "adverse_events", "doses")
# Any of these in a folder that is not ours to resume means that a run would overwrite something.
CLAIMED = (
    STATUS,
    "config.yaml",
    "provenance.json",
    "summary.json",
    "report.html",
    "posterior.nc",
    "posterior_published.nc",
    "simulation.json",
    SWEEP,
    TRIAL,
    BLOCKS,
)


def config_sha256(config: StudyConfig) -> str:
    """Identity of a configuration: SHA-256 of its canonical JSON, without ``resume``, which changes no result."""
    settings = config.model_dump(mode="json", exclude={"resume"})
    return hashlib.sha256(json.dumps(settings, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def inputs_sha256(config: StudyConfig) -> dict[str, str]:
    """Identity of the files that a configuration names, by key; a run must not resume on other data."""
    path = config.cohort.covariates_file
    return {"cohort.covariates_file": file_sha256(Path(path))} if path is not None else {}


def is_finished(path: Path, config: StudyConfig) -> bool:
    """True where the folder already holds this very run, finished and whole, and the user asked to resume.

    A file that has changed since, or is gone, makes the run unfinished: it goes on with the stage that wrote the file.

    Raises:
        ConfigError: when a run there would overwrite something, or resume another configuration.
    """
    key, value = "hydra.run.dir", str(path)
    status = read_status(usable_path(key, path))
    if status is None:
        taken = [name for name in CLAIMED if (path / name).exists()] + sorted(file.name for file in path.glob("*.parquet"))
        if taken:
            raise ConfigError(key, value, f"a folder without the files of another run; it has {', '.join(taken)}")
        return False
    if not config.resume:
        if status.get("state") == PART:
            state = "a part of a study; trialsim merge puts the parts together"
        else:
            state = "a finished run" if status.get("complete") else "an unfinished run; resume=true goes on with it"
        raise ConfigError(key, value, f"a folder without a run, nothing is overwritten; this one holds {state}")
    if status.get("config_sha256") != config_sha256(config):
        changed = ", ".join(changed_keys(path, config)) or "an older version of trialsim"
        allowed = f"the configuration of the run in {path}, which differs in: {changed}; choose another hydra.run.dir"
        raise ConfigError("resume", True, allowed)
    for name, digest in inputs_sha256(config).items():
        if status.get("inputs_sha256", {}).get(name) != digest:
            raise ConfigError(name, str(config.cohort.covariates_file), f"the file that the run in {path} began with")
    return bool(status["complete"]) and all(unchanged(path, stage["files"]) for stage in status["stages"])


NO_OTHER = "a folder in which no other run is in progress"
LOOK_AGAIN_S = 0.05


def lock(path: Path, key: str = "hydra.run.dir", allowed: str = NO_OTHER, patience: float = 0.5) -> int | None:
    """Hold the folder against a second process; the lock leaves no file and goes with the process.

    Args:
        path: the folder. key, allowed: of the error. patience: seconds to wait for one who only looks, see `in_progress`.

    Raises:
        ConfigError: another process holds it.
    """
    try:
        import fcntl
    except ImportError:  # not POSIX: the folder's status still protects finished runs
        return None
    handle = os.open(path, os.O_RDONLY)
    until = time.monotonic() + patience
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= until:
                os.close(handle)
                raise ConfigError(key, str(path), allowed) from None
            time.sleep(LOOK_AGAIN_S)
        except OSError:  # a file system without locks
            return handle
        else:
            return handle


def in_progress(path: Path) -> bool:
    """Whether a process holds the folder now."""
    try:
        handle = lock(path, patience=0.0)
    except ConfigError:
        return True
    if handle is not None:
        os.close(handle)
    return False


def changed_keys(path: Path, config: StudyConfig) -> list[str]:
    """Keys in which the folder's configuration and this one differ, at most eight."""
    try:
        before = read_yaml(path / "config.yaml")
    except ConfigError:
        return []
    after = config.model_dump(mode="json", exclude={"resume"})
    old, new = dict(_leaves(before)), dict(_leaves(after))
    old.pop("resume", None)
    return sorted(key for key in old.keys() | new.keys() if old.get(key) != new.get(key))[:8]


def _leaves(data: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(data, Mapping):
        for key, item in data.items():
            yield from _leaves(item, f"{path}.{key}" if path else str(key))
    else:
        yield path, data
