"""Our generator as an exported file, run by its runtime. Imported by workers only."""

import importlib.util
import tempfile
from pathlib import Path

import keras
import numpy as np

from benchmarks.harness.run import SkippedError
from benchmarks.networks.batch_run import BatchRun
from benchmarks.networks.ours import make_generator
from keras_spade.exporting.export import FORMATS

READERS = {"onnx": "onnxruntime"}


def make(device, settings, samples, **options):
    """Makes the `Run` of a file: inference from NumPy arrays to bytes; options as in `export`."""
    if settings.task != "inference" or settings.network != "generator":
        raise SkippedError("files are of the generator's inference only")
    if settings.precision != "float32":
        raise SkippedError("files compute in float32")
    needs = (*FORMATS[options["format"]].NEEDS, READERS.get(options["format"], "keras"))
    if missing := [name for name in needs if importlib.util.find_spec(name) is None]:
        raise SkippedError(f"not installed: {', '.join(missing)}")
    return FileRun(device, settings, samples, options)


class FileRun(BatchRun):
    """Steps of a file."""

    def __init__(self, device, settings, samples, options):
        super().__init__(device, settings, samples)
        keras.utils.set_random_seed(0)
        conditioning = {
            "num_classes": settings.num_classes,
            "image_shape": (settings.height, settings.width, 3),
            "void_class": settings.void_class,
            "instance_edges": settings.instance_edges,
            "base_filters": settings.base_filters,
        }
        generator = make_generator(settings, conditioning)
        self.names = list(generator.input)
        readers = {"tf_saved_model": saved_model, "onnx": onnx, "litert": litert}
        with tempfile.TemporaryDirectory() as folder:
            path = str(Path(folder) / "generator")
            generator.export(path, verbose=False, **options)
            self.versions, self.step = readers[options["format"]](path)

    def place(self, batch):
        latent = np.zeros((self.samples, self.settings.latent_dim or 0), "float32")
        batch = batch | {"latent": latent}
        dtypes = {"labels": "int32"}
        return {name: batch[name].astype(dtypes.get(name, "float32")) for name in self.names}


def saved_model(path):
    """Version and step of a SavedModel, run by TensorFlow."""
    import tensorflow as tf

    loaded = tf.saved_model.load(path)
    return {"tensorflow": tf.__version__}, lambda batch: loaded.serve(batch)["image"].numpy()


def onnx(path):
    """The same for an ONNX file, run by onnxruntime."""
    import onnxruntime

    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    return {"onnxruntime": onnxruntime.__version__}, lambda batch: session.run(None, batch)[0]


def litert(path):
    """The same for a LiteRT file, run by TensorFlow's interpreter on all available cores."""
    import os

    import tensorflow as tf

    threads = len(os.sched_getaffinity(0))
    interpreter = tf.lite.Interpreter(path, num_threads=threads)
    run = interpreter.get_signature_runner()
    return {"tensorflow": tf.__version__}, lambda batch: run(**batch)["image"]
