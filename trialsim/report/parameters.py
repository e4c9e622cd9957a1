"""What the uncertain parameters mean, in a few words and with their unit; the report's names for them."""

from __future__ import annotations

from typing import NamedTuple


class Meaning(NamedTuple):
    """Attributes: words: what it is. unit: empty if dimensionless."""

    words: str
    unit: str = ""


TURNOVER = {
    "k_IRS1": "IRS1", "k_GRB10": "GRB10", "k_PIP3": "PIP3", "k_T308": "pAKT T308", "k_mTORC2": "mTORC2 assembly",
    "k_S473": "pAKT S473", "k_RHEB": "RHEB-GTP", "k_S6K": "pS6K", "k_S6": "pS6", "k_4EBP1": "p4E-BP1",
    "k_Z": "4E-BP1 adaptation", "k_ULK": "ULK1", "k_flux": "autophagic flux", "k_ERK": "pERK", "k_CYCD": "cyclin D1",
    "k_protein": "protein synthesis", "k_W": "shift of dependence",
}  # fmt: skip
MEANINGS: dict[str, Meaning] = {name: Meaning(f"turnover of {what}", "1/h") for name, what in TURNOVER.items()} | {
    name: Meaning(*((what,) if isinstance(what, str) else what))
    for name, what in {
        "PIK3CA_PI3K": "PI3K activity of a PIK3CA mutant alone",
        "PIK3CA_gain": "PIK3CA mutant's gain on the receptor",
        "alpha_share": "p110 alpha share of receptor-driven PI3K",
        "KRAS_PI3K": "extra PI3K in KRAS mutants",
        "PTEN_independent": "PIP3 loss without PTEN",
        "K_PIP3": "PIP3 that half-saturates AKT recruitment",
        "E17K_recruitment": "AKT1 E17K recruited without PIP3",
        "PDK1_basal": "T308 phosphorylation without S473",
        "PDK1_S473": "T308 phosphorylation helped by S473",
        "d_T308": "T308 dephosphorylation",
        "v_mTORC2": "mTORC2 activity towards S473",
        "mTORC2_basal": "mTORC2 activity without PIP3",
        "mTORC2_PIP3": "mTORC2 activation by PIP3",
        "mTORC2_TSC": "mTORC2's dependence on TSC",
        "d_S473": "S473 dephosphorylation",
        "AKT_T308_only": "AKT activity without S473",
        "ERK_basal": "basal input of ERK",
        "ERK_PI3K": "ERK activation by PI3K",
        "ERK_KRAS": "ERK activation by mutant KRAS",
        "PI3K_ERK_limit": "PI3K activity at which ERK saturates",
        "K_ATP": "ATP at half-maximal AMPK",
        "TSC_AMPK": "TSC activation by AMPK",
        "TSC_ERK": "TSC inhibition by ERK",
        "K_AKT": "AKT activity that halves TSC",
        "RHEB_loading": "GTP loading of RHEB",
        "RHEB_mTORC1": "mTORC1 activation by RHEB",
        "K_AA": "amino acids at half-maximal mTORC1",
        "AMPK_mTORC1": "mTORC1 inhibition by AMPK",
        "v_mTORC1": "mTORC1 maximal activity",
        "K_mTORC1": "input that half-saturates mTORC1",
        "e_S6K": "maximal inhibition of S6K by a rapalog",
        "e_GRB10": "maximal inhibition of GRB10 by a rapalog",
        "e_ULK": "maximal relief of ULK1 by a rapalog",
        "e_4E": "maximal inhibition of 4E-BP1 by a rapalog",
        "d_S6K": "S6K dephosphorylation",
        "d_S6": "S6 dephosphorylation",
        "RSK_S6": "S6 phosphorylation by RSK",
        "v_4EBP1": "4E-BP1 phosphorylation",
        "d_4EBP1": "4E-BP1 dephosphorylation",
        "ULK_basal": "basal ULK1 activation",
        "ULK_AMPK": "ULK1 activation by AMPK",
        "mTORC1_ULK": "ULK1 inhibition by mTORC1",
        "cap_4EBP": "hold of 4E-BP1 on eIF4E",
        "cap_CYCD": "exponent of translation in cyclin D1",
        "CYCD_S6K": "part of cyclin D1 that needs S6K",
        "protein_S6K": "part of protein synthesis that needs S6K",
        "K_ERK": "ERK that half-saturates proliferation",
        "K_AKT_CYCD": "AKT that half-saturates cyclin D1",
        "endocrine_receptor": "receptor signal that hangs on the hormone",
        "endocrine_CYCD": "cyclin D1 that hangs on the hormone",
        "endocrine_survival": "survival that hangs on the hormone",
        "drive_exponent": "steepness from cyclin D1 and protein to growth",
        "K_drive": "half-saturation of proliferative drive",
        "KRAS_bypass": "growth through the KRAS route",
        "K_KRAS": "ERK that half-saturates the KRAS route",
        "KRAS_shift": "extra ERK that KRAS mutants need",
        "KRAS_addiction": "stress of KRAS mutants without ERK",
        "K_addiction": "ERK that half-relieves that stress",
        "K_survival_AKT": "AKT that half-saturates survival",
        "K_survival_cap": "translation that half-saturates survival",
        "protection_limit": "stress that autophagy can undo",
        "flux_lethal": "autophagic flux that begins to kill",
        "K_FKBP12": ("Kd of drug and FKBP12", "nM"),
        "K_FRB": ("Kd of the complex and mTOR FRB", "nM"),
        "FKBP12": ("FKBP12 in cells", "nM"),
        "PS": ("uptake of drug into cells", "1/h"),
        "partition_tumour": "free drug in tumour over plasma",
        "partition_pbmc": "free drug at PBMC over plasma",
        "CLint": ("intrinsic clearance of the drug", "L/h"),
        "fu": "unbound fraction in plasma",
        "Bmax": ("red-cell binding capacity", "ng/mL"),
        "f_S6K": "feedback S6K to IRS1, median",
        "f_GRB10": "feedback GRB10 to PI3K, median",
        "r_4E_max": "largest recovery of 4E-BP1",
        "phi_mTORC2_alpha": "lability of mTORC2 (Beta alpha)",
        "R_4EBP_sd": "spread of 4E-BP/eIF4E between tumours",
        "dependence_sd": "spread of pathway dependence",
        "b_resistant": "rapamycin-insensitive share of resistant cells",
        "b_W": "dependence lost by the slow shift",
        "cell_loss": "cell-loss factor of tumours",
        "k_d": ("death rate scale", "1/h"),
        "basal_death": "death that no signal changes",
        "c_protect": "protection by autophagy",
        "c_excess": "killing by excess autophagy",
    }.items()
}


def named(parameter: str) -> str:
    """``FKBP12 in cells (FKBP12)``; a parameter of the user's own by its name alone."""
    return f"{MEANINGS[parameter].words} ({parameter})" if parameter in MEANINGS else parameter


def described(parameter: str) -> str:
    """What it means, with its unit."""
    if parameter not in MEANINGS:
        return parameter
    words, unit = MEANINGS[parameter]
    return f"{words}, {unit}" if unit else words
