"""Counts, translation and death: what becomes of treated cells, by genotype and with partners."""

from __future__ import annotations

import numpy as np

from trialsim.laboratory.bench import Bench
from trialsim.laboratory.register import NODE, RAPAMYCIN, RESISTANT_4EBP1, TORKI, in_dishes

LATE = 48.0  # h, when rates have settled


def _rate(bench: Bench, line: str, rapamycin_nM: float = 0.0, changes: dict | None = None, **inhibition: float) -> float:
    return bench.dish(line, rapamycin_nM, changes, **inhibition).fold("proliferation", LATE)


def _death(bench: Bench, line: str, rapamycin_nM: float = 0.0, **inhibition: float) -> float:
    return bench.dish(line, rapamycin_nM, **inhibition).fold("death", LATE)


def _living(bench: Bench, line: str, rapamycin_nM: float = 0.0, **inhibition: float) -> float:
    return bench.dish(line, rapamycin_nM, **inhibition).over_control("live", 72.0)


# ---- catalytic inhibitors against rapamycin


@in_dishes("torin_over_rapamycin_growth")
def _(bench: Bench) -> float:
    return _rate(bench, "mef", **TORKI) / _rate(bench, "mef", RAPAMYCIN)


@in_dishes("torin_effect_without_mtorc2")
def _(bench: Bench) -> float:
    """Without rictor nothing phosphorylates S473, in any well."""
    rictor_null = bench.with_constants(v_mTORC2=1e-6)
    return _rate(rictor_null, "mef", **TORKI) / _rate(rictor_null, "mef", RAPAMYCIN)


@in_dishes("frb_mutant_rapalog_null")
def _(bench: Bench) -> float:
    return bench.dish("bt474_frb", 100.0).fold("S6K", 24.0)


@in_dishes("frb_mutant_torki_works")
def _(bench: Bench) -> float:
    return _rate(bench, "bt474_frb", **TORKI) / _rate(bench, "bt474_frb", 100.0)


# ---- translation


@in_dishes("torkinib_cap_translation")
def _(bench: Bench) -> float:
    return bench.dish(RESISTANT_4EBP1, **TORKI).fold("cap", 24.0) / bench.dish(RESISTANT_4EBP1, RAPAMYCIN).fold("cap", 24.0)


@in_dishes("rapamycin_cap_translation_spared")
def _(bench: Bench) -> float:
    return bench.dish(RESISTANT_4EBP1, RAPAMYCIN).fold("cap", 24.0)


@in_dishes("eif4e_ratio_resistance")
def _(bench: Bench) -> float:
    return _rate(bench, "mef_4ebp_null", **TORKI) / _rate(bench, "mef", **TORKI)


@in_dishes("eif4e_depletion_sensitises")
def _(bench: Bench) -> float:
    return _rate(bench, "mef", 0.0, {"R_4EBP": 2.0}, **TORKI) / _rate(bench, "mef", **TORKI)


@in_dishes("s6k1_controls_cyclin_d1")
def _(bench: Bench) -> float:
    """S6K off by itself: a rapalog complex that touches no other substrate."""
    only_S6K = bench.with_constants(e_GRB10=0.0, e_ULK=0.0, e_4E=0.0)
    return only_S6K.dish("hepatocyte_adult", RAPAMYCIN).fold("CYCD", 24.0)


@in_dishes("liver_cyclin_d1_rapamycin")
def _(bench: Bench) -> float:
    return bench.dish("hepatocyte_adult", RAPAMYCIN).fold("CYCD", 24.0)


@in_dishes("refeeding_ps6_blocked")
def _(bench: Bench) -> float:
    return bench.dish("hepatocyte_adult", RAPAMYCIN).fold("S6", 24.0)


@in_dishes("refeeding_cap_spared")
def _(bench: Bench) -> float:
    return bench.dish("hepatocyte_adult", RAPAMYCIN).fold("cap", 24.0)


@in_dishes("refeeding_protein_partial")
def _(bench: Bench) -> float:
    return bench.dish("hepatocyte_adult", RAPAMYCIN).fold("protein", 24.0)


# ---- genotype


def _basal(bench: Bench, altered: str, plain: str, name: str) -> float:
    return bench.dish(altered).level(name, 0.0) / bench.dish(plain).level(name, 0.0)


@in_dishes("tsc_null_s6k_high")
def _(bench: Bench) -> float:
    return _basal(bench, "mef_tsc2_null", "mef", "S6K")


@in_dishes("tsc_null_akt_low")
def _(bench: Bench) -> float:
    return _basal(bench, "mef_tsc2_null", "mef", "S473")


@in_dishes("tsc_null_irs1_low")
def _(bench: Bench) -> float:
    return _basal(bench, "mef_tsc2_null", "mef", "IRS1")


@in_dishes("tsc_null_irs1_partial_return")
def _(bench: Bench) -> float:
    return bench.dish("mef_tsc2_null", RAPAMYCIN).fold("IRS1", 24.0)


@in_dishes("tsc_null_growth_advantage_reverted")
def _(bench: Bench) -> float:
    return _rate(bench, "mef_tsc2_null", RAPAMYCIN) / _rate(bench, "mef", RAPAMYCIN)


@in_dishes("meric_basal_pakt")
def _(bench: Bench) -> float:
    return _basal(bench, "epithelial_pten", "epithelial", "S473")


@in_dishes("pi3k_altered_more_sensitive")
def _(bench: Bench) -> float:
    return _rate(bench, "epithelial_pik3ca", RAPAMYCIN) / _rate(bench, "epithelial", RAPAMYCIN)


@in_dishes("kras_undoes_pik3ca")
def _(bench: Bench) -> float:
    return _rate(bench, "epithelial_pik3ca_kras", RAPAMYCIN) / _rate(bench, "epithelial_pik3ca", RAPAMYCIN)


@in_dishes("kras_translation_insensitive")
def _(bench: Bench) -> float:
    return bench.dish("sw480", RAPAMYCIN).fold("protein", 24.0) / bench.dish("mcf7", RAPAMYCIN).fold("protein", 24.0)


@in_dishes("pten_null_more_sensitive")
def _(bench: Bench) -> float:
    return _rate(bench, "epithelial_pten", RAPAMYCIN) / _rate(bench, "epithelial", RAPAMYCIN)


@in_dishes("pten_null_s6_high")
def _(bench: Bench) -> float:
    return _basal(bench, "epithelial_pten", "epithelial", "S6")


@in_dishes("pten_s6_blocked_equally")
def _(bench: Bench) -> float:
    return bench.dish("epithelial", RAPAMYCIN).fold("S6", 24.0)


# ---- lymphoma and liver


@in_dishes("dlbcl_no_apoptosis")
def _(bench: Bench) -> float:
    return _death(bench, "dlbcl", RAPAMYCIN)


@in_dishes("dlbcl_g1_arrest")
def _(bench: Bench) -> float:
    return _rate(bench, "dlbcl", RAPAMYCIN)


DACTOLISIB_100_NM = {"PI3K": 0.8, "mTOR_kinase": NODE}


@in_dishes("burkitt_bez235_akt")
def _(bench: Bench) -> float:
    return bench.dish("ca46", **DACTOLISIB_100_NM).fold("T308", 24.0)


@in_dishes("burkitt_bez235_dies")
def _(bench: Bench) -> float:
    return bench.dish("ca46", **DACTOLISIB_100_NM).fold("death", 72.0)


@in_dishes("dg75_pathway_block")
def _(bench: Bench) -> float:
    return _death(bench, "dg75", **DACTOLISIB_100_NM)


@in_dishes("fetal_s6_lost")
def _(bench: Bench) -> float:
    return bench.dish("hepatocyte_fetal", RAPAMYCIN).fold("S6", 24.0)


@in_dishes("fetal_dna_synthesis_spared")
def _(bench: Bench) -> float:
    return _rate(bench, "hepatocyte_fetal", RAPAMYCIN)


@in_dishes("adult_liver_blocked")
def _(bench: Bench) -> float:
    return _rate(bench, "hepatocyte_adult", RAPAMYCIN)


# ---- partners


@in_dishes("torki_plus_rtki_kills")
def _(bench: Bench) -> float:
    return bench.dish("bt474", RTK=NODE, **TORKI).net(72.0)


@in_dishes("torki_plus_rtki_death_over_torki")
def _(bench: Bench) -> float:
    return _death(bench, "bt474", RTK=NODE, **TORKI) / _death(bench, "bt474", **TORKI)


@in_dishes("oreilly_igf1r_block_sensitises")
def _(bench: Bench) -> float:
    return _rate(bench, "epithelial", RAPAMYCIN, RTK=NODE) / _rate(bench, "epithelial", RAPAMYCIN)


def _over_best(bench: Bench, line: str, **inhibition: float) -> float:
    single = min(_rate(bench, line, RAPAMYCIN), _rate(bench, line, **inhibition))
    return _rate(bench, line, RAPAMYCIN, **inhibition) / single


@in_dishes("carracedo_mek_adds")
def _(bench: Bench) -> float:
    return _over_best(bench, "mcf7", MEK=NODE)


@in_dishes("letrozole_everolimus_growth")
def _(bench: Bench) -> float:
    return _over_best(bench, "mcf7", endocrine=NODE)


@in_dishes("letrozole_everolimus_death")
def _(bench: Bench) -> float:
    return _death(bench, "mcf7", RAPAMYCIN, endocrine=NODE) / _death(bench, "mcf7", RAPAMYCIN)


@in_dishes("pdac_erlotinib_lowers_akt")
def _(bench: Bench) -> float:
    pair, alone = bench.dish("bxpc3", RAPAMYCIN, RTK=NODE), bench.dish("bxpc3", RAPAMYCIN)
    return pair.fold("S473", 24.0) / alone.fold("S473", 24.0)


@in_dishes("hcq_cci779_melanoma_synergy")
def _(bench: Bench) -> float:
    return _death(bench, "epithelial", RAPAMYCIN, autophagy=NODE) / _death(bench, "epithelial", RAPAMYCIN)


@in_dishes("autophagy_protects_basally")
def _(bench: Bench) -> float:
    return _death(bench, "epithelial", autophagy=NODE)


@in_dishes("everolimus_chloroquine_rcc")
def _(bench: Bench) -> float:
    single = _living(bench, "786o", RAPAMYCIN) * _living(bench, "786o", autophagy=NODE)
    return _living(bench, "786o", RAPAMYCIN, autophagy=NODE) / single


@in_dishes("mcl_hcq_overcomes")
def _(bench: Bench) -> float:
    pair = {"AKT_allosteric": NODE}
    return _death(bench, "dlbcl", RAPAMYCIN, autophagy=NODE, **pair) / _death(bench, "dlbcl", RAPAMYCIN, **pair)


@in_dishes("mcl_everolimus_akt_inhibitor")
def _(bench: Bench) -> float:
    return _death(bench, "dlbcl", RAPAMYCIN, AKT_allosteric=NODE) / _death(bench, "dlbcl", RAPAMYCIN)


@in_dishes("nhl_miransertib_sirolimus")
def _(bench: Bench) -> float:
    single = _living(bench, "dlbcl", RAPAMYCIN) * _living(bench, "dlbcl", AKT_allosteric=NODE)
    return _living(bench, "dlbcl", RAPAMYCIN, AKT_allosteric=NODE) / single


@in_dishes("mk2206_rapamycin_neuroblastoma")
def _(bench: Bench) -> float:
    return _rate(bench, "epithelial", RAPAMYCIN, AKT_allosteric=NODE) / _rate(bench, "epithelial", AKT_allosteric=NODE)


@in_dishes("everolimus_mk2206_hcc")
def _(bench: Bench) -> float:
    return bench.dish("epithelial", 100.0, AKT_allosteric=NODE).net(LATE) / bench.dish("epithelial", 100.0).net(LATE)


@in_dishes("pi3kca_pdc_cetuximab_everolimus")
def _(bench: Bench) -> float:
    return _living(bench, "epithelial_pik3ca", 1000.0)


@in_dishes("pi3kca_pdc_pair")
def _(bench: Bench) -> float:
    """Receptor inhibition at the level that alone leaves 58 % of the cells, as cetuximab did."""
    inhibited = np.linspace(0.0, 0.99, 12)
    alone, pair = (np.array([_living(bench, "epithelial_pik3ca", nM, RTK=i) for i in inhibited]) for nM in (0.0, 1000.0))
    level = np.interp(-0.581, -alone, inhibited)
    return float(np.interp(level, inhibited, pair))


# ---- SkMel-133 counts, leukaemia, two signs of autophagy, cytotoxics


@in_dishes("korkut_living_cells")
def _(bench: Bench) -> float:
    return _living(bench, "skmel133", RAPAMYCIN)


@in_dishes("korkut_pi3k_pair_living_cells")
def _(bench: Bench) -> float:
    return _living(bench, "skmel133", RAPAMYCIN, PI3K=0.6) / _living(bench, "skmel133", RAPAMYCIN)


CYTOTOXIC = {"cytotoxic": 0.02}  # 1/h, kills about three quarters of growing cells in three days


@in_dishes("autophagy_two_signs_protective")
def _(bench: Bench) -> float:
    """A cell in which autophagy protects: what it does by default."""
    block = bench.dish("epithelial", autophagy=NODE, **CYTOTOXIC).fold("death", LATE)
    return block / bench.dish("epithelial", RAPAMYCIN, **CYTOTOXIC).fold("death", LATE)


@in_dishes("autophagy_two_signs_lethal")
def _(bench: Bench) -> float:
    """A cell short of energy, whose flux is beyond what protects."""
    starved = {"ATP": 0.3}
    more = bench.dish("epithelial", RAPAMYCIN, starved, **CYTOTOXIC).fold("death", LATE)
    return more / bench.dish("epithelial", 0.0, starved, autophagy=NODE, **CYTOTOXIC).fold("death", LATE)


@in_dishes("aml_etoposide_rapamycin")
def _(bench: Bench) -> float:
    return _death(bench, "u937", RAPAMYCIN, **CYTOTOXIC) / _death(bench, "u937", **CYTOTOXIC)


@in_dishes("rapamycin_cytotoxic_in_vitro")
def _(bench: Bench) -> float:
    single = _living(bench, "epithelial", RAPAMYCIN) * _living(bench, "epithelial", **CYTOTOXIC)
    return _living(bench, "epithelial", RAPAMYCIN, **CYTOTOXIC) / single


@in_dishes("mtor_activating_sensitive")
def _(bench: Bench) -> float:
    return _rate(bench, "epithelial_mtor", RAPAMYCIN) / _rate(bench, "epithelial", RAPAMYCIN)


@in_dishes("feeding_protein_muscle_partial")
def _(bench: Bench) -> float:
    """Muscle: no alteration, 4E-BP1 as sensitive as in liver."""
    return bench.dish("epithelial", RAPAMYCIN).fold("protein", 6.0)


@in_dishes("growth_block_without_4ebp1")
def _(bench: Bench) -> float:
    return _rate(bench, "hepatocyte_adult", RAPAMYCIN, {"r_4E": 0.85})


@in_dishes("rapamycin_antiproliferative_reversal_serum")
def _(bench: Bench) -> float:
    """Oestrogen withdrawn from both wells: what rapamycin leaves with it over what it leaves without."""
    deprived = bench.dish("mcf7", RAPAMYCIN, endocrine=NODE).level("proliferation", LATE)
    deprived /= bench.dish("mcf7", endocrine=NODE).level("proliferation", LATE)
    return _rate(bench, "mcf7", RAPAMYCIN) / deprived
