"""Where label patterns stop paying: one SPADE, by patterns and densely, over shares.

Label maps are tiles of noise: `n` x `n` pixels of one random label each. A smaller `n` gives
a larger share of distinct patterns; `n` = 1 is pure noise. Both paths get their input ready made
(patterns, or the one-hot map).
"""

import numpy as np

from benchmarks.harness.label_maps import distinct_shares
from benchmarks.harness.plan import Subject

SIZES = ((256, 128), (128, 256), (64, 512), (32, 1024), (16, 1024), (8, 1024))
TILES = (1, 2, 3, 5)
SUBJECTS = {
    modulation: Subject("tensorflow", __name__, {"modulation": modulation})
    for modulation in ("patterns", "dense")
}


def cases(classes, quick):
    """The cases, with the share of distinct patterns, for numbers of classes."""
    for size, channels in SIZES[-2:] if quick else SIZES:
        for num_classes in classes:
            for tile in TILES:
                labels = tiles(size, tile, num_classes)
                share = distinct_shares({"labels": labels}, 0)[size, size]
                about = {"map": size, "channels": channels, "classes": num_classes, "tile": tile}
                yield about | {"share": round(share, 2)}


def tiles(size, tile, num_classes):
    """A label map of random tiles."""
    count = -(-size // tile)
    labels = np.random.default_rng(0).integers(0, num_classes, (1, count, count))
    return labels.repeat(tile, 1).repeat(tile, 2)[:, :size, :size].astype("int32")


def make(device, backward, samples, modulation):
    """The `Run`; forward in training, or with `backward` the gradients too."""
    import tensorflow as tf

    from benchmarks.patterns.layer_run import LayerRun, encoder, random
    from keras_spade.layers import SPADE

    class SpadeRun(LayerRun):
        def prepare(self, case):
            super().prepare(case)
            size, num_classes = case["map"], case["classes"]
            labels = tiles(size, case["tile"], num_classes)
            self.x = random(1, size, size, case["channels"])
            self.layer = SPADE(norm="instance", num_classes=num_classes)
            self.segmap = encoder(modulation, (size, size), num_classes)(labels)

        def batch(self, index):
            return super().batch(0)

        def function(self, index):
            def forward():
                return tf.reduce_sum(self.layer(self.x, self.segmap, training=True))

            def both():
                with tf.GradientTape() as tape:
                    tape.watch(self.x)
                    y = self.layer(self.x, self.segmap, training=True)
                    loss = tf.reduce_sum(y**2)
                return tape.gradient(loss, [self.x, *self.layer.trainable_variables])

            return both if backward else forward

    return SpadeRun(device)
