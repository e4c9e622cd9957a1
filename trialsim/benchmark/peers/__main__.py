"""``python -m trialsim.benchmark.peers``: the table of peers alone."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

from trialsim.benchmark.peers import PEERS, PeerResult, as_json, run_peers


def table(results: Sequence[PeerResult]) -> str:
    """Fixed-width text, fastest first, unavailable ones last."""
    measured = sorted((row for row in results if row.unavailable is None), key=lambda row: -row.patients_per_s)
    lines = [f"{'peer':18} {'patients/CPU-s':>14} {'error p99':>10} {'compile s':>10} {'n':>5}  settings"]
    for row in measured:
        numbers = f"{row.patients_per_s:14.1f} {row.error_p99:10.1e} {row.compile_s:10.1f} {row.n:5d}"
        lines.append(f"{row.name:18} {numbers}  {row.version}; {row.settings}")
    lines += [f"{row.name:18} unavailable: {row.unavailable}" for row in results if row.unavailable is not None]
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m trialsim.benchmark.peers", description=__doc__)
    parser.add_argument("--patients", type=int, default=200, help="the first so many of the parameter file")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--peers", nargs="+", choices=list(PEERS), metavar="NAME", help="default: all")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the results here too")
    options = parser.parse_args(arguments)
    results = run_peers(options.peers, options.patients, options.repeats)
    print(table(results))
    if options.json is not None:
        options.json.write_text(json.dumps(as_json(results), indent=2) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
