"""Before the first job starts: every job of the command is composed and validated, so that a slip in the last job of a sweep is
told at once and not after hours."""

from __future__ import annotations

import tempfile
from argparse import Namespace
from collections.abc import Iterator, Sequence
from contextlib import nullcontext, suppress
from pathlib import Path

import hydra
from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, open_dict

from trialsim import console
from trialsim._paths import conf_dir
from trialsim.cli.composing import CONFIG_NAME, VERSION_BASE, compose_job, parse, validate_job
from trialsim.schema import ConfigError
from trialsim.schema.faults import flatten, raise_all
from trialsim.schema.study import StudyConfig


def check_all(arguments: Namespace) -> None:
    """Compose and validate every job of the command, and see that none would overwrite a result.

    Raises:
        ConfigError: the faults of all jobs.
    """
    directory = str(Path(arguments.config_path).absolute()) if arguments.config_path else str(conf_dir())
    name = arguments.config_name or CONFIG_NAME
    overrides = list(arguments.overrides)
    if arguments.config_dir:
        extra = Path(arguments.config_dir).absolute()
        if not extra.is_dir():
            raise ConfigError("--config-dir", arguments.config_dir, "a folder that exists")
        if not any(item.startswith("hydra.searchpath") for item in overrides):
            overrides.append(f"hydra.searchpath=['file://{extra}']")
    if not Path(directory).is_dir():
        raise ConfigError("--config-path", arguments.config_path, "a folder that exists")
    with hydra.initialize_config_dir(directory, version_base=VERSION_BASE, job_name="trialsim"):
        faults: dict[str, ConfigError] = {}
        seen: set[Path] = set()
        jobs = list(_jobs(arguments, overrides))
        sweep = is_sweep(arguments, overrides)
        with console.progress("checking the jobs", len(jobs)) if len(jobs) > 1 else nullcontext(_silent) as advance:
            for number, job in enumerate(jobs):
                try:
                    composed = compose_job(name, job, with_hydra=True)
                    config = validate_job(composed)
                    _check_folder(_output_folder(composed, number if sweep else None), config, seen)
                    _check_published(config)
                    _check_covariates(config)
                except ConfigError as error:
                    faults.update({str(fault): fault for fault in flatten(error)})
                advance(1)
    raise_all(list(faults.values()))
    for folder in sorted(seen)[:1]:
        _check_writable(folder)


def _silent(done: int) -> None:
    """Progress of a single job: none."""


def is_sweep(arguments: Namespace, overrides: Sequence[str]) -> bool:
    return bool(arguments.multirun) or any(item.replace(" ", "").upper() == "HYDRA.MODE=MULTIRUN" for item in overrides)


def _jobs(arguments: Namespace, overrides: Sequence[str]) -> Iterator[Sequence[str]]:
    """The overrides of each job. A sweeper other than Hydra's own decides as it goes; then each job checks itself."""
    if not is_sweep(arguments, overrides):
        yield overrides
        return
    if any(item.startswith("hydra/sweeper") for item in overrides):
        return
    parsed = [item for item in parse(overrides) if item.key_or_group != "hydra.mode"]
    swept = [item for item in parsed if not item.key_or_group.startswith("hydra.")]
    fixed = [str(item.input_line) for item in parsed if item.key_or_group.startswith("hydra.")]
    for item in swept:
        if item.is_sweep_override() and not item.is_discrete_sweep():
            allowed = "a list of values, e.g. 1,2,3, or range(1,5), choice(a,b)"
            raise ConfigError(item.get_key_element(), str(item.input_line).partition("=")[2], allowed)
    for batch in BasicSweeper.split_arguments(swept, max_batch_size=None):
        for job in batch:
            yield [*job, *fixed]


def _output_folder(composed: DictConfig, job: int | None) -> Path:
    """Where the job will write: hydra.run.dir, or the job's folder within hydra.sweep.dir."""
    before = HydraConfig.instance().cfg
    try:
        if job is not None:
            with open_dict(composed):
                composed.hydra.job.num = job
        HydraConfig.instance().set_config(composed)
        if job is None:
            return Path(str(composed.hydra.run.dir)).absolute()
        return (Path(str(composed.hydra.sweep.dir)) / str(composed.hydra.sweep.subdir)).absolute()
    finally:
        HydraConfig.instance().cfg = before


def _check_folder(folder: Path, config: StudyConfig, seen: set[Path]) -> None:
    from trialsim.artefacts import is_finished

    if folder in seen:
        raise ConfigError("hydra.sweep.subdir", str(folder), "a folder of its own for every job of the sweep")
    seen.add(folder)
    is_finished(folder, config)


def _check_writable(folder: Path) -> None:
    """The folder can be made and written to. Leaves nothing behind: a name with the time in it is not the run's own."""
    missing = [place for place in (folder, *folder.parents) if not place.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        allowed = f"a folder that can be made and written to ({error.strerror})"
        raise ConfigError("hydra.run.dir", str(folder), allowed) from error
    finally:
        with suppress(OSError):
            for place in missing:
                place.rmdir()


def _check_published(config: StudyConfig) -> None:
    """The published study must be one that the evidence tables hold."""
    if config.study.published is not None:
        from trialsim.evidence import published_study

        published_study(config.study.published)


def _check_covariates(config: StudyConfig) -> None:
    """A file of the user's is read once before the run, so that its faults are told like those of a key."""
    if config.cohort.covariates_file is not None:
        import numpy as np

        from trialsim.cohort.covariates_file import read_covariates

        read_covariates(config.cohort.covariates_file, tuple(config.tumour), config.cohort.size, np.arange(1))
