"""From the truth to what a laboratory reports: failures, wrong calls, spread between biopsies."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from trialsim.biomarkers.markers import GENES
from trialsim.streams import normals, uniforms

if TYPE_CHECKING:
    from trialsim.schema.analysis.biomarkers import AssaySettings, CallSettings, LevelSettings


def genes_called(truth: pd.DataFrame, ngs: CallSettings, pten: CallSettings, seed: int) -> pd.DataFrame:
    """``truth`` with the columns of genes and PTEN as reported; NaN where the assay failed.

    All genes come from one sample, and so fail together.

    Args:
        truth: columns `markers.GENES`, pten_loss, patient_id. seed: of the study; draws belong to the patient.
    """
    ids, told = truth["patient_id"].to_numpy(), truth.copy()

    def call(gene: str, assay: CallSettings, failed: np.ndarray) -> None:
        u = uniforms(seed, f"assay_call_{gene}", ids)[:, 0]
        found = np.where(truth[gene].to_numpy(bool), u < assay.sensitivity, u >= assay.specificity)
        told[gene] = np.where(failed, np.nan, found)

    failed = _fails(seed, "ngs", ids, ngs.failure)
    for gene in GENES:
        call(gene, ngs, failed)
    call("pten_loss", pten, _fails(seed, "pten", ids, pten.failure))
    return told


def _fails(seed: int, sample: str, ids: np.ndarray, share: float) -> np.ndarray:
    return uniforms(seed, f"assay_fails_{sample}", ids)[:, 0] < share


def measured(truth: pd.DataFrame, assays: AssaySettings, seed: int) -> pd.DataFrame:
    """``truth`` with the columns of genes, PTEN, phosphoproteins and concentration as reported; NaN where the assay failed.

    Genes: see `genes_called`. The biopsy before and the one under treatment fail and vary each on its
    own; the fold is that of the two levels as measured. Levels are lognormal around the truth.

    Args:
        truth: columns of `markers.marker_table`, with patient_id. seed: of the study; draws belong to the patient.
    """
    ids = truth["patient_id"].to_numpy()
    told = genes_called(truth, assays.ngs, assays.pten, seed)

    def noise(sample: str, assay: LevelSettings) -> np.ndarray:
        factor = np.exp(np.sqrt(np.log1p(assay.cv**2)) * normals(seed, f"assay_level_{sample}", ids)[:, 0])
        return np.where(_fails(seed, sample.split(" ")[0], ids, assay.failure), np.nan, factor)

    for protein in ("ps6", "pakt"):
        before, under = noise(f"tissue_before {protein}", assays.tissue), noise(f"tissue_under {protein}", assays.tissue)
        told[f"{protein}_tumour_basal"] = truth[f"{protein}_tumour_basal"] * before
        told[f"{protein}_tumour_fold"] = truth[f"{protein}_tumour_fold"] * under / before
    told["ps6_pbmc_fold"] = (
        truth["ps6_pbmc_fold"] * noise("blood_under ps6", assays.blood) / noise("blood_before ps6", assays.blood)
    )
    told["cmin_ng_ml"] = truth["cmin_ng_ml"] * noise("concentration", assays.concentration)
    return told
