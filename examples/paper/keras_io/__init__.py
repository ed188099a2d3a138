"""Ours beside the GauGAN of keras.io's examples; see `__main__.py`."""
