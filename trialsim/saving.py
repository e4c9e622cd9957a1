"""A study on its way to disk and back: blocks of patients as they are done, then the tables, then what the analysis needs.

Nothing here holds more than a chunk of simulated courses, a row group, or the columns of one row a patient.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from trialsim import console, simulation, summary
from trialsim.artefacts import RunFolder
from trialsim.artefacts.claim import BLOCKS, TABLES
from trialsim.artefacts.files import atomic, write_json
from trialsim.artefacts.tables import join_tables, read_pieces, read_table, table_writer
from trialsim.schema.study import StudyConfig

FACTS = "block.json"
# the columns of the patients table that the fits, the comparison and the summary use
ANALYSED = (
    "patient_id", "replicate", "dose_level", "tumour_type", "line", "ecog", "pik3ca", "pten_mutation", "pten_loss", "akt1", "tsc",
    "kras", "mtor", "best_response", "responder", "disease_control", "clinical_benefit", "pfs_days", "pfs_event",
    "progression_after_days", "progression_by_days", "os_days", "os_event", "days_on_treatment", "off_treatment_reason", "dlt",
    "dlt_evaluable", "relative_dose_intensity", "cmin_ng_ml", "cmax_ng_ml", "auc24_ng_h_ml", "ps6_tumour_d28", "p4ebp1_tumour_d28",
    "pakt_tumour_d28", "ps6_pbmc_d28", "p4ebp1_pbmc_d28", "pakt_pbmc_d28", "integration_ok",
)  # fmt: skip


def block_name(block: simulation.Block) -> str:
    """Name of a block, and of its folder within ``blocks/``: first patient and one past the last."""
    return f"{block.start:08d}-{block.stop:08d}"


def block_files(name: str) -> list[str]:
    """What a block leaves behind, within the run folder."""
    return [f"{BLOCKS}/{name}/{file}" for file in (*(f"{table}.parquet" for table in TABLES), FACTS)]


def save_blocks(config: StudyConfig, folder: RunFolder) -> list[str]:
    """Simulate the blocks of this run that are not saved yet, each into files of its own.

    Returns:
        Names of all blocks of the run, in the order of their patients.
    """
    every = simulation.blocks(config)
    name_of = {block: block_name(block) for block in every}  # an older version saved fewer files
    todo = [block for block, name in name_of.items() if not folder.block_complete(name, block_files(name))]
    total = sum(block.stop - block.start for block in todo)
    if todo:
        with console.step("choosing the steps of the solver", config.compute.progress):
            exact, check = simulation.exact_enough(config)
    with console.progress("simulating patients", total, config.compute.progress) as advance:
        for block in todo:
            name = block_name(block)
            enrolled = simulation.enrol(config, block)
            advance(block.stop - block.start - len(enrolled.patients))  # whoever was not treated
            with contextlib.ExitStack() as open_files:
                paths = [open_files.enter_context(atomic(folder.path / BLOCKS / name / f"{table}.parquet")) for table in TABLES]
                append = [open_files.enter_context(table_writer(path)) for path in paths]
                for tables in simulation.simulate_patients(exact, enrolled.patients):
                    for add, table in zip(append, TABLES, strict=True):
                        add(getattr(tables, table))
                    advance(len(tables.patients))
            facts = {"screened": block.stop - block.start, "mtd": enrolled.mtd, "solver_check": check}
            write_json(folder.path / BLOCKS / name / FACTS, facts)
            folder.end_block(name, block_files(name))
    return [block_name(block) for block in every]


def save_study(config: StudyConfig, folder: RunFolder, blocks: Sequence[Path]) -> None:
    """Put the tables of a study together.

    Args:
        blocks: folders of all blocks of the study, in the order of their patients.
    """
    with console.step("putting the tables together", config.compute.progress):
        for name in TABLES:
            with folder.atomic(f"{name}.parquet") as path:
                join_tables([block / f"{name}.parquet" for block in blocks], path)
    facts = [json.loads((block / FACTS).read_text(encoding="utf-8")) for block in blocks]
    mtd = None if facts[0]["mtd"] is None else [level for block in facts for level in block["mtd"]]
    screened, check = sum(block["screened"] for block in facts), facts[0]["solver_check"]  # the same in all blocks
    folder.write_json("simulation.json", {"screened": screened, "mtd": mtd, "solver_check": check})


@dataclass(frozen=True)
class Outcomes:
    """What the analysis reads of a simulated study.

    Attributes:
        config: what defined it.
        patients: its patients, columns `ANALYSED`.
        worst_grades: patients by worst grade of each adverse event, see ``summary.count_worst``; those with a failed
            integration left out.
        screened, mtd, solver_check: see ``study.Study``.
    """

    config: StudyConfig
    patients: pd.DataFrame
    worst_grades: pd.DataFrame
    screened: int
    mtd: np.ndarray | None
    solver_check: dict[str, Any]


def load_outcomes(config: StudyConfig, folder: RunFolder) -> Outcomes:
    """The outcomes of a study whose tables are saved."""
    rest = folder.read_json("simulation.json")
    of_partners = [f"{column}_{name}" for name in config.partner for column in ("relative_dose_intensity", "cmin_ng_ml")]
    patients = read_table(folder.path / "patients.parquet", (*ANALYSED, *of_partners))
    failed = patients.loc[~patients["integration_ok"], "patient_id"]
    pieces = read_pieces(folder.path / "adverse_events.parquet", ("term", "grade"))
    return Outcomes(
        config=config,
        patients=patients,
        worst_grades=summary.count_worst(piece[~piece["patient_id"].isin(failed)] for piece in pieces),
        screened=rest["screened"],
        mtd=None if rest["mtd"] is None else np.array(rest["mtd"], float),  # null: undecided
        solver_check=rest["solver_check"],
    )
