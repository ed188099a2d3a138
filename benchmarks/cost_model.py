"""Multiply-adds of the generator by patterns and densely, and how fast they run.

    python benchmarks/cost_model.py --data=coco:../shared/data/coco_stuff_sample

For a residual block of `h x w` pixels a sample, from `C` to `C'` channels with `M = min(C, C')`
between, batch `B`, `N = B h w` pixels, `K` label channels, `H` hidden filters and 3 x 3 kernels:

    its own convolutions   N * 9 * (C M + M C') + N * C C' with a shortcut
    a SPADE, dense         N * 9 * (K H + 2 H C)
    a SPADE, patterns      ids * 9 * K H + P2 * 9 * 2 H C, and P1 * 9 * H additions

`P1` and `P2` are the distinct 3 x 3 and 5 x 5 label patterns of the batch, `ids` about `K`, twice
that with edges. The table sets these numbers beside the measured time of each block in inference,
and beside the machine's own matrix products and convolutions, measured in the same run.
"""

import sys
import time

import numpy as np
import tensorflow as tf
from _data import load_batches
from _machine import cores, processor
from absl import app, flags

from keras_spade import SPADEResBlock
from keras_spade.layers import ConditioningMap, LabelPatterns

FLAGS = flags.FLAGS
flags.DEFINE_string("data", "scenes", "Label maps: scenes, coco:<dir> or folders:<dir>.")
flags.DEFINE_integer("num_classes", None, "Classes without void; needed with folders.")
flags.DEFINE_integer("void_label", 255, "Id of void in the files of folders.")
flags.DEFINE_integer("batch_size", 1, "Label maps at a time.")
flags.DEFINE_integer("height", 256, "Rows.")
flags.DEFINE_integer("width", 256, "Columns.")
flags.DEFINE_integer("base_filters", 64, "Filters at full resolution.")
flags.DEFINE_integer("maps", 3, "How many batches of label maps are measured.")
flags.DEFINE_integer("repeats", 5, "Timed rounds a batch.")

HIDDEN = 128
BLOCKS = ((32, 16, 16), (16, 16, 16), (16, 16, 16), (8, 16, 8), (4, 8, 4), (2, 4, 2), (1, 2, 1))

COLUMNS = (
    "map",
    "channels",
    "P1 / N",
    "P2 / N",
    "own convolutions (G)",
    "SPADEs, patterns (G)",
    "SPADEs, dense (G)",
    "patterns (ms)",
    "of it convolutions",
    "products of rows",
    "rest",
    "pattern search (ms)",
    "dense (ms)",
    "patterns (GFLOP/s)",
    "dense (GFLOP/s)",
)


def milliseconds(functions):
    """The median time of each of some functions, run in turn."""
    rounds = []
    for _ in range(FLAGS.repeats + 1):
        row = []
        for function in functions:
            start = time.perf_counter()
            function().numpy()
            row.append(1000 * (time.perf_counter() - start))
        rounds.append(row)
    return np.median(rounds[1:], axis=0)


def matrix_product(rows, inner, columns):
    """A compiled product of random matrices."""
    a, b = tf.random.normal((rows, inner)), tf.random.normal((inner, columns))
    return tf.function(lambda: tf.matmul(a, b))


def convolutions(block, shape):
    """The block's own convolutions alone, on random activations."""
    x = tf.random.normal(shape)
    y = tf.random.normal((*shape[:3], min(shape[-1], block.filters)))
    convs = [(block.conv_0, x), (block.conv_1, y)]
    if block.learned_shortcut:
        convs.append((block.conv_s, x))
    return tf.function(lambda: tf.add_n([tf.reduce_sum(conv(inputs)) for conv, inputs in convs]))


class Row:
    """One block: its multiply-adds and times, summed over batches of label maps."""

    def __init__(self, scale, factor_in, factor_out):
        self.size = (FLAGS.height // scale, FLAGS.width // scale)
        self.channels = [factor * FLAGS.base_filters for factor in (factor_in, factor_out)]
        self.block = SPADEResBlock(self.channels[1], spectral_norm=False)
        self.numbers = 0

    def measure(self, batch, channels):
        """Adds one batch: shares, giga-multiply-adds and milliseconds."""
        labels, edges = batch["labels"], batch.get("edges")
        pixels = len(labels) * self.size[0] * self.size[1]
        classes = channels - (edges is not None)
        encoders = (
            LabelPatterns(*self.size, classes, modulation="patterns"),
            ConditioningMap(*self.size, classes),
        )
        stored = tf.Variable(labels)  # A constant would be searched once, when it is compiled.
        search = tf.function(lambda: encoders[0](stored, edges)["index"])
        patterns, dense = (encode(labels, edges) for encode in encoders)
        shape = (len(labels), *self.size, self.channels[0])
        x = tf.random.normal(shape)
        paths = [tf.function(lambda m=m: self.block(x, m)) for m in (patterns, dense)]
        paths[0]()  # Builds the block.
        p1, p2 = (patterns[f"members_{i}"].shape[0] for i in (0, 1))
        (c_in, c_out), middle = self.channels, min(self.channels)
        spades = [c_in, middle] + [c_in] * (c_in != c_out)
        own = 9 * (c_in * middle + middle * c_out) + c_in * c_out * (c_in != c_out)
        ids = patterns["pixels"].shape[0]
        by_patterns = sum(9 * HIDDEN * (ids * channels + 2 * p2 * c) for c in spades)
        densely = sum(pixels * 9 * HIDDEN * (channels + 2 * c) for c in spades)
        products = [matrix_product(p2, 9 * HIDDEN, 2 * c) for c in spades]
        times = milliseconds([*paths, convolutions(self.block, shape), search, *products])
        giga = [n / 1e9 for n in (pixels * own, by_patterns, densely)]
        self.numbers = self.numbers + np.array(
            [p1 / pixels, p2 / pixels, *giga, *times[:4], times[4:].sum()]
        )


def report(rows):
    """Prints the table; the last line is the sum of the blocks."""
    print("| " + " | ".join(COLUMNS) + " |\n" + "|---" * len(COLUMNS) + "|")
    total = 0
    for row in rows:
        numbers = row.numbers / FLAGS.maps
        total = total + numbers
        line("{} x {}".format(*row.size), "{} to {}".format(*row.channels), numbers)
    line("sum", "", total, shares=False)


def line(name, channels, numbers, shares=True):
    """Prints one row of the table."""
    p1, p2, own, ours, dense, ms, dense_ms, convs, search, products = numbers
    rest = ms - convs - products
    cells = [name, channels, f"{p1:.3f}" if shares else "", f"{p2:.3f}" if shares else ""]
    cells += [f"{giga:.2f}" for giga in (own, ours, dense)]
    cells += [f"{value:.1f}" for value in (ms, convs, products, rest, search, dense_ms)]
    cells += [f"{2000 * (own + ours) / ms:.0f}", f"{2000 * (own + dense) / dense_ms:.0f}"]
    print("| " + " | ".join(cells) + " |", flush=True)


def main(_):
    """Prints the machine's peak and the table."""
    tf.get_logger().setLevel("ERROR")  # Many small functions are traced on purpose.
    size = (FLAGS.height, FLAGS.width)
    batches, num_classes, void_class = load_batches(
        FLAGS.data, FLAGS.maps, FLAGS.batch_size, size, FLAGS.num_classes, FLAGS.void_label, None
    )
    channels = num_classes + void_class + ("edges" in batches[0])
    print("`python benchmarks/cost_model.py " + " ".join(sys.argv[1:]) + "`")
    print(f"{processor()}, {cores()} cores, {channels} label channels, batch {FLAGS.batch_size}\n")
    peak = milliseconds([matrix_product(2048, 2048, 2048)])[0]
    print(f"matrix product 2048 x 2048 x 2048: {2 * 2.048**3 / peak * 1000:.0f} GFLOP/s\n")
    rows = [Row(*block) for block in BLOCKS]
    for batch in batches:
        for row in rows:
            row.measure(batch, channels)
    report(rows)


if __name__ == "__main__":
    app.run(main)
