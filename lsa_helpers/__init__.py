"""From satellite images to an explained landslide susceptibility map.

The rooms of this package, in the order the data flows; each imports only from rooms above it:
errors, params, run, grid, paper, world, sources, factors, detect, samples, screen, dense, models,
validate, classes, explain, show, manifest, kernel, inputs, pipeline, pages, publish, pairs,
bench, cli.
"""

__version__ = "0.1.0"
