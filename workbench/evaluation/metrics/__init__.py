"""What the evaluators compute, as pure functions over numpy arrays; one concept a file."""
