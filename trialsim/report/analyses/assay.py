"""The page of an in vitro assay."""

from __future__ import annotations

from typing import Any

import pandas as pd

from trialsim.report.analyses.page import Page, Saved
from trialsim.report.figures.assay import blot, curves, facts, fates, forest, plate
from trialsim.report.figures.assay.look import BANDS, Look, concentration, look_of
from trialsim.report.page import Card, Section
from trialsim.report.table import Table
from trialsim.report.wording import NBSP, is_number, join, number, percent, plural

SETTINGS = ("cell_line", "drug", "partner", "network", "culture", "panel")
RAPALOG = "rapalog"
MOST_ROWS = 15  # of a table that is open at once
VERDICTS = {"agrees": "as published", "undecided": "not decided by this experiment", "disagrees": "not as published"}


def page(saved: Saved) -> Page:
    lines, wells, fits = saved.table("lines"), saved.table("wells"), saved.table("fits")
    look = look_of(lines, saved.settings["treatments"])
    expected = saved.table("expected")
    return Page(
        summary=[_what(saved, look), *_found(expected, look)],
        cards=_cards(saved, fits, look),
        chapters=[
            *([_facts(saved, expected, look)] if len(expected) else []),
            _responses(saved, wells, fits, look),
            _metrics(saved, fits, lines, look),
            _signalling(saved, look),
            _fates(saved, look),
            _plates(saved, wells, look),
        ],
        methods=_methods(saved),
        settings=SETTINGS if saved.settings["panel"] else SETTINGS[:-1],
        cautions=_cautions(saved),
        checks=_checks(saved),
    )


# ---- words


def _what(saved: Saved, look: Look) -> str:
    settings, treatments = saved.settings, [look.treatment(name) for name in list(look.drugs)[1:]]
    more = f" and {plural(settings['panel'], 'virtual line')} of a panel" if settings["panel"] else ""
    count = f"{plural(len(look.lines), 'cell line')} ({', '.join(look.lines.values())})"
    return (
        f"In a computer simulation, {count}{more} were grown with {join(treatments)} over "
        f"{len(next(iter(settings['treatments'].values()))['doses_nM'])} doses, {plural(settings['replicates'], 'replicate')} on "
        f"{plural(saved.results['n_plates'], 'plate')}, and measured as a laboratory measures them, errors included."
    )


def _found(expected: pd.DataFrame, look: Look) -> list[str]:
    """What is seen against what is published, a paragraph for those alike in verdict; with numbers where it is not as published."""
    told = []
    for verdict, words in VERDICTS.items():
        rows = [row for _, row in expected.iterrows() if facts.judge(row) == verdict]
        if rows:
            claim = lambda row, v=verdict: row["claim"].rstrip(".") + "." if v == "agrees" else _sentence(row, look)
            told.append(f"{words.capitalize()} ({len(rows)} of {len(expected)}): {' '.join(claim(row) for row in rows)}")
    return told


def _sentence(row: pd.Series, look: Look) -> str:
    """``A dual inhibitor makes Burkitt cells die (annexin V-positive, CA46, dactolisib 100 nM: 3.6-fold of vehicle, ...).``"""
    limits = ""
    if is_number(row["low_95"]) and is_number(row["high_95"]):
        limits = f", 95{NBSP}% interval {number(row['low_95'], 2)} to {number(row['high_95'], 2)}"
    return f"{row['claim'].rstrip('.')} ({facts.what(row, look)}: {facts.amount(row, row['estimate'])}{limits})."


def _cards(saved: Saved, fits: pd.DataFrame, look: Look) -> list[Card]:
    """GR50 and GRmax of the first treatment in up to four lines."""
    name, settings = next(iter(saved.settings["treatments"].items()))
    low, high = min(settings["doses_nM"]), max(settings["doses_nM"])
    cards = []
    for line in list(look.lines)[:4]:
        row = fits[(fits["line"] == line) & (fits["treatment"] == name)].iloc[0]
        shown = f"GR50 {concentration(row['GR50_nM'], low, high)}, GEC50 {concentration(row['GEC50_nM'], low, high)}"
        cards.append(Card(f"GRmax of {look.treatment(name)}, {look.lines[line]}", number(row["GRmax"], 2), shown))
    told = saved.results["published_facts"]
    if told["of"]:
        cards.append(Card("Published facts reproduced", f"{told['agree']} of {told['of']}"))
    return cards


def _cautions(saved: Saved) -> list[str]:
    told = [
        "Replicates differ by errors of measuring alone: cultures of different weeks and laboratories differ by more, so real "
        "intervals are wider.",
        "Light and counts stand for living cells; that cells under mTOR inhibitors get smaller and hold less ATP is not modelled.",
    ]
    if any(t["drug"] == RAPALOG for t in saved.settings["treatments"].values()):
        told.append(
            f"The rapalog binds FKBP12 and mTOR with the constants and the free share of {saved.config['drug']['name']} in this "
            "configuration; other rapalogs are tried with drug=NAME."
        )
    if missing := saved.results["published_facts"]["not_shown"]:
        told.append(f"Published facts that were not looked for: {'; '.join(f'{name} ({why})' for name, why in missing.items())}.")
    return told


def _checks(saved: Saved) -> str:
    cv, plates = saved.results["vehicle_cv"], plural(saved.results["n_plates"], "plate")
    return (
        f"vehicle wells of all {plates} vary by less than {percent(cv['limit'], 0)} (median CV {percent(cv['median'])}, worst "
        f"{percent(cv['worst'])})"
    )


def _methods(saved: Saved) -> list[str]:
    s, culture = saved.settings, saved.config["culture"]
    edge = "hold medium only" if s["plate"]["edge"] == "avoid" else "are used"
    return [
        "Cells. Each condition is grown once, exactly: signalling, growth and death of the patients' cells in a well whose "
        "medium they deplete of rapalog. What instruments make of it is drawn for every well, lane and sample; the levels of error "
        "and their sources are listed under “analysis”.",
        f"Plates. 96 wells, {s['plate']['copies']} a dose, {s['plate']['controls']} with vehicle; outer wells {edge}; places drawn "
        f"at random; a plate of its own is read at time 0. Viability is light at {s['plate']['hours']:g} h over vehicle, blanks "
        "subtracted.",
        "Metrics. GR = 2^(log2(x/x0) / log2(x_ctrl/x0)) - 1 of cell counts; curves of three parameters by least squares, a flat "
        "line where an F-test at 5 % finds no curve (Hafner et al., Nat Methods 2016;13:521-527). At IC50 and GR50 the curve is "
        "one half, at EC50 and GEC50 half of its own effect is reached; beyond the doses tried they are not told. Emax and GRmax "
        "are means at the highest dose, AUC and GR_AOC means over the logarithm of dose.",
        "Western blot. Density over its loading control, then over vehicle of the same time and replicate; "
        f"{percent(s['instrument']['blot_floor'], 0)} of an untreated band is there without antigen.",
        f"EdU. Cells in S phase at some time of a pulse of {culture['pulse_h']:g} h, of k divisions per cell and hour, S phase "
        f"{culture['S_phase_h']:g} h, G2 and M {culture['G2M_h']:g} h: exp(k (G2M + S)) - exp(k (G2M - pulse)) (Steel 1977; for "
        "slow cells the labelling index of Nowakowski et al., J Neurocytol 1989;18:311-318). Annexin V: dying over all cells that "
        "are still there.",
        f"LC3 flux. LC3-II with bafilomycin A1 for {s['stain']['bafilomycin_h']:g} h less LC3-II without (Yoshii & Mizushima, "
        "Int J Mol Sci 2017;18:1865).",
    ]


# ---- chapters


def _facts(saved: Saved, expected: pd.DataFrame, look: Look) -> Section:
    rows = []
    for _, row in expected.iterrows():
        limits = f" ({number(row['low_95'], 2)} to {number(row['high_95'], 2)})" if is_number(row["low_95"]) else ""
        band = " to ".join(number(row[side], 3) if is_number(row[side]) else "open" for side in ("low", "high"))
        found = facts.amount(row, row["estimate"]) + limits
        rows.append([row["claim"], facts.what(row, look), found, row["published"], band, VERDICTS[facts.judge(row)], row["source"]])
    columns = ["Claim", "Measured here", "Found", "Published", "Band", "Verdict", "Source"]
    lead = "The bands were set from the publications before any comparison; they are the same that the whole model is held to."
    table = Table("expected", "Published facts", expected, pd.DataFrame(rows, columns=columns), folded=True)
    return Section("facts", "Against the literature", lead, [facts.panel(expected, look)], [table])


def _responses(saved: Saved, wells: pd.DataFrame, fits: pd.DataFrame, look: Look) -> Section:
    n, hours = saved.settings["replicates"], saved.settings["plate"]["hours"]
    lead = f"After {hours:g} h; mean and SD of {plural(n, 'replicate')}, and the fitted curve (dotted: no better than a flat line)."
    panels = [curves.curve(wells, fits, m, t, look) for t in list(look.drugs)[1:] for m in ("viability", "GR")]
    return Section("responses", "Dose-response", lead, panels, [])


def _metrics(saved: Saved, fits: pd.DataFrame, lines: pd.DataFrame, look: Look) -> Section:
    ranges = {name: (min(t["doses_nM"]), max(t["doses_nM"])) for name, t in saved.settings["treatments"].items()}
    panels = [forest.potency(fits, ranges, look), forest.efficacy(fits, list(ranges), look)]
    if saved.settings["panel"]:
        panels += [forest.panel(fits, lines, treatment, look) for treatment in ranges]
    rows = []
    for row in fits[fits["line"].isin(look.lines)].itertuples():
        nM = lambda name, low=ranges[row.treatment][0], high=ranges[row.treatment][1], row=row: concentration(
            getattr(row, f"{name}_nM"), low, high
        )
        in_full = f"{nM('GR50')} ({nM_range(row, 'GR50', *ranges[row.treatment])})" if is_number(row.GR50_nM) else nM("GR50")
        rows.append([
            look.lines[row.line], look.treatment(row.treatment), in_full, nM("GEC50"), number(row.GRmax, 2), number(row.GR_AOC, 2),
            number(row.hill_GR, 2), _p(row.p_GR), nM("IC50"), nM("EC50"), number(row.Emax, 2), number(row.AUC, 2),
        ])  # fmt: skip
    columns = ["Line", "Treatment", "GR50 (95 %)", "GEC50", "GRmax", "GR_AOC", "h", "P", "IC50", "EC50", "Emax", "AUC"]
    note = "> and <: not within the doses tried. P: F-test of the GR curve against a flat line. h: slope of the GR curve."
    table = Table("fits", "Dose-response metrics", fits, pd.DataFrame(rows, columns=columns), note, folded=len(rows) > MOST_ROWS)
    return Section("metrics", "Metrics", "Growth-rate metrics and the traditional ones.", panels, [table])


def nM_range(row: Any, name: str, low: float, high: float) -> str:
    """The interval of a potency."""
    ends = [concentration(getattr(row, f"{name}_nM_{end}"), low, high) for end in ("low", "high")]
    return f"{ends[0].removesuffix(f'{NBSP}nM')} to {ends[1].removesuffix(f'{NBSP}nM')}"


def _p(p: float) -> str:
    return f"<{NBSP}0.001" if p < 0.001 else number(p, 2)


def _signalling(saved: Saved, look: Look) -> Section:
    blots, hours = saved.table("blots"), saved.settings["blot"]["shown_h"]
    first = list(look.drugs)[1]
    panels = [
        *blot.pictures(blots, hours, look),
        *(blot.bars(blots, band, hours, look) for band in saved.settings["blot"]["bands"]),
    ]
    panels += blot.courses(blots, first, look)
    if len(look.lines) > 1:
        panels += [blot.basal(blots, band, hours, look) for band in ("S6", "S473") if band in saved.settings["blot"]["bands"]]
    shown = blots[(blots["treatment"] != "vehicle") & (blots["hours"] == hours)]
    means = shown.groupby(["line", "treatment", "dose_nM", "band"], sort=False)["fold"].agg(fold="mean", sd="std").reset_index()
    rows = [
        [look.lines[row.line], look.sample(row.treatment, row.dose_nM), BANDS[row.band], number(row.fold, 2), number(row.sd, 2)]
        for row in means.itertuples()
    ]
    table = pd.DataFrame(rows, columns=["Line", "Treatment", "Band", "Fold of vehicle", "SD"])
    lead = "Western blots: film and quantified bands."
    return Section("signalling", "Signalling", lead, panels, [Table("blots", f"Bands at {hours:g} h", blots, table, folded=True)])


def _fates(saved: Saved, look: Look) -> Section:
    stains, counts = saved.table("stains"), saved.table("counts")
    panels = [fates.share(stains, stain, look) for stain in ("EdU", "annexin_V")] + [fates.lc3(stains, look)]
    panels += fates.growth(counts, look)
    means = stains.groupby(["line", "treatment", "dose_nM", "stain"], sort=False)[["value", "fold"]].mean().reset_index()
    rows = [
        [look.lines[row.line], look.sample(row.treatment, row.dose_nM), row.stain.replace("_", " "),
         percent(row.value) if row.stain in ("EdU", "annexin_V") else number(row.value, 2), number(row.fold, 2)]
        for row in means.itertuples()
    ]  # fmt: skip
    table = pd.DataFrame(rows, columns=["Line", "Treatment", "Read-out", "Mean", "Fold of vehicle"])
    lead = "DNA synthesis, apoptosis, autophagy and cell number at the sampled doses."
    return Section("fates", "What becomes of the cells", lead, panels, [Table("stains", "Stains", stains, table, folded=True)])


def _plates(saved: Saved, wells: pd.DataFrame, look: Look) -> Section:
    name = wells[wells["treatment"].isin(list(look.drugs))]["plate"].iloc[0]
    one = wells[wells["plate"] == name]
    lead = f"One of {plural(saved.results['n_plates'], 'plate')}; every well of all of them is in wells.parquet."
    return Section("plates", "A plate", lead, [plate.layout(one, look), plate.light(one)], [])
