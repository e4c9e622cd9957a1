"""``status.json``: which stages and blocks of a run are complete, and the digests of what they wrote. Read without trust."""

from __future__ import annotations

from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Annotated, Any, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationError, model_validator

from trialsim.artefacts.reading import read_json
from trialsim.schema import ConfigError

STATUS = "status.json"
COMPLETE = "complete"  # state of a finished run


def within(name: str) -> str:
    """The name of a file within a folder, as it is.

    Raises:
        ValueError: it leads elsewhere.
    """
    parts = (*PurePosixPath(name).parts, *PureWindowsPath(name).parts)
    drive = PureWindowsPath(name)
    if not name or "\0" in name or ".." in parts or PurePosixPath(name).is_absolute() or drive.drive or drive.root:
        raise ValueError(f"the name of a file within the folder, not {name!r}")
    return name


Files = dict[Annotated[str, AfterValidator(within)], str]  # name within the run folder -> SHA-256


class _Record(BaseModel):
    model_config = ConfigDict(extra="allow", strict=True)


class StageRecord(_Record):
    """One complete stage."""

    name: str
    files: Files
    seconds: float
    finished: str = ""


class Status(_Record):
    """The whole file; what is not named here is kept as it is."""

    complete: bool = False
    state: str = "unfinished"
    config_sha256: str = ""
    inputs_sha256: dict[str, str] = {}
    stages: list[StageRecord] = []
    blocks: dict[Annotated[str, AfterValidator(within)], Files] = {}

    @model_validator(mode="after")
    def _coherent(self) -> Self:
        if self.complete != (self.state == COMPLETE):
            raise ValueError(f"complete: true together with state: {COMPLETE}, and only then")
        return self


def read_status(path: Path) -> dict[str, Any] | None:
    """``status.json`` of a folder, or None where there is no run.

    Raises:
        ConfigError: it is not as a run writes it.
    """
    file = path / STATUS
    if not file.is_file():
        return None
    try:
        return Status.model_validate(read_json(file)).model_dump()
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        key = ".".join([STATUS, *(str(part) for part in first["loc"])])
        raise ConfigError(key, str(file), f"as a run writes it ({first['msg']})") from error
