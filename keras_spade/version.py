"""The version, in its own file so that packaging can read it without importing Keras."""

__version__ = "0.2.0"
