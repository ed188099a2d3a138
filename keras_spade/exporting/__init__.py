"""A generator as a file that other programs run: what is written, and one module a format."""

from keras_spade.exporting.export import Export as Export
