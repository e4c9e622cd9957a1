"""An SBML file from anyone: refused, with a reason, before the simulator sees what it could choke on.

The file must be small, well-formed XML without a document type (entities could make it grow without bound or read other files),
SBML with species, and whole in itself.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from xml.parsers import expat

from trialsim.schema import ConfigError
from trialsim.schema.faults import near, raise_all

KEY = "MODEL"
LARGEST = 10_000_000  # bytes; the largest signalling model that we know of, Bouhaddou 2018, has 3 million
DEEPEST = 200  # elements in each other; mathematics of 50 is rare
ELSEWHERE = ("externalModelDefinition",)  # of SBML's package comp: a model in another file


@dataclass(frozen=True)
class Document:
    """What may be named.

    Attributes:
        path: the file. title: the model's own name.
        species: names whose value is a concentration, or an amount where the file says so.
        amounts: the species that are amounts. parameters: constants, rates and compartments.
        computed: names that a rule gives; they can be read and not set.
    """

    path: Path
    title: str
    species: tuple[str, ...]
    amounts: frozenset[str]
    parameters: tuple[str, ...]
    computed: frozenset[str]

    @property
    def names(self) -> tuple[str, ...]:
        return (*self.species, *self.parameters)

    def selection(self, name: str) -> str:
        """The name as libroadrunner takes it: brackets mean a concentration."""
        return f"[{name}]" if name in self.species and name not in self.amounts else name

    def check(self, wanted: Iterable[str], key: str, to_set: bool = False) -> None:
        """Raise ConfigError for every name that the model does not have, or that cannot be set where it is to be."""
        faults, file = [], self.path.name
        for name in sorted(wanted):
            if name not in self.names:
                listed = f"trialsim signalling {file} lists them{near(name, self.names)}"
                faults.append(ConfigError(key, name, f"a species or global parameter of {file}; {listed}"))
            elif to_set and name in self.computed:
                faults.append(ConfigError(key, name, f"a name that no rule of {file} computes, as it would be overwritten"))
        raise_all(faults)


def read_document(path: Path | str) -> Document:
    """Check a file and list its names.

    Raises:
        ConfigError: what is wrong with the file, and what is allowed.
    """
    path = Path(path)
    root = _parsed(path)
    model = next((child for child in root if _tag(child) == "model"), None)
    if model is None:
        raise _fault(path, "no model in it", "an SBML file with one model")
    if any(_tag(element) in ELSEWHERE for element in root.iter()):
        raise _fault(path, "a part of it is in another file", "a model that is whole in one file")
    species = [element for element in _listed(model, "listOfSpecies") if element.get("id")]
    if not species:
        raise _fault(path, "no species in it", "a model of reactions or rates between species")
    found = [*_listed(model, "listOfParameters"), *_listed(model, "listOfCompartments")]
    rules = [rule for rule in _listed(model, "listOfRules") if _tag(rule) == "assignmentRule"]
    return Document(
        path=path,
        title=model.get("name") or model.get("id") or path.stem,
        species=tuple(element.attrib["id"] for element in species),
        amounts=frozenset(e.attrib["id"] for e in species if e.get("hasOnlySubstanceUnits") in ("true", "1")),
        parameters=tuple(element.attrib["id"] for element in found if element.get("id")),
        computed=frozenset(rule.get("variable", "") for rule in rules),
    )


def _parsed(path: Path) -> ET.Element:
    if not path.is_file():
        raise _fault(path, "no such file", "the path of an SBML file")
    if path.stat().st_size > LARGEST:
        raise _fault(path, f"{path.stat().st_size:,} bytes", f"at most {LARGEST:,} bytes")
    content = path.read_bytes()
    try:
        _refuse_what_grows(path, content)
        root = ET.fromstring(content)
    except ConfigError:
        raise
    except (ET.ParseError, expat.ExpatError, LookupError, ValueError) as error:  # the last two: an encoding that Python lacks
        raise _fault(path, f"not well-formed XML ({error})", "an SBML file") from error
    if _tag(root) != "sbml" or "sbml.org" not in root.tag:
        raise _fault(path, f"its root element is {_tag(root)}", "an SBML file; CellML, BNGL and COPASI files must be converted")
    return root


def _refuse_what_grows(path: Path, content: bytes) -> None:
    """A first pass that builds nothing and stops at a document type or at a tower of elements."""
    depth = 0

    def document_type(*_: object) -> None:
        raise _fault(path, "a document type (DOCTYPE)", "SBML without one: entities are not read")

    def opened(*_: object) -> None:
        nonlocal depth
        depth += 1
        if depth > DEEPEST:
            raise _fault(path, f"elements nested more than {DEEPEST} deep", "a model with flatter formulas")

    def closed(*_: object) -> None:
        nonlocal depth
        depth -= 1

    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler, parser.StartElementHandler, parser.EndElementHandler = document_type, opened, closed
    parser.Parse(content, True)


def _listed(model: ET.Element, kind: str) -> list[ET.Element]:
    return [element for child in model if _tag(child) == kind for element in child]


def _tag(element: ET.Element) -> str:
    return element.tag.rpartition("}")[2]


def _fault(path: Path, what: str, allowed: str) -> ConfigError:
    return ConfigError(KEY, f"{path}: {what}", allowed)
