"""Run the chapters by a parameter file: parameters, execution, manifest, book, command line."""
