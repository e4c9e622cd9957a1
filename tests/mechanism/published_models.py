"""Independently published ODE models of the pathway under partial mTORC1 inhibition, and our network under the same block.

None of them has a rapalog that spares some substrates, so the experiment is one that all can do: cells are stimulated, then the
kinase activity of mTORC1 towards *every* substrate is cut to a residue (5 % or 10 %) while mTORC2 is left alone. A fold is a signal
over that of the drug-free control at the same time. ``control`` is that control over its own level before the drug: some models
drift long after the time they were fitted to, and a fold of two vanishing numbers says nothing.

The SBML files are not part of this repository (``tests/data/published_models/README.md`` says which they are and how to name
them); the folds measured from them are. ``experiments/published_models`` measures them anew.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import pandas as pd
from cells import NO_DRUG, cell, fold

DATA = Path(__file__).parents[1] / "data" / "published_models"
RESIDUES = (0.05, 0.10)  # of mTORC1 activity
HOURS = (0.5, 2.0, 6.0, 24.0)
DOSES_NM = (1.0, 5.0, 20.0, 100.0, 1000.0)


class PublishedModel(NamedTuple):
    """One SBML file and how it is made to do the experiment.

    Attributes:
        file: name in the folder of SBML files.
        citation: paper.
        feedback: of mTORC1 on IRS1 or PI3K, "negative" or (adipocytes) "positive".
        inputs: what is set before the start (stimuli; the rest is as shipped).
        before: stimulation ahead of the inhibition, minutes.
        kinase: rate constants of mTORC1's substrates, all multiplied by the residue.
        signals: our name of a signal to the species that add up to it.
        minute: a minute in the model's unit of time.
    """

    file: str
    citation: str
    feedback: str
    inputs: dict[str, float]
    before: float
    kinase: tuple[str, ...]
    signals: dict[str, tuple[str, ...]]
    minute: float = 1.0


_ppAKT = ("ppAKT", "PIP3_ppAKT", "GSK3b_ppAKT", "TSC2_ppAKT", "FOXO_ppAKT", "ppAKT_MDM2", "ppAKT_BAD")
_BRANNMARK = PublishedModel(
    "BIOMD0000000448.xml", "Brannmark 2013 normal", "positive", {}, 60.0, ("k9f1", "k2c"),
    {"S473": ("measuredPKB473p",), "T308": ("measuredPKB308p",), "S6K": ("measuredS6Kp",)},
)  # fmt: skip

MODELS = (
    PublishedModel(  # amino acids 1 as shipped (its rule sets insulin to 0)
        "BIOMD0000000640.xml", "Dalle Pezze 2016", "negative", {}, 60.0,
        ("p70_S6K_T389_phos_by_mTORC1_pS2448_first", "p70_S6K_T389_phos_by_mTORC1_pS2448_second",
         "PRAS40_S183_phos_by_mTORC1_pS2448_first", "PRAS40_S183_phos_by_mTORC1_pS2448_second"),
        {"S473": ("Akt_pS473_obs",), "T308": ("Akt_pT308_obs",), "S6K": ("p70_S6K_pT389_obs",), "AMPK": ("AMPK_pT172_obs",)},
    ),
    PublishedModel(  # insulin and amino acids as shipped
        "BIOMD0000000580.xml", "Sonntag 2012", "negative", {}, 60.0,
        ("p70S6K_T389_phosphorylation_by_mTORC1_pS2448", "PRAS40_S183_phosphorylation_by_mTORC1_pS2448"),
        {"S473": ("Akt_pS473_obs",), "T308": ("Akt_pT308_obs",), "S6K": ("p70S6K_pT389_obs",), "AMPK": ("AMPK_pT172_obs",)},
    ),
    PublishedModel(  # receptor on, no arsenite, no wortmannin; a_X6_Y2 is mTORC1's constant activity
        "BIOMD0000000907.xml", "Razquin Navas 2019", "negative", {"Y1": 1.0, "Y3": 0.0, "Y4": 0.0}, 1440.0,
        ("a1_X10_0", "a_X10_2", "a1_X11_0", "a2_X11_0", "a_X12_0", "a_X6_Y2"),
        {"S473": ("Akt_pS473_obs",), "T308": ("Akt_pT308_obs",), "S6K": ("p70_S6K_pT389_obs",), "BP": ("fourEBP1_pT37_46_obs",)},
    ),
    PublishedModel(  # insulin and amino acids as shipped
        "BIOMD0000000833.xml", "Di Camillo 2016", "negative", {}, 60.0, ("k20",),
        {"S473": ("Akt_pS",), "T308": ("Akt_pT",), "S6K": ("p70S6K_pT389",), "ERK": ("Erk_ppY204_Y187",)},
    ),
    PublishedModel(  # 10 nM EGF and insulin on MCF10A cells; mTORC1 binds 4E-BP1, S6K and PI3K
        "SPARCED_Brep.xml", "Bouhaddou 2018", "negative", {"[E]": 10.0, "[INS]": 10.0}, 1440.0, ("k1788", "k1792", "k1800"),
        {"S473": _ppAKT, "T308": (*_ppAKT, "pAKT", "PIP3_pAKT", "PIP3_pAKT_mTORC2"), "S6K": ("pS6K",), "BP": ("pEIF4EBP1",),
         "ERK": ("ppERK",)},
        minute=60.0,
    ),
    _BRANNMARK,  # 10 nM insulin as shipped
    _BRANNMARK._replace(file="BIOMD0000000449.xml", citation="Brannmark 2013 diabetic"),
)  # fmt: skip
RAPAMYCIN_MODEL = "BIOMD0000000822.xml"  # Dorvash 2019, the one with a drug


def _load(path: Path):
    import roadrunner

    runner = roadrunner.RoadRunner(str(path))
    runner.integrator.relative_tolerance = 1e-8
    runner.integrator.absolute_tolerance = 1e-12
    runner.integrator.maximum_num_steps = 1_000_000
    return runner


def _signals(model: PublishedModel, folder: Path, residue: float) -> list[dict[str, float]]:
    """Each signal before the inhibition and after each of ``HOURS`` of it."""
    runner = _load(folder / model.file)
    for name, value in model.inputs.items():
        runner[name] = value
    read = lambda: {signal: sum(runner[species] for species in parts) for signal, parts in model.signals.items()}
    now = model.before * model.minute
    runner.simulate(0.0, now, 2)
    levels = [read()]
    for name in model.kinase:
        runner[name] = runner[name] * residue
    for hours in HOURS:
        then = (model.before + 60.0 * hours) * model.minute
        runner.simulate(now, then, 2)
        now = then
        levels.append(read())
    return levels


def measure(model: PublishedModel, folder: Path) -> pd.DataFrame:
    """Folds of one model. Columns: citation, feedback, signal, residue, hours, fold, control."""
    control = _signals(model, folder, 1.0)
    rows = []
    for residue in RESIDUES:
        inhibited = _signals(model, folder, residue)
        for i, hours in enumerate(HOURS, start=1):
            for signal in model.signals:
                drift = control[i][signal] / control[0][signal]
                change = inhibited[i][signal] / control[i][signal]
                rows.append((model.citation, model.feedback, signal, residue, hours, change, drift))
    return pd.DataFrame(rows, columns=["citation", "feedback", "signal", "residue", "hours", "fold", "control"])


def measure_rapamycin(folder: Path) -> pd.DataFrame:
    """Complexes left after 24 h of free rapamycin held constant, over none (read as mol/L and seconds: the file mixes units)."""

    def left(dose: float) -> tuple[float, float]:
        runner = _load(folder / RAPAMYCIN_MODEL)
        runner.setBoundary("Cytosolic_Rapamycin", True)
        runner["[Cytosolic_Rapamycin]"] = dose * 1e-9
        runner.simulate(0.0, 86400.0, 2)
        return runner["mTORC1"], runner["mTORC2"]

    none, doses = left(0.0), {dose: left(dose) for dose in DOSES_NM}
    rows = [(dose, with_drug[0] / none[0], with_drug[1] / none[1]) for dose, with_drug in doses.items()]
    return pd.DataFrame(rows, columns=["rapamycin_nM", "mTORC1", "mTORC2"])


def published() -> pd.DataFrame:
    """The measured folds whose drug-free control stays within a factor of two of its level before the drug."""
    table = pd.read_csv(DATA / "mtorc1_block.csv")
    return table[table["control"].between(0.5, 2.0)]


def spread(table: pd.DataFrame, signal: str, hours: float) -> tuple[float, float]:
    """Lowest and highest published fold: models with the negative feedback, 5 and 10 % of mTORC1 left.

    Both residues, since what a drug leaves is not known to better than that factor of two.
    """
    rows = table[(table.feedback == "negative") & (table.signal == signal) & (table.hours == hours)]
    return rows["fold"].min(), rows["fold"].max()


def block(network, residue: float, hours: float, **changes):
    """Fold of our network when mTORC1 keeps ``residue`` towards every substrate: no 4E-BP1 adaptation, no mTORC2 loss."""
    e = dict.fromkeys(("e_S6K", "e_GRB10", "e_ULK", "e_4E"), 1.0 - residue)
    uniform = network.model_copy(update={"signalling": network.signalling.model_copy(update=e)})
    return fold(uniform, cell(r_4E=0.0, phi_mTORC2=0.0, **changes), NO_DRUG._replace(occupancy=1.0), hours)
