"""Drawn landscapes: a dataset that needs no download."""
