"""Folds of our network beside those of published ODE models: ``python experiments/published_models/compare.py [FOLDER_OF_SBML]``.

With a folder the published folds are measured anew (about two minutes) and replace those in ``tests/data/published_models``.
Writes ``comparison.csv`` here: one row a signal, residue of mTORC1 activity and time.
"""

import sys
from pathlib import Path

import pandas as pd
import yaml

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tests" / "mechanism"))

from cells import RAPAMYCIN, cell, fold  # noqa: E402
from published_models import DATA, HOURS, MODELS, RESIDUES, block, measure, measure_rapamycin, published, spread  # noqa: E402

from trialsim.schema.network import NetworkSettings  # noqa: E402

SIGNALS = ("S473", "T308", "ERK", "S6K", "BP")


def remeasure(folder: Path) -> None:
    table = pd.concat([measure(model, folder) for model in MODELS])
    table.to_csv(DATA / "mtorc1_block.csv", index=False, float_format="%.4g")
    measure_rapamycin(folder).to_csv(DATA / "rapamycin_dose.csv", index=False, float_format="%.4g")


def comparison(network) -> pd.DataFrame:
    """One row a signal, residue and time.

    Columns: signal, residue, hours; one a published model (empty: no such signal, or its control drifted more than two-fold);
    lowest, highest of them at either residue; trialsim under the same block; over_limit, its fold over the nearer limit (1 =
    inside); trialsim_rapamycin, under 20 nM rapamycin.
    """
    table = published()
    negative = [model.citation for model in MODELS if model.feedback == "negative"]
    rows = []
    for signal in SIGNALS:
        for residue in RESIDUES:
            for hours in HOURS[1:]:
                found = table[(table.signal == signal) & (table.residue == residue) & (table.hours == hours)]
                low, high = spread(table, signal, hours)
                ours = getattr(block(network, residue, hours), signal)
                rapalog = getattr(fold(network, cell(), RAPAMYCIN, hours), signal)
                by_model = found.set_index("citation")["fold"].reindex(negative)
                outside = ours / min(max(ours, low), high)
                rows.append((signal, residue, hours, *by_model, low, high, ours, outside, rapalog))
    columns = ["signal", "residue", "hours", *negative, "lowest", "highest", "trialsim", "over_limit", "trialsim_rapamycin"]
    return pd.DataFrame(rows, columns=columns)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        remeasure(Path(sys.argv[1]))
    network = NetworkSettings(**yaml.safe_load((ROOT / "conf" / "network" / "default.yaml").read_text(encoding="utf-8")))
    result = comparison(network)
    result.to_csv(Path(__file__).with_name("comparison.csv"), index=False, float_format="%.3g")
    print(result.round(3).to_string(index=False))
