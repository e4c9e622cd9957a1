"""Published numbers: tables with source and definition, checked on loading. A leaf that inference and report read.

load          the tables as typed, checked DataFrames
schema        what every column means, its unit and range
counts        events and denominators behind a row
published     one study's endpoints under the names of summary.json
likeness      whether a published arm is of the treatment and patients that a study has
doses         whether a dose is above those that were studied
exposure      published concentrations to set beside the simulated ones
laboratory    laboratory facts with their bands, to hold the signalling model to
monotherapy   single-agent counts by tumour type
historical    those of them that a new trial may borrow from
intervals     exact (Clopper-Pearson) intervals
"""

from trialsim.evidence.exposure import published_exposure as published_exposure
from trialsim.evidence.historical import historical_counts as historical_counts
from trialsim.evidence.intervals import clopper_pearson as clopper_pearson
from trialsim.evidence.laboratory import LaboratoryFact as LaboratoryFact
from trialsim.evidence.laboratory import load_laboratory as load_laboratory
from trialsim.evidence.load import load_biomarkers as load_biomarkers
from trialsim.evidence.load import load_doses as load_doses
from trialsim.evidence.load import load_efficacy as load_efficacy
from trialsim.evidence.load import load_exposure as load_exposure
from trialsim.evidence.load import load_interactions as load_interactions
from trialsim.evidence.load import load_phase1 as load_phase1
from trialsim.evidence.load import load_survival_points as load_survival_points
from trialsim.evidence.monotherapy import drugs_given_alone as drugs_given_alone
from trialsim.evidence.monotherapy import monotherapy_counts as monotherapy_counts
from trialsim.evidence.published import PublishedEndpoint as PublishedEndpoint
from trialsim.evidence.published import named_arm as named_arm
from trialsim.evidence.published import published_endpoints as published_endpoints
from trialsim.evidence.published import published_hazard_ratio as published_hazard_ratio
from trialsim.evidence.published import published_study as published_study
