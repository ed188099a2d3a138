"""The console script, which silences TensorFlow before the package imports it."""

import os


def main():
    """Runs `keras_spade.painting.main`."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    from keras_spade import painting

    painting.main()
