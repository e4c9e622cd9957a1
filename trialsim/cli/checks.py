"""Before the first job starts: every job of the command is composed and validated, so that a slip in the last job of a sweep is
told at once and not after hours."""

from __future__ import annotations

import tempfile
from argparse import Namespace
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import hydra
from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.types import Override
from omegaconf import DictConfig, open_dict

from trialsim import console
from trialsim._paths import conf_dir
from trialsim.cli.composing import CONFIG_NAME, VERSION_BASE, compose_job, literal, parse, validate_job
from trialsim.cli.safety import check_hydra, check_inside, check_options, check_words
from trialsim.schema import ConfigError
from trialsim.schema.analysis.predict import PredictSettings
from trialsim.schema.faults import flatten, raise_all
from trialsim.schema.study import StudyConfig

if TYPE_CHECKING:
    from trialsim.sweeps.record import Record

HYDRA = ("hydra.", "hydra/")
NOT_OF_THE_STUDY = (*HYDRA, "resume")  # keys that change no result


def check_all(arguments: Namespace) -> Sweep | None:
    """Compose and validate every job of the command, and see that none would overwrite a result.

    Returns:
        The sweep that the command asks for; None for a single run.

    Raises:
        ConfigError: the faults of all jobs.
    """
    check_options(arguments)
    overrides = list(arguments.overrides)
    if arguments.config_dir and not any(item.startswith("hydra.searchpath") for item in overrides):
        overrides.append(f"hydra.searchpath=['file://{Path(arguments.config_dir).absolute()}']")
    with hydra.initialize_config_dir(str(conf_dir()), version_base=VERSION_BASE, job_name="trialsim"):
        parsed = parse(overrides)
        check_words(parsed)
        words = list(_jobs(arguments, overrides))
        sweeping = is_sweep(arguments, overrides)
        jobs = _composed(words, parsed, sweeping)
        sweep = _sweep(jobs, _swept(parsed)) if sweeping else None
        _check_folders(jobs, sweep)
    for folder in sorted({job.folder for job in jobs}):
        _check_writable(folder)
    return sweep


class Composed(NamedTuple):
    """A job whose settings are in order: its words, its settings, and where it will write."""

    words: Sequence[str]
    config: StudyConfig
    folder: Path
    sweep_folder: Path


class Sweep(NamedTuple):
    """A sweep that may be started. ``resume``: whether its folder may hold a part of it already."""

    record: Record
    resume: bool


def _composed(words: Sequence[Sequence[str]], asked: Sequence[Override], sweeping: bool) -> list[Composed]:
    """Every job validated, or the faults of all of them."""
    faults: dict[str, ConfigError] = {}
    jobs: list[Composed] = []
    with console.progress("checking the jobs", len(words)) if len(words) > 1 else nullcontext(_silent) as advance:
        for number, job in enumerate(words):
            # the name of a sweep's folder may hold the time, and is the first job's for all of them
            fixed = [sweep_folder_override(jobs[0].sweep_folder)] if sweeping and jobs else []
            try:
                kept = [word for word in job if not (fixed and names_sweep_folder(word))]
                composed = compose_job(CONFIG_NAME, [*kept, *fixed], with_hydra=True)
                config = validate_job(composed)
                check_hydra(composed, asked, sweeping)
                _check_beforehand(config)
                _check_covariates(config)
                jobs.append(Composed(job, config, *_output_folder(composed, number if sweeping else None)))
            except ConfigError as error:
                faults.update({str(fault): fault for fault in flatten(error)})
            advance(1)
    raise_all(list(faults.values()))
    return jobs


def _sweep(jobs: Sequence[Composed], swept: Sequence[str]) -> Sweep:
    """The record of the sweep that these jobs make, checked against what its folder holds."""
    from trialsim.artefacts.claim import config_sha256
    from trialsim.artefacts.files import plain
    from trialsim.sweeps.record import Job, Record, check

    folder = jobs[0].sweep_folder
    listed = []
    for number, job in enumerate(jobs):
        chosen = [item for item in parse(job.words) if not item.key_or_group.startswith(NOT_OF_THE_STUDY)]
        values = {item.key_or_group: plain(item.value()) for item in chosen if item.key_or_group in swept}
        where, words = str(job.folder.relative_to(folder)), tuple(str(item.input_line) for item in chosen)
        listed.append(Job(number, where, words, values, config_sha256(job.config)))
    record = Record(folder, tuple(swept), tuple(listed))
    resume = any(job.config.resume for job in jobs)
    check(record, resume)
    return Sweep(record, resume)


def _swept(asked: Sequence[Override]) -> list[str]:
    return [item.key_or_group for item in asked if item.is_sweep_override()]


def names_sweep_folder(word: str) -> bool:
    return word.lstrip("+").startswith("hydra.sweep.dir=")


def sweep_folder_override(folder: Path) -> str:
    return f"hydra.sweep.dir={literal(str(folder))}"


def _silent(done: int) -> None:
    """Progress of a single job: none."""


def is_sweep(arguments: Namespace, overrides: Sequence[str]) -> bool:
    return bool(arguments.multirun) or any(item.replace(" ", "").upper() == "HYDRA.MODE=MULTIRUN" for item in overrides)


def _jobs(arguments: Namespace, overrides: Sequence[str]) -> Iterator[Sequence[str]]:
    """The overrides of each job."""
    if not is_sweep(arguments, overrides):
        yield overrides
        return
    parsed = [item for item in parse(overrides) if item.key_or_group != "hydra.mode"]
    swept = [item for item in parsed if not item.key_or_group.startswith(HYDRA)]
    fixed = [str(item.input_line) for item in parsed if item.key_or_group.startswith(HYDRA)]
    for item in swept:
        if item.is_sweep_override() and not item.is_discrete_sweep():
            allowed = "a list of values, e.g. 1,2,3, or range(1,5), choice(a,b)"
            raise ConfigError(item.get_key_element(), str(item.input_line).partition("=")[2], allowed)
    for batch in BasicSweeper.split_arguments(swept, max_batch_size=None):
        for job in batch:
            yield [*job, *fixed]


def _output_folder(composed: DictConfig, job: int | None) -> tuple[Path, Path]:
    """Where the job will write, hydra.run.dir or the job's folder within hydra.sweep.dir; and hydra.sweep.dir."""
    before = HydraConfig.instance().cfg
    try:
        if job is not None:
            with open_dict(composed):
                composed.hydra.job.num = job
        HydraConfig.instance().set_config(composed)
        sweep = Path(str(composed.hydra.sweep.dir)).absolute()
        if job is None:
            return Path(str(composed.hydra.run.dir)).absolute(), sweep
        folder = (sweep / str(composed.hydra.sweep.subdir)).absolute()
        check_inside(folder, sweep)
        return folder, sweep
    finally:
        HydraConfig.instance().cfg = before


def _check_folders(jobs: Sequence[Composed], sweep: Sweep | None) -> None:
    """No job would overwrite a result, nor two of them share a folder."""
    from trialsim.artefacts import is_finished

    seen: set[Path] = set()
    faults: list[ConfigError] = []
    for job in jobs:
        if sweep is not None and job.folder in seen:
            raise ConfigError("hydra.sweep.subdir", str(job.folder), "a folder of its own for every job of the sweep")
        seen.add(job.folder)
        try:
            is_finished(job.folder, job.config)
        except ConfigError as error:
            faults.append(error)
    raise_all(faults)


def _check_writable(folder: Path) -> None:
    """The folder can be made and written to. Makes nothing: another command may be about to make the same folder."""
    try:
        there = next(place for place in (folder, *folder.parents) if place.exists())
        with tempfile.TemporaryFile(dir=there):
            pass
    except OSError as error:
        allowed = f"a folder that can be made and written to ({error.strerror})"
        raise ConfigError("hydra.run.dir", str(folder), allowed) from error


def _check_beforehand(config: StudyConfig) -> None:
    if config.study.published is not None or isinstance(config.analysis, PredictSettings):
        from trialsim import beforehand  # here, as it reads the tables of evidence

        beforehand.check(config)


def _check_covariates(config: StudyConfig) -> None:
    """A file of the user's is read once before the run, so that its faults are told like those of a key."""
    if config.cohort.covariates_file is not None:
        import numpy as np

        from trialsim.cohort.covariates_file import read_covariates

        read_covariates(config.cohort.covariates_file, tuple(config.tumour), config.cohort.size, np.arange(1))
    if isinstance(config.analysis, PredictSettings) and config.analysis.posterior is not None:
        from trialsim.calibration import posterior

        posterior.chosen(config.analysis.posterior)
