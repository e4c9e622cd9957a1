"""The two shipped populations, composed from conf/ with nothing else, and large samples of them."""

import functools
import shutil
from typing import NamedTuple

import pytest
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from trialsim._paths import conf_dir
from trialsim.cohort import sample_cohort
from trialsim.schema.cohort import PopulationSettings, TumourSettings

LARGE = 20_000


class Who(NamedTuple):
    population: PopulationSettings
    tumours: dict[str, TumourSettings]

    def sample(self, size, seed=1, **changes):
        return sample_cohort(self.population.model_copy(update={"size": size, **changes}), self.tumours, seed)


@pytest.fixture(scope="session")
def composed(tmp_path_factory):
    """A function: name of a population -> plain settings with the sections cohort and tumour."""
    folder = tmp_path_factory.mktemp("conf")
    for group in ("population", "tumour"):
        shutil.copytree(conf_dir() / group, folder / group)
    (folder / "config.yaml").write_text("defaults:\n  - population: ???\n  - _self_\n")

    @functools.cache
    def read(name):
        with initialize_config_dir(str(folder), version_base="1.3"):
            return OmegaConf.to_container(compose("config", [f"population={name}"]), resolve=True)

    return read


def _who(settings):
    tumours = {name: TumourSettings.model_validate(tumour) for name, tumour in settings["tumour"].items()}
    return Who(PopulationSettings.model_validate(settings["cohort"]), tumours)


@pytest.fixture(scope="session")
def adults(composed):
    return _who(composed("adult_solid"))


@pytest.fixture(scope="session")
def children(composed):
    return _who(composed("paediatric_solid"))


@pytest.fixture(scope="session")
def many_adults(adults):
    return adults.sample(LARGE)


@pytest.fixture(scope="session")
def many_children(children):
    return children.sample(LARGE)
