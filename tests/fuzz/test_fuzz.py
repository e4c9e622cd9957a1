"""Whatever is read: a valid result or ConfigError, never another exception, and no file outside the folder.

    python -m pytest -m slow tests/fuzz        100,000 inputs

An input that failed is kept in ``corpus/READER/`` and is read again by every test run.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import shutil
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from trialsim.schema import ConfigError

sys.path.insert(0, str(Path(__file__).parent))
import fuzz_mutations
import fuzz_readers

TEXTS = ("settings_file", "trial", "evidence", "events_csv", "sbml", "sbml_experiment")
CORPUS = Path(__file__).parent / "corpus"
KEPT = sorted(file for file in CORPUS.glob("*/*") if file.is_file())

FAST = {"overrides": 150, "command": 2, "changes": 40, "settings_file": 150, "trial": 40,
        "covariates_csv": 60, "covariates_parquet": 60,
        "evidence": 60, "events_csv": 40, "events_parquet": 20, "sbml": 40, "sbml_experiment": 40,
        "status": 20, "summary": 10, "merge": 8}  # fmt: skip


def read(name: str, data: bytes, home: Path) -> None:
    """Feed one input to a reader in a folder of its own, and see that nothing was written beside it."""
    fuzz_readers.seeds(name, home)
    inner = home / "a" / "b" / "c"
    inner.mkdir(parents=True)
    before = sorted(home.iterdir())
    try:
        with contextlib.suppress(ConfigError):
            fuzz_readers.RUN[name](data, inner, home)
        found = [sorted(home.iterdir()), list((home / "a").iterdir()), list((home / "a" / "b").iterdir())]
        assert found == [before, [home / "a" / "b"], [inner]], "a file outside the folder"
    finally:
        shutil.rmtree(home / "a")


def inputs(name: str, home: Path) -> st.SearchStrategy[bytes]:
    seeds = fuzz_readers.seeds(name, home)
    near = fuzz_mutations.bytes_near(seeds)
    if name in ("overrides", "command"):
        return near | fuzz_mutations.words(fuzz_readers.settings())
    if name == "changes":
        return fuzz_mutations.changed_settings(fuzz_readers.settings())
    if name in ("status", "summary"):
        return near | fuzz_mutations.json_near([json.loads(seed) for seed in seeds])
    if name in ("report", "merge", "compared"):  # the first line names the file
        documents = [(seed.partition(b"\n")[0], seed.partition(b"\n")[2]) for seed in seeds]
        changed = [fuzz_mutations.json_near([json.loads(text)]).map(lambda found, file=file: file + b"\n" + found)
                   for file, text in documents if file.endswith(b".json")]  # fmt: skip
        return st.one_of(near, *changed)
    return near | st.binary(max_size=60) if name in TEXTS else near


def fuzz(name: str, home: Path, examples: int, seed: int) -> None:
    """Feed many inputs; one that fails is kept, shrunk, in the corpus."""
    failed: list[bytes] = []

    @hypothesis.seed(seed)
    @settings(max_examples=examples, deadline=None, database=None, suppress_health_check=list(HealthCheck),
              phases=(Phase.generate, Phase.shrink), print_blob=False)  # fmt: skip
    @given(data=inputs(name, home))
    def every(data: bytes) -> None:
        try:
            read(name, data, home)
        except BaseException:
            failed.append(data)
            raise

    try:
        every()
    finally:
        if failed:
            file = CORPUS / name / hashlib.sha256(failed[-1]).hexdigest()[:12]
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(failed[-1])


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fuzz")


@pytest.fixture(autouse=True)
def hydra_closed() -> Iterator[None]:
    yield
    fuzz_readers.close()


@pytest.mark.parametrize("file", KEPT, ids=[f"{file.parent.name}/{file.name}" for file in KEPT])
def test_inputs_that_failed_once(file: Path, home: Path) -> None:
    read(file.parent.name, file.read_bytes(), home)


@pytest.mark.parametrize("name", sorted(set(fuzz_readers.RUN) - {"report", "compared"}))
def test_valid_inputs_are_taken(name: str, home: Path) -> None:
    for number, data in enumerate(fuzz_readers.seeds(name, home)):
        if name == "changes" and number == 2:  # leaves something out
            continue
        (folder := home / "valid" / name / str(number)).mkdir(parents=True)
        fuzz_readers.RUN[name](data, folder, home)


@pytest.mark.parametrize("name", sorted(FAST))
def test_a_few_inputs(name: str, home: Path) -> None:
    fuzz(name, home, FAST[name], seed=1)


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(fuzz_readers.SHARE))
def test_100_000_inputs(name: str, home: Path) -> None:
    started = time.perf_counter()
    fuzz(name, home, fuzz_readers.SHARE[name], seed=2)
    print(f"{name}: {fuzz_readers.SHARE[name]} inputs in {time.perf_counter() - started:.0f} s")
