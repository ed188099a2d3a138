"""Scripts and notebooks that use the package by its public names."""
