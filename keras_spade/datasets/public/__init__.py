"""The published sets: a file each, with names, colours, folders and how it is loaded."""
