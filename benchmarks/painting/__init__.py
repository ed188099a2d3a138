"""The time from a stroke to its picture in the painter."""
