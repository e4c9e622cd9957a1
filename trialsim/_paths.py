"""Where the configuration lies: inside an installed package, or beside it in a checkout."""

from __future__ import annotations

from pathlib import Path


def conf_dir() -> Path:
    """Absolute path of the folder with ``config.yaml`` and its groups.

    Inside the package is tried first: an installed package must not pick up another project's ``site-packages/conf``. A
    checkout has no ``trialsim/conf``, so there the top-level ``conf/`` is used and edits take effect at once.
    """
    package = Path(__file__).resolve().parent
    places = (package / "conf", package.parent / "conf")
    for place in places:
        if (place / "config.yaml").is_file():
            return place
    raise FileNotFoundError("config.yaml not found in " + " or ".join(str(place) for place in places))
