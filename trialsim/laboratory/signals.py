"""Blots: binding, the substrates of mTORC1, feedback, mTORC2, ERK, autophagy. Each function measures the fact in its decorator."""

from __future__ import annotations

import numpy as np

from trialsim.laboratory.bench import Bench
from trialsim.laboratory.register import NODE, RAPAMYCIN, RESISTANT_4EBP1, TORKI, in_dishes

# ---- binding


@in_dishes("fkbp12_rapamycin_kd")
def _(bench: Bench) -> float:
    return bench.drug.binding.K_FKBP12


@in_dishes("ternary_complex_kd")
def _(bench: Bench) -> float:
    return bench.drug.binding.K_FRB


@in_dishes("rapamycin_needs_fkbp")
def _(bench: Bench) -> float:
    return bench.dish("epithelial", RAPAMYCIN, {"FKBP12": 1e-6}).level("occupancy", 24.0)


@in_dishes("fkbp_loss_s6k_before_akt")
def _(bench: Bench) -> float:
    """FKBP12 for half the effect on AKT over that for half the effect on S6."""
    share = np.geomspace(0.005, 1.0, 16)
    dishes = [bench.dish("epithelial", RAPAMYCIN, {"FKBP12": bench.drug.binding.FKBP12 * part}) for part in share]

    def half(name: str) -> float:
        effect = np.array([dish.fold(name, 24.0) for dish in dishes]) - 1.0
        return float(np.interp(0.5, np.maximum.accumulate(effect / effect[-1]), np.log(share)))

    return float(np.exp(half("S473") - half("S6")))


# ---- substrates of mTORC1


@in_dishes("pbmc_s6k_20nm_everolimus")
def _(bench: Bench) -> float:
    return bench.dish("epithelial", RAPAMYCIN).fold("S6K", 24.0)


@in_dishes("choo_s6k_stays_off")
def _(bench: Bench) -> float:
    return bench.dish(RESISTANT_4EBP1, RAPAMYCIN).fold("S6K", 24.0)


@in_dishes("choo_4ebp1_falls_early")
def _(bench: Bench) -> float:
    return bench.dish(RESISTANT_4EBP1, RAPAMYCIN).lowest("BP", 1.0, 3.0)


@in_dishes("choo_4ebp1_recovers")
def _(bench: Bench) -> float:
    return bench.dish(RESISTANT_4EBP1, RAPAMYCIN).fold("BP", 6.0)


@in_dishes("choo_recovery_needs_mtorc1")
def _(bench: Bench) -> float:
    return bench.dish(RESISTANT_4EBP1, RAPAMYCIN, **TORKI).fold("BP", 24.0)


@in_dishes("kang_substrate_order")
def _(bench: Bench) -> float:
    dish = bench.dish(RESISTANT_4EBP1, 100.0)
    return dish.fold("BP", 24.0) - dish.fold("S6K", 24.0)


@in_dishes("starvation_spares_4ebp1")
def _(bench: Bench) -> float:
    """Amino acids at a level that halves mTORC1's activity, K_AA being where its drive is half."""
    fed, starved = (bench.dish("hek293", changes={"amino_acids": aa}) for aa in (1.0, 0.15))
    fold = lambda name: starved.level(name, 0.0) / fed.level(name, 0.0)
    return fold("BP") - fold("S6K")


@in_dishes("mln0128_4ebp1_deeper")
def _(bench: Bench) -> float:
    return bench.dish("mcf7", **TORKI).fold("BP", 24.0) / bench.dish("mcf7", RAPAMYCIN).fold("BP", 24.0)


@in_dishes("dlbcl_4ebp1_reduced")
def _(bench: Bench) -> float:
    return bench.dish("dlbcl", RAPAMYCIN).fold("BP", 24.0)


# ---- feedback


@in_dishes("oreilly_akt_rises")
def _(bench: Bench) -> float:
    return bench.dish("epithelial", RAPAMYCIN).fold("S473", 24.0)


@in_dishes("oreilly_irs1_rises")
def _(bench: Bench) -> float:
    return bench.dish("epithelial", RAPAMYCIN).fold("IRS1", 24.0)


@in_dishes("oreilly_igf1r_block_prevents")
def _(bench: Bench) -> float:
    return bench.dish("epithelial", RAPAMYCIN, RTK=NODE).fold("S473", 24.0)


@in_dishes("oreilly_igf1_reverses_block")
def _(bench: Bench) -> float:
    """Without serum the receptor has a fifth of its input; IGF-I gives it twice the usual."""
    low, high = (bench.dish("epithelial", RAPAMYCIN, {"RTK": RTK}) for RTK in (0.2, 2.0))
    return high.level("drive", 48.0) / low.level("drive", 48.0)


@in_dishes("meric_akt_rise_sensitive")
def _(bench: Bench) -> float:
    return bench.dish("mcf7", 100.0).fold("T308", 24.0) / bench.dish("sw480", 100.0).fold("T308", 24.0)


@in_dishes("oestrogen_cells_pakt_rises")
def _(bench: Bench) -> float:
    return bench.dish("mcf7", RAPAMYCIN).fold("S473", 24.0)


@in_dishes("hcc_everolimus_akt_up")
def _(bench: Bench) -> float:
    alone, pair = bench.dish("epithelial", RAPAMYCIN), bench.dish("epithelial", RAPAMYCIN, RTK=NODE)
    return pair.fold("S473", 24.0) / alone.fold("S473", 24.0)


@in_dishes("grb10_destabilised")
def _(bench: Bench) -> float:
    return bench.dish("hek293", RAPAMYCIN).fold("GRB10", 24.0)


def _without_grb10(bench: Bench, name: str) -> float:
    return bench.dish("mef", changes={"f_GRB10": 0.0}).level(name, 0.0) / bench.dish("mef").level(name, 0.0)


@in_dishes("grb10_loss_raises_akt")
def _(bench: Bench) -> float:
    return _without_grb10(bench, "S473")


@in_dishes("grb10_loss_raises_erk")
def _(bench: Bench) -> float:
    return _without_grb10(bench, "ERK")


@in_dishes("pdac_akt_up_late")
def _(bench: Bench) -> float:
    return bench.dish("panc1", RAPAMYCIN).fold("S473", 72.0)


@in_dishes("pdac_cyclin_d1_not_lowered")
def _(bench: Bench) -> float:
    dish = bench.dish("panc1", RAPAMYCIN)
    return dish.fold("CYCD", 72.0) / dish.lowest("CYCD", 0.0, 12.0)


@in_dishes("antioestrogen_lowers_akt_feedback")
def _(bench: Bench) -> float:
    return bench.dish("mcf7", RAPAMYCIN, endocrine=NODE).fold("S473", 24.0) / bench.dish("mcf7", RAPAMYCIN).fold("S473", 24.0)


# ---- T308, S473 and mTORC2 under catalytic inhibitors


@in_dishes("torki_s473_lost")
def _(bench: Bench) -> float:
    return bench.dish("epithelial", **TORKI).fold("S473", 24.0)


@in_dishes("torki_t308_dips")
def _(bench: Bench) -> float:
    return bench.dish("epithelial", **TORKI).lowest("T308", 0.25, 4.0)


@in_dishes("torki_t308_recovers")
def _(bench: Bench) -> float:
    dish = bench.dish("epithelial", **TORKI)
    return dish.fold("T308", 24.0) / dish.lowest("T308", 0.25, 4.0)


@in_dishes("torki_t308_at_24h")
def _(bench: Bench) -> float:
    return bench.dish("epithelial", **TORKI).fold("T308", 24.0)


@in_dishes("torki_plus_rtki_akt")
def _(bench: Bench) -> float:
    return bench.dish("epithelial", RTK=NODE, **TORKI).fold("T308", 24.0)


@in_dishes("tsc_null_mtorc2_defective")
def _(bench: Bench) -> float:
    ratio = lambda line: bench.dish(line).level("S473", 0.0) / bench.dish(line).level("T308", 0.0)
    return ratio("mef_tsc2_null") / ratio("mef")


# ---- ERK


@in_dishes("carracedo_erk_rises")
def _(bench: Bench) -> float:
    return bench.dish("epithelial", RAPAMYCIN).fold("ERK", 24.0)


@in_dishes("carracedo_erk_needs_pi3k")
def _(bench: Bench) -> float:
    return bench.dish("epithelial", RAPAMYCIN, PI3K=NODE).fold("ERK", 24.0) / bench.dish("epithelial", RAPAMYCIN).fold("ERK", 24.0)


@in_dishes("pdac_dual_inhibitor_erk")
def _(bench: Bench) -> float:
    return bench.dish("panc1", PI3K=0.8, mTOR_kinase=NODE).fold("ERK", 24.0)


# ---- autophagy


@in_dishes("torin_autophagy_over_rapamycin")
def _(bench: Bench) -> float:
    return bench.dish("mef", **TORKI).fold("flux", 24.0) / bench.dish("mef", RAPAMYCIN).fold("flux", 24.0)


@in_dishes("akt_inhibitor_rapamycin_4ebp1")
def _(bench: Bench) -> float:
    pair, alone = bench.dish("mcf7", RAPAMYCIN, AKT_allosteric=NODE), bench.dish("mcf7", RAPAMYCIN)
    return pair.fold("BP", 24.0) / alone.fold("BP", 24.0)


# ---- SkMel-133, PTEN-null: arrays of Korkut 2015 under temsirolimus with partners


def _melanoma(bench: Bench, name: str, rapamycin_nM: float = RAPAMYCIN, **inhibition: float) -> float:
    return bench.dish("skmel133", rapamycin_nM, **inhibition).fold(name, 24.0)


HALF_PI3K = {"PI3K": 0.6}  # twice the dose that inhibits its readout by 40 %
HALF_AKT = {"AKT_allosteric": 0.6}


@in_dishes("korkut_pakt_s473_fold")
def _(bench: Bench) -> float:
    return _melanoma(bench, "S473")


@in_dishes("korkut_pakt_t308_fold")
def _(bench: Bench) -> float:
    return _melanoma(bench, "T308")


@in_dishes("korkut_ps6_fold")
def _(bench: Bench) -> float:
    return _melanoma(bench, "S6")


@in_dishes("korkut_p4ebp1_fold")
def _(bench: Bench) -> float:
    return _melanoma(bench, "BP")


@in_dishes("korkut_irs1_fold")
def _(bench: Bench) -> float:
    return _melanoma(bench, "IRS1")


@in_dishes("korkut_cyclin_d1_fold")
def _(bench: Bench) -> float:
    return _melanoma(bench, "CYCD")


@in_dishes("korkut_pi3k_lowers_s473")
def _(bench: Bench) -> float:
    return _melanoma(bench, "S473", **HALF_PI3K) / _melanoma(bench, "S473")


@in_dishes("korkut_pi3k_lowers_t308")
def _(bench: Bench) -> float:
    return _melanoma(bench, "T308", **HALF_PI3K) / _melanoma(bench, "T308")


@in_dishes("korkut_pi3k_lowers_4ebp1")
def _(bench: Bench) -> float:
    return _melanoma(bench, "BP", **HALF_PI3K) / _melanoma(bench, "BP")


@in_dishes("korkut_pi3k_alone_s473")
def _(bench: Bench) -> float:
    return _melanoma(bench, "S473", 0.0, **HALF_PI3K) / _melanoma(bench, "T308", 0.0, **HALF_PI3K)


@in_dishes("korkut_akt_inhibitor_ps6")
def _(bench: Bench) -> float:
    return _melanoma(bench, "S6", 0.0, **HALF_AKT)


@in_dishes("korkut_akt_inhibitor_4ebp1")
def _(bench: Bench) -> float:
    return _melanoma(bench, "BP", 0.0, **HALF_AKT)


# ---- cells that lose mTORC2, energy, nutrients, basal levels


@in_dishes("aml_s473_falls")
def _(bench: Bench) -> float:
    return bench.dish("u937", RAPAMYCIN).fold("S473", 24.0)


@in_dishes("labile_s473_late")
def _(bench: Bench) -> float:
    return bench.dish("pc3", 100.0).fold("S473", 24.0)


@in_dishes("labile_s473_not_early")
def _(bench: Bench) -> float:
    return bench.dish("pc3", 100.0).fold("S473", 1.0)


@in_dishes("aml_cyclin_d_falls")
def _(bench: Bench) -> float:
    return bench.dish("u937", RAPAMYCIN).fold("CYCD", 24.0)


STARVED = {"ATP": 0.3}  # of replete: AMPK more than half active


@in_dishes("ampk_activates_ulk1")
def _(bench: Bench) -> float:
    return bench.dish("hek293", changes=STARVED).level("flux", 0.0) / bench.dish("hek293").level("flux", 0.0)


@in_dishes("mtorc1_holds_ulk1")
def _(bench: Bench) -> float:
    return bench.dish("hek293", RAPAMYCIN).fold("flux", 24.0)


@in_dishes("mtorc1_and_ampk_add")
def _(bench: Bench) -> float:
    return bench.dish("hek293", RAPAMYCIN, STARVED).fold("flux", 24.0)


@in_dishes("pten_over_pik3ca_pakt")
def _(bench: Bench) -> float:
    return bench.dish("epithelial_pten").level("S473", 0.0) / bench.dish("epithelial_pik3ca").level("S473", 0.0)


@in_dishes("pik3ca_basal_pakt")
def _(bench: Bench) -> float:
    return bench.dish("epithelial_pik3ca").level("S473", 0.0) / bench.dish("epithelial").level("S473", 0.0)


@in_dishes("fasting_lowers_s6")
def _(bench: Bench) -> float:
    fasted = bench.dish("hepatocyte_adult", changes={"amino_acids": 0.2, "RTK": 0.2})
    return fasted.level("S6", 0.0) / bench.dish("hepatocyte_adult").level("S6", 0.0)


@in_dishes("regenerating_liver_4ebp1_spared")
def _(bench: Bench) -> float:
    return bench.dish("hepatocyte_adult", RAPAMYCIN, {"r_4E": 0.85}).fold("BP", 24.0)
