"""Who benefits, and what tells it beforehand.

twins            every patient on the drug and without it; what an early look shows
markers          what is looked at: flags and levels, which way they are thought to point
assay            markers as a laboratory reports them
outcome          landmark, weights for censoring, benefit that only twins reveal
discrimination   AUC and ROC
models           markers together: cross-validated chances, calibration
effects          predictive against prognostic: the drug's effect by marker
enrichment       what a trial in marker-positive patients takes
literature       published findings beside the simulated ones
"""
