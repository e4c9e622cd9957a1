"""The command line and ``compose``: the only file that knows Hydra. Everything else sees a validated ``StudyConfig``.

Before anything runs, every job of the command is composed and validated here, so that a slip in the last job of a sweep
is told at once and not after hours. Bad input ends with exit code 2 and one message a fault; no traceback, nothing run.
"""

from __future__ import annotations

import copy
import os
import re
import sys
import tempfile
from argparse import Namespace
from collections.abc import Iterator, Mapping, Sequence
from contextlib import nullcontext, suppress
from pathlib import Path
from typing import Any

import hydra
from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra._internal.utils import get_args_parser
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.errors import HydraException, MissingConfigException, OverrideParseException
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf, open_dict
from omegaconf.errors import OmegaConfBaseException

from trialsim import __version__, console
from trialsim._paths import conf_dir
from trialsim.schema import ConfigError
from trialsim.schema.faults import flatten, near, raise_all
from trialsim.schema.study import StudyConfig, validate

VERSION_BASE = "1.3"
CONFIG_NAME = "config"
BAD_INPUT, INTERRUPTED = 2, 130
MERGE_USAGE = """Usage: trialsim merge OUT PART PART ...

Puts the parts of a study (compute.parts, compute.part) together in the folder OUT, then fits, compares and reports.
"""
_ABSENT = object()


# ---- from Python


def compose(
    experiment: str | None = None, overrides: Sequence[str] | Mapping[str, Any] = (), **more: Any
) -> StudyConfig:
    """The validated configuration of a study, as the command line would make it.

    Args:
        experiment: a file of ``conf/experiment``; the default study if None.
        overrides: as on the command line, ``["cohort.size=500", "regimen=everolimus_5mg_daily"]``, or a mapping
            ``{"cohort.size": 500, "regimen": "everolimus_5mg_daily"}``.
        **more: top-level keys, e.g. ``seed=7``.

    Raises:
        ConfigError: names the key, the value given and what is allowed.
    """
    given = (
        [_as_override(key, value) for key, value in overrides.items()]
        if isinstance(overrides, Mapping)
        else list(overrides)
    )
    given += [_as_override(key, value) for key, value in more.items()]
    if experiment is not None:
        given.insert(0, _as_override("experiment", experiment))
    with hydra.initialize_config_dir(str(conf_dir()), version_base=VERSION_BASE, job_name="trialsim"):
        return _validated(_composed(CONFIG_NAME, given))


def _as_override(key: str, value: Any) -> str:
    return f"{key}={_literal(value)}"


def _literal(value: Any) -> str:
    """A Python value in Hydra's override grammar."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int):
        return str(int(value))
    if isinstance(value, float):
        return repr(float(value))
    if isinstance(value, Mapping):
        return "{" + ",".join(f"{key}:{_literal(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join(_literal(item) for item in value) + "]"
    text = str(value)
    # Within quotes only a quote, and the backslashes before one, need a backslash.
    return "'" + re.sub(r"(\\*)('|$)", lambda found: found[1] * 2 + ("\\'" if found[2] else ""), text) + "'"


# ---- composing a job


def _composed(config_name: str, overrides: Sequence[str], with_hydra: bool = False) -> DictConfig:
    """Compose within an initialised Hydra; whatever is wrong with the overrides becomes a ConfigError."""
    parsed = _parsed(overrides)
    for override in parsed:
        if override.is_sweep_override():
            text = str(override.input_line).partition("=")[2]
            raise ConfigError(
                override.get_key_element(), text, "one value; trialsim -m runs one job for each of several"
            )
        if _is_group(override) and not override.is_delete() and not isinstance(override.value(), str | list):
            choices = ", ".join(GlobalHydra.instance().config_loader().get_group_options(override.key_or_group))
            raise ConfigError(override.key_or_group, override.value(), f"one of {choices}")
    try:
        return hydra.compose(config_name, overrides=list(overrides), return_hydra_config=with_hydra)
    except (HydraException, OmegaConfBaseException) as error:
        raise _explained(error, config_name, parsed) from error


def _parsed(overrides: Sequence[str]) -> list[Override]:
    parser = OverridesParser.create(config_loader=GlobalHydra.instance().config_loader())
    parsed = []
    for text in overrides:
        try:
            parsed.extend(parser.parse_overrides([text]))
        except OverrideParseException as error:
            key, _, value = text.partition("=")
            allowed = "key=value or group=choice, e.g. regimen.dose=5; quote a value with spaces or special characters"
            raise ConfigError(key if value else "command line", value or text, allowed) from error
    return parsed


def _explained(error: Exception, config_name: str, parsed: Sequence[Override]) -> ConfigError:
    """An unknown choice of a group, the first key that the configuration does not have, or Hydra's own words."""
    missing = _missing_choice(error)
    if missing is not None:
        return missing
    if "No match in the defaults list" in str(error):
        for override in parsed:
            if _is_group(override) and not override.is_add() and f"'{override.key_or_group}'" in str(error):
                group = override.key_or_group
                allowed = f"a group that has a choice already; +{group}={override.value()} adds one to the study"
                return ConfigError(group, override.value(), allowed)
    groups = [str(item.input_line) for item in parsed if _is_group(item) or item.key_or_group == "hydra.searchpath"]
    try:
        base = hydra.compose(config_name, overrides=groups)
    except (HydraException, OmegaConfBaseException):
        base = None
    if base is not None:
        for override in parsed:
            key = override.key_or_group
            if _is_group(override) or override.is_add() or override.is_force_add() or key.split(".")[0] == "hydra":
                continue
            if not _has(base, key):
                return ConfigError(key, override.value(), _unknown_key(base, key))
    words = [str(error), str(error.__cause__ or "")]
    text = "; ".join(line.strip() for part in words for line in part.splitlines() if line.strip())
    return ConfigError("command line", " ".join(str(item.input_line) for item in parsed), text)


def _missing_choice(error: Exception) -> ConfigError | None:
    """A choice that its group does not have, e.g. experiment=nope; None for any other error."""
    if not isinstance(error, MissingConfigException) or not error.missing_cfg_file:
        return None
    group, _, choice = str(error.missing_cfg_file).rpartition("/")
    options = [str(option) for option in error.options or []]
    if group and not options:  # of a list of choices Hydra does not say what there is
        options = GlobalHydra.instance().config_loader().get_group_options(group)
    if not group or not options:
        return None
    return ConfigError(group, choice, f"one of {', '.join(options)}{near(choice, options)}")


def _is_group(override: Override) -> bool:
    return "." not in override.key_or_group and bool(
        GlobalHydra.instance().config_loader().get_group_options(override.key_or_group)
    )


def _has(config: DictConfig, key: str) -> bool:
    try:
        return OmegaConf.select(config, key, default=_ABSENT, throw_on_missing=False) is not _ABSENT
    except OmegaConfBaseException:
        return False


def _unknown_key(config: DictConfig, key: str) -> str:
    """Where a dotted key leaves the configuration, and what was probably meant."""
    if key.startswith("partner.") and not _has(config, "partner"):
        return f"a key of a partner drug that is given; +partner=[{key.split('.')[1]}] adds it to the study"
    parent, _, last = key.rpartition(".")
    while parent and not _has(config, parent):
        parent, _, last = parent.rpartition(".")
    section = OmegaConf.select(config, parent) if parent else config
    if not OmegaConf.is_dict(section):
        return f"there is no such key; {parent} is a single value"
    keys = [str(name) for name in section]
    every = list(_dotted(OmegaConf.to_container(config, resolve=False)))
    hint = near(last, keys) if near(last, keys) else near(key, every)
    if not hint:  # the right name in the wrong section, e.g. dose=5
        same = [name for name in every if name.rpartition(".")[2] == last]
        hint = f"; did you mean {same[0]!r}?" if same else ""
    place = f"keys of {parent}" if parent else "sections and keys"
    return f"there is no such key{hint}; {place}: {', '.join(keys)}"


def _dotted(data: Any, path: str = "") -> Iterator[str]:
    if isinstance(data, dict):
        for key, item in data.items():
            here = f"{path}.{key}" if path else str(key)
            yield here
            yield from _dotted(item, here)


def _validated(config: DictConfig) -> StudyConfig:
    study = copy.copy(config)
    with open_dict(study):
        study.pop("hydra", None)
    try:
        data = OmegaConf.to_container(study, resolve=True, throw_on_missing=True)
    except OmegaConfBaseException as error:
        key = getattr(error, "full_key", None) or "config"
        raise ConfigError(key, None, str(error).splitlines()[0]) from error
    assert isinstance(data, dict)
    return validate({str(key): value for key, value in data.items()})


# ---- before the first job starts


def _check_all(arguments: Namespace) -> None:
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
        sweep = _is_sweep(arguments, overrides)
        with console.progress("checking the jobs", len(jobs)) if len(jobs) > 1 else nullcontext(_silent) as advance:
            for number, job in enumerate(jobs):
                try:
                    composed = _composed(name, job, with_hydra=True)
                    config = _validated(composed)
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


def _is_sweep(arguments: Namespace, overrides: Sequence[str]) -> bool:
    return bool(arguments.multirun) or any(item.replace(" ", "").upper() == "HYDRA.MODE=MULTIRUN" for item in overrides)


def _jobs(arguments: Namespace, overrides: Sequence[str]) -> Iterator[Sequence[str]]:
    """The overrides of each job. A sweeper other than Hydra's own decides as it goes; then each job checks itself."""
    if not _is_sweep(arguments, overrides):
        yield overrides
        return
    if any(item.startswith("hydra/sweeper") for item in overrides):
        return
    parsed = [item for item in _parsed(overrides) if item.key_or_group != "hydra.mode"]
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


# ---- running a job


def _job(config: DictConfig) -> None:
    """One job as Hydra starts it: validate, run, show. In a sweep the others go on when one fails."""
    try:
        _run(_validated(config), Path(HydraConfig.get().runtime.output_dir))
    except Exception as error:
        if HydraConfig.get().mode == RunMode.MULTIRUN:
            job = HydraConfig.get().job
            sys.stderr.write(f"trialsim: job {job.num} ({job.override_dirname}) failed: {error}\n")
        raise


def _run(config: StudyConfig, folder: Path) -> None:
    # Imported here: bad input must be told before the seconds that JAX takes to load.
    from trialsim.artefacts import is_finished

    console.set_up_logging()
    if is_finished(folder, config):
        console.out.print(f"{folder} holds this run already finished; nothing to do.")
        return
    from trialsim import study

    found = study.run(config, folder)
    if config.compute.parts > 1:
        console.print_part(found, folder)
    elif config.analysis.kind == "trial":
        console.print_summary(found, folder)
    else:
        console.print_findings(found, folder)


# ---- putting parts together


def _merge(arguments: Sequence[str]) -> int:
    """``trialsim merge OUT PART PART ...``; returns the exit code."""
    if len(arguments) < 2 or any(word.startswith("-") for word in arguments):
        sys.stderr.write(MERGE_USAGE)
        return 0 if {"-h", "--help"} & set(arguments) else BAD_INPUT
    from trialsim import parts

    console.set_up_logging()
    try:
        console.print_summary(parts.merge(arguments[1:], arguments[0]), arguments[0])
    except ConfigError as error:
        _say(error)
        return BAD_INPUT
    except KeyboardInterrupt:
        sys.stderr.write("trialsim: interrupted; the same command goes on from the last stage\n")
        return INTERRUPTED
    return 0


def _export(arguments: Sequence[str]) -> int:
    """``trialsim export RUN_FOLDER --to ...``; returns the exit code."""
    from trialsim.exchange import command

    try:
        command.run(arguments)
    except ConfigError as error:
        _say(error)
        return BAD_INPUT
    except KeyboardInterrupt:
        sys.stderr.write("trialsim: interrupted; nothing was written\n")
        return INTERRUPTED
    return 0


def _say(error: ConfigError) -> None:
    for fault in flatten(error):
        sys.stderr.write(f"trialsim: {fault}\n")


def main() -> int:
    """What the ``trialsim`` command does. Returns the exit code: 0, 1 failed, 2 bad input, 130 interrupted."""
    if "--version" in sys.argv[1:]:
        print(f"trialsim {__version__}")
        return 0
    if sys.argv[1:2] == ["merge"]:
        return _merge(sys.argv[2:])
    if sys.argv[1:2] == ["export"]:
        return _export(sys.argv[2:])
    # Hydra wants its flags before the overrides; `trialsim cohort.size=500 -m seed=1,2` is as clear
    sys.argv[1:] = sorted(sys.argv[1:], key=lambda word: word not in ("-m", "--multirun"))
    arguments = get_args_parser().parse_args()
    only_tells = arguments.help or arguments.hydra_help or arguments.cfg or arguments.info or arguments.shell_completion
    # Hydra would print its own message and exit with 1; with this it hands us the error instead.
    os.environ["HYDRA_FULL_ERROR"] = "1"
    app = hydra.main(version_base=VERSION_BASE, config_path=str(conf_dir()), config_name=CONFIG_NAME)(_job)
    try:
        if not only_tells:
            try:
                _check_all(arguments)
            except ConfigError as error:
                _say(error)
                sys.stderr.write("Nothing was run. `trialsim --help` says what there is to choose.\n")
                return BAD_INPUT
        app()
    except ConfigError as error:
        if not arguments.multirun:  # in a sweep the job itself has said so
            _say(error)
        return BAD_INPUT
    except (HydraException, OmegaConfBaseException) as error:
        words = ConfigError("command line", " ".join(sys.argv[1:]), " ".join(str(error).split()))
        _say(_missing_choice(error) or words)
        return BAD_INPUT
    except KeyboardInterrupt:
        sys.stderr.write("trialsim: interrupted; resume=true with the same hydra.run.dir goes on from the last stage\n")
        return INTERRUPTED
    return 0
