"""In vitro: the same cells as in patients, in a dish, with the read-outs of a laboratory."""
