"""Puts the parts of a study (compute.parts, compute.part) together in one folder, then fits, compares and reports."""

from __future__ import annotations

import argparse

from trialsim import console

SUMMARY = "put the parts of a study that several machines shared together"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("out", metavar="OUT", help="folder of the whole study")
    parser.add_argument("parts", metavar="PART", nargs="+", help="folder of a part; all of them")


def run(given: argparse.Namespace) -> int:
    from trialsim import parts

    console.print_summary(parts.merge(given.parts, given.out), given.out)
    return 0
