"""What a sweep is and how far it has come: ``sweep.json`` in its folder.

The file is written before the first job and again when the sweep ends, is resumed or is compared. What was asked for never changes
in it; the state of each job is read anew from the job's own folder.
"""

from __future__ import annotations

import contextlib
import os
import traceback
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from trialsim import __version__
from trialsim.artefacts.claim import PART, SWEEP, in_progress, lock, read_status
from trialsim.artefacts.files import write_json
from trialsim.artefacts.reading import read_json
from trialsim.artefacts.status import STATUS
from trialsim.console import in_words
from trialsim.schema import ConfigError

FAILURES = "failures"  # a file a job that failed, also before it could write to its own folder
KEY = "hydra.sweep.dir"
SCHEMA_VERSION = 1
SETTLED = 4  # runs from which on the first, which compile, are left out of the time of one

COMPLETE, FAILED, INTERRUPTED, RUNNING, NOT_STARTED = "complete", "failed", "interrupted", "running", "not started"
STATES = (COMPLETE, FAILED, INTERRUPTED, RUNNING, NOT_STARTED)


class Job(NamedTuple):
    """One run of a sweep.

    Attributes:
        number: from 0. folder: where it writes, relative to the sweep's folder.
        overrides: every word that chose its settings, but for those of Hydra and ``resume``.
        values: swept key -> its value in this job.
        config_sha256: identity of its configuration, see ``artefacts.config_sha256``.
        state: one of `STATES`. cause: of a failure, one line.
    """

    number: int
    folder: str
    overrides: tuple[str, ...]
    values: dict[str, Any]
    config_sha256: str | None
    state: str = NOT_STARTED
    cause: str = ""

    @property
    def told(self) -> str:
        """Its swept values in words: ``regimen.dose=5, seed=2``."""
        number = lambda value: f"{value:g}" if isinstance(value, float) else value
        return ", ".join(f"{key}={number(value)}" for key, value in self.values.items())


class Record(NamedTuple):
    """A sweep.

    Attributes:
        folder: of the sweep.
        swept: keys that differ between the jobs by intent, in the order given.
        jobs: in order of their numbers.
        version: of trialsim that began the sweep. started: when.
    """

    folder: Path
    swept: tuple[str, ...]
    jobs: tuple[Job, ...]
    version: str = __version__
    started: str = ""

    def having(self, *states: str) -> list[Job]:
        """Jobs in one of these states."""
        return [job for job in self.jobs if job.state in states]


def read(folder: Path) -> Record | None:
    """The record of a sweep, with the state that each job has now; None where there is no sweep.

    Raises:
        ConfigError: the file is not a record.
    """
    file = folder / SWEEP
    if not file.is_file():
        return None
    try:
        found = read_json(file)
        jobs = tuple(
            Job(int(entry["number"]), str(entry["folder"]), tuple(map(str, entry["overrides"])), dict(entry["values"]),
                entry["config_sha256"])
            for entry in found["jobs"]
        )  # fmt: skip
        record = Record(folder, tuple(map(str, found["swept"])), jobs, str(found["version"]), str(found["started"]))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ConfigError("sweep", str(file), f"the record of a sweep; this file is none ({error})") from error
    for job in jobs:
        if not (folder / job.folder).resolve().is_relative_to(folder.resolve()):
            raise ConfigError("sweep", str(file), f"jobs within the folder of the sweep; {job.folder} is not")
    return look(record)


def look(record: Record) -> Record:
    """The same sweep with the state that each job has now."""
    return record._replace(jobs=tuple(_look(record.folder, job) for job in record.jobs))


def write(record: Record) -> None:
    """Write ``sweep.json``, whole or not at all."""
    jobs = [job._asdict() for job in record.jobs]
    facts = {"schema_version": SCHEMA_VERSION, "version": record.version, "started": record.started, "updated": now()}
    write_json(record.folder / SWEEP, facts | {"swept": record.swept, "jobs": jobs})


def _look(folder: Path, job: Job) -> Job:
    path = folder / job.folder
    try:
        status = read_status(path)
    except (OSError, ValueError) as error:
        return job._replace(state=FAILED, cause=f"its status cannot be read: {error}")
    if status is not None and (status.get("complete") or status.get("state") == PART):
        return job._replace(state=COMPLETE, cause="")
    if status is not None and status.get("state") == "running" and in_progress(path):
        return job._replace(state=RUNNING, cause="")
    failure = _failure(folder, job.number)
    if failure is not None:
        return job._replace(state=FAILED, cause=failure)
    if status is None:
        return job._replace(state=NOT_STARTED, cause="")
    if status.get("state") == "failed":
        return job._replace(state=FAILED, cause=one_line(status.get("message")))
    return job._replace(state=INTERRUPTED, cause="")


def how_far(folder: Path) -> str:
    """How far a sweep in progress has come, in words: ``3 of 12 runs done, about 40 s left``.

    The time left is that of the runs done since this command began the sweep or went on with it, however many ran at a time. From
    the fourth on only the later half of them counts: the first run of a process compiles what the others use.
    """
    found = read(folder)
    if found is None:
        return ""
    ended = found.having(COMPLETE, FAILED)
    told, left = f"{len(ended)} of {len(found.jobs)} runs done", len(found.jobs) - len(ended)
    began = (folder / SWEEP).stat().st_mtime
    files = [file for job in ended for file in (folder / job.folder / STATUS, _failure_file(folder, job.number))]
    recent = sorted(file.stat().st_mtime for file in files if file.is_file() and file.stat().st_mtime > began)
    if recent and left:
        told += f", about {in_words(_seconds_a_run(began, recent) * left)} left"
        told += " at most" if len(recent) < SETTLED else ""
    return told


def _seconds_a_run(began: float, ends: Sequence[float]) -> float:
    """From the times at which runs ended, in order."""
    half = len(ends) // 2
    if len(ends) >= SETTLED and ends[-1] > ends[half - 1]:
        return (ends[-1] - ends[half - 1]) / (len(ends) - half)
    return (ends[-1] - began) / len(ends)


# ---- failures


def note_failure(folder: Path, number: int, error: BaseException) -> None:
    """Keep the cause of a failed job in the sweep's folder, where it can be kept even if the job's own folder cannot be written."""
    cause = str(error) if isinstance(error, ConfigError) else f"{type(error).__name__}: {error}"
    facts = {"cause": one_line(cause), "when": now(), "traceback": traceback.format_exception(error)}
    with contextlib.suppress(OSError):
        write_json(_failure_file(folder, number), facts)


def forget_failure(folder: Path, number: int) -> None:
    """The job is run again."""
    with contextlib.suppress(OSError):
        _failure_file(folder, number).unlink(missing_ok=True)
        (folder / FAILURES).rmdir()  # of no use when empty


def _failure(folder: Path, number: int) -> str | None:
    file = _failure_file(folder, number)
    if not file.is_file():
        return None
    try:
        return one_line(read_json(file)["cause"])
    except (OSError, ConfigError, KeyError):
        return f"unknown, {file} cannot be read"


def _failure_file(folder: Path, number: int) -> Path:
    return folder / FAILURES / f"{number}.json"


def one_line(text: object) -> str:
    return " ".join(str(text or "").split())


# ---- the folder


@contextlib.contextmanager
def claimed(wanted: Record, resume: bool) -> Iterator[Record]:
    """Hold the folder of a sweep while its jobs run: made, locked against a second sweep, its record written.

    Args:
        wanted: the sweep that is asked for. resume: whether to go on with one that the folder holds.

    Yields:
        The record; of a resumed sweep with its first start. It is written again, with the state of each job, at the end.

    Raises:
        ConfigError: the folder holds a sweep in progress, a sweep of other jobs, or one and ``resume`` is false.
    """
    wanted.folder.mkdir(parents=True, exist_ok=True)
    handle = lock(wanted.folder, KEY, "a folder in which no other sweep is in progress")
    try:
        before = check(wanted, resume)
        version, started = (before.version, before.started) if before else (wanted.version, now())
        record = look(wanted._replace(version=version, started=started))
        for job in record.jobs:
            (record.folder / job.folder).mkdir(parents=True, exist_ok=True)
        write(record)
        try:
            yield record
        finally:
            write(look(record))
    finally:
        if handle is not None:
            os.close(handle)


def check(wanted: Record, resume: bool) -> Record | None:
    """See that a sweep may have its folder; changes nothing.

    Returns:
        The sweep that the folder holds and that is to be resumed, or None.

    Raises:
        ConfigError: see `claimed`.
    """
    before = read(wanted.folder)
    if before is None:
        if read_status(wanted.folder) is not None:
            raise ConfigError(KEY, str(wanted.folder), "a folder without a run; this one holds a single run")
        return None
    if not resume:
        done = f"{len(before.having(COMPLETE))} of {len(before.jobs)} runs complete"
        allowed = f"a folder without a sweep, nothing is overwritten; this one holds a sweep, {done}; resume=true goes on with it"
        raise ConfigError(KEY, str(wanted.folder), allowed)
    differing = list(_differing(before.jobs, wanted.jobs))
    if differing:
        more = f" and {len(differing) - 5} more" if len(differing) > 5 else ""
        allowed = f"the folder of the same sweep, or another folder; this one holds other jobs: {'; '.join(differing[:5])}{more}"
        raise ConfigError(KEY, str(wanted.folder), allowed)
    return before


def _differing(before: Sequence[Job], after: Sequence[Job]) -> Iterator[str]:
    """In words, where two lists of jobs differ."""
    text = lambda job, others: " ".join(sorted(set(job.overrides) - set(others))) or "no override of its own"
    for old, new in zip(before, after, strict=False):
        if set(old.overrides) != set(new.overrides):
            yield f"job {old.number} has {text(old, new.overrides)}, now asked: {text(new, old.overrides)}"
        elif old.folder != new.folder:
            yield f"job {old.number} is in {old.folder}, now asked: {new.folder}"
        elif old.state == NOT_STARTED and old.config_sha256 != new.config_sha256:  # of others their own folder says what changed
            yield f"job {old.number} ({text(old, ())}) has the same overrides, but the settings behind them have changed"
    for job in before[len(after) :]:
        yield f"job {job.number} ({text(job, ())}) is not asked for now"
    for job in after[len(before) :]:
        yield f"job {job.number} ({text(job, ())}) is not in it"


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
