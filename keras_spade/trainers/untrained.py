"""On backends without a trainer: models are built, loaded and used, not trained."""

import contextlib

import keras


class Trainer:
    """Stands in front of `keras.Model` where training is not available."""

    replicas = workers = 1
    writes_files = True

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

    def paint(self, inputs):
        """Paints arrays."""
        return self.predict_on_batch(inputs)

    def scope(self):
        """Where variables are made so that they fit those of the model: anywhere."""
        return contextlib.nullcontext()

    def check_variables(self, **groups):
        """Passes: these backends have no scopes."""
