"""From files on disk (or from nothing) to `{"labels", "instances", "image"}` batches."""
