"""Images a second from files, records and memory, beside Keras and a PyTorch DataLoader.

    python benchmarks/input_pipeline.py --data=../shared/data/camvid/train
    python benchmarks/input_pipeline.py --pairs=100000

The job: decode a photograph and its label map, resize to 286 x 286, crop to 256 x 256, flip, batch.
Keras' image_dataset_from_directory reads the photographs only, and resizes them to 256 x 256. Each
round runs an epoch of every variant, one after another; caches and workers are there before.

With --pairs, it writes so many small pairs of files and says how long a dataset of them takes to
make, and how much memory it keeps.
"""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import gc
import multiprocessing
import resource
import sys
import tempfile
import time
from pathlib import Path

from _machine import busy_seconds, cores, others_share, processor
from _table import GIB, rate_table
from absl import app, flags

FLAGS = flags.FLAGS
flags.DEFINE_string("data", None, "A folder with images/ and labels/.")
flags.DEFINE_integer("num_classes", 12, "Ids in the label maps, void among them.", lower_bound=1)
flags.DEFINE_integer("batch_size", 8, "Samples in a batch.", lower_bound=1)
flags.DEFINE_integer("rounds", 7, "Epochs of each variant.", lower_bound=1)
flags.DEFINE_integer("workers", 2, "Of the DataLoader.", lower_bound=1)
flags.DEFINE_integer("pairs", 0, "Measure memory and time to begin on so many pairs instead.")

LOAD, SIZE = 286, 256


def main(argv):
    if len(argv) > 1:
        raise app.UsageError(f"Unknown arguments: {argv[1:]}")
    if FLAGS.pairs:
        return large_set(FLAGS.pairs)
    if FLAGS.data is None:
        raise app.UsageError("--data is needed.")
    with tempfile.TemporaryDirectory() as folder:
        variants = {**ours(Path(folder)), **others()}
        for epoch in variants.values():  # Fills caches, starts workers.
            epoch()
        rates, processor_time = ({name: [] for name in variants} for _ in range(2))
        before, began, own = busy_seconds(), time.perf_counter(), time.process_time()
        for _ in range(FLAGS.rounds):
            for name, epoch in variants.items():
                start, cpu = time.perf_counter(), cpu_seconds()
                count = epoch()
                rates[name].append(count / (time.perf_counter() - start))
                processor_time[name].append(1000 * (cpu_seconds() - cpu) / count)
        wall = time.perf_counter() - began
        busy = busy_seconds() - before
    print(f"{processor()}, {cores()} cores; {FLAGS.rounds} rounds, batches of {FLAGS.batch_size}")
    share = others_share(busy, time.process_time() - own, wall)
    print(f"share of the cores taken by other processes, the workers among them: {share:.0%}\n")
    baseline = f"DataLoader, {FLAGS.workers} workers"
    print(rate_table(rates, baseline, "images a second"))
    print("\nProcessor time of all threads and workers, which other processes disturb less:\n")
    print(rate_table(processor_time, baseline, "ms an image", 2))
    print(f"\n`python benchmarks/input_pipeline.py {' '.join(sys.argv[1:])}`")


def ours(folder):
    """Functions that run an epoch and return the number of images, by name."""
    from keras_spade import datasets

    options = {"load_size": LOAD, "flip": True, "batch_size": FLAGS.batch_size}
    size = (SIZE, SIZE)

    def files(**more):
        return datasets.paired_folders(
            FLAGS.data, FLAGS.num_classes, size, instances=False, **options, **more
        )

    datasets.write_tfrecords(files(), folder / "records", verbose=0)
    return {
        "ours, files": over(files()),
        "ours, TFRecords": over(datasets.tfrecords(folder / "records", size, **options)),
        "ours, cached": over(files(cache=True)),
    }


def others():
    """The same of Keras and PyTorch."""
    import keras
    from _torch_loader import DecodedDataset, PairDataset, as_floats, loader

    directory = Path(FLAGS.data)
    images, labels = (sorted((directory / name).iterdir()) for name in ("images", "labels"))
    pairs = [(str(a), str(b)) for a, b in zip(images, labels, strict=True)]
    keras_images = keras.utils.image_dataset_from_directory(
        str(directory / "images"),
        labels=None,
        batch_size=FLAGS.batch_size,
        image_size=(SIZE, SIZE),
        verbose=False,
    )

    def torch_epoch(kind, floats):
        dataset = kind(pairs, LOAD, SIZE, floats)
        batches = loader(dataset, FLAGS.batch_size, FLAGS.workers)

        def epoch():
            count = 0
            for batch in batches:
                count += len(batch["image"] if floats else as_floats(batch["image"]))
            return count

        return epoch

    name = f"DataLoader, {FLAGS.workers} workers"
    return {
        "Keras, images only": over(keras_images),
        name: torch_epoch(PairDataset, True),
        f"{name}, uint8 to the batch": torch_epoch(PairDataset, False),
        f"{name}, decoded before": torch_epoch(DecodedDataset, True),
        f"{name}, decoded before, uint8 to the batch": torch_epoch(DecodedDataset, False),
    }


def cpu_seconds():
    """Processor time of this process and its workers."""
    ticks = 0
    for worker in multiprocessing.active_children():
        fields = Path(f"/proc/{worker.pid}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return time.process_time() + ticks / os.sysconf("SC_CLK_TCK")


def over(dataset):
    """A function that runs an epoch of a `tf.data.Dataset`."""

    def epoch():
        count = 0
        for batch in dataset:
            count += len(batch["image"] if isinstance(batch, dict) else batch)
        return count

    return epoch


def large_set(count):
    """Time to make a dataset of many pairs, and memory while it is read."""
    from PIL import Image

    import keras_spade

    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        for name, mode in (("images", "RGB"), ("labels", "L")):
            (folder / name).mkdir()
            Image.new(mode, (16, 16)).save(folder / "one.png")
            content = (folder / "one.png").read_bytes()
            for number in range(count):
                (folder / name / f"{number:07}.png").write_bytes(content)
        dataset = None

        def make():
            nonlocal dataset
            dataset = keras_spade.datasets.paired_folders(folder, 1, (16, 16), 100)

        def first():
            next(iter(dataset))

        def read():
            for _ in dataset:
                pass

        list(keras_spade.datasets.synthetic_scenes(1, batch_size=1))  # TensorFlow is loaded.
        for name, step in (
            ("making the dataset", make),
            ("first batch of 100", first),
            ("first epoch", read),
            ("second epoch", read),
        ):
            start = time.perf_counter()
            step()
            seconds = time.perf_counter() - start
            gc.collect()
            print(f"{name}: {seconds:.2f} s; memory {resident() / GIB:.3f} GiB", flush=True)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(f"peak memory: {peak / GIB:.3f} GiB")
    print(f"\n`python benchmarks/input_pipeline.py {' '.join(sys.argv[1:])}`")


def resident():
    """Bytes this process keeps in memory."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


if __name__ == "__main__":
    app.run(main)
