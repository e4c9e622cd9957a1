"""Settings shared by the tests: the shipped drug and network, read straight from conf/."""

from pathlib import Path

import pytest
import yaml

CONF = Path(__file__).parents[1] / "conf"


@pytest.fixture(scope="session")
def drug():
    from trialsim.schema.drug import DrugSettings

    return DrugSettings(**yaml.safe_load((CONF / "drug" / "everolimus.yaml").read_text()))


@pytest.fixture(scope="session")
def network():
    from trialsim.schema.network import NetworkSettings

    return NetworkSettings(**yaml.safe_load((CONF / "network" / "default.yaml").read_text()))


LISTED = (Path(__file__).parent / "in_progress.txt").read_text(encoding="utf-8").splitlines()
IN_PROGRESS = [line for line in LISTED if line[:1] not in ("#", "")]


def pytest_collection_modifyitems(items):
    """What is listed as in progress may fail."""
    for item in items:
        if item.nodeid.startswith(tuple(IN_PROGRESS)):
            item.add_marker(pytest.mark.xfail(reason="in progress, see tests/in_progress.txt", strict=False))
