"""Runs: which runbooks there are, their parameters, and how one is executed so that its record is the truth."""
