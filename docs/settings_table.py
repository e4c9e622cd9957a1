"""Every setting as a row, from the schema and the shipped configuration. Used by the site and by the tests."""

from __future__ import annotations

import inspect
import re
import types
from collections.abc import Iterator
from functools import lru_cache
from typing import Annotated, Any, Literal, NamedTuple, Union, get_args, get_origin

import hydra
import yaml
from omegaconf import OmegaConf
from pydantic import BaseModel
from pydantic.fields import FieldInfo

import trialsim
from trialsim._paths import conf_dir
from trialsim.cli.composing import CONFIG_NAME, VERSION_BASE, compose_job
from trialsim.report.assumptions import Assumption, by_section
from trialsim.report.comments import every_comment, remark
from trialsim.report.parameters import MEANINGS
from trialsim.schema.analysis.assay import AssaySettings
from trialsim.schema.drug import DrugSettings
from trialsim.schema.partner import PartnerSettings
from trialsim.schema.study import StudyConfig
from trialsim.schema.trial_file import TrialFile

NAMED = ("tumour", "partner", "cell_line")  # sections with one section a name; each name is a file of the group
OF_THE_STUDY = ("study", "regimen", "modification", "mechanism", "endpoint", "inference", "compute", "report")
SOURCE_FIELDS = re.compile(r"^sources?$|_source$")
WORDS = {float: "number", int: "integer", str: "text", bool: "`true`, `false`", type(None): "null", Any: "any"}
# sections that some analyses hold as a whole
WHOLE = {DrugSettings: "`drug`", PartnerSettings: "`partner.<name>`", AssaySettings: "`analysis` of kind `assay`"}
BOUNDS = {"ge": "≥ {}", "gt": "> {}", "le": "≤ {}", "lt": "< {}", "min_length": "at least {} {}", "max_length": "at most {} {}"}


class Row(NamedTuple):
    """One setting. In ``key``, <name> stands for any name and [i] for an item of a list."""

    key: str
    kind: str  # type and range
    default: str
    meaning: str
    source: str


class Section(NamedTuple):
    """Settings that stand together. files: of conf/ that hold their values."""

    title: str
    rows: list[Row]
    files: list[str]
    words: str = ""


def group_files(group: str) -> list[str]:
    """The choices of a group of conf/."""
    return sorted(path.stem for path in (conf_dir() / group).glob("*.yaml"))


@lru_cache
def shipped() -> dict[str, dict[str, Any]]:
    """Every file of the groups that hold drugs, tumours, lines, designs and analyses, by group and name: plain values before
    validation; what an experiment must give is '???'. All in one composition, as each takes a second."""
    groups = ("drug", "design", "analysis", *NAMED)
    # a package begins with a letter, as the name of a cell line may not
    words = [f"+{group}@all_{group}.x{name}={name}" for group in groups for name in group_files(group)]
    with hydra.initialize_config_dir(str(conf_dir()), version_base=VERSION_BASE, job_name="trialsim"):
        config = compose_job(CONFIG_NAME, words)
    values: Any = OmegaConf.to_container(config, resolve=True)
    return {group: {name.removeprefix("x"): value for name, value in values[f"all_{group}"].items()} for group in groups}


@lru_cache
def adult() -> tuple[dict[str, Any], dict[str, Assumption]]:
    """Values of the default study, and its settings by key with the meaning and the source that its report shows."""
    config = trialsim.compose()
    values = config.model_dump(mode="json")
    return values, {row.key: row for rows in by_section(values, config.choices).values() for row in rows}


@lru_cache
def comments():
    return every_comment()


@lru_cache
def remarks_in_code(model: type[BaseModel]) -> dict[str, str]:
    """The comment behind each field of a settings class and of those that it derives from."""
    found: dict[str, str] = {}
    for parent in reversed(model.__mro__):
        if issubclass(parent, BaseModel) and parent is not BaseModel:
            found |= dict(re.findall(r"^    (\w+): [^#\n]*#\s*(?!noqa|type:)(.+)$", inspect.getsource(parent), re.MULTILINE))
    return found


def sections() -> dict[str, list[Section]]:
    """All settings by page of the reference."""
    values, _ = adult()
    fields = StudyConfig.model_fields

    def one(name: str) -> Section:
        model = strip(fields[name].annotation)[0]
        files = group_files("population" if name == "cohort" else name)
        return Section(name, list(walk(model, name, [values[name]])), files, doc(model))

    def by_name(name: str) -> Section:
        model = strip(get_args(fields[name].annotation)[1])[0]
        given = shipped()[name]
        rows = list(walk(model, f"{name}.<name>", list(given.values()), list(given)))
        return Section(name, rows, list(given), doc(model))

    loose = [leaf(name, fields[name], [values[name]], StudyConfig) for name in fields if not sections_of(fields[name])]
    study = Section("loose keys", loose, [])
    several = Row("designs.<name>", "section, as `design`", "", fields["designs"].description or "", "")
    compared = Section("designs", [several], [])
    return {
        "study": [study, *map(one, OF_THE_STUDY)],
        "patients": [one("cohort"), by_name("tumour")],
        "drugs": [*kinds_of_pk(), by_name("partner")],
        "network": [one("network")],
        "cells": [by_name("cell_line"), one("panel"), one("culture")],
        "designs": [*kinds("design", fields["design"]), compared],
        "analyses": [*kinds("analysis", fields["analysis"]), trial_file()],
    }


def trial_file() -> Section:
    """A trial's file, which becomes settings; default: the template."""
    given = yaml.safe_load((conf_dir() / "trial" / "template.yaml").read_text(encoding="utf-8"))
    rows = [row._replace(key=row.key.removeprefix("trial.")) for row in walk(TrialFile, "trial", [given])]
    return Section("a trial's file", rows, sorted(file.stem for file in (conf_dir() / "trial").glob("*.yaml")), doc(TrialFile))


def doc(model: type[BaseModel]) -> str:
    """First sentence or two of the class: its first paragraph."""
    text = (model.__doc__ or "").strip().split("\n\n")[0]
    return " ".join(text.split())


def kinds(group: str, field: FieldInfo) -> Iterator[Section]:
    """A section for each kind of design or analysis; default: its first file."""
    files: dict[str, list[str]] = {}
    for file, values in shipped()[group].items():
        files.setdefault(values["kind"], []).append(file)
    for model in strip(field.annotation):
        (kind,) = get_args(model.model_fields["kind"].annotation)
        given = [shipped()[group][file] for file in files.get(kind, [])[:1]]
        yield Section(f"{group}: {kind}", list(walk(model, group, given)), files.get(kind, []), doc(model))


def kinds_of_pk() -> Iterator[Section]:
    """The drug; its kinetics in one section a form, with the first drug that has it."""
    drug = strip(StudyConfig.model_fields["drug"].annotation)[0]
    files = shipped()["drug"]
    rows = list(walk(drug, "drug", [adult()[0]["drug"]], skip=("pk",)))
    yield Section("drug", rows, list(files), doc(drug))
    for model in strip(drug.model_fields["pk"].annotation):
        (kind,) = get_args(model.model_fields["kind"].annotation)
        given = {file: value["pk"] for file, value in files.items() if value["pk"]["kind"] == kind}
        first = next(iter(given))
        yield Section(f"drug.pk: {kind}", list(walk(model, "drug.pk", [given[first]])), list(given), doc(model))


def sections_of(field: FieldInfo) -> bool:
    return bool(strip(field.annotation)) or get_origin(field.annotation) is dict


def strip(annotation: Any) -> list[type[BaseModel]]:
    """The settings classes that an annotation holds directly or as one of several, not those inside a mapping or a list."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    if get_origin(annotation) in (Annotated, Union, types.UnionType):
        return [model for part in get_args(annotation) for model in strip(part)]
    return []


def held(annotation: Any) -> tuple[str, list[type[BaseModel]]]:
    """What a mapping or a list of sections adds to the key, and its settings classes."""
    origin, parts = get_origin(annotation), get_args(annotation)
    if origin is dict:
        return ".<name>", strip(parts[1])
    if origin in (list, tuple):
        return "[i]", [model for part in parts for model in strip(part)]
    if origin in (Annotated, Union, types.UnionType):
        return next((found for part in parts if (found := held(part))[1]), ("", []))
    return "", []


def walk(
    model: type[BaseModel], key: str, given: list[Any], names: list[str] | None = None, skip: tuple[str, ...] = ()
) -> Iterator[Row]:
    """Rows of a settings class.

    Args:
        given: values of the section, one for each file or name. names: of ``given``, where the key has <name>.
    """
    for name, field in model.model_fields.items():
        if SOURCE_FIELDS.search(name) or name in skip:
            continue
        here = f"{key}.{name}"
        below = [value[name] for value in given if isinstance(value, dict) and name in value]
        single, (suffix, several) = strip(field.annotation), held(field.annotation)
        elsewhere = [inner for inner in single if inner in WHOLE and key.startswith("analysis")]
        if elsewhere:
            yield leaf(here, field, [], model)._replace(kind=f"section, as {WHOLE[elsewhere[0]]}")
        elif single:
            if type(None) in get_args(field.annotation):
                yield leaf(here, field, [], model)._replace(kind="section or null")
            for inner in single:
                yield from walk(inner, here, [v for v in below if isinstance(v, dict) and fits(inner, v)], names)
        elif several:
            items = [item for value in below if value for item in (value.values() if isinstance(value, dict) else value)]
            for inner in several:
                yield from walk(inner, here + suffix, [v for v in items if isinstance(v, dict) and fits(inner, v)], names)
        else:
            yield leaf(here, field, below, model, names)


def fits(model: type[BaseModel], value: dict[str, Any]) -> bool:
    """Whether a section is of the model's ``kind``; true for what has no kinds."""
    kind = model.model_fields.get("kind")
    return kind is None or value.get("kind") in get_args(kind.annotation)


def leaf(key: str, field: FieldInfo, given: list[Any], model: type[BaseModel], names: list[str] | None = None) -> Row:
    known = adult()[1]
    inner = [known[name] for name in known if name == key or name.startswith(f"{key}.")]
    name = key.rpartition(".")[2]
    meaning, source = field.description or "", ""
    if inner and model is not StudyConfig:
        meaning = meaning or inner[0].meaning
        source = "; ".join(dict.fromkeys(row.source for row in inner if row.source))
    elif names and given:
        meaning = meaning or remark(comments(), key.replace("<name>", names[0], 1), given[0])
    elif given:
        text = remark(comments(), key, given[0])
        meaning, source = (meaning, text) if meaning else (text, "")
    if name in MEANINGS and key.startswith(("network.", "drug.")):
        words, unit = MEANINGS[name]
        meaning = f"{words}, {unit}" if unit else words
    in_code = remarks_in_code(model).get(name, "")
    meaning = max(meaning, in_code, key=len) if not field.description else meaning
    meaning = meaning or doc(model)
    if not given and not field.is_required():
        given = [field.get_default(call_default_factory=True)]
    return Row(key, kind_text(field), default_text(given), meaning, "" if source == meaning else source)


def kind_text(field: FieldInfo) -> str:
    return _limited(field.annotation, field.metadata)


def _limited(annotation: Any, limits: Any) -> str:
    text = type_text(annotation)
    unit = "characters" if text.startswith("text") else "entries"
    return ", ".join([text, *(bound for item in limits for bound in bounds(item, unit))])


def type_text(annotation: Any) -> str:
    """A type in words, with its range."""
    origin, parts = get_origin(annotation), get_args(annotation)
    if annotation in WORDS:
        return WORDS[annotation]
    if origin is Annotated:
        return _limited(parts[0], [inner for item in parts[1:] for inner in getattr(item, "metadata", [item])])
    if origin is Literal:
        return ", ".join(f"`{part}`" for part in parts)
    if origin in (Union, types.UnionType):
        return " or ".join(type_text(part) for part in parts)
    if origin in (list, tuple):
        inner = [part for part in parts if part is not Ellipsis]
        several = len(inner) > 1
        return f"[{'; '.join(map(type_text, inner))}]" if several else f"list of: {type_text(inner[0])}"
    if origin is dict:
        return f"mapping to: {type_text(parts[1])}"
    return getattr(annotation, "__name__", str(annotation))


def bounds(item: Any, unit: str) -> Iterator[str]:
    """A constraint in words. unit: of a length."""
    for name, words in BOUNDS.items():
        value = getattr(item, name, None)
        if value is not None:
            yield words.format(f"{value:,}" if isinstance(value, int) else f"{value:g}", unit)
    if getattr(item, "pattern", None):
        yield f"matching `{item.pattern}`".replace("|", "\\|")


def default_text(given: list[Any]) -> str:
    """The value; of several files the range of numbers, or that it differs."""
    if not given:
        return ""
    numbers = [value for value in given if isinstance(value, int | float) and not isinstance(value, bool)]
    if any(value != given[0] for value in given):
        if len(numbers) == len(given):
            return f"{min(numbers):g} to {max(numbers):g}"
        return "by file"
    return f"`{plain(given[0])}`"


def plain(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name}: {plain(item)}" for name, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(plain, value)) + "]"
    return "given by the experiment" if value == "???" else str(value)
