"""Figures and the web map: used by the notebooks and the publisher only."""
