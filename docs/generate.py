"""The generated pages of the site, from code, configuration and data: path in docs/pages -> Markdown."""

from __future__ import annotations

import argparse
import ast
import importlib
import inspect
import re
import sys
import textwrap
from collections import Counter
from pathlib import Path

import pandas as pd
import settings_table
import yaml

import trialsim
from trialsim._paths import conf_dir
from trialsim.cohort.plausibility import COLUMNS, Category, Flag
from trialsim.commands import COMMANDS
from trialsim.evidence.schema import FILES

ROOT = Path(__file__).parents[1]
HEADS = {
    "study": "regimen, dose modification, escape routes, endpoints, inference, computation, report",
    "patients": "who is treated, and with which tumours",
    "drugs": "the rapalog and its partners",
    "network": "signalling and growth of cells",
    "cells": "cell lines, panels and wells of the in vitro assays",
    "designs": "how a trial decides; one section a kind",
    "analyses": "the question that a run answers; one section a kind",
}
MADE = "*This page is generated from {}; edit those, not this.*\n\n"


def pages() -> dict[str, str]:
    """All of them."""
    made = {f"reference/settings_{name}.md": settings_page(name, parts) for name, parts in settings_table.sections().items()}
    return made | {
        "reference/choices.md": choices(),
        "reference/commands.md": commands(),
        "reference/python.md": python(),
        "reference/tables.md": tables(),
        "verification/calibration.md": simulation_based_calibration(),
        "verification/designs.md": published_designs(),
        "verification/experiments.md": experiments(),
        "verification/laboratory.md": laboratory(),
    }


def cell(text: object) -> str:
    """Text that a Markdown table can hold: on one line, < and | harmless; what stands in backticks is left."""
    parts = re.split(r"(`[^`]*`)", " ".join(str(text).split()))
    plain = [part if part.startswith("`") else re.sub(r"([*_<])", r"\\\1", part) for part in parts]
    return re.sub(r"(?<!\\)\|", r"\\|", "".join(plain))


def table(heads: list[str], rows: list[list[object]]) -> str:
    lines = [heads, ["---"] * len(heads), *[[cell(item) for item in row] for row in rows]]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines) + "\n"


def wide(inner: str, kind: str = "") -> str:
    """A table that takes the width of the page; see site.css."""
    return f'<div class="wide {kind}" markdown>\n\n{inner}\n</div>\n'


def prose(docstring: str | None) -> str:
    """A docstring as it stands, since its layout carries meaning; but lines that were broken for their length are joined."""
    text = re.sub(r"(?m)^(.{100,})\n *(?=\S)", r"\1 ", inspect.cleandoc(docstring or "").replace("``", "`"))
    return "```text\n" + text + "\n```\n"


# ---- reference


def settings_page(name: str, parts: list[settings_table.Section]) -> str:
    text = f"---\nhide: [toc]\n---\n\n# Settings: {HEADS[name]}\n\n" + MADE.format("`trialsim/schema` and `conf`")
    text += (
        "`<name>` stands for any name, `[i]` for an item of a list. Change a value with `KEY=VALUE` on the command line or in the "
        "mapping that `trialsim.compose` takes. The default is that of the adult study; where it has no such section, that of the "
        "first file named, and where many files share a section, the range over them. Sections whose values come from the "
        "literature also take `sources`, one entry a value.\n"
    )
    for part in parts:
        text += f"\n## {part.title}\n\n{part.words.replace('``', '`')}\n\n"
        if part.files:
            text += "Files: " + ", ".join(f"`{file}`" for file in part.files) + ".\n\n"
        heads = ["key", "type, range", "default", "meaning, unit", "source, remark"]
        rows: list[list[object]] = [[f"`{row.key}`", row.kind, row.default, row.meaning, row.source] for row in part.rows]
        text += wide(table(heads, rows), "settings")
    return text


def remark_of(path: Path) -> str:
    """The first comment of a configuration file that says what it is, with its continuation lines."""
    lines = path.read_text(encoding="utf-8").splitlines()
    words: list[str] = []
    for line in lines:
        if line.startswith("# @package"):
            continue
        if not line.startswith("#"):
            break
        words.append(line.lstrip("# "))
    return " ".join(words)


def choices() -> str:
    text = "# Experiments and groups\n\n" + MADE.format("the first comment of each file of `conf`")
    text += "`experiment=NAME` runs a whole study; any other group is changed with `GROUP=NAME`, partners with `+partner=[NAME]`.\n"
    groups = sorted(path for path in conf_dir().iterdir() if path.is_dir())
    for group in sorted(groups, key=lambda path: (path.name != "experiment", path.name)):
        files = sorted(group.glob("*.yaml"))
        rows = [[f"`{file.stem}`", remark_of(file) or read_label(file)] for file in files]
        text += f"\n## {group.name}\n\n" + table([f"`{group.name}=`", "what it is"], rows)
        if group.name == "experiment":
            for file in files:
                body = textwrap.indent(file.read_text(encoding="utf-8"), "    ")
                text += f'\n??? note "conf/experiment/{file.name}"\n\n    ```yaml\n{body}\n    ```\n'
    return text


def read_label(path: Path) -> str:
    found = yaml.safe_load(path.read_text(encoding="utf-8"))
    return str(found.get("label", "")) if isinstance(found, dict) else ""


def commands() -> str:
    text = "# Commands\n\n" + MADE.format("the help texts of the commands and of `conf/config.yaml`")
    help_text = yaml.safe_load((conf_dir() / "config.yaml").read_text(encoding="utf-8"))["hydra"]["help"]["template"]
    text += "## trialsim\n\n```text\n" + help_text.replace("$APP_CONFIG_GROUPS", "").replace("$$", "$") + "\n```\n"
    for name in COMMANDS:
        command = importlib.import_module(f"trialsim.commands.{name}")
        layout = argparse.RawDescriptionHelpFormatter
        parser = argparse.ArgumentParser(prog=f"trialsim {name}", description=command.__doc__, formatter_class=layout)
        command.arguments(parser)
        text += f"\n## trialsim {name}\n\n```text\n{parser.format_help()}```\n"
    return text


def python() -> str:
    text = "# Python\n\n" + MADE.format("the docstrings of the public names")
    text += "Names of `trialsim`, loaded when first used; then the engine's, for "
    text += "[models of your own](../tutorials/pharmacometrician.md).\n"
    own = [name for name in trialsim.__all__ if name != "__version__"]
    engine = importlib.import_module("trialsim.engine").__all__
    for module, names in (("trialsim", own), ("trialsim.engine", engine)):
        for name in names:
            thing = getattr(importlib.import_module(module), name)
            text += f"\n::: {thing.__module__}.{thing.__qualname__}\n"
    return text


def docstring_of(path: str, name: str) -> str:
    """The docstring of a function, read without running its module."""
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    found = next(node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == name)
    return ast.get_docstring(found) or ""


def tables() -> str:
    text = "# Tables\n\n" + MADE.format("docstrings and column lists of the code")
    text += "## Of a trial\n\n`trialsim.load_run(FOLDER).NAME`; a Parquet file of the same name in the run folder.\n"
    for name in ("patients", "visits", "pharmacodynamics", "adverse_events"):
        code = f"trialsim/conduct/{'patients' if name == 'patients' else 'tables'}.py"
        text += f"\n### {name}\n\n" + prose(docstring_of(code, f"{name}_table"))
        if name == "patients":
            text += "\nExposure columns:\n\n" + prose(docstring_of(code, "exposure"))
    text += "\n### doses\n\n" + prose(docstring_of("trialsim/conduct/dosing_records.py", "doses_table"))
    text += "\n## Of an analysis\n\n`trialsim.load_run(FOLDER).table(NAME)`.\n"
    for path in sorted((ROOT / "trialsim" / "analyses").glob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        runs = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == "run"]
        if runs:
            text += f"\n### {path.stem}\n\n" + prose(ast.get_docstring(runs[0]) or ast.get_docstring(tree))
    for name, title, note in (
        ("adam", "Analysis data sets", "`trialsim export RUN`; variables with `*` are in each."),
        ("nonmem", "Event table", "`trialsim export RUN --to nonmem`."),
    ):
        listed = pd.read_csv(ROOT / "trialsim" / "exchange" / "data" / f"{name}.csv", dtype=str, keep_default_na=False)
        text += f"\n## {title}\n\n{note}\n\n" + table(list(listed.columns), listed.to_numpy().tolist())
    text += "\n## Covariates of patients\n\nColumns of the cohort, and of a file of your own (`cohort.covariates_file`).\n\n"
    rows = []
    for name, column in COLUMNS.items():
        kind = "flag" if isinstance(column, Flag) else "category" if isinstance(column, Category) else "number"
        rows.append([f"`{name}`", kind, column.allowed])
    text += table(["column", "kind", "allowed"], rows)
    text += "\n## Published evidence\n\n`trialsim evidence TABLE`.\n"
    for name, (file, columns) in FILES.items():
        told = {c.name: c.meaning + (f"; one of {', '.join(c.allowed)}" if c.allowed else "") for c in columns}
        rows = [[f"`{c.name}`", c.kind, told[c.name]] for c in columns]
        text += f"\n### {name}\n\nFile `{file}`.\n\n" + table(["column", "kind", "meaning"], rows)
    return text


# ---- verification


def published_designs() -> str:
    """Counts of the reference table by method, and which checker of the tests holds each."""
    folder = ROOT / "tests" / "designs"
    sys.path.insert(0, str(folder))
    try:
        checkers = [importlib.import_module(path.stem) for path in sorted(folder.glob("reference_*.py"))]
    finally:
        sys.path.remove(str(folder))
    checked = {method: module.__name__ for module in checkers for method in module.CHECKS}
    rows = pd.read_csv(ROOT / "tests" / "data" / "reference_tables.csv")
    by_method = Counter(rows["method"])
    held = sum(count for method, count in by_method.items() if method in checked)
    text = "# Published design values\n\n" + MADE.format("`tests/data/reference_tables.csv` and `tests/designs/reference_*.py`")
    text += (
        f"The table holds {len(rows)} rows of operating characteristics, sample sizes, bounds and posteriors from papers, "
        f"textbooks and reference software. {held} of them are recomputed with `trialsim.designs` and `trialsim.endpoints` in the "
        "tests, each to the printed digits or to the tolerance that the row states; the others are data that those rows are "
        "computed from.\n\n"
        "Run the check with\n\n```bash\npython -m pytest tests/designs/test_reference_table.py\n```\n\n"
    )
    origin = {method: ", ".join(sorted(set(some["kind"]))) for method, some in rows.groupby("method")}
    listed = [
        [f"`{method}`", count, origin[method], f"`{checked[method]}`" if method in checked else "data of other rows"]
        for method, count in sorted(by_method.items())
    ]
    return text + table(["method", "rows", "where the values are from", "checked in tests/designs"], listed)


def laboratory() -> str:
    """docs/laboratory.md, its tables across the page."""
    text = (ROOT / "docs" / "laboratory.md").read_text(encoding="utf-8")
    tables = re.sub(r"(?m)(?:^\|.*\n?)+", lambda found: wide(found[0], "facts") + "\n", text)
    return "---\nhide: [toc]\n---\n\n" + tables


def simulation_based_calibration() -> str:
    """docs/simulation_based_calibration.md, as `python -m trialsim.sbc` wrote it."""
    return (ROOT / "docs" / "simulation_based_calibration.md").read_text(encoding="utf-8")


RESULTS = {  # the table that a folder of experiments ends in, and the columns of it that are shown
    "tumour_calibration": ("result.csv", "tumour_type arm endpoint unit published simulated low high source"),
    "rapalog_toxicity": ("result.csv", "drug term any_grade simulated_any grade_3_4 simulated_3_4 source"),
    "published_models": ("comparison.csv", "signal residue hours lowest highest trialsim"),
}


def experiments() -> str:
    """Question, pass mark and verdict of each folder of experiments/, with the figures behind the verdict."""
    text = "# Experiments\n\n" + MADE.format("`experiments/*/README.md` and the result files beside them")
    text += "Each folder of `experiments/` asks one question, states its pass mark and keeps the script and its result.\n"
    for readme in sorted((ROOT / "experiments").glob("*/README.md")):
        body = readme.read_text(encoding="utf-8")
        title, _, rest = body.partition("\n")
        rest = re.sub(r"(?m)^(?![- ])(.+)\n(?=- )", r"\1\n\n", rest)  # Markdown wants an empty line before a list
        text += f"\n## {readme.parent.name}\n\n**{title.lstrip('# ')}**\n\n{rest.strip()}\n"
        if readme.parent.name in RESULTS:
            file, heads = RESULTS[readme.parent.name]
            columns = heads.split()
            frame = pd.read_csv(readme.parent / file)
            rows = [["" if pd.isna(item) else item for item in row] for row in frame[columns].itertuples(index=False)]
            inner = textwrap.indent(wide(table(columns, rows)), "    ")
            text += f'\n??? note "{file}, {len(frame)} rows"\n\n{inner}\n'
    return text
