"""Metrics with the interface of `keras_spade.metrics` and known results."""

import keras
import numpy as np


class Remembering(keras.metrics.Metric):
    """Keeps all inputs until it is reset."""

    def __init__(self, name, better):
        super().__init__(name=name)
        self._direction = better
        self.seen = []

    def reset_state(self):
        self.seen = []


class Scripted(Remembering):
    """A metric of real and painted images that returns given numbers in turn."""

    def __init__(self, numbers, name="distance", better="down"):
        super().__init__(name, better)
        self.numbers, self.last = iter(numbers), None

    def update_state(self, real, fake):
        self.seen.append((real, fake))

    def result(self):
        self.last = next(self.numbers) if self.seen else float("nan")
        return self.last


class Brightness(Remembering):
    """A metric of label maps and painted images: a dict with the mean pixel of two classes."""

    def __init__(self, name="brightness"):
        super().__init__(name, "up")

    def update_state(self, labels, images):
        self.seen.append((labels, images))

    def result(self):
        if not self.seen:
            return {"of_zero": float("nan"), "of_one": float("nan")}
        labels, images = (np.concatenate(arrays) for arrays in zip(*self.seen, strict=True))
        return {"of_zero": images[labels == 0].mean(), "of_one": images[labels == 1].mean()}


class Spread(Remembering):
    """A metric of paintings with several latents: their largest difference."""

    def __init__(self):
        super().__init__("spread", "up")

    def update_state(self, images):
        self.seen.append(images.astype(int))

    def result(self):
        return max((np.ptp(images, axis=1).max() for images in self.seen), default=float("nan"))
