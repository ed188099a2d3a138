"""Samples in a few large files."""
