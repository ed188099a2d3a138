"""Epochs of input pipelines. Imported by workers only, as the libraries are that they need.

The job: decode a photograph and its label map, resize to 286 x 286, crop to 256 x 256, flip, batch.
Keras' image_dataset_from_directory reads the photographs only, and resizes them to 256 x 256.
"""

import tempfile
from dataclasses import dataclass
from pathlib import Path

from benchmarks.harness.plan import Subject
from benchmarks.harness.run import Run

LOAD, SIZE = 286, 256


def _loader(kind, floats):
    options = {"pipeline": "data_loader", "kind": kind, "floats": floats}
    return Subject("torch", __name__, options, ours=False)


def _tensorflow(pipeline, ours=True, **options):
    return Subject("tensorflow", __name__, {"pipeline": pipeline, **options}, ours)


SUBJECTS = {
    "DataLoader": _loader("PairDataset", True),
    "DataLoader, uint8 to the batch": _loader("PairDataset", False),
    "DataLoader, decoded before": _loader("DecodedDataset", True),
    "DataLoader, decoded before, uint8 to the batch": _loader("DecodedDataset", False),
    "ours files": _tensorflow("files"),
    "ours TFRecords": _tensorflow("records"),
    "ours cached": _tensorflow("files", cache=True),
    "Keras, images only": _tensorflow("keras_images", ours=False),
}


@dataclass(frozen=True)
class PipelineSettings:
    """The folder with images/ and labels/, ids in the label maps, and workers of the DataLoader."""

    data: str
    num_classes: int
    workers: int


class EpochRun(Run):
    """A step is an epoch.

    Args:
        device: the `Device`.
        open_pipeline: a function of the batch size that returns batches, dicts or arrays, to go
            through again and again; images that are not floats become so.
    """

    def __init__(self, device, open_pipeline):
        super().__init__(device)
        self.open_pipeline = open_pipeline

    def prepare(self, case):
        self.batches = self.open_pipeline(case["batch"])
        self.samples = 0
        self.samples = self.step(None)  # Fills caches, starts workers.

    def step(self, batch):
        count = 0
        for found in self.batches:
            image = found["image"] if isinstance(found, dict) else found
            count += len(as_floats(image) if "uint8" in str(image.dtype) else image)
        return count


def make(device, settings, samples, pipeline, **options):
    """The `Run` of a pipeline."""
    pipelines = {
        "data_loader": data_loader,
        "files": files,
        "records": records,
        "keras_images": keras_images,
    }
    return EpochRun(device, pipelines[pipeline](settings, **options))


def as_floats(image):
    """uint8 images as float32 in [-1, 1]."""
    from benchmarks.input import torch_loader

    return torch_loader.as_floats(image)


def files(settings, **more):
    """Ours from files."""
    from keras_spade import datasets

    def open_files(batch_size):
        return datasets.paired_folders(
            settings.data,
            settings.num_classes,
            (SIZE, SIZE),
            batch_size,
            load_size=LOAD,
            flip=True,
            instances=False,
            **more,
        )

    return open_files


def records(settings):
    """Ours from TFRecords, written beforehand."""
    from keras_spade import datasets

    folder = tempfile.TemporaryDirectory()

    def open_records(batch_size):
        path = Path(folder.name) / f"records_{batch_size}"
        datasets.write_tfrecords(files(settings)(batch_size), path, verbose=0)
        options = {"load_size": LOAD, "flip": True, "batch_size": batch_size}
        return datasets.tfrecords(path, (SIZE, SIZE), **options)

    return open_records


def keras_images(settings):
    """Keras' photographs without label maps."""
    import keras

    def open_images(batch_size):
        return keras.utils.image_dataset_from_directory(
            str(Path(settings.data) / "images"),
            labels=None,
            batch_size=batch_size,
            image_size=(SIZE, SIZE),
            verbose=False,
        )

    return open_images


def data_loader(settings, kind, floats):
    """PyTorch's, with worker processes."""
    from benchmarks.input import torch_loader

    folders = (sorted((Path(settings.data) / name).iterdir()) for name in ("images", "labels"))
    pairs = [(str(a), str(b)) for a, b in zip(*folders, strict=True)]
    dataset = getattr(torch_loader, kind)(pairs, LOAD, SIZE, floats)
    return lambda batch_size: torch_loader.loader(dataset, batch_size, settings.workers)
