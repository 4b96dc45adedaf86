"""Tests of the workbench; their folders mirror the package's. ``python -m tests`` runs every check."""
