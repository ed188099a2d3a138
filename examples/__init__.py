"""Scripts and notebooks that use the package through its public names."""
