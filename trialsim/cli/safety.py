"""What Hydra may start and where it may write: an allow-list. Files of settings come from others as often as not.

Hydra makes any class that a file names by ``_target_`` (callbacks, launchers, whatever stands within them), any logging
handler, runs commands on the cluster, and loads a pickle on request. Of these trialsim needs the launchers and nothing else.
"""

from __future__ import annotations

import re
from argparse import Namespace
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from hydra.core.override_parser.types import Override
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from trialsim.artefacts.reading import check_yaml
from trialsim.schema import ConfigError
from trialsim.schema.faults import raise_all
from trialsim.schema.plain import usable_path

LAUNCHERS = (
    "hydra._internal.core_plugins.basic_launcher.BasicLauncher",
    "hydra_plugins.hydra_joblib_launcher.joblib_launcher.JoblibLauncher",
    "hydra_plugins.hydra_submitit_launcher.submitit_launcher.LocalLauncher",
    "hydra_plugins.hydra_submitit_launcher.submitit_launcher.SlurmLauncher",
    "hydra_plugins.hydra_ray_launcher.ray_launcher.RayLauncher",
)
SWEEPERS = ("hydra._internal.core_plugins.basic_sweeper.BasicSweeper",)
LOGGING = ("hydra.job_logging", "hydra.hydra_logging")
# what a launcher runs as a command or takes as code: from the command line only, where a person wrote it
COMMANDS = ("setup", "srun_args", "additional_parameters", "python", "ray")
MOST_FILES = 2000
REFERENCE = re.compile(r"\$\{([A-Za-z0-9_.+\[\]-]+)\}")
LARGEST_STUDY = 5_000_000  # characters; those that come with trialsim have 0.1 million
LONGEST_CHAIN = 20


def check_options(arguments: Namespace) -> None:
    """The options of the command, and the files of settings in ``--config-dir``.

    Raises:
        ConfigError: names the option, or a file that is too large, nested too deeply, or repeats itself by aliases.
    """
    for option in ("config_path", "config_name"):
        given = getattr(arguments, option)
        if given:
            own = "left out; --config-dir FOLDER, with experiment/mine.yaml in it, adds settings of your own"
            raise ConfigError(f"--{option.replace('_', '-')}", given, own)
    if arguments.experimental_rerun:  # would load a pickle
        raise ConfigError("--experimental-rerun", arguments.experimental_rerun, "left out; repeat the command of the run")
    if arguments.config_dir:
        folder = usable_path("--config-dir", arguments.config_dir).absolute()
        if not folder.is_dir():
            raise ConfigError("--config-dir", arguments.config_dir, "a folder that exists")
        files = [file for pattern in ("*.yaml", "*/*.yaml", "hydra/*/*.yaml") for file in folder.glob(pattern)]
        if len(files) > MOST_FILES:
            raise ConfigError("--config-dir", str(folder), f"a folder of at most {MOST_FILES} files of settings")
        for file in files:
            check_yaml(file)


def check_words(overrides: Sequence[Override]) -> None:
    """What can be refused before anything is composed.

    Raises:
        ConfigError: names the key.
    """
    for item in overrides:
        if item.key_or_group == "trial":
            raise ConfigError("trial", item.value(), "left out here; trialsim predict trial=FILE predicts a trial")
        if item.key_or_group == "hydra.searchpath":
            places = item.value() if isinstance(item.value(), list) else [item.value()]
            foreign = [str(place) for place in places if "://" in str(place) and not str(place).startswith("file://")]
            raise_all([ConfigError("hydra.searchpath", place, "folders: file:///path/to/FOLDER") for place in foreign])
        elif not item.key_or_group.startswith("hydra") and isinstance(item.value(), str) and not _is_setting(item):
            _check_choice(item.key_or_group, item.value())


def _is_setting(item: Override) -> bool:
    """Whether a word sets a value, which may be the path of a file, and chooses no file of a group: those have no dot."""
    return "." in item.key_or_group.partition("@")[0]


def check_hydra(composed: DictConfig, overrides: Sequence[Override], sweep: bool) -> None:
    """The section ``hydra`` of a composed job.

    Args:
        composed: with the section. overrides: of the command line. sweep: whether it asks for one.

    Raises:
        ConfigError: names the key.
    """
    hydra = composed.hydra
    faults = []
    for group, choice in (hydra.runtime.choices or {}).items():
        if isinstance(choice, str):
            _check_choice(group, choice)
    if hydra.callbacks:
        faults += [ConfigError(f"hydra.callbacks.{name}", str(hydra.callbacks._get_node(name)), "none") for name in hydra.callbacks]
    for part, known in (("launcher", LAUNCHERS), ("sweeper", SWEEPERS)):
        section = _plain(hydra, part)
        given = section.pop("_target_", None)
        if given not in known:
            faults.append(ConfigError(f"hydra.{part}._target_", given, f"one of {', '.join(known)}"))
        for key, value in _leaves(section, f"hydra.{part}"):
            if "_target_" in key:
                faults.append(ConfigError(key, value, "no other class"))
            elif isinstance(value, str) and len(value.splitlines()) > 1:  # would be lines of a script on the cluster
                faults.append(ConfigError(key, value, "text on one line"))
    asked = {item.key_or_group for item in overrides}
    launcher = _plain(hydra, "launcher")
    for name in COMMANDS:
        key = f"hydra.launcher.{name}"
        given = any(value not in (None, "", False) for _, value in _leaves(launcher.get(name), key))
        if given and not any(word == key or word.startswith(f"{key}.") for word in asked):
            faults.append(ConfigError(key, launcher[name], "given on the command line, not by a file"))
    notes = launcher.get("submitit_folder")  # where a job finds what it is to do, as a pickle of this very command
    if notes and not Path(str(notes)).resolve().is_relative_to(Path(str(hydra.sweep.dir)).resolve()):
        faults.append(ConfigError("hydra.launcher.submitit_folder", notes, f"a folder within hydra.sweep.dir, {hydra.sweep.dir}"))
    if hydra.sweeper.get("params"):
        faults.append(ConfigError("hydra.sweeper.params", dict(hydra.sweeper.params), "null; give the values as -m key=1,2"))
    if hydra.mode == RunMode.MULTIRUN and not sweep:
        faults.append(ConfigError("hydra.mode", hydra.mode.name, "null; trialsim -m makes a sweep"))
    if hydra.job.env_set:
        faults.append(ConfigError("hydra.job.env_set", dict(hydra.job.env_set), "empty; set variables in the shell"))
    for key in LOGGING:
        section = _plain(hydra, key.removeprefix("hydra."))
        if set(section) - {"version", "root", "disable_existing_loggers"} or section.get("root"):
            faults.append(ConfigError(key, sorted(section), "none: a run writes its own run.log"))
    if hydra.output_subdir is not None and not _is_name(hydra.output_subdir):
        faults.append(ConfigError("hydra.output_subdir", hydra.output_subdir, "null, or the name of a folder within the run's"))
    raise_all(faults)


def check_inside(folder: Path, within: Path) -> None:
    """A job of a sweep writes within the folder of the sweep.

    Raises:
        ConfigError: names ``hydra.sweep.subdir``.
    """
    if not folder.resolve().is_relative_to(within.resolve()) or folder.resolve() == within.resolve():
        raise ConfigError("hydra.sweep.subdir", str(folder), f"a folder within hydra.sweep.dir, {within}")


def check_references(data: Mapping[str, Any]) -> None:
    """Settings of a study, before they are resolved, may refer to one another, ``${regimen.dose}``, and to nothing else.

    Not to the environment, which may hold secrets and on which no result may depend; and not so often that a few lines stand for
    more than fits into memory.

    Raises:
        ConfigError: names the key.
    """
    known: dict[tuple[str, ...], int] = {}

    def size(value: Any, path: tuple[str, ...], chain: tuple[tuple[str, ...], ...]) -> int:
        """Letters of a value once everything in it is resolved."""
        if path in known:
            return known[path]
        if isinstance(value, Mapping | list):
            named = value.items() if isinstance(value, Mapping) else enumerate(value)
            found = 1 + sum(size(item, (*path, str(key)), chain) for key, item in named)
        elif isinstance(value, str) and "${" in value:
            key = ".".join(path)
            if "${" in REFERENCE.sub("", value):
                allowed = "a value, or a reference to another setting such as ${regimen.dose}; the shell can fill in the rest"
                raise ConfigError(key, value, allowed)
            if path in chain or len(chain) > LONGEST_CHAIN:
                raise ConfigError(key, value, f"a reference that ends in a value after at most {LONGEST_CHAIN} others")
            found = len(value)
            for match in REFERENCE.finditer(value):
                target = _absolute(match[1], path)
                found += size(*_find(data, target), (*chain, path))
        else:
            found = len(value) if isinstance(value, str) else 1
        if found > LARGEST_STUDY:
            allowed = f"at most {LARGEST_STUDY:,} characters once references are resolved"
            raise ConfigError(".".join(path) or "config", "...", allowed)
        known[path] = found
        return found

    size(data, (), ())


def _absolute(reference: str, path: tuple[str, ...]) -> list[str]:
    """``a.b[0]`` as it is, ``.b`` beside ``path``, ``..b`` beside the section of ``path``."""
    name = reference.lstrip(".")
    up = len(reference) - len(name)
    return [*(path[:-up] if up else ()), *(part for part in re.split(r"[.\[\]]+", name) if part)]


def _find(data: Any, target: Sequence[str]) -> tuple[Any, tuple[str, ...]]:
    """What stands at a path, and the path; a reference on the way stands for all that it leads to."""
    for place, part in enumerate(target):
        if isinstance(data, Mapping) and part in data:
            data = data[part]
        elif isinstance(data, list) and part.isdigit() and int(part) < len(data):
            data = data[int(part)]
        else:
            return (data if isinstance(data, str) else None), tuple(target[:place]) if isinstance(data, str) else tuple(target)
    return data, tuple(target)


def _check_choice(group: str, choice: str) -> None:
    parts = Path(choice).parts
    if ".." in parts or Path(choice).is_absolute():
        raise ConfigError(group, choice, "the name of a file of the group, not a path that leads elsewhere")


def _plain(hydra: DictConfig, section: str) -> dict[str, Any]:
    """A section as Hydra will see it."""
    try:
        found = OmegaConf.to_container(hydra[section], resolve=True) if hydra[section] is not None else {}
    except OmegaConfBaseException as error:
        raise ConfigError(f"hydra.{section}", None, str(error).splitlines()[0]) from error
    return {str(key): value for key, value in found.items()} if isinstance(found, dict) else {"_target_": found}


def _leaves(data: Any, path: str) -> Iterator[tuple[str, Any]]:
    if isinstance(data, Mapping | list):
        for key, item in data.items() if isinstance(data, Mapping) else enumerate(data):
            yield from _leaves(item, f"{path}.{key}")
    else:
        yield path, data


def _is_name(text: object) -> bool:
    return isinstance(text, str) and bool(re.fullmatch(r"[A-Za-z0-9_.-]+", text)) and text not in (".", "..")
