"""A trial's file to settings: the words that a person would have typed to have this trial predicted."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from trialsim._paths import conf_dir
from trialsim.artefacts.reading import check_yaml, not_a_file, parse_yaml
from trialsim.cli.composing import compose, literal
from trialsim.cli.trial_checks import POPULATIONS, check, group_file
from trialsim.schema import ConfigError
from trialsim.schema.faults import near, raise_all, translate
from trialsim.schema.plain import SETTINGS, usable_path
from trialsim.schema.study import StudyConfig
from trialsim.schema.trial_file import LONGEST_MONTHS, PartnerDose, TrialFile
from trialsim.units import DAYS_PER_MONTH

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
    if path.exists() and not path.is_file() and str(trial) not in shipped():  # before it is opened, as a pipe would wait
        raise ConfigError("trial", str(path), not_a_file(path))
    if path.suffix not in (".yaml", ".yml"):
        names = shipped()
        if str(trial) not in names:
            allowed = f"the path of a YAML file, or one of {', '.join(names)}{near(str(trial), names)}"
            raise ConfigError("trial", str(trial), allowed)
        path = conf_dir() / "trial" / f"{trial}.yaml"
    if not path.is_file():
        raise ConfigError("trial", str(path), not_a_file(path))
    text = check_yaml(path)
    # The model says of a number without an end what it may be; in JSON all keys are text, as the model names them.
    data = json.loads(json.dumps(parse_yaml(path, text, root="", bounds=SETTINGS._replace(finite=False))))
    try:
        found = TrialFile.model_validate_json(json.dumps(data), strict=True)
    except ValidationError as error:
        raise_all(translate(error, data, TrialFile))
        raise
    check(found)
    return re.sub(r"[^A-Za-z0-9_.-]", "_", path.stem).lstrip("_.-")[:80] or "trial", found, text


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
    for key in trial.control_partners:
        yield f"+analysis.control_partners.{key}={literal(_of_control(trial, key))}"
    yield from (f"+analysis.selection.{gene}={literal(altered)}" for gene, altered in trial.selection.items())


def _as_given(trial: TrialFile) -> dict[str, Any]:
    """What the trial changes in the regimens of the partner drugs."""
    drugs = {**trial.control_partners, **trial.partners}
    asked = {f"partner.{key}.regimen": drug.model_dump(exclude_none=True) for key, drug in drugs.items()}
    return {f"{regimen}.{name}": value for regimen, changes in asked.items() for name, value in changes.items()}


def _of_control(trial: TrialFile, key: str) -> dict[str, Any]:
    """What the control arm changes in the regimen of a drug under ``partner``, where stands what `partners` gives of a drug of both
    arms. What the control leaves out is as usual, and not as in the other arm."""
    control, other = trial.control_partners[key], trial.partners.get(key)
    if other is None:  # what it is given stands under ``partner``
        return dict.fromkeys(PartnerDose.model_fields)
    usual = group_file("partner", key)["regimen"]
    asked = {name: (getattr(control, name), getattr(other, name)) for name in PartnerDose.model_fields}
    return {name: usual[name] if own is None and others is not None else own for name, (own, others) in asked.items()}


OF_ANALYSIS = ("patients", "dose_levels", "control", "patients_control", "crossover", "published_control",
               "disease_control_weeks", "reader", "accrual_months", "follow_up_months")  # fmt: skip


def _types_of(population: str) -> Sequence[str]:
    """Tumour types that a population brings."""
    defaults = group_file("population", population)["defaults"]
    return next(entry["/tumour"] for entry in defaults if isinstance(entry, dict) and "/tumour" in entry)


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
