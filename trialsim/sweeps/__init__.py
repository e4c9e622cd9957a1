"""Several runs of one question side by side: the record of a sweep, and how its runs differ."""

from trialsim.sweeps.record import Job as Job
from trialsim.sweeps.record import Record as Record
