"""Figures of in vitro assays: dose-response curves, plates, blots, fates of cells, metrics, published facts."""
