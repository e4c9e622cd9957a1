"""The folder of one run: claimed, logged, written stage by stage, marked when finished.

``status.json`` says which stages, and which blocks (of patients; steps of an analysis) of the stage in progress, are complete and
what each wrote;
``"complete": true`` in it marks a finished run.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import shutil
import time
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pandas as pd
import yaml

from trialsim import provenance
from trialsim.artefacts.claim import BLOCKS, PART, SWEEP, config_sha256, inputs_sha256, is_finished, lock
from trialsim.artefacts.csv_text import csv_text
from trialsim.artefacts.files import PARTIAL, atomic, file_sha256, plain, refuse_links, unchanged, write_json
from trialsim.artefacts.reading import read_json
from trialsim.artefacts.status import STATUS, read_status, within
from trialsim.schema import ConfigError
from trialsim.schema.study import StudyConfig

LOG = "run.log"

log = logging.getLogger(__name__)


class Stage:
    """One step of a run. ``complete`` says whether an earlier, interrupted run has done it already.

    Use::

        stage = folder.stage("simulate")
        if not stage.complete:
            with stage:
                folder.write_table("patients", patients)
        patients = folder.read_table("patients")

    The stage becomes complete when the block ends without error, with the files written in it.
    """

    def __init__(self, folder: RunFolder, name: str):
        self.folder, self.name = folder, name
        self._started = 0.0

    @property
    def complete(self) -> bool:
        """True if the stage is recorded and every file that it wrote is still there, unchanged."""
        record = self.folder.record(self.name)
        if record is None:
            return False
        return unchanged(self.folder.path, record["files"])

    def __enter__(self) -> Self:
        self.folder.begin(self.name)
        self._started = time.perf_counter()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.folder.end(self.name, time.perf_counter() - self._started, failed=error is not None)


class RunFolder:
    """The folder of one run. Use it as a context manager; it claims the folder, keeps ``run.log`` and the status.

    Args:
        path: the folder; made if it does not exist.
        config: the validated configuration of the run.

    Raises:
        ConfigError: the folder holds a run (and ``resume`` is false), another configuration, or a run in progress.

    Attributes:
        path: absolute path of the folder.
        finished: True when the folder holds this run already complete; then nothing is left to do.
    """

    def __init__(self, path: Path | str, config: StudyConfig):
        self.path = Path(path).absolute()
        self.config = config
        self.finished = is_finished(self.path, config)
        self._status: dict[str, Any] = read_status(self.path) or {}
        self._open_stage: str | None = None
        self._written: dict[str, str] = {}
        self._lock: int | None = None
        self._handler: logging.Handler | None = None

    # ---- protocol

    def __enter__(self) -> Self:
        try:
            self.path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigError(
                "hydra.run.dir", str(self.path), f"a folder that can be written ({error.strerror})"
            ) from error
        refuse_links(self.path)
        self._lock = lock(self.path)
        self._handler = logging.FileHandler(self.path / LOG, encoding="utf-8")
        self._handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
        logging.getLogger().addHandler(self._handler)
        logging.getLogger("trialsim").setLevel(logging.INFO)
        if self.finished:
            log.info("this run is already finished; nothing to do")
            return self
        for leftover in self.path.rglob(f"{PARTIAL}*"):
            leftover.unlink(missing_ok=True)
        if self._status:
            done = ", ".join(stage["name"] for stage in self._status.get("stages", [])) or "none"
            log.info("resuming; stages already complete: %s", done)
        elif self.config.resume and _of_a_sweep(self.path):
            log.info("this job of the sweep was not started before; starting it")
        elif self.config.resume:
            log.info("nothing to resume in %s; starting from the beginning", self.path)
        self._update(
            schema_version=1,
            complete=False,
            state="running",
            config_sha256=config_sha256(self.config),
            inputs_sha256=inputs_sha256(self.config),
            started=self._status.get("started", _now()),
            stages=self._status.get("stages", []),
            blocks=self._status.get("blocks", {}),
        )
        settings = self.config.model_dump(mode="json")
        with atomic(self.path / "config.yaml") as partial:
            partial.write_text(yaml.safe_dump(settings, sort_keys=False, allow_unicode=True), encoding="utf-8")
        self.write_provenance()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if error is not None and not self._is_complete():
                state = "failed" if isinstance(error, Exception) else "interrupted"
                level, show = (logging.ERROR, True) if state == "failed" else (logging.WARNING, False)
                message = f"{type(error).__name__}: {error}".rstrip(": ")
                log.log(level, "%s: %s", state, message, exc_info=show, extra={"file_only": True})
                self._update(state=state, message=message, stopped=_now())
        finally:
            if self._handler is not None:
                logging.getLogger().removeHandler(self._handler)
                self._handler.close()
            if self._lock is not None:
                os.close(self._lock)
                self._lock = None

    def finish_part(self) -> None:
        """Mark the folder as one part of a study, ready to be merged with the others."""
        self.write_provenance()
        self._status.pop("message", None)
        self._update(state=PART, finished=_now())

    def finish(self) -> None:
        """Mark the run as finished. Call it last, when every artefact is in place."""
        self.write_provenance()
        self._status.pop("message", None)
        self._update(complete=True, state="complete", finished=_now())
        self.finished = True

    # ---- stages

    def stage(self, name: str) -> Stage:
        """A step of the run, see ``Stage``."""
        return Stage(self, name)

    def record(self, name: str) -> dict[str, Any] | None:
        """What ``status.json`` says of a stage, or None."""
        return next((stage for stage in self._status.get("stages", []) if stage["name"] == name), None)

    def begin(self, name: str) -> None:
        """Start a stage. It and all that were completed after it count as undone: they rest on what it writes."""
        names = [stage["name"] for stage in self._status["stages"]]
        keep = names.index(name) if name in names else len(names)
        self._update(stages=self._status["stages"][:keep])
        self._open_stage, self._written = name, {}

    def end(self, name: str, seconds: float, failed: bool) -> None:
        """Close a stage; it counts as complete unless it failed."""
        if not failed:
            files = {file: file_sha256(self.path / file) for file in self._written}
            record = {"name": name, "files": files, "seconds": round(seconds, 3), "finished": _now()}
            self._update(stages=[*self._status["stages"], record])
            log.info("stage %s complete in %.1f s", name, seconds, extra={"file_only": True})
        self._open_stage = None

    # ---- blocks, of patients or of one step of an analysis: checkpoints within a stage

    def block_complete(self, block: str, expected: Iterable[str] = ()) -> bool:
        """True if the block is recorded, ``expected`` files among those that it wrote, and all are still there, unchanged."""
        files = self._status.get("blocks", {}).get(block)
        return files is not None and set(expected) <= set(files) and unchanged(self.path, files)

    def block_files(self, block: str) -> list[str]:
        """Files that a recorded block wrote, in order."""
        return list(self._status["blocks"][block])

    def end_block(self, block: str, files: Iterable[str]) -> None:
        """Record a block whose files are all in place; from here on a resumed run keeps it."""
        digests = {file: file_sha256(self.path / file) for file in files}
        self._update(blocks={**self._status["blocks"], block: digests})

    def drop_blocks(self) -> None:
        """Forget the blocks and remove their files, once a complete stage holds what they held."""
        if self._status.get("blocks"):
            self._update(blocks={})
        shutil.rmtree(self.path / BLOCKS, ignore_errors=True)

    @property
    def seconds(self) -> dict[str, float]:
        """Wall-clock seconds of each complete stage."""
        return {stage["name"]: stage["seconds"] for stage in self._status.get("stages", [])}

    # ---- files

    @contextlib.contextmanager
    def atomic(self, name: str) -> Iterator[Path]:
        """A path to write ``name`` to (for writers that need a path, e.g. NetCDF); moved into place at the end."""
        with atomic(self.path / within(name)) as partial:
            yield partial
        if self._open_stage is not None:
            self._written[name] = ""

    def adopt(self, *names: str) -> None:
        """Record files that other code wrote into the folder, e.g. the report, as part of the stage in progress."""
        if self._open_stage is not None:
            self._written.update(dict.fromkeys(names, ""))

    def write_table(self, name: str, table: pd.DataFrame) -> Path:
        """Write ``<name>.parquet``, without the index."""
        with self.atomic(f"{name}.parquet") as partial:
            table.to_parquet(partial, index=False, engine="pyarrow")
        return self.path / f"{name}.parquet"

    def read_table(self, name: str) -> pd.DataFrame:
        """Read ``<name>.parquet``."""
        return pd.read_parquet(self.path / f"{name}.parquet", engine="pyarrow")

    def write_csv(self, name: str, table: pd.DataFrame) -> Path:
        """Write ``tables/<name>.csv``, without the index."""
        with self.atomic(f"tables/{name}.csv") as partial:
            partial.write_text(csv_text(table), encoding="utf-8")
        return self.path / "tables" / f"{name}.csv"

    def write_json(self, name: str, value: Any) -> Path:
        """Write a JSON file, e.g. ``summary.json`` or ``figures/waterfall.json``; NaN becomes null."""
        text = json.dumps(plain(value), indent=2, allow_nan=False) + "\n"
        return self.write_text(name, text)

    def read_json(self, name: str) -> Any:
        """Read a JSON file."""
        return read_json(self.path / name)

    def write_text(self, name: str, text: str) -> Path:
        """Write a text file, e.g. ``report.html``."""
        with self.atomic(name) as partial:
            partial.write_text(text, encoding="utf-8")
        return self.path / name

    def write_provenance(self) -> None:
        """Write ``provenance.json`` as things stand: when it is written, how long each stage took."""
        facts = provenance.collect()
        facts |= {"seed": self.config.seed, "config_sha256": config_sha256(self.config), "seconds": self.seconds}
        facts |= {"started": self._status.get("started"), "written": _now(), "choices": self.config.choices}
        write_json(self.path / "provenance.json", facts)

    # ---- internal

    def _update(self, **changes: Any) -> None:
        status = self._status | changes
        write_json(self.path / STATUS, status)
        self._status = status

    def _is_complete(self) -> bool:
        """Whether the run is finished, by what has reached the disk: Ctrl-C may come just after that."""
        found = read_status(self.path)
        return self.finished or (found is not None and bool(found["complete"]))


def _of_a_sweep(path: Path) -> bool:
    return any((folder / SWEEP).is_file() for folder in path.parents)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
