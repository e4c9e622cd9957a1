"""Another group's signalling model, in SBML, beside our network: the same inhibition, the same times, the same read-outs.

experiment  what the user says of the model: read-outs, drug, times
document    the file, checked before anything reads it in earnest: size, form, names
expression  sums and products of names, the one form of a read-out
worker      runs the model (libroadrunner, the extra ``sbml``) in a process of its own
simulate    starts that process, with limits of time and memory
network     our network under the matching inhibition
compare     folds of both, as frames

The page is ``trialsim.report.signalling``, the command ``trialsim signalling``.
"""

from trialsim.sbml.compare import Comparison as Comparison
from trialsim.sbml.compare import compare as compare
from trialsim.sbml.document import Document as Document
from trialsim.sbml.document import read_document as read_document
from trialsim.sbml.experiment import Experiment as Experiment
from trialsim.sbml.experiment import read_experiment as read_experiment
from trialsim.sbml.simulate import TIME_LIMIT_S as TIME_LIMIT_S
