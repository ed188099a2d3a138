"""Metrics with the interface of `keras_spade.metrics`, whose results one knows beforehand."""

import keras
import numpy as np


class Scripted(keras.metrics.Metric):
    """Of real and painted images: one number after the other, and what it was given."""

    def __init__(self, numbers=(), name="distance", better="down"):
        super().__init__(name=name)
        self._direction = better
        self.numbers, self.asked, self.seen = list(numbers), 0, []

    def reset_state(self):
        self.seen = []

    def update_state(self, real, fake):
        self.seen.append((real, fake))

    def result(self):
        if not self.seen:
            return float("nan")
        self.asked += 1
        return self.numbers[self.asked - 1]


class Consistency(keras.metrics.Metric):
    """Of label maps and painted images: a dict, the shares of bright pixels in two classes."""

    def __init__(self):
        super().__init__(name="consistency")
        self._direction = "up"
        self.reset_state()

    def reset_state(self):
        self.seen = []

    def update_state(self, labels, images):
        self.seen.append((labels, images))

    def result(self):
        bright = [(labels, images.mean(axis=-1) > 127) for labels, images in self.seen]
        shares = [[np.mean(b[ids == i]) for ids, b in bright] for i in (0, 1)]
        return {name: np.mean(x or [0]) for name, x in zip(("first", "second"), shares)}


class Spread(keras.metrics.Metric):
    """Of paintings of several latents: the largest difference of two."""

    def __init__(self):
        super().__init__(name="spread")
        self._direction = "up"
        self.reset_state()

    def reset_state(self):
        self.images = np.zeros((1, 2, 1), "uint8")

    def update_state(self, images):
        self.images = images

    def result(self):
        return float(np.ptp(self.images.astype(float), axis=1).max())
