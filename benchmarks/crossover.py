"""Where label patterns stop paying: one SPADE, by patterns and densely, over shares.

    python benchmarks/crossover.py

Label maps are tiles of noise: `n` x `n` pixels of one random label each. A smaller `n` gives
a larger share of distinct patterns; `n` = 1 is pure noise. Both paths get their input ready made
(patterns, or the one-hot map). Prints seconds, interleaved medians, and the ratio.
"""

import time

import numpy as np
import tensorflow as tf
from absl import app, flags

from keras_spade.layers import SPADE, ConditioningMap, LabelPatterns

FLAGS = flags.FLAGS
flags.DEFINE_integer("repeats", 5, "Timed rounds.")
flags.DEFINE_list("classes", ["6", "36", "184"], "Numbers of classes.")
flags.DEFINE_bool("backward", False, "Forward and backward, else forward only.")


def tiles(size, tile, num_classes):
    """A label map of random tiles."""
    count = -(-size // tile)
    labels = np.random.default_rng(0).integers(0, num_classes, (1, count, count))
    return labels.repeat(tile, 1).repeat(tile, 2)[:, :size, :size].astype("int32")


def step(layer, x, segmap):
    """A compiled function of no arguments: one pass through a layer."""

    @tf.function
    def forward():
        return tf.reduce_sum(layer(x, segmap, training=True))

    @tf.function
    def both():
        with tf.GradientTape() as tape:
            tape.watch(x)
            loss = tf.reduce_sum(layer(x, segmap, training=True) ** 2)
        gradients = tape.gradient(loss, [x, *layer.trainable_variables])
        return tf.add_n([tf.reduce_sum(gradient) for gradient in gradients])

    return both if FLAGS.backward else forward


def main(_):
    """Prints the table."""
    print("| map | channels | classes | tile | share | patterns (ms) | dense (ms) | ratio |")
    print("|---|---|---|---|---|---|---|---|")
    for size, channels in ((256, 128), (128, 256), (64, 512), (32, 1024), (16, 1024), (8, 1024)):
        x = tf.random.normal((1, size, size, channels))
        for num_classes in map(int, FLAGS.classes):
            layer = SPADE(norm="instance", num_classes=num_classes)
            for tile in (1, 2, 3, 5):
                labels = tiles(size, tile, num_classes)
                patterns = LabelPatterns(size, size, num_classes, modulation="patterns")(labels)
                dense = ConditioningMap(size, size, num_classes)(labels)
                functions = [step(layer, x, segmap) for segmap in (patterns, dense)]
                seconds = []
                for _ in range(FLAGS.repeats + 1):
                    row = []
                    for function in functions:
                        start = time.perf_counter()
                        function().numpy()
                        row.append(time.perf_counter() - start)
                    seconds.append(row)
                seconds = 1000 * np.array(seconds[1:])
                share = patterns["members_1"].shape[0] / size**2
                ours, theirs = np.median(seconds, axis=0)
                ratio = np.median(seconds[:, 1] / seconds[:, 0])
                print(
                    f"| {size} | {channels} | {num_classes} | {tile} | {share:.2f} "
                    f"| {ours:.1f} | {theirs:.1f} | {ratio:.2f} |",
                    flush=True,
                )


if __name__ == "__main__":
    app.run(main)
