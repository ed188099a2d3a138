"""Reports on the contents and problems of a dataset before training."""
