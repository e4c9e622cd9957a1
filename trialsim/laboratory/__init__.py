"""The published laboratory facts (`evidence.laboratory`), each with the experiment that gives the model's value."""

from trialsim.laboratory import fates, panels, signals
from trialsim.laboratory.bench import Bench as Bench
from trialsim.laboratory.clinic import IN_PATIENTS as IN_PATIENTS
from trialsim.laboratory.clinic import Clinic as Clinic
from trialsim.laboratory.misses import MISSES as MISSES
from trialsim.laboratory.register import IN_DISHES as IN_DISHES

EXPERIMENTS = (fates, panels, signals)  # importing them registers what they measure
