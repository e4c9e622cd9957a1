"""The shipped populations and tumour types: they compose, they are coherent, and every number has a source."""

import copy

import pytest
from pydantic import ValidationError

from trialsim.schema.cohort import MAXIMUM_SIZE, PopulationSettings, Sourced, TumourSettings

FIXED_NAMES = {
    "rcc_clear_cell", "breast_hr", "colorectal", "gastric", "pancreatic_adenocarcinoma", "pancreatic_net", "hcc",
    "urothelial", "endometrial", "nsclc", "soft_tissue_sarcoma",
}  # fmt: skip


def test_tumour_types_of_the_adult_population(adults):
    assert FIXED_NAMES <= set(adults.tumours)
    assert set(adults.population.mix) == set(adults.tumours)


def test_tumour_types_of_the_paediatric_population(children):
    assert set(children.population.mix) == set(children.tumours)


def _sections(settings):
    for name in type(settings).model_fields:
        value = getattr(settings, name)
        if isinstance(value, Sourced):
            yield name, value
        if hasattr(type(value), "model_fields"):
            yield from _sections(value)


@pytest.mark.parametrize("who", ["adults", "children"])
def test_every_value_has_a_source(who, request):
    population, tumours = request.getfixturevalue(who)
    sections = [section for settings in (population, *tumours.values()) for section in _sections(settings)]
    assert len(sections) > 50
    for name, section in sections:
        for value in set(type(section).model_fields) - {"sources"}:
            if getattr(section, value) is not None:
                assert len(section.sources[value]) > 5, (name, value)


def test_only_pancreatic_adenocarcinoma_hinders_penetration(adults, children):
    tumours = adults.tumours | children.tumours
    assert {name for name, tumour in tumours.items() if tumour.pathway.penetration < 1} == {"pancreatic_adenocarcinoma"}
    assert {name for name, tumour in tumours.items() if tumour.pathway.non_genomic_drive > 0} == {"rcc_clear_cell"}


def _changed(settings, key, value):
    changed = copy.deepcopy(settings)
    section = changed
    *path, last = key.split(".")
    for part in path:
        section = section[part]
    section[last] = value
    return changed


@pytest.mark.parametrize(
    ("key", "value", "place", "words"),
    [
        ("size", 0, "size", "greater than or equal to 1"),
        ("size", MAXIMUM_SIZE + 1, "size", "less than or equal to 10000000"),
        ("size", 2.5, "size", "integer"),
        ("mix.hcc", 0.5, "mix", "sum to 1; these sum to 1.49"),
        ("mix.hcc", -0.1, "mix", "greater than or equal to 0"),
        ("sex.female_fraction", 1.2, "female_fraction", "less than or equal to 1"),
        ("sex.female_fraction", float("nan"), "female_fraction", ""),
        ("age.maximum_y", 10, "maximum_y", "above minimum_y, 18"),
        ("clinical.ecog", [0.5, 0.6], "ecog", "these sum to 1.1"),
        ("clinical.hepatic_function", {"normal": 1.0, "liver": 0.0}, "hepatic_function", "child_pugh_a"),
        ("haematocrit.maximum", 0.2, "maximum", "above minimum"),
        ("body_size.adult.height_sd_male_cm", 0.0, "height_sd_male_cm", "greater than 0"),
        ("associations.growth_death", 1.0, "growth_death", "less than 1"),
        ("age.sources", {}, "sources", "missing: components"),
        ("colour", "blue", "colour", "Extra inputs"),
    ],
)
def test_bad_population_is_refused(composed, key, value, place, words):
    with pytest.raises(ValidationError) as caught:
        PopulationSettings.model_validate(_changed(composed("adult_solid")["cohort"], key, value))
    fault = caught.value.errors()[0]
    assert place in fault["loc"]
    assert words in fault["msg"]


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("genotype.kras", 1.01, "less than or equal to 1"),
        ("genotype.pik3ca", -0.01, "greater than or equal to 0"),
        ("genotype.pten_loss", 0.01, "from 0.03625 to 0.9862"),
        ("genotype.kras_pik3ca_odds_ratio", 0.0, "greater than 0"),
        ("growth.rate_median_per_day", 0.0, "greater than 0"),
        ("lesions.target_lesions", [0.5, 0.4], "these sum to 0.9"),
        ("lesions.target_lesions", [0.1, 0.1, 0.2, 0.2, 0.2, 0.2], "at most 5"),
        ("pathway.penetration", 1.5, "less than or equal to 1"),
        ("pathway.dependence_mean", 1.0, "less than 1"),
        ("survival.death_rate_median_per_day", "soon", "number"),
        ("growth.sources", {"speed": "somewhere"}, "is no value of this section"),
        ("demographics.female_fraction", 0.5, "a source for female_fraction"),
    ],
)
def test_bad_tumour_is_refused(composed, key, value, words):
    with pytest.raises(ValidationError, match=words.replace("(", r"\(")):
        TumourSettings.model_validate(_changed(composed("adult_solid")["tumour"]["colorectal"], key, value))
