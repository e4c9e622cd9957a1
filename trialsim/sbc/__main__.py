"""The page of the documentation: python -m trialsim.sbc docs/simulation_based_calibration.md

About an hour of one core, half of it for the two models of the calibration; what is done is kept in --keep, and a run that was
interrupted goes on.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from trialsim.engine.population import claim_cores
from trialsim.sbc import page
from trialsim.sbc.models import MODELS
from trialsim.sbc.repeated import repeated


def main() -> int:
    form = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(prog="python -m trialsim.sbc", description=__doc__, formatter_class=form)
    parser.add_argument("file", type=Path, help="page to write, .md")
    parser.add_argument("--only", metavar="MODEL", nargs="+", choices=MODELS, default=list(MODELS), help=f"of: {'; '.join(MODELS)}")
    parser.add_argument("--repetitions", type=int, metavar="N", help="of each model (default: 100 to 2,000, by its cost)")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", default=Path("outputs/sbc"), help="ranks by model (outputs/sbc)")
    given = parser.parse_args()
    claim_cores(None)
    given.keep.mkdir(parents=True, exist_ok=True)
    found = {}
    for name in given.only:
        rows = repeated(name, MODELS[name], given.repetitions or MODELS[name].repetitions, given.keep)
        found[name] = page.judged_rows(MODELS[name], rows)
    given.file.write_text(page.document(found), encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
