"""Light and weather of a drawn scene, which a style encoder must infer."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from keras_spade.datasets.scenes.scene_objects import (
    CLOUD,
    DOOR,
    GRASS,
    HILL,
    MOUNTAIN,
    PATH,
    ROOF,
    SKY,
    SUN,
    TREE,
    TRUNK,
    WALL,
    WATER,
    WINDOW,
    Canvas,
    mix,
    rgb,
)

_CLASSES = DOOR + 1
_STANDING = (TREE, TRUNK, WALL, ROOF, WINDOW, DOOR)


def _of_classes(otherwise, values):
    """A float32 array with one value per class."""
    return np.array([values.get(label, otherwise) for label in range(_CLASSES)], "float32")


# How much snow covers a class, and how much the light of the day affects it (water mirrors the sky,
# which already has its colours).
_SNOWED = _of_classes(0.0, {GRASS: 0.93, HILL: 0.8, PATH: 0.4, ROOF: 0.9, TREE: 0.5, MOUNTAIN: 0.6})
_LIT = _of_classes(1.0, {SKY: 0.0, SUN: 0.0, CLOUD: 0.75, WATER: 0.6})


def _blend(canvas, colour, amount):
    """Mixes a colour into the image, in place."""
    canvas.image += (colour - canvas.image) * amount


@dataclass(frozen=True)
class Weather:
    """Light and weather, each from 0 (a clear summer noon) to 1.

    Args:
        evening: the low, warm light of a sunset.
        night: moonlight, with the moon instead of the sun.
        overcast: a grey sky, and light without a direction.
        fog: hides what is far away.
        snow: amount on ground, roofs and trees.
    """

    evening: float = 0.0
    night: float = 0.0
    overcast: float = 0.0
    fog: float = 0.0
    snow: float = 0.0

    @classmethod
    def drawn(cls, rng: np.random.Generator) -> Self:
        """Random weather: clear in half of the cases, night in a fifth, snow in a quarter."""
        evening = rng.uniform()
        kind, amount = rng.uniform(), rng.uniform(0.35, 1.0)
        night = (rng.uniform() < 0.2) * rng.uniform(0.8, 1.0)
        snow = (rng.uniform() < 0.25) * rng.uniform(0.7, 1.0)
        return cls(
            evening=evening * (1.0 - night),
            night=night,
            overcast=amount if kind < 0.3 else 0.0,
            fog=amount if 0.3 <= kind < 0.5 else 0.0,
            snow=snow,
        )

    def sky(self) -> tuple[np.ndarray, np.ndarray]:
        """The colours of the sky at the zenith and at the horizon."""
        zenith = mix(rgb(0.22, 0.47, 0.86), rgb(0.30, 0.28, 0.52), self.evening)
        haze = mix(rgb(0.83, 0.92, 0.98), rgb(1.0, 0.70, 0.44), self.evening)
        zenith = mix(zenith, rgb(0.58, 0.62, 0.68), 0.9 * self.overcast)
        haze = mix(haze, rgb(0.80, 0.82, 0.84), 0.8 * self.overcast)
        zenith = mix(zenith, rgb(0.03, 0.05, 0.15), self.night)
        return zenith, mix(haze, rgb(0.17, 0.22, 0.38), self.night)

    def disc(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, float]:
        """Colours of the disc of sun or moon (middle, rim) and of its glow; the glow strength."""
        middle = mix(rgb(1.0, 0.99, 0.84), rgb(0.97, 0.98, 1.0), self.night)
        rim = mix(rgb(1.0, 0.86, 0.38), rgb(0.80, 0.84, 0.92), self.night)
        glow = mix(rgb(1.0, 0.95, 0.72), rgb(0.55, 0.64, 0.85), self.night)
        return middle, rim, glow, 0.75 * (1.0 - 0.7 * self.overcast) * (1.0 - 0.5 * self.night)

    def apply(self, canvas: Canvas, horizon: np.ndarray, haze: np.ndarray) -> None:
        """Adds snow, light and fog to a scene drawn at noon; its sky already has this weather."""
        labels = canvas.labels
        if self.snow:
            self._put_snow(canvas)
        grey = canvas.image.mean(0, keepdims=True)
        lit = _LIT[labels]
        _blend(canvas, 0.9 * grey, 0.45 * self.overcast * lit)
        warm = mix(rgb(1, 1, 1), rgb(0.98, 0.70, 0.55), self.evening * (1.0 - self.overcast))
        warm = mix(warm, rgb(0.17, 0.23, 0.42), self.night)
        canvas.image *= 1.0 + (warm - 1.0) * lit
        if self.fog:
            fog = mix(haze, rgb(0.86, 0.87, 0.88), 0.5 * (1.0 - self.night))
            _blend(canvas, fog, self.fog * self._distance(canvas, horizon))
        dark = max(self.evening - 0.4, self.night, 0.6 * (self.overcast - 0.5))
        lamp = 1.4 * np.clip(dark, 0.0, 0.65) * (labels == WINDOW)
        _blend(canvas, rgb(1.0, 0.85, 0.45), lamp)
        if self.night and not self.overcast and not self.fog:
            stars = (labels == SKY) & (canvas.grain > 0.86) & (canvas.y < 0.8 * horizon)
            _blend(canvas, rgb(0.9, 0.93, 1.0), 0.8 * stars)

    def _put_snow(self, canvas):
        """Adds snow, shaded like the surface under it."""
        light = canvas.image.mean(0, keepdims=True)
        white = mix(rgb(0.66, 0.74, 0.88), rgb(1.0, 1.0, 1.0), 1.7 * light)
        cover = _SNOWED[canvas.labels]
        thin = np.isin(canvas.labels, (TREE, PATH))
        cover = np.where(thin, np.clip(cover + 0.6 * canvas.leaves, 0.0, 0.95), cover)
        _blend(canvas, white, self.snow * cover)

    def _distance(self, canvas, horizon):
        """How much of each pixel full fog hides, from 0 to 0.95."""
        rows = np.broadcast_to(canvas.y, canvas.shape)
        foot = np.zeros(canvas.count + 1, "float32")
        np.maximum.at(foot, canvas.instances, rows)
        standing = np.isin(canvas.labels, _STANDING)
        at = np.where(standing, foot[canvas.instances], rows)
        near = np.clip((at - horizon) / (1.0 - horizon), 0.0, 1.0)
        far = 0.95 * np.exp(-2.6 * near)
        sky = np.clip(0.55 + 0.45 * rows / horizon, 0.0, 0.95)
        above = np.isin(canvas.labels, (SKY, CLOUD, SUN))
        far = np.where(canvas.labels == MOUNTAIN, 0.9, np.where(canvas.labels == HILL, 0.78, far))
        return np.where(above, 0.9 * sky, far).astype("float32")
