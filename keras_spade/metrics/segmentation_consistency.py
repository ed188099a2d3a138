"""Agreement of label maps with a segmenter's predictions for the painted pictures."""

from collections.abc import Callable

import keras
import numpy as np
from keras import ops

from keras_spade.arguments import ids_out_of_range, positive_integer
from keras_spade.backends import backend
from keras_spade.metrics.host_metric import (
    HostMetric,
    deserialized,
    in_words,
    refuse_none,
    serialized,
)
from keras_spade.precision import full_precision
from keras_spade.tensor import Tensor


@keras.saving.register_keras_serializable(package="keras_spade")
class SegmentationConsistency(HostMetric):
    """Mean IoU and pixel accuracy of a segmenter's predictions, compared with the label maps.

    With `n[i, j]` pixels of class i for which the segmenter predicts class j, over all images since
    the last `reset_state()`: `pixel_accuracy = sum_i n[i, i] / sum n`, and `mean_iou` is the mean
    of `n[i, i] / (sum_j n[i, j] + sum_j n[j, i] - n[i, i])` over the classes that occur in label
    maps or predictions. Void pixels are ignored.

    The numbers depend as much on the segmenter as on the pictures: also report those of the real
    photographs of the same label maps.

    Args:
        segmenter: function of uint8 images `(batch, H, W, channels)` that returns class scores
            `(batch, h, w, num_classes)`. Scores are resized bilinearly to the size of the label
            maps if needed; the class with the largest score is the prediction.
        num_classes: number of classes, void not counted.
        void_class: whether the id `num_classes` means void.
        name: of the metric.
        dtype: of the results. Pixels are counted in int64.

    Call arguments:
        labels: integer `(batch, H, W)`.
        images: uint8 `(batch, H', W', channels)`: pictures painted from them, or photographs.

    Returns:
        A dict of scalars, `"mean_iou"` and `"pixel_accuracy"`; NaN if there are no pixels yet.

    Raises:
        ValueError: for label ids that are not a class, and for another number of scores.

    Example:

    >>> import numpy as np
    >>> from keras_spade.metrics import SegmentationConsistency
    >>> def segmenter(images):  # Bright is class 1.
    ...     bright = np.mean(images, axis=-1) > 127
    ...     return np.stack([~bright, bright], axis=-1).astype("float32")
    >>> metric = SegmentationConsistency(segmenter, num_classes=2)
    >>> images = np.zeros((1, 2, 2, 3), "uint8")
    >>> images[0, 0] = 255
    >>> metric.update_state(np.array([[[1, 0], [0, 0]]]), images)
    >>> {name: round(float(value), 4) for name, value in metric.result().items()}
    {'mean_iou': 0.5833, 'pixel_accuracy': 0.75}

    Reference: Park et al. 2019 (arXiv 1903.07291), section 4, "Performance metrics".
    """

    shape = (2,)

    def __init__(
        self,
        segmenter: Callable,
        num_classes: int,
        void_class: bool = False,
        name: str = "segmentation_consistency",
        dtype: str | None = None,
    ):
        if not callable(segmenter):
            raise ValueError(
                "`segmenter` must be a function of uint8 images that returns class scores, got "
                f"{segmenter!r}."
            )
        self.num_classes = positive_integer("`num_classes`", num_classes)
        self.void_class = bool(void_class)
        super().__init__(name, dtype, better="up")
        self.segmenter = segmenter

    def clear(self) -> None:
        """Forgets all pixels."""
        # The pairs i * num_classes + j that occur, and their pixels: few, with very many classes.
        self.pairs = self.pixels = np.zeros(0, "int64")

    def update_state(self, labels: Tensor, images: Tensor) -> None:
        """Adds label maps and pictures.

        Args:
            labels: integer `(batch, H, W)`.
            images: uint8 `(batch, H', W', channels)`.

        Raises:
            ValueError: for label ids that are not a class, and for another number of scores.
        """
        refuse_none(labels=labels, images=images)
        labels = ops.convert_to_tensor(labels)
        dtype = keras.backend.standardize_dtype(labels.dtype)
        if "int" not in dtype or len(labels.shape) != 3:
            raise ValueError(
                "`labels` must be integer ids of shape (batch, H, W), got shape "
                f"{tuple(labels.shape)}, dtype {dtype}."
            )
        with backend.without_gradients():
            scores = full_precision(ops.convert_to_tensor(self.segmenter(images)))
            if len(scores.shape) != 4 or scores.shape[-1] != self.num_classes:
                raise ValueError(
                    f"`segmenter` must return class scores (batch, h, w, {self.num_classes}), "
                    f"without void, got shape {tuple(scores.shape)}."
                )
            if tuple(scores.shape[1:3]) != tuple(labels.shape[1:3]):
                size = ops.shape(labels)[1:3]
                scores = ops.image.resize(scores, size, data_format="channels_last")
            seen = ops.argmax(scores, axis=-1)
        backend.on_host(self.add, labels, seen)

    def add(self, labels: np.ndarray, seen: np.ndarray) -> None:
        """Adds label ids and the predicted classes."""
        if labels.shape != seen.shape:
            raise ValueError(f"`labels` have shape {labels.shape}, predictions {seen.shape}.")
        labels = labels.astype("int64")
        classes = self.num_classes
        if labels.size and (labels.min() < 0 or labels.max() >= classes + self.void_class):
            raise ValueError(
                ids_out_of_range(classes + self.void_class, labels.min(), labels.max())
            )
        counts = labels < classes
        pairs = labels[counts] * classes + seen[counts].astype("int64")
        pairs, pixels = np.unique(pairs, return_counts=True)
        self.pairs, places = np.unique(np.append(self.pairs, pairs), return_inverse=True)
        pixels, counted = np.append(self.pixels, pixels), np.zeros(len(self.pairs), "int64")
        np.add.at(counted, places, pixels)
        self.pixels = counted

    @property
    def confusion(self) -> np.ndarray:
        """The pixels `n[i, j]` of all pairs of classes, int64 `(num_classes, num_classes)`."""
        table = np.zeros((self.num_classes, self.num_classes), "int64")
        table.put(self.pairs, self.pixels)
        return table

    def class_ious(self) -> np.ndarray:
        """The IoU of each class `(num_classes,)`; NaN for classes that do not occur."""
        wanted, seen = np.divmod(self.pairs, self.num_classes)
        right, wanted, seen = (
            np.bincount(classes, self.pixels * counted, minlength=self.num_classes)
            for classes, counted in ((wanted, wanted == seen), (wanted, True), (seen, True))
        )
        either = wanted + seen - right
        return np.where(either, right / np.maximum(either, 1), np.nan)

    def compute(self) -> tuple[float, float]:
        """Mean IoU and pixel accuracy of all counts so far."""
        pixels = self.pixels.sum()
        if not pixels:
            return float("nan"), float("nan")
        right = self.pixels[self.pairs % (self.num_classes + 1) == 0].sum()  # i * classes + i
        return float(np.nanmean(self.class_ious())), float(right / pixels)

    def result(self) -> dict:
        """Mean IoU and pixel accuracy of all pixels so far."""
        both = ops.unstack(super().result(), 2)
        return dict(zip(("mean_iou", "pixel_accuracy"), both, strict=True))

    def protocol(self) -> dict[str, str]:
        """The segmenter and its classes; see `HostMetric`."""
        return {
            "segmenter": in_words(self.segmenter),
            "classes": f"{self.num_classes}{', and void, which is ignored' * self.void_class}",
            "is_not": "the paper's, unless the segmenter is the paper's",
        }

    def get_config(self):
        """The constructor's arguments."""
        return {
            **super().get_config(),
            "segmenter": serialized("segmenter", self.segmenter),
            "num_classes": self.num_classes,
            "void_class": self.void_class,
        }

    @classmethod
    def from_config(cls, config):
        """Builds the metric from `get_config()`."""
        return cls(**deserialized(config, "segmenter"))
