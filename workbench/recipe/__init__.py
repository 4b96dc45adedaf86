"""A training as a config: what it is made of, how it is prepared, run and written down as code."""
