"""``python -m trialsim`` does what the ``trialsim`` command does."""

from trialsim.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
