"""Exporting a generator to files for other programs: shared code, and one module per format."""

from keras_spade.exporting.export import Export as Export
