"""What other parts of the package use of a `GauGAN`."""

from contextlib import AbstractContextManager
from typing import Protocol, runtime_checkable

import keras
import numpy as np
from numpy.typing import ArrayLike

from keras_spade.class_info import ClassInfo


@runtime_checkable
class Gan(Protocol):
    """The part of a `GauGAN` that `callbacks/`, `runs/` and `painting/` use, compiled or not.

    They do not import `models/`. `GauGAN` documents each attribute.
    """

    generator: keras.Model
    discriminator: keras.Model
    encoder: keras.Model | None
    classes: ClassInfo | None
    seed: int | None
    weights: list[keras.Variable]
    writes_files: bool
    is_swapped: bool

    def generate(
        self,
        labels: ArrayLike,
        instances: ArrayLike | None = None,
        style_image: ArrayLike | None = None,
        latent: ArrayLike | None = None,
        seed: int | None = None,
    ) -> np.ndarray:
        """Paints arrays of label maps."""

    def averaged(self) -> "Gan":
        """Returns a copy with the averages of the weights."""

    def painting_averages(self) -> AbstractContextManager[None]:
        """A context in which the model uses the averages of its weights, if there are any."""

    def state_variables(self) -> dict[str, list[keras.Variable]]:
        """All variables needed to resume training."""
