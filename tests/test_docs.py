"""The documentation site: what it shows is there, its commands compose, its code compiles, its links lead somewhere."""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import os
import re
import shlex
import subprocess
import sys
from functools import cache
from pathlib import Path

import hydra
import numpy as np
import pytest
from hydra._internal.utils import get_args_parser

import trialsim
from trialsim._paths import conf_dir
from trialsim.cli import checks
from trialsim.cli.composing import CONFIG_NAME, VERSION_BASE, compose_job, validate_job
from trialsim.commands import COMMANDS
from trialsim.schema.base import Settings

ROOT = Path(__file__).parents[1]
PAGES = ROOT / "docs" / "pages"
WRITTEN = {path.relative_to(PAGES).as_posix(): path.read_text(encoding="utf-8") for path in sorted(PAGES.rglob("*.md"))}
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)

sys.path.insert(0, str(ROOT / "docs"))
settings_table = importlib.import_module("settings_table")
generate = importlib.import_module("generate")


@cache
def generated() -> dict[str, str]:
    return generate.pages()


def blocks(text: str, language: str) -> list[str]:
    return [code for name, code in BLOCK.findall(text) if name == language]


def command_lines() -> list[str]:
    """Every `trialsim ...` of a bash block, continued lines joined, comments off."""
    found: dict[str, None] = {}
    for text in (*WRITTEN.values(), README):
        for block in blocks(text, "bash"):
            for line in block.replace("\\\n", " ").splitlines():
                words = shlex.split(line, comments=True)
                if words[:1] == ["trialsim"] and not any(word in words for word in ("--help", "COMMAND")):
                    found[shlex.join(words[1:])] = None
    return list(found)


# ---- the reference holds every setting


@cache
def keys() -> list[str]:
    return [row.key for parts in settings_table.sections().values() for part in parts for row in part.rows]


def test_every_field_of_every_settings_class_is_in_the_reference():
    known = {component for key in keys() for component in re.split(r"\.|\[i\]\.?", key)}

    def below(model: type[Settings]) -> set[type[Settings]]:
        return {model}.union(*(below(child) for child in model.__subclasses__()))

    models = [model for model in below(Settings) if model.__module__.startswith("trialsim.schema")]
    fields = {(model.__name__, name) for model in models for name in model.model_fields}
    missing = {field for field in fields if not settings_table.SOURCE_FIELDS.search(field[1]) and field[1] not in known}
    assert len(models) > 60 and not missing


@cache
def shapes() -> re.Pattern[str]:
    """What matches a key of the reference, in full or with more below it."""
    made = [re.escape(key).replace(r"\[i\]", r"\.\d+").replace("<name>", "[^.]+") for key in keys()]
    made += [shape.replace(r"design\.", r"designs\.[^.]+\.", 1) for shape in made if shape.startswith(r"design\.")]
    return re.compile("(?:" + "|".join(made) + r")(?:\.|$)")


EXPERIMENTS = ("everolimus_paediatric", "temsirolimus_adult", "assay_burkitt", "combination", "compare_designs", "sensitivity")


@pytest.mark.parametrize("experiment", EXPERIMENTS)
def test_every_key_of_a_composed_study_is_in_the_reference(experiment):
    def leaves(value, key):
        items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
        inner = [leaf for name, item in items for leaf in leaves(item, f"{key}.{name}" if key else str(name))]
        return inner or ([] if value in ({}, []) else [key])  # where nothing is in it there is no key to look for

    dump = trialsim.compose(experiment).model_dump(mode="json")
    found = [key for key in leaves(dump, "") if not any(settings_table.SOURCE_FIELDS.search(part) for part in key.split("."))]
    assert len(found) > 500
    assert [key for key in found if not shapes().match(key)] == []


def test_a_setting_is_told_with_its_range_default_unit_and_source():
    rows = {row.key: row for parts in settings_table.sections().values() for part in parts for row in part.rows}
    dose, clearance = rows["regimen.dose"], rows["drug.pk.CLint"]
    assert (dose.kind, dose.default) == ("number, ≥ 0", "`10`") and "regimen.unit" in dose.meaning
    assert clearance.default == "`340`" and "L/h" in clearance.meaning and "ter Heine 2018" in clearance.source
    assert not [row.key for row in rows.values() if not row.meaning]


def test_every_experiment_choice_and_command_is_mentioned():
    choices, commands = generated()["reference/choices.md"], generated()["reference/commands.md"]
    for path in conf_dir().glob("*/*.yaml"):
        assert f"| `{path.stem}` |" in choices, path
    for name in COMMANDS:
        assert f"## trialsim {name}\n" in commands
    told = "\n".join(WRITTEN.values())
    help_page = (conf_dir() / "config.yaml").read_text(encoding="utf-8")
    for name in COMMANDS:
        assert f"trialsim {name}" in told, name
        assert re.search(rf"^        {name} +\w", help_page, re.MULTILINE), f"trialsim --help: {name}"
    for name in (set(trialsim.__all__) - {"__version__"}) | set(importlib.import_module("trialsim.engine").__all__):
        assert re.search(rf"^::: trialsim\.\S+\.{name}$", generated()["reference/python.md"], re.MULTILINE), name


# ---- what is printed can be run


def test_every_key_and_choice_of_a_command_line_exists():
    lines = [shlex.split(line) for line in command_lines()]
    assert len(lines) > 60
    wrong = []
    for words in lines:
        if words and words[0] in COMMANDS:
            command = importlib.import_module(f"trialsim.commands.{words[0]}")
            parser = argparse.ArgumentParser()
            command.arguments(parser)
            parser.parse_intermixed_args(words[1:])
            continue
        for word in words:
            key, _, value = word.lstrip("+~").partition("=")
            if word in ("run", "-m", "resume=true", "--cfg", "job") or key.startswith(("hydra.", "hydra/")):
                continue
            group = key.partition("@")[0]
            known = {path.stem for path in (conf_dir() / group).glob("*.yaml")} if "." not in group else set()
            fits = set(re.findall(r"[\w]+", value)) <= known if known else bool(shapes().match(key))
            wrong += [] if fits else [word]
    assert wrong == []


def test_the_trial_of_the_readme_is_one(tmp_path):
    (text,) = re.findall(r"^```yaml\n(# my_trial.yaml.*?)^```", README, re.MULTILINE | re.DOTALL)
    (tmp_path / "my_trial.yaml").write_text(text, encoding="utf-8")
    config = trialsim.compose_trial(tmp_path / "my_trial.yaml")
    assert (config.analysis.patients, config.analysis.patients_control, config.analysis.reader) == (80, 40, "central")
    assert list(config.partner) == ["letrozole"] and list(config.cohort.clinical.line) == [0.0, 1.0]


@pytest.mark.slow
def test_every_command_line_composes_and_validates():
    wrong = {}
    for line in command_lines():
        words = shlex.split(line)
        if words[:1] and words[0] in COMMANDS:
            continue
        try:
            _compose(words)
        except Exception as error:
            wrong[line] = str(error)
    assert wrong == {}


def _compose(words: list[str]) -> None:
    """The first and the last job of the command. Launchers may not be installed, and where a run writes is no matter here."""
    words = [word for word in words if not word.startswith(("hydra.", "hydra/")) and word != "run"]
    arguments = get_args_parser().parse_args(sorted(words, key=lambda word: word != "-m"))
    if arguments.cfg or arguments.config_dir:
        return
    with hydra.initialize_config_dir(str(conf_dir()), version_base=VERSION_BASE, job_name="trialsim"):
        jobs = list(checks._jobs(arguments, arguments.overrides))
        for job in {tuple(jobs[0]), tuple(jobs[-1])}:
            validate_job(compose_job(CONFIG_NAME, list(job)))


def test_the_study_file_that_is_printed_composes(tmp_path):
    (text,) = blocks(WRITTEN["howto/patients.md"], "yaml")
    (tmp_path / "experiment").mkdir()
    (tmp_path / "experiment" / "mine.yaml").write_text(text)
    config = trialsim.compose("mine", [f"hydra.searchpath=['file://{tmp_path}']"])
    assert (config.study.name, config.regimen.schedule, config.cohort.size) == ("mine", "alternate_day", 400)


@pytest.mark.parametrize("page", [page for page, text in WRITTEN.items() if blocks(text, "python")])
def test_python_compiles(page):
    for code in blocks(WRITTEN[page], "python"):
        compile(code, page, "exec")


def test_the_model_of_the_tutorial_runs():
    (code,) = (code for code in blocks(WRITTEN["tutorials/pharmacometrician.md"], "python") if "Model(" in code)
    names: dict = {}
    exec(compile(code, "pharmacometrician.md", "exec"), names)
    marker = names["simulate"](*names["study"], names["choice"].plan).marker
    assert names["choice"].error <= 1e-4
    assert (marker[0, :2] < marker[1, :2]).all()  # less is cleared, more is inhibited


def test_the_exact_values_of_the_tutorial():
    from trialsim.designs.escalation.three_plus_three import mtd_probabilities
    from trialsim.designs.single_arm.binomial import single_stage
    from trialsim.designs.single_arm.simon import optimal

    single, simon = single_stage(0.1, 0.3, 0.1, 0.1)[0], optimal(0.1, 0.3, 0.1, 0.1)
    fourth = mtd_probabilities(np.array([0.02, 0.06, 0.12, 0.25, 0.4, 0.55]))[4]
    rows = re.findall(r"^\| .*\| ([\d.]+) \([\d.]+\) \| ([\d.]+) \|$", WRITTEN["tutorials/statistician.md"], re.MULTILINE)
    told = [exact for _, exact in rows]
    assert told == [f"{value:.3f}" for value in (fourth, single.power, single.type1, simon.power, simon.type1)]


# ---- links, and the build


def test_every_link_leads_to_a_page():
    pages = {**WRITTEN, **generated()}
    for page, text in pages.items():
        for target in re.findall(r"\]\(([^)\s]+)\)", re.sub(r"```.*?```|`[^`]*`", "", text, flags=re.DOTALL)):
            if re.match(r"https?:|mailto:|#", target) or not re.search(r"\.\w+(#|$)", target):
                continue
            path = os.path.normpath(os.path.join(os.path.dirname(page), target.partition("#")[0]))
            assert path in pages, f"{page}: {target}"


def test_the_navigation_has_every_page():
    listed = re.findall(r": (\S+\.md)$", (ROOT / "docs" / "mkdocs.yml").read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted(listed) == sorted({*WRITTEN, *generated()})


@pytest.mark.skipif(
    not all(importlib.util.find_spec(name) for name in ("mkdocs", "material", "mkdocstrings", "ziamath")), reason="extra docs"
)
def test_the_site_builds_without_a_warning_and_needs_no_network(tmp_path):
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "-q", "-f", "docs/mkdocs.yml", "-d", str(tmp_path)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=environment)
    assert done.returncode == 0, done.stderr
    for path in tmp_path.rglob("*.html"):
        text = path.read_text(encoding="utf-8")
        assert not re.search(r'<(script|img|iframe)[^>]*src="https?:|<link[^>]*stylesheet[^>]*href="https?:', text), path
        assert not any("\\" in formula for formula in re.findall(r"<math.*?</math>", text, re.DOTALL)), path
