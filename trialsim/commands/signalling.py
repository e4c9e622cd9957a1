"""Sets a signalling model of others, an SBML file, beside trialsim's network: the same inhibition, times and read-outs.

With MODEL alone it lists the names in the file. EXPERIMENT is a YAML file that says which of them are read-outs, what the drug
is and when to look; experiments/published_models/sonntag2012.yaml is one. Writes FOLDER/report.html, FOLDER/tables/folds.csv and
levels.csv. Needs the extra `sbml` (libroadrunner).
"""

from __future__ import annotations

import argparse
from pathlib import Path

from rich.table import Table

from trialsim import console
from trialsim.schema import ConfigError

SUMMARY = "set a signalling model in SBML beside trialsim's network"
REPORT = "report.html"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", metavar="MODEL", type=Path, help="SBML file, at most 10 MB")
    parser.add_argument("experiment", metavar="EXPERIMENT", type=Path, nargs="?", help="YAML file; without it the names are listed")
    parser.add_argument("--out", metavar="FOLDER", type=Path, help="default: outputs/signalling/NAME_OF_EXPERIMENT")
    parser.add_argument("--time-limit", metavar="SECONDS", type=float, help="of the model's simulation (default: 120)")


def run(given: argparse.Namespace) -> int:
    from trialsim.sbml import TIME_LIMIT_S, read_document, read_experiment

    document = read_document(given.model)
    if given.experiment is None:
        for title, names in (("species", document.species), ("parameters and compartments", document.parameters)):
            told = [f"{name} (computed)" if name in document.computed else name for name in names]
            console.out.print(f"{len(names)} {title}: {', '.join(told)}", markup=False)
        return 0
    folder = given.out or Path("outputs") / "signalling" / given.experiment.stem
    time_limit = TIME_LIMIT_S if given.time_limit is None else given.time_limit
    if not 0.0 < time_limit <= 86_400.0:
        raise ConfigError("--time-limit", time_limit, "seconds, more than 0 and at most a day")
    if (folder / REPORT).exists():
        raise ConfigError("--out", str(folder), f"a folder without {REPORT}")
    asked = read_experiment(given.experiment)

    from trialsim import compose
    from trialsim.engine.xla import keep_programs
    from trialsim.report.signalling import write_signalling
    from trialsim.sbml import compare

    keep_programs()
    with console.step("simulating both"):
        config = compose("laboratory")
        found = compare(config, given.model, asked, time_limit)
    report = write_signalling(found, config, folder)
    table = Table(show_edge=False)
    for head in ("read-out", "drug", "h", "model", "trialsim", "agree"):
        table.add_column(head)
    for row in found.folds.itertuples():
        agree = "control drifts" if not row.usable else "yes" if row.agree else f"no: {row.model_way}, {row.trialsim_way}"
        table.add_row(row.label, asked.dose_words(row.dose), f"{row.hours:g}", f"{row.model:.3g}", f"{row.trialsim:.3g}", agree)
    console.out.print(table)
    console.out.print("Directions agree in {} of {}.".format(*found.agreeing), markup=False)
    console.out.print(str(report), markup=False)
    return 0
