"""Drawn landscapes, a data set that needs no download."""
