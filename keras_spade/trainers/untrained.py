"""On backends without a trainer: models are built, loaded and used, not trained."""

import keras


class Trainer:
    """Stands in front of `keras.Model` where training is not available."""

    def train_step(self, *args):
        """Raises."""
        raise RuntimeError(
            f"keras_spade trains on TensorFlow; the backend is {keras.backend.backend()}. "
            "Set KERAS_BACKEND=tensorflow, or use the model for inference."
        )

    test_step = train_step

    def check_label_range(self, labels, num_classes):
        """Passes the labels on: inside a compiled function these backends cannot raise."""
        return labels
