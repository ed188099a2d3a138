"""What the trainers of JAX and PyTorch share: one process, and as Keras sees it one replica."""

import contextlib

from keras import ops

from keras_spade.trainers.fitting import Fitting
from keras_spade.trainers.streams import is_tf_dataset, stream_of_arrays


class OneProcess(Fitting):
    """Training where there are no other replicas to sum over."""

    replicas = workers = smallest_batch = 1
    writes_files = True

    def training_data(self, data, place, epochs, backup):
        """The arguments of `fit` that are data, so that they begin at a place.

        Steps that were made before take a batch each, which nobody looks at: Keras' loop on these
        backends reads one a step.
        """
        if not is_tf_dataset(data["x"]):
            return data if backup is None else stream_of_arrays(self, data, place, epochs, backup)
        from keras_spade.trainers.tensorflow_streams import training_stream, with_empty_batches

        stream = training_stream(self, data, place, epochs, backup)
        if stream is None:
            return data
        return stream | {"x": with_empty_batches(stream["x"], place[1], self.smallest_batch)}

    def evaluation_data(self, data):
        """Data, of which a dataset gives the same batches each time."""
        if not is_tf_dataset(data):
            return data
        from keras_spade.trainers.tensorflow_streams import one_epoch

        return one_epoch(data)

    def paint(self, inputs):
        """Paints arrays."""
        return self.predict_on_batch(inputs)

    def scope(self):
        """Where variables are made so that they fit those of the model: anywhere."""
        return contextlib.nullcontext()

    def check_variables(self, **groups):
        """Passes: there are no scopes."""

    def _prepared(self, data):
        """A batch as the steps take it; its samples are all there are."""
        batch = self.prepare_batch(data)
        return batch | {"total": ops.shape(batch["image"])[0], "share": 1.0}
