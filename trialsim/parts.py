"""The parts of a study that several machines simulated, put together: the folder of a run as one machine would have made it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow.parquet as pq

from trialsim import simulation
from trialsim.artefacts import RunFolder
from trialsim.artefacts.claim import PART, TABLES, changed_keys, config_sha256
from trialsim.artefacts.files import refuse_links, unchanged
from trialsim.artefacts.reading import read_json, read_yaml
from trialsim.artefacts.status import read_status
from trialsim.artefacts.tables import ID
from trialsim.saving import FACTS, block_files, block_name, save_study
from trialsim.schema import ConfigError
from trialsim.schema.faults import raise_all
from trialsim.schema.plain import usable_path
from trialsim.schema.study import StudyConfig, validate
from trialsim.study import conclude

KEY = "merge"  # as the fault of a folder is told


class Part(NamedTuple):
    """One finished part. path: its folder. config: its settings. status: content of its status.json."""

    path: Path
    config: StudyConfig
    status: dict[str, Any]


def merge(folders: Sequence[Path | str], into: Path | str) -> dict[str, Any]:
    """Put the parts of a study together, fit, compare and report; the result is that of a run on one machine.

    An interrupted merge goes on when it is called again.

    Args:
        folders: the run folders of all parts, in any order. They are read, not changed.
        into: folder of the whole study.

    Returns:
        The content of summary.json.

    Raises:
        ConfigError: a folder is not a finished part, the parts are not of one study, or some are missing.
    """
    parts = [_read(usable_path(KEY, folder).absolute()) for folder in folders]
    _check(parts)
    ordered = sorted(parts, key=lambda part: part.config.compute.part)
    begun = read_status(usable_path(KEY, into).absolute()) is not None
    config = _whole(ordered[0].config).model_copy(update={"resume": begun})
    with RunFolder(into, config) as folder:
        if folder.finished:
            return folder.read_json("summary.json")
        stage = folder.stage("simulate")
        if not stage.complete:
            with stage:
                save_study(config, folder, [block for part in ordered for block in _blocks(part)])
        folder.drop_blocks()  # of a run that was begun here without parts
        return conclude(config, folder)


def _whole(config: StudyConfig) -> StudyConfig:
    """The settings of the study that a part belongs to."""
    return config.model_copy(update={"compute": config.compute.model_copy(update={"parts": 1, "part": 1})})


def _read(path: Path) -> Part:
    status = read_status(path)
    if status is None or status["state"] != PART:
        state = "there is no run here" if status is None else f"this run is {status['state']}"
        raise ConfigError(KEY, str(path), f"the folder of a finished part of a study (compute.parts > 1); {state}")
    refuse_links(path)
    config = validate(read_yaml(path / "config.yaml"))
    if config_sha256(config) != status["config_sha256"]:
        raise ConfigError(KEY, str(path), "a part of this version of trialsim, with the config.yaml that its run wrote")
    choices = read_json(path / "provenance.json").get("choices") if (path / "provenance.json").is_file() else None
    return Part(path, config.composed_of(choices if isinstance(choices, dict) else {}), status)


def _check(parts: Sequence[Part]) -> None:
    """All parts of one study, each once, each whole."""
    if not parts:
        raise ConfigError(KEY, [], "the folders of all parts of a study")
    first, faults = parts[0], []
    count = first.config.compute.parts
    for part in parts[1:]:
        same_input = part.status["inputs_sha256"] == first.status["inputs_sha256"]
        if part.config.compute.parts != count or config_sha256(_whole(part.config)) != config_sha256(_whole(first.config)):
            differs = ", ".join(key for key in changed_keys(first.path, part.config) if key != "compute.part")
            faults.append(ConfigError(KEY, str(part.path), f"a part of the same study as {first.path}; it differs in: {differs}"))
        elif not same_input:
            faults.append(ConfigError(KEY, str(part.path), f"a part that read the same cohort.covariates_file as {first.path}"))
    raise_all(faults)
    numbers = sorted(part.config.compute.part for part in parts)
    missing = ", ".join(str(number) for number in range(1, count + 1) if number not in numbers)
    if missing:
        faults.append(ConfigError("compute.part", numbers, f"every part from 1 to {count}; missing: {missing}"))
    twice = ", ".join(sorted({str(number) for number in numbers if numbers.count(number) > 1}))
    if twice:
        faults.append(ConfigError("compute.part", numbers, f"every part once; more than once: {twice}"))
    for part in parts:
        blocks = {name: part.status["blocks"].get(name) for name in map(block_name, simulation.blocks(part.config))}
        if not all(files and unchanged(part.path, files) for files in blocks.values()):
            allowed = "a part whose files are as its run wrote them; resume=true in that folder mends it"
            faults.append(ConfigError(KEY, str(part.path), allowed))
        elif not all(set(block_files(name)) <= set(files) for name, files in blocks.items()):
            allowed = "a part with all tables; an older version of trialsim made this one without doses: run it again"
            faults.append(ConfigError(KEY, str(part.path), allowed))
    raise_all(faults)
    columns = {name: _columns(parts[0], name) for name in TABLES}
    for part in parts:
        for block in simulation.blocks(part.config):
            _check_content(part, block, columns)


def _columns(part: Part, table: str) -> Any:
    return _reading(_blocks(part)[0] / f"{table}.parquet", lambda file: file.schema_arrow)


def _check_content(part: Part, block: simulation.Block, columns: Mapping[str, Any]) -> None:
    """The files of a block hold what a block holds: the same columns as all others, its own patients, in order."""
    place = part.path / block_files(block_name(block))[0]
    facts = read_json(place.with_name(FACTS))
    screened, mtd = facts.get("screened"), facts.get("mtd")
    level = lambda value: value is None or (isinstance(value, int | float) and not isinstance(value, bool))
    known = mtd is None or (isinstance(mtd, list) and all(map(level, mtd)))
    known = known and isinstance(facts.get("solver_check"), dict)
    if screened != block.stop - block.start or not known or (mtd is None) == part.config.design.escalates:
        raise ConfigError(KEY, str(place.with_name(FACTS)), f"the facts of patients {block.start} to {block.stop - 1}")
    for table in TABLES:
        file = place.with_name(f"{table}.parquet")
        if not _reading(file, lambda file: file.schema_arrow).equals(columns[table]):
            raise ConfigError(KEY, str(file), "a table with the columns of the other blocks")
        ids = _reading(file, lambda file: file.read([ID])[ID].to_numpy())
        steps = np.diff(ids)
        outside = len(ids) and not (block.start <= ids[0] and ids[-1] < block.stop)
        if outside or (steps < (1 if table == "patients" else 0)).any():
            raise ConfigError(KEY, str(file), f"rows of patients {block.start} to {block.stop - 1}, in order")


def _reading(file: Path, look: Callable[[pq.ParquetFile], Any]) -> Any:
    try:
        with pq.ParquetFile(file) as opened:
            return look(opened)
    except Exception as error:  # the parser raises half a dozen types
        raise ConfigError(KEY, str(file), f"a Parquet table of patients ({' '.join(str(error).split())})") from error



def _blocks(part: Part) -> list[Path]:
    """Folders of the blocks of a part, in the order of their patients."""
    return [(part.path / block_files(name)[0]).parent for name in map(block_name, simulation.blocks(part.config))]
