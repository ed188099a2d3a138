"""Whether label patterns pay on JAX, with tables of a fixed length, and how often they fit.

    KERAS_BACKEND=jax python benchmarks/jax_patterns.py --data=coco:../shared/data/coco_stuff_sample

One network, compiled, by patterns and densely, in turns over the same batches of label maps. Prints
medians of seconds, the ratio of each turn, what XLA asks for besides the arguments, and how many
batches fit in half a table, in a whole one, and in none.
"""

import time

import jax
import keras
import numpy as np
from _data import load_batches
from absl import app, flags

from keras_spade import MultiScaleDiscriminator, SPADEGenerator
from keras_spade.layers import LabelPatterns
from keras_spade.segmaps.bounded_patterns import table_share

FLAGS = flags.FLAGS
flags.DEFINE_enum("network", "generator", ["generator", "discriminator"], "Which network.")
flags.DEFINE_bool("backward", False, "Forward and backward in training, else inference.")
flags.DEFINE_string("data", "scenes", "scenes, coco:<dir>, folders:<dir> or noise.")
flags.DEFINE_integer("num_classes", None, "Needed for folders.")
flags.DEFINE_integer("batch_size", 1, "Label maps in a batch.")
flags.DEFINE_integer("base_filters", 64, "Of the network.")
flags.DEFINE_integer("size", 256, "Height and width.")
flags.DEFINE_integer("repeats", 8, "Timed turns; each takes another batch.")

CHAINS = {
    "generator": ((3, 1), (3, 1)),
    "discriminator": ((4, 2),),
    "discriminator, second scale": ((3, 2), (4, 2)),
}


def make(modulation, num_classes, void_class, edges):
    """The network."""
    options = {
        "num_classes": num_classes,
        "void_class": void_class,
        "instance_edges": edges,
        "image_shape": (FLAGS.size, FLAGS.size, 3),
        "base_filters": FLAGS.base_filters,
        "modulation": modulation,
    }
    if FLAGS.network == "generator":
        return SPADEGenerator(**options, latent_dim=256)
    return MultiScaleDiscriminator(**options)


def step(network):
    """A function of weights and inputs: images or features, or the gradients of their squares."""

    def forward(weights, inputs):
        y, _ = network.stateless_call(*weights, inputs, training=FLAGS.backward)
        return y

    def loss(trainable, others, inputs):
        outputs = jax.tree.leaves(forward((trainable, others), inputs))
        return sum((y**2).mean() for y in outputs)

    if not FLAGS.backward:
        return forward
    return lambda weights, inputs: jax.grad(loss)(*weights, inputs)


def print_fits(batches, num_classes):
    """The shares of the tables, and what fits in them."""
    print("| chain | map | rows a pixel | in half | in the whole | dense |")
    print("|---|---|---|---|---|---|")
    for name, windows in CHAINS.items():
        sizes = [FLAGS.size // 2**i for i in range(4)] if name == "generator" else [FLAGS.size]
        for size in sizes:
            share = table_share((size, size), windows)
            find = jax.jit(LabelPatterns(size, size, num_classes, windows))
            # Without `"fit"` there is a row for every pixel.
            fits = [int(find(b["labels"], b.get("edges")).get("fit", 1)) for b in batches]
            counts = np.bincount(fits, minlength=3)
            print(f"| {name} | {size} | {share:.2f} | {' | '.join(map(str, counts))} |")


def main(_):
    """Prints the tables."""
    size = (FLAGS.size, FLAGS.size)
    batches, num_classes, void_class = load_batches(
        FLAGS.data, FLAGS.repeats + 1, FLAGS.batch_size, size, FLAGS.num_classes, None, None
    )
    print_fits(batches, num_classes + bool(void_class))
    steps = {}
    for modulation in ("patterns", "dense"):
        network = make(modulation, num_classes, void_class, "edges" in batches[0])
        inputs = [{k: x for k, x in b.items() if k in network.input} for b in batches]
        if FLAGS.network == "generator":
            latent = np.ones((FLAGS.batch_size, 256), "float32")
            inputs = [x | {"latent": latent} for x in inputs]
        groups = (network.trainable_variables, network.non_trainable_variables)
        weights = [[variable.value for variable in group] for group in groups]
        start = time.perf_counter()
        compiled = jax.jit(step(network)).lower(weights, inputs[0]).compile()
        seconds = time.perf_counter() - start
        mebibytes = compiled.memory_analysis().temp_size_in_bytes / 2**20
        print(f"{modulation}: compiled in {seconds:.0f} s, {mebibytes:.0f} MiB", flush=True)
        steps[modulation] = (compiled, weights, inputs)
    seconds = []
    for turn in range(FLAGS.repeats + 1):
        row = []
        for compiled, weights, inputs in steps.values():
            start = time.perf_counter()
            jax.block_until_ready(compiled(weights, inputs[turn]))
            row.append(time.perf_counter() - start)
        seconds.append(row)
    seconds = np.array(seconds[1:])
    ratios = seconds[:, 1] / seconds[:, 0]
    ours, dense = np.median(seconds, axis=0)
    print(
        f"patterns {ours:.3f} s, dense {dense:.3f} s, dense / patterns {np.median(ratios):.2f} "
        f"[{ratios.min():.2f}..{ratios.max():.2f}]"
    )


if __name__ == "__main__":
    assert keras.backend.backend() == "jax", "KERAS_BACKEND=jax"
    app.run(main)
