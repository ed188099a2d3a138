"""From folders of photographs and label maps to batches."""
