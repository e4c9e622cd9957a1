"""Writes the report of a finished run again, from what the run saved; nothing is simulated.

With --figures every figure is also written as a file, figures/NAME.svg or .png, light colours on white.
"""

from __future__ import annotations

import argparse

from trialsim import console

SUMMARY = "write the report of a finished run again, its figures also as SVG or PNG"

FORMATS = ("svg", "png")


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", metavar="RUN", nargs="+", help="folder of a finished run")
    parser.add_argument("--figures", metavar="FORMAT", nargs="+", default=[], choices=FORMATS, help="svg, png or both")


def run(given: argparse.Namespace) -> int:
    from trialsim import load_run, write_report
    from trialsim.report.images import able_to_draw, write_images

    folders = [load_run(folder).path for folder in given.run]  # all of them, before the first is written
    if given.figures:
        able_to_draw("--figures", "svg or png")
    for folder in folders:
        page = write_report(folder)
        if given.figures:
            with console.step("drawing the figures"):
                write_images(folder, given.figures)
        console.out.print(f"Report: {page}", markup=False)
    return 0
