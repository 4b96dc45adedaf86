"""This package's own pipeline."""
