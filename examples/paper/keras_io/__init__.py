"""Comparison with the GauGAN of the keras.io examples; see `__main__.py`."""
