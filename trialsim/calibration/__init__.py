"""What published trials say of the model: parameters of drugs, tumour types and lines, fitted to all of them at once.

arms, published    published trials as settings that simulate them, and their numbers as a likelihood takes them
parameters         what may be moved, and its priors
library            patients simulated over the priors
emulator, system   from parameters to the shares of an arm's patients with each outcome
likelihood, model  from shares to published numbers; the hierarchy
meta               the opponent: a meta-analysis without a model of the drug
sampling, run      NUTS; a whole calibration, piece by piece
predictive, scores what trials would publish, and how well that was met
apply, posterior   a study in a draw of the posterior; the posterior that is shipped
"""
