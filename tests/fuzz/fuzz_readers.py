"""Every reader of untrusted input as a function of bytes: it returns, or refuses with ConfigError; all else is a failure.

``RUN[name](data, folder, home)`` feeds one input to a reader, with an empty folder to work in; what it copies is made once in
``home``. ``seeds(name, home)`` are valid inputs to mutate.
"""

from __future__ import annotations

import contextlib
import copy
import functools
import hashlib
import importlib.util
import io
import json
import shutil
from importlib.resources import files
from pathlib import Path
from typing import Any

import hydra
import numpy as np
import pandas as pd
import yaml

from trialsim import compose, load_run, parts, simulation
from trialsim._paths import conf_dir
from trialsim.artefacts import RunFolder, is_finished
from trialsim.artefacts.claim import TABLES
from trialsim.artefacts.files import write_json
from trialsim.artefacts.reading import read_json, read_yaml
from trialsim.cli.composing import CONFIG_NAME, VERSION_BASE, compose_job, parse, validate_job
from trialsim.cli.trial_file import read_trial
from trialsim.cli.trial_file import words as trial_words
from trialsim.cohort.covariates_file import read_covariates
from trialsim.commands import compare
from trialsim.evidence import load, schema
from trialsim.exchange.events import read_events
from trialsim.report import write_report
from trialsim.saving import FACTS, block_files, block_name
from trialsim.sbml.document import read_document
from trialsim.sbml.experiment import read_experiment
from trialsim.schema import ConfigError
from trialsim.schema.study import StudyConfig, validate
from trialsim.sweeps import record


@functools.cache
def base() -> StudyConfig:
    return compose("everolimus_adult", {"cohort.size": 20, "resume": True, "compute.parts": 2, "compute.block": 16})


@functools.cache
def settings() -> dict[str, Any]:
    return base().model_dump(mode="json")


@functools.cache
def words() -> contextlib.ExitStack:
    """Hydra, once for all inputs of a test; whoever feeds them closes it, by `close`."""
    stack = contextlib.ExitStack()
    stack.enter_context(hydra.initialize_config_dir(str(conf_dir()), version_base=VERSION_BASE, job_name="trialsim"))
    return stack


def close() -> None:
    """Leave no open Hydra to others of this process."""
    if words.cache_info().currsize:
        words().close()
        words.cache_clear()


def overrides(data: bytes, folder: Path, home: Path) -> None:
    """Words of the command line, one a line, as far as they can be read without a file of settings."""
    words()
    parse(data.decode("utf-8", "surrogateescape").splitlines())


def command(data: bytes, folder: Path, home: Path) -> None:
    """The same, composed and validated."""
    words()
    with_values = [line for line in data.decode("utf-8", "surrogateescape").splitlines() if line]
    validate_job(compose_job(CONFIG_NAME, with_values))


def changes(data: bytes, folder: Path, home: Path) -> None:
    """A JSON list of [dotted key, value] put into the settings of a study."""
    found = copy.deepcopy(settings())
    for key, value in json.loads(data):
        *above, last = key.split(".")
        here: Any = found
        for part in above:
            here = here.get(part) if isinstance(here, dict) else None
        if isinstance(here, dict):
            here[last] = value
    validate(found)


def settings_file(data: bytes, folder: Path, home: Path) -> None:
    (folder / "config.yaml").write_bytes(data)
    read_yaml(folder / "config.yaml")


def trial(data: bytes, folder: Path, home: Path) -> None:
    file = folder / "trial.yaml"
    file.write_bytes(data)
    name, found, _ = read_trial(file)
    made = trial_words(name, found)
    assert made[0] == "analysis=predict" and abs(sum(found.tumour_types.values()) - 1) < 1e-5


def events(suffix: str, data: bytes, folder: Path, home: Path) -> None:
    file = folder / f"events{suffix}"
    file.write_bytes(data)
    found = read_events(file)
    assert (found.doses["AMT"] > 0).all() and np.isfinite(found.doses["TIME"]).all()


def sbml(data: bytes, folder: Path, home: Path) -> None:
    file = folder / "model.xml"
    file.write_bytes(data)
    read_document(file)


def sbml_experiment(data: bytes, folder: Path, home: Path) -> None:
    file = folder / "experiment.yaml"
    file.write_bytes(data)
    read_experiment(file)


def covariates(suffix: str, data: bytes, folder: Path, home: Path) -> None:
    file = folder / f"patients{suffix}"
    file.write_bytes(data)
    found = read_covariates(file, TYPES, 1, np.arange(1))
    assert set(REQUIRED) <= set(found)
    assert all(np.isfinite(found[name]).all() for name in ("age_y", "weight_kg", "height_cm"))


def evidence(data: bytes, folder: Path, home: Path) -> None:
    table, _, text = data.partition(b"\n")
    name = table.decode("ascii", "ignore")
    if name in schema.FILES:
        load.read(name, io.TextIOWrapper(io.BytesIO(text), encoding="utf-8"))


@functools.cache
def finished(home: Path) -> Path:
    """A finished run without tables."""
    folder = home / "finished"
    with RunFolder(folder, base()) as run:
        with run.stage("analyse"):
            run.write_json("summary.json", {"kind": "trial", "study": "x", "seed": 1})
        run.finish()
    return folder


def saved(name: str, data: bytes, folder: Path, home: Path) -> None:
    """One file of a finished run is another."""
    run = folder / "run"
    shutil.copytree(finished(home), run)
    (run / name).write_bytes(data)
    for read in (lambda: is_finished(run, base()), lambda: load_run(run)):
        with contextlib.suppress(ConfigError):
            found = read()
            if found is True:  # taken for whole: then its files are as they were
                assert (run / "summary.json").read_bytes() == (finished(home) / "summary.json").read_bytes()


@functools.cache
def drawn(home: Path) -> Path:
    """A run that can be reported."""
    place = Path(__file__).parents[1] / "report" / "synthetic_run.py"
    spec = importlib.util.spec_from_file_location("synthetic_run", place)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return Path(module.write_run(home / "drawn", count=20))


def report(data: bytes, folder: Path, home: Path) -> None:
    """The first line names the file that is another."""
    name, _, content = data.partition(b"\n")
    target = name.decode("ascii", "ignore")
    if target not in REPORTED:
        return
    run = folder / "run"
    shutil.copytree(drawn(home), run)
    (run / target).write_bytes(content)
    before = set(run.iterdir())
    try:
        write_report(run)
    except ConfigError:
        assert set(run.iterdir()) == before, "a report that was refused left files"
        raise


@functools.cache
def swept(home: Path) -> Path:
    """A sweep of two finished runs."""
    folder = home / "swept"
    jobs = []
    for number in range(2):
        config = base().model_copy(update={"seed": number, "compute": base().compute.model_copy(update={"parts": 1})})
        with RunFolder(folder / str(number), config) as run:
            with run.stage("analyse"):
                shutil.copy(drawn(home) / "patients.parquet", run.path / "patients.parquet")
                run.write_json("summary.json", read_json(drawn(home) / "summary.json"))
            run.finish()
        jobs.append(record.Job(number, str(number), (f"seed={number}",), {"seed": number}, None))
    record.write(record.Record(folder, ("seed",), tuple(jobs)))
    return folder


def compared(data: bytes, folder: Path, home: Path) -> None:
    """The first line names the file of a sweep that is another; a job's files have digests as if the run had written them so."""
    name, _, content = data.partition(b"\n")
    target = name.decode("ascii", "ignore")
    if target not in SWEPT:
        return
    copy = folder / "sweep"
    shutil.copytree(swept(home), copy)
    (copy / target).write_bytes(content)
    job, _, file = target.partition("/")
    if file in ("summary.json", "patients.parquet"):
        status = json.loads((copy / job / "status.json").read_text())
        for stage in status["stages"]:
            stage["files"] |= {file: hashlib.sha256(content).hexdigest()}
        (copy / job / "status.json").write_text(json.dumps(status))
    compare.compare([copy])


@functools.cache
def part(home: Path, number: int) -> Path:
    """One finished part of a study, with tables that hold little more than patients."""
    config = base().model_copy(update={"compute": base().compute.model_copy(update={"part": number}), "resume": False})
    folder = home / f"part{number}"
    with RunFolder(folder, config) as run:
        for block in simulation.blocks(config):
            place = run.path / Path(block_files(block_name(block))[0]).parent
            place.mkdir(parents=True)
            for table in TABLES:
                pd.DataFrame({"patient_id": np.arange(*block), "x": 1.0}).to_parquet(place / f"{table}.parquet", index=False)
            write_json(place / FACTS, {"screened": block.stop - block.start, "mtd": None, "solver_check": {}})
            run.end_block(block_name(block), block_files(block_name(block)))
        run.finish_part()
    return folder


def merge(data: bytes, folder: Path, home: Path) -> None:
    """The first line names a file of a part that is another, with its digest as if the run had written it so."""
    name, _, content = data.partition(b"\n")
    wanted = name.decode("ascii", "ignore")
    one = folder / "part1"
    shutil.copytree(part(home, 1), one)
    block = block_name(simulation.blocks(parts._read(one).config)[0])
    target = wanted if wanted in ("status.json", "config.yaml") else f"blocks/{block}/{wanted}"
    if not (one / target).is_file():
        return
    (one / target).write_bytes(content)
    if target.startswith("blocks"):
        status = json.loads((one / "status.json").read_text())
        status["blocks"][block][target] = hashlib.sha256(content).hexdigest()
        (one / "status.json").write_text(json.dumps(status))
    parts._check([parts._read(one), parts._read(part(home, 2))])


MODELS = Path(__file__).parents[2] / "experiments" / "published_models"
REQUIRED = ("age_y", "sex", "weight_kg", "height_cm", "tumour_type")
TYPES = ("colorectal", "breast_hr", "<script>")
REPORTED = ("summary.json", "config.yaml", "provenance.json", "patients.parquet", "posterior.nc", "visits.parquet")
SWEPT = ("sweep.json", "0/summary.json", "1/summary.json", "1/patients.parquet", "1/status.json", "1/config.yaml")
MERGED = ("status.json", "config.yaml", FACTS, "patients.parquet")


@functools.cache
def patients() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "age_y": [61.0, 47.5, 70.0], "sex": ["F", "M", "M"], "weight_kg": [70.0, 81, 64], "height_cm": [165, 180, 172],
            "tumour_type": ["colorectal", "breast_hr", "<script>"], "kras": [True, False, True], "lesion_1_mm": [20, 31.5, 12],
            "lesion_2_mm": [None, 14.0, None], "cyp3a4_comedication": ["none", "inhibitor", "none"], "patient_id": [0, 1, 2],
        }
    )  # fmt: skip


@functools.cache
def event_rows() -> pd.DataFrame:
    return pd.DataFrame(
        {"ID": [1, 1, 1, 2, 2], "TIME": [0, 24, 48.5, 0, 12], "AMT": [10, 10, 0, 5, 0], "DV": [0, 0, 8.2, 0, 4.1],
         "EVID": [1, 1, 0, 1, 0], "MDV": [1, 1, 0, 1, 0], "CMT": [1, 1, 2, 1, 2], "ADDL": [0, 0, 0, 3, 0], "II": [0, 0, 0, 24, 0],
         "WT": [70, 70, 70, 55, 55]}
    )  # fmt: skip


def _parquet(table: pd.DataFrame) -> bytes:
    stream = io.BytesIO()
    table.to_parquet(stream, index=False)
    return stream.getvalue()


@functools.cache
def seeds(name: str, home: Path) -> list[bytes]:
    """Valid inputs of a reader."""
    if name in ("overrides", "command"):
        return [b"regimen.dose=5\nseed=7", b"+partner=[alpelisib]", b"cohort.mix.hcc=0\ncohort.mix.thyroid=0.02", 
                b"study.published=null", b"study.title='a b'", b"experiment=dose_response\nanalysis.doses=[1,2.5,5]"]  # fmt: skip
    if name == "changes":
        return [b'[["regimen.dose", 5]]', b'[["cohort.mix", {"colorectal": 1.0}], ["seed", 3]]', b'[["design.dlt", null]]']
    if name == "settings_file":
        some = {key: settings()[key] for key in ("study", "regimen")}
        return [b"a: 1\nb: [1, 2, {c: d}]\n", yaml.safe_dump(some).encode()]
    if name == "trial":
        return [(conf_dir() / "trial" / f"{one}.yaml").read_bytes() for one in ("template", "bolero2", "ng13")]
    if name in ("events_csv", "events_parquet"):
        return [event_rows().to_csv(index=False).encode()] if name == "events_csv" else [_parquet(event_rows())]
    if name in ("sbml", "sbml_experiment"):
        kind = "*.xml" if name == "sbml" else "*.yaml"
        return [file.read_bytes() for file in sorted(MODELS.glob(kind))]
    if name == "covariates_csv":
        return [patients().to_csv(index=False).encode(), patients()[list(REQUIRED)].to_csv(index=False).encode()]
    if name == "covariates_parquet":
        return [_parquet(patients()), _parquet(patients()[list(REQUIRED)])]
    if name == "evidence":
        read = lambda file: (files("trialsim.evidence") / "data" / file).read_bytes()
        return [table.encode() + b"\n" + b"\n".join(read(file).split(b"\n")[:4]) for table, (file, _) in schema.FILES.items()]
    if name in ("status", "summary"):
        return [(finished(home) / f"{name}.json").read_bytes()]
    if name == "report":
        return [file.encode() + b"\n" + (drawn(home) / file).read_bytes() for file in REPORTED]
    if name == "compared":
        return [file.encode() + b"\n" + (swept(home) / file).read_bytes() for file in SWEPT]
    folder, _ = part(home, 1), part(home, 2)
    block = folder / "blocks" / block_name(simulation.blocks(parts._read(folder).config)[0])
    found = {file: folder / file if (folder / file).is_file() else block / file for file in MERGED}
    return [file.encode() + b"\n" + path.read_bytes() for file, path in found.items()]


RUN = {
    "overrides": overrides,
    "command": command,
    "changes": changes,
    "settings_file": settings_file,
    "trial": trial,
    "covariates_csv": functools.partial(covariates, ".csv"),
    "covariates_parquet": functools.partial(covariates, ".parquet"),
    "events_csv": functools.partial(events, ".csv"),
    "events_parquet": functools.partial(events, ".parquet"),
    "evidence": evidence,
    "sbml": sbml,
    "sbml_experiment": sbml_experiment,
    "status": functools.partial(saved, "status.json"),
    "summary": functools.partial(saved, "summary.json"),
    "report": report,
    "merge": merge,
    "compared": compared,
}
SHARE = {  # of 100,000 inputs: more of those that cost less (3 ms of processor time for a file of settings, 1 s for a report)
    "overrides": 30_000, "command": 50, "changes": 3_500, "settings_file": 38_000, "trial": 2_000, "covariates_csv": 12_000,
    "covariates_parquet": 7_000, "evidence": 5_000, "status": 1_200, "summary": 800, "report": 50, "merge": 400,
    "compared": 100, "events_csv": 2_000, "events_parquet": 300, "sbml": 2_000, "sbml_experiment": 2_000,
}  # fmt: skip
