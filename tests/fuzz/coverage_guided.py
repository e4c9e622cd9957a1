"""Coverage-guided fuzzing of one reader with atheris, beside the tests; needs ``pip install atheris`` (Linux, macOS).

    python tests/fuzz/coverage_guided.py covariates_csv -runs=20000

Further words are options of libFuzzer. An input that fails is written to ``crash-...``; move it to ``corpus/READER/``.
"""

from __future__ import annotations

import contextlib
import shutil
import sys
import tempfile
from pathlib import Path

import atheris

sys.path[:0] = [str(Path(__file__).parents[2]), str(Path(__file__).parent)]
with atheris.instrument_imports(include=["trialsim.artefacts", "trialsim.cohort", "trialsim.evidence", "trialsim.schema", "yaml"]):
    import fuzz_readers

    from trialsim.schema import ConfigError


def main() -> None:
    name, *options = sys.argv[1:]
    home = Path(tempfile.mkdtemp())
    given = home / "seeds"
    given.mkdir()
    for number, seed in enumerate(fuzz_readers.seeds(name, home)):
        (given / str(number)).write_bytes(seed)

    def one(data: bytes) -> None:
        inner = home / "a"
        inner.mkdir()
        try:
            with contextlib.suppress(ConfigError):
                fuzz_readers.RUN[name](data, inner, home)
        finally:
            shutil.rmtree(inner)

    atheris.Setup([sys.argv[0], *options, str(given)], one)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
