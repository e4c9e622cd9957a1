"""Designs that use a marker: who is tested, who is randomised, and in whom the drug is claimed to work.

assay         what an imperfect assay reports, and what its mistakes do to the effect and to the number screened
size          events, patients and screening that a trial takes
candidates    the patients who come, with their outcome under both arms and their marker as measured
conduct       from candidates to randomised patients, and from those to what is seen on a day
multiplicity  claims in all patients and in subgroups with the family-wise error controlled
fixed         all comers; marker-positive patients only; everyone, stratified by marker
adaptive      two stages with the population of the second chosen at an interim look
from_settings what the configuration says, as a call
"""
