"""The report: reads the saved artefacts of one run, never simulates, and writes what a clinician reads."""

from trialsim.report.write import write_report as write_report
