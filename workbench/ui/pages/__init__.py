"""One page a file: a function that lays it out and wires it, and beside it the pure handlers."""
