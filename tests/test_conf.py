"""Every file of conf/ composes and validates, alone and as a whole study."""

from __future__ import annotations

import re
import statistics
from pathlib import Path
from typing import Any

import hydra
import pytest
import yaml
from omegaconf import OmegaConf
from settings_of import settings_of

from trialsim._paths import conf_dir
from trialsim.cli import compose
from trialsim.cli.composing import VERSION_BASE, compose_job
from trialsim.evidence.tumour_types import SELECTED, TUMOUR_TYPES
from trialsim.schema import ConfigError
from trialsim.schema.study import validate

CONF = conf_dir()
FILES = sorted(CONF.rglob("*.yaml"))
EXPERIMENTS = sorted(path.stem for path in (CONF / "experiment").glob("*.yaml"))
# Choices that belong together with a population or a design are tried in a study that fits.
FITTING = {
    "regimen=everolimus_paediatric_daily": "everolimus_paediatric",
    "population=paediatric_solid": "everolimus_paediatric",
    "endpoint=paediatric_phase1": "everolimus_paediatric",
    "analysis=assay": "assay_burkitt",
    "analysis=laboratory": "laboratory",
    "analysis=sensitivity": "sensitivity",
    "analysis=combination": "combination",
    "analysis=options": "question_biomarker",
    "analysis=compare_designs": "compare_designs",
} | {
    f"design={kind}": "everolimus_paediatric"
    for kind in ("three_plus_three", "rolling_six", "crm", "tite_crm", "boin", "tite_boin")
} | {f"modification={drug}": f"{drug}_adult" for drug in ("sirolimus", "temsirolimus", "ridaforolimus")}
FITTING |= {
    f"design={path.stem}": "dose_response"
    for path in (CONF / "design").glob("*.yaml")
    if f"design={path.stem}" not in FITTING and path.stem != "single_arm"  # a trial does not run these
}
SECTIONS = ("design", "drug", "mechanism", "modification", "regimen")
NOT_A_CHOICE = {"experiment", "tumour", "cell_line", "partner", "trial"}  # of these a study has several or none
CHOICES = [
    f"{path.parent.name}={path.stem}"
    for path in FILES
    if path.parent.parent == CONF and path.parent.name not in NOT_A_CHOICE and path.stem != "recist"
]


def test_the_configuration_lies_beside_the_package_in_a_checkout() -> None:
    assert (CONF / "config.yaml").is_file()
    assert CONF.is_absolute()


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(CONF)))
def test_every_file_is_yaml_with_a_line_that_says_what_it_is(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert isinstance(yaml.safe_load(text), dict)
    assert text.startswith("#"), "the first line of a configuration file says what it is"
    assert not re.search(r"^\s*_target_:", text, flags=re.MULTILINE), "settings are data; they name no code to run"


@pytest.mark.parametrize("experiment", EXPERIMENTS)
def test_every_experiment_composes_and_validates(experiment: str) -> None:
    config = compose(experiment)
    assert config.study.name == experiment
    assert config.resume is False


@pytest.fixture(scope="module")
def together() -> dict[str, Any]:
    """Every choice of the groups that fill one section, composed by Hydra in one go."""
    words = [f"+{group}@every.{group}.{name}={name}" for group, name in (one.split("=") for one in CHOICES) if group in SECTIONS]
    with hydra.initialize_config_dir(str(CONF), version_base=VERSION_BASE):
        found = OmegaConf.to_container(compose_job("config", words).every, resolve=True)
    assert isinstance(found, dict)
    return found


@pytest.mark.parametrize("choice", CHOICES)
def test_every_choice_of_a_group_validates(choice: str, together: dict[str, Any]) -> None:
    group, name = choice.split("=")
    study = FITTING.get(choice, "everolimus_adult")
    if group not in SECTIONS:
        compose(study, [choice])
        return
    config = validate(settings_of(study, []).model_dump(mode="json") | {group: together[group][name]})
    assert together[group][name].keys() <= config.model_dump(mode="json")[group].keys()


@pytest.mark.parametrize(
    ("study", "changes"),
    [
        (None, {"cohort.size": 50, "regimen.dose": 5, "seed": 3}),
        ("everolimus_paediatric", ["design=crm", "design.prior_sd=1.2", "modification.dose_fractions=[1.0,0.5,0.25]"]),
        ("combination", ["+analysis.schedules.concurrent.partner.start_day=8", "~analysis.schedules.rapalog_weekly"]),
    ],
)
def test_settings_changed_in_place_are_those_that_are_composed(study: str | None, changes: Any) -> None:
    assert settings_of(study, changes).model_dump(mode="json") == compose(study, changes).model_dump(mode="json")


def test_every_tumour_type_can_join_a_study() -> None:
    every = {path.stem for path in (CONF / "tumour").glob("*.yaml")}
    others = sorted(every - set(compose().tumour))
    assert set(compose(None, [f"+tumour=[{','.join(others)}]"]).tumour) == every


def test_every_published_tumour_type_is_described() -> None:
    """But the mixed ones; so that any published arm can be simulated."""
    published = {*TUMOUR_TYPES.values(), *SELECTED.values()} - {"mixed"}
    assert published <= {path.stem for path in (CONF / "tumour").glob("*.yaml")}


def test_a_typical_tumour_has_the_median_of_the_solid_types() -> None:
    """`other` stands for what is not described; benign tumours and lymphomas are not like it."""
    types = {path.stem: yaml.safe_load(path.read_text(encoding="utf-8")) for path in (CONF / "tumour").glob("*.yaml")}
    typical = types.pop("other")
    benign = {"sega", "angiomyolipoma", "vestibular_schwannoma"}
    for name in [name for name in types if name in benign or name == "dlbcl" or name.endswith("lymphoma")]:
        types.pop(name)
    for part, key in (
        ("genotype", "pik3ca"), ("genotype", "pten_mutation"), ("genotype", "pten_loss"), ("genotype", "akt1"), ("genotype", "tsc"),
        ("genotype", "kras"), ("genotype", "mtor"), ("growth", "rate_median_per_day"), ("lesions", "baseline_sld_median_mm"),
        ("lesions", "baseline_sld_log_sd"), ("lesions", "nontarget_fraction"), ("lesions", "new_lesion_rate_median_per_day"),
        ("survival", "death_rate_median_per_day"), ("pathway", "dependence_mean"),
    ):  # fmt: skip
        median = statistics.median(tumour[part][key] for tumour in types.values())
        assert typical[part][key] == pytest.approx(median, rel=0.05), f"{part}.{key}: set it to the median of the types again"


def test_tumours_of_tuberous_sclerosis_have_lost_tsc() -> None:
    config = compose(None, ["+tumour=[sega,angiomyolipoma]"])
    for name in ("sega", "angiomyolipoma"):
        tumour = config.tumour[name]
        assert tumour.genotype.tsc == 1.0 and tumour.growth.rate_median_per_day < 0.001
        assert max(tumour.lesions.new_lesion_rate_median_per_day, tumour.survival.death_rate_median_per_day) < 1e-4


@pytest.mark.parametrize("path", sorted((CONF / "partner").glob("*.yaml")), ids=lambda path: path.stem)
def test_a_partner_states_its_exposure_and_acts_on_tumours_that_there_are(path: Path) -> None:
    partner = yaml.safe_load(path.read_text(encoding="utf-8"))
    pk, regimen = partner["pk"], partner["regimen"]
    daily = {"daily": 1.0, "alternate_day": 0.5, "weekly": 1 / 7, "five_days_a_week": 5 / 7}[regimen["schedule"]]
    on = regimen["days_on"] / (regimen["days_on"] + regimen["days_off"]) if regimen["days_on"] else 1.0
    mg = regimen["dose"] * (1.8 if regimen["unit"] == "mg/m2" else 1.0) * regimen["doses_a_day"] * daily * on
    mean_ng_ml = 1000.0 * pk["F"] * mg / (24.0 * pk["CL"])
    assert partner["toxicity"]["reference_ng_ml"] == pytest.approx(mean_ng_ml, rel=0.02)
    assert set(partner.get("acts_in") or ()) <= {path.stem for path in (CONF / "tumour").glob("*.yaml")}
    assert all(effect["max"] <= 1.0 for node, effect in partner["inhibits"].items() if node != "cytotoxic")


def test_every_partner_can_join_a_study() -> None:
    every = {path.stem for path in (CONF / "partner").glob("*.yaml")}
    assert set(compose(None, [f"+partner=[{','.join(sorted(every))}]"]).partner) == every


def test_every_cell_line_can_join_an_assay() -> None:
    every = {path.stem for path in (CONF / "cell_line").glob("*.yaml")}
    assert set(compose("assay_burkitt", [f"cell_line=[{','.join(sorted(every))}]"]).cell_line) == every


def test_the_default_is_the_adult_study() -> None:
    assert compose() == compose("everolimus_adult")
    config = compose()
    assert (config.cohort.size, config.regimen.dose, config.regimen.unit, config.study.published) == (
        1000,
        10,
        "mg",
        "CPCT03",
    )


def test_every_drug_has_its_study_regimen_and_rules() -> None:
    """The same patients and trial for each; the nine adverse events that a DLT can be are common to all."""
    everolimus = compose()
    for drug in sorted(path.stem for path in (CONF / "drug").glob("*.yaml")):
        config = compose(f"{drug}_adult")
        assert config.drug.name == drug and config.cohort == everolimus.cohort
        assert set(config.drug.toxicity.terms) >= set(everolimus.drug.toxicity.terms)
        assert set(config.modification.hold_at) == set(config.drug.toxicity.terms)


def test_the_paediatric_study_starts_at_the_lowest_level() -> None:
    config = compose("everolimus_paediatric")
    assert config.design.kind == "three_plus_three"
    assert config.regimen.dose == config.design.dose_levels[0] == 2.1
    assert config.cohort.size % config.design.replicate_size == 0


def test_no_parameter_of_mechanism_or_rule_differs_between_the_studies() -> None:
    adult, child = compose("everolimus_adult"), compose("everolimus_paediatric")
    assert adult.drug == child.drug
    assert adult.network == child.network
    assert adult.modification == child.modification
    assert adult.design.dlt == child.design.dlt
    assert adult.inference == child.inference


def test_overrides_as_a_mapping_and_as_strings_agree() -> None:
    strings = compose(None, ["cohort.size=50", "regimen=everolimus_5mg_daily", "seed=7"])
    assert compose(None, {"cohort.size": 50, "regimen": "everolimus_5mg_daily"}, seed=7) == strings
    assert strings.regimen.dose == 5


@pytest.mark.parametrize("title", ["It's a study, isn't it", "a \\ b", "a=b,c", "ends with \\", "[1,2]", "null", " x "])
def test_any_text_survives_as_an_override(title: str) -> None:
    assert compose(None, {"study.title": title}).study.title == title


def test_compose_leaves_a_callers_hydra_alone() -> None:
    from hydra.core.global_hydra import GlobalHydra

    compose()
    assert not GlobalHydra.instance().is_initialized()


def test_compose_raises_a_config_error_that_names_key_value_and_allowed() -> None:
    with pytest.raises(ConfigError) as caught:
        compose(None, {"regimen.dose": -5})
    assert caught.value.key == "regimen.dose"
    assert caught.value.value == -5
    assert "at least 0" in caught.value.allowed


def test_help_mentions_only_keys_and_groups_that_exist() -> None:
    help_text = yaml.safe_load((CONF / "config.yaml").read_text(encoding="utf-8"))["hydra"]["help"]["template"]
    config = compose().model_dump(mode="json")
    for key in re.findall(r"^  (\w+(?:\.\w+)+|seed|resume)  ", help_text, flags=re.MULTILINE):
        here = config
        for name in key.replace(".TERM", "").split("."):
            assert name in here, f"--help names {key}"
            here = here[name]
    groups = {path.name for path in CONF.iterdir() if path.is_dir()}
    described = help_text.split("Groups,")[1].split("Keys most often")[0]
    named = set(re.findall(r"^  (\w+)  +[A-Za-z]", described, flags=re.MULTILINE))
    assert named == groups
