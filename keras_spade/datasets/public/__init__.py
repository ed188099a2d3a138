"""Public datasets, one per file, with names, colours, folders and loading function."""
