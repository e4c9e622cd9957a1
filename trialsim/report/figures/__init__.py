"""Figures, one family a module. Each function takes the run and gives a Panel: a plot and a sentence in words."""
