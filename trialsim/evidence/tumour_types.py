"""The tumour types of the papers in the project's words, so that published and simulated counts share their names."""

from __future__ import annotations

from trialsim.schema import ConfigError

# As published -> project name. Where a study's population is wider than the name, the comment says why it stands there.
TUMOUR_TYPES: dict[str, str] = {
    "solid tumours, mixed": "mixed",
    "paediatric solid tumours, mixed": "mixed",  # age_group keeps adults and children apart
    "breast": "breast_hr",  # unselected or hormone-receptor positive; HER2-selected arms are mapped apart below
    "colorectal": "colorectal",
    "gastric": "gastric",
    "pancreatic adenocarcinoma": "pancreatic_adenocarcinoma",
    "pancreatic NET": "pancreatic_net",
    "NET": "net",  # of any site; the described type leaves the pancreas out
    "NET (85 pancreatic, 84 other)": "net",
    "RCC": "rcc_clear_cell",  # metastatic RCC trials of the sunitinib era: mostly clear cell
    "RCC clear cell": "rcc_clear_cell",
    "RCC non-clear-cell": "rcc_non_clear_cell",  # with sarcomatoid clear-cell tumours in one trial
    "HCC": "hcc",
    "urothelial": "urothelial",
    "NSCLC": "nsclc",
    "endometrial": "endometrial",
    "DLBCL": "dlbcl",  # with transformed follicular lymphoma in one arm
    "mantle cell lymphoma": "mantle_cell_lymphoma",
    "soft-tissue/bone sarcoma": "soft_tissue_sarcoma",
    "SEGA": "sega",
    "angiomyolipoma": "angiomyolipoma",
    "low-grade glioma": "low_grade_glioma",
    "high-grade glioma": "high_grade_glioma",
    "neuroblastoma": "neuroblastoma",
    "rhabdomyosarcoma": "rhabdomyosarcoma",
    "meningioma": "meningioma",
    "melanoma": "melanoma",
    "Hodgkin lymphoma": "hodgkin_lymphoma",
    "follicular lymphoma": "follicular_lymphoma",
    "CLL/SLL and other indolent lymphoma": "indolent_lymphoma",  # all that are neither follicular nor aggressive
    "thyroid": "thyroid",  # differentiated, or of any histology with medullary and anaplastic
    "thymoma": "thymoma",
    "thymic carcinoma": "thymic_carcinoma",
    "biliary tract": "biliary",  # bile ducts inside and outside the liver, and gall bladder
    "prostate": "prostate",
    "cervical": "cervical",
    "ovarian": "ovarian",  # with primary peritoneal carcinoma
    "PEComa": "pecoma",
    "vestibular schwannoma": "vestibular_schwannoma",
    "ependymoma": "ependymoma",
}
SELECTED: dict[tuple[str, str], str] = {("breast", "HER2+"): "breast_her2"}  # by the first word of the selection


def project_name(tumour_type: str, biomarker_selection: str = "") -> str:
    """Project name of a published tumour type.

    Raises:
        ConfigError: the type is not in the table; add it there with a comment if its population differs.
    """
    name = SELECTED.get((tumour_type, biomarker_selection.partition(";")[0])) or TUMOUR_TYPES.get(tumour_type)
    if name is None:
        raise ConfigError("evidence.efficacy.tumour_type", tumour_type, f"one of {', '.join(TUMOUR_TYPES)}")
    return name
