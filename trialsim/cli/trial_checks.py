"""A trial's file against what there is to choose from: tumour types, partner drugs and populations of ``conf``, published arms."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from trialsim._paths import conf_dir
from trialsim.schema import ConfigError
from trialsim.schema.cohort import GenotypeSettings
from trialsim.schema.faults import near, raise_all
from trialsim.schema.trial_file import TrialFile

POPULATIONS = {"adult": "adult_solid", "paediatric": "paediatric_solid"}  # by age group
LYMPHOMAS = ("dlbcl", "follicular_lymphoma", "hodgkin_lymphoma", "indolent_lymphoma", "mantle_cell_lymphoma")


def check(trial: TrialFile) -> None:
    """Refuse what cannot be simulated.

    Raises:
        ConfigError: names the key of the file.
    """
    for found in (_unknown, _unfit):  # of a name that is not there nothing else can be said
        raise_all(list(found(trial)))
    _check_selection(trial)
    _check_published(trial)


def group_file(group: str, name: str) -> dict[str, Any]:
    """A file of ``conf`` as it stands."""
    return yaml.safe_load((conf_dir() / group / f"{name}.yaml").read_text(encoding="utf-8"))


def _unknown(trial: TrialFile) -> Iterator[ConfigError]:
    """Names of which there is no file."""
    mix = {} if trial.tumour_types == "population" else trial.tumour_types
    named: dict[str, Mapping[str, Any]] = {
        "tumour_types": mix, "partners": trial.partners, "control_partners": trial.control_partners
    }  # fmt: skip
    for key, given in named.items():
        known = sorted(file.stem for file in (conf_dir() / ("tumour" if key == "tumour_types" else "partner")).glob("*.yaml"))
        for name, value in given.items():
            if name not in known:
                told = value if isinstance(value, float) else value.model_dump(exclude_none=True)
                yield ConfigError(f"{key}.{name}", told, f"one of {', '.join(known)}{near(name, known)}")


def _unfit(trial: TrialFile) -> Iterator[ConfigError]:
    """Patients, tumours, drugs and criteria that do not go together."""
    yield from _of_other_ages(trial)
    strangers = [kind for kind in _mix(trial) if kind not in LYMPHOMAS]
    if trial.response == "lymphoma" and strangers:
        allowed = f"RECIST 1.1, RECIST 1.0 or volume, as not all tumour types are lymphomas ({', '.join(LYMPHOMAS)})"
        yield ConfigError("response", trial.response, f"{allowed}: {', '.join(strangers)}")
    if trial.age_group == "paediatric":
        for key, drugs in (("partners", trial.partners), ("control_partners", trial.control_partners)):
            for name, drug in drugs.items():
                unit = drug.unit or group_file("partner", name)["regimen"]["unit"]
                if unit == "mg":
                    allowed = f"{{dose: ..., unit: mg/m2}}, as age_group is paediatric; {name} is given in mg"
                    yield ConfigError(f"{key}.{name}", drug.model_dump(exclude_none=True), allowed)


def _of_other_ages(trial: TrialFile) -> Iterator[ConfigError]:
    """Tumour types that nobody of the age group has: ages are sampled within the limits of both."""
    if trial.tumour_types == "population":
        return
    group = group_file("population", POPULATIONS[trial.age_group])["age"]
    for kind, share in _mix(trial).items():
        own = group_file("tumour", kind)["demographics"]["age"]
        if own is not None and max(own["minimum_y"], group["minimum_y"]) >= min(own["maximum_y"], group["maximum_y"]):
            of_group, of_type = (f"{ages['minimum_y']} to {ages['maximum_y']} years" for ages in (group, own))
            allowed = f"a tumour type of age_group {trial.age_group}, {of_group}; {kind} is of {of_type}"
            yield ConfigError(f"tumour_types.{kind}", share, allowed)


def _mix(trial: TrialFile) -> Mapping[str, float]:
    """Tumour types of which there are patients, and their shares."""
    given = trial.tumour_types
    mix = group_file("population", POPULATIONS[trial.age_group])["mix"] if given == "population" else given
    return {kind: share for kind, share in mix.items() if share > 0}


def _check_selection(trial: TrialFile) -> None:
    """Somebody in the mix of tumour types is as `selection` asks."""
    if not trial.selection:
        return
    from trialsim.cohort.selection import refuse_share, share_of_type  # here, as it loads what simulates

    mix = _mix(trial)
    genotypes = {kind: GenotypeSettings.model_validate(group_file("tumour", kind)["genotype"]) for kind in mix}
    eligible = lambda asked: sum(share * share_of_type(genotypes[kind], asked) for kind, share in mix.items())
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
