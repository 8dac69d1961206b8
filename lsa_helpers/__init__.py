"""From satellite images to an explained landslide susceptibility map.

The rooms of this package in the order in which data flow; each imports only from rooms before it:
errors, run, answers, reproducible, raster, paper, audit, mountain, sources, factors, detect,
samples, validation, selection, cnn, models, classes, explain, show, runner.
"""

__version__ = "0.1.0"
