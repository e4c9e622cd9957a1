"""A run in the forms of others: analysis datasets as CDISC names them, for statisticians and their programs.

adam      ADSL, ADRS, ADTR, ADTTE, ADAE, ADPC, ADPP from the saved tables of a trial
metadata  label, type, controlled terms and origin of every variable (data/adam.csv)
files     CSV, Parquet, SAS transport (XPT)
"""

from trialsim.exchange.adam import DATASETS as DATASETS
from trialsim.exchange.adam import dataset as dataset
from trialsim.exchange.files import FORMATS as FORMATS
from trialsim.exchange.files import export as export
