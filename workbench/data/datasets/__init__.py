"""Data sets and loaders of the classic training, one a file; ``workbench.datasets`` hands them on."""
