"""A trial's file to settings: the words that a person would have typed to have this trial predicted."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from trialsim._paths import conf_dir
from trialsim.artefacts.reading import check_yaml, parse_yaml
from trialsim.cli.composing import compose, literal
from trialsim.schema import ConfigError
from trialsim.schema.cohort import GenotypeSettings
from trialsim.schema.faults import near, raise_all, translate
from trialsim.schema.plain import usable_path
from trialsim.schema.study import StudyConfig
from trialsim.schema.trial_file import LONGEST_MONTHS, PartnerDose, TrialFile
from trialsim.units import DAYS_PER_MONTH

POPULATIONS = {"adult": "adult_solid", "paediatric": "paediatric_solid"}  # by age group
LEAST_WEEKS = 4.0  # to the scan that confirms a response, RECIST 1.1


def shipped() -> list[str]:
    """Names of the trials that come with trialsim, files of ``conf/trial``."""
    return sorted(file.stem for file in (conf_dir() / "trial").glob("*.yaml"))


def read_trial(trial: str | Path) -> tuple[str, TrialFile, str]:
    """A trial by its name in ``conf/trial`` or the path of a file.

    Returns:
        Its name, which is that of the file, the trial, and the text of the file.

    Raises:
        ConfigError: no such trial, or whatever is wrong in the file.
    """
    path = usable_path("trial", trial)
    if path.suffix not in (".yaml", ".yml"):
        names = shipped()
        if str(trial) not in names:
            allowed = f"the path of a YAML file, or one of {', '.join(names)}{near(str(trial), names)}"
            raise ConfigError("trial", str(trial), allowed)
        path = conf_dir() / "trial" / f"{trial}.yaml"
    if not path.is_file():
        raise ConfigError("trial", str(path), "a file that exists")
    text = check_yaml(path)
    data = parse_yaml(path, text)
    try:
        found = TrialFile.model_validate_json(json.dumps(data), strict=True)
    except ValidationError as error:
        raise_all(translate(error, data, TrialFile))
        raise
    mix = {} if found.tumour_types == "population" else found.tumour_types
    drugs = (("partners", found.partners, "partner"), ("control_partners", found.control_partners, "partner"))
    for key, given, group in (("tumour_types", mix, "tumour"), *drugs):
        known = sorted(file.stem for file in (conf_dir() / group).glob("*.yaml"))
        raise_all([ConfigError(f"{key}.{name}", _told(value), f"one of {', '.join(known)}{near(name, known)}")
                   for name, value in given.items() if name not in known])  # fmt: skip
    _check_selection(found)
    _check_published(found)
    return re.sub(r"[^A-Za-z0-9_.-]", "_", path.stem).lstrip("_.-")[:80] or "trial", found, text


def _told(value: Any) -> Any:
    return value.model_dump(exclude_none=True) if hasattr(value, "model_dump") else value


def _check_selection(trial: TrialFile) -> None:
    """Somebody in the mix of tumour types is as `selection` asks."""
    if not trial.selection:
        return
    from trialsim.cohort.selection import refuse_share, share_of_type  # here, as it loads what simulates

    mix = _group("population", POPULATIONS[trial.age_group])["mix"] if trial.tumour_types == "population" else trial.tumour_types
    genotype = lambda kind: GenotypeSettings.model_validate(_group("tumour", kind)["genotype"])
    eligible = sum(share * share_of_type(genotype(kind), trial.selection) for kind, share in mix.items() if share > 0)
    refuse_share(eligible, trial.selection, "selection")


def _check_published(trial: TrialFile) -> None:
    """The published arms are there, and of the drug that the trial gives. Other differences are told as cautions."""
    if trial.published is None and trial.published_control is None:
        return
    from trialsim.evidence import likeness  # here, as it reads the tables of evidence

    types = (likeness.MIXED,) if trial.tumour_types == "population" else tuple(trial.tumour_types)
    asked = likeness.Asked(trial.drug, trial.dose, trial.unit, trial.schedule, tuple(trial.partners), types, trial.selection,
                           trial.age_group)  # fmt: skip
    if trial.published is not None:
        likeness.refuse_another_drug(asked, trial.published, "published")
    if trial.published_control is not None:
        likeness.refuse_the_drug_in_control(trial.published_control, "published_control")


def words(name: str, trial: TrialFile) -> list[str]:
    """Overrides that make the study of a trial."""
    return list(_words(name, trial))


def _words(name: str, trial: TrialFile) -> Iterator[str]:
    population = POPULATIONS[trial.age_group]
    yield from ("analysis=predict", f"population={population}", f"drug={trial.drug}", f"modification={trial.drug}")
    yield from ("regimen=everolimus_10mg_daily", "design=single_arm")  # of which all that differs follows
    yield f"endpoint={'cpct03' if trial.benefit == 'ttp_ratio' else 'recist'}"
    if trial.tumour_types != "population":
        missing = sorted(set(trial.tumour_types) - set(_types_of(population)))
        if missing:
            yield f"+tumour=[{','.join(missing)}]"
        yield from ("~cohort.mix", f"+cohort.mix={literal({kind: float(share) for kind, share in trial.tumour_types.items()})}")
    if trial.partners or trial.control_partners:
        yield f"+partner=[{','.join(dict.fromkeys([*trial.partners, *trial.control_partners]))}]"
    months = min(trial.accrual_months + trial.follow_up_months, LONGEST_MONTHS)
    settings: Mapping[str, Any] = {
        "study.name": name,
        "study.title": trial.title,
        "study.published": trial.published,
        "regimen.dose": trial.dose,
        "regimen.unit": trial.unit,
        "regimen.schedule": trial.schedule,
        "regimen.days_on": trial.days_on,
        "regimen.days_off": trial.days_off,
        "regimen.max_treatment_days": int(months * DAYS_PER_MONTH),
        "design.max_follow_up_months": months,
        "endpoint.criteria": trial.response,
        "endpoint.scan_interval_weeks": trial.scan_interval_weeks,
        "endpoint.confirmation_weeks": LEAST_WEEKS if trial.confirmation else None,
        "endpoint.central_review": trial.reader == "central",
        **{f"analysis.{key}": getattr(trial, key) for key in OF_ANALYSIS},
        "analysis.benefit_compared": trial.benefit != "other",
        "analysis.drug_partners": list(trial.partners) if trial.control == "active" else None,
        **_as_given(trial),
    }
    if trial.benefit != "ttp_ratio":
        settings = {**settings, "endpoint.clinical_benefit.weeks": trial.benefit_weeks}
    if trial.lines is not None:
        settings = {**settings, "cohort.clinical.line": trial.lines}
    yield from (f"{key}={literal(value)}" for key, value in settings.items())
    for key, drug in trial.control_partners.items():  # a drug of both arms may have another dose in the control
        own = drug if key in trial.partners else PartnerDose()
        yield f"+analysis.control_partners.{key}={{dose: {literal(own.dose)}, schedule: {literal(own.schedule)}}}"
    yield from (f"+analysis.selection.{gene}={literal(altered)}" for gene, altered in trial.selection.items())


def _as_given(trial: TrialFile) -> dict[str, Any]:
    """What the trial changes in the regimens of the partner drugs."""
    drugs = {**trial.control_partners, **trial.partners}
    asked = {f"partner.{key}.regimen": drug.model_dump(exclude_none=True) for key, drug in drugs.items()}
    return {f"{regimen}.{name}": value for regimen, changes in asked.items() for name, value in changes.items()}


OF_ANALYSIS = ("patients", "dose_levels", "control", "patients_control", "crossover", "published_control",
               "disease_control_weeks", "reader", "accrual_months", "follow_up_months")  # fmt: skip


def _types_of(population: str) -> Sequence[str]:
    """Tumour types that a population brings."""
    defaults = _group("population", population)["defaults"]
    return next(entry["/tumour"] for entry in defaults if isinstance(entry, dict) and "/tumour" in entry)


def _group(group: str, name: str) -> dict[str, Any]:
    """A file of ``conf`` as it stands."""
    return yaml.safe_load((conf_dir() / group / f"{name}.yaml").read_text(encoding="utf-8"))


def compose_trial(trial: str | Path, overrides: Sequence[str] | Mapping[str, Any] = ()) -> StudyConfig:
    """The validated configuration that predicts a trial; ``trialsim.analyse`` runs it.

    Args:
        trial: name in ``conf/trial`` or path of a file. overrides: as for `compose`.

    Raises:
        ConfigError: in the file, or in what is made of it.
    """
    own = [f"{key}={literal(value)}" for key, value in overrides.items()] if isinstance(overrides, Mapping) else list(overrides)
    name, found, _ = read_trial(trial)
    return compose(None, [*words(name, found), *own])
