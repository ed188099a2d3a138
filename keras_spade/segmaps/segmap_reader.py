"""Converts the label map of a layer from any input form to a `Segmap`."""

import dataclasses
from collections.abc import Sequence

import keras
from keras import ops

from keras_spade.segmaps.bounded_patterns import BoundedPatterns
from keras_spade.segmaps.bounded_windows import shapes_are_fixed
from keras_spade.segmaps.conditioning_map import check_conditioning, conditioning_map
from keras_spade.segmaps.dense import Dense
from keras_spade.segmaps.distinct_windows import window_count
from keras_spade.segmaps.form import Form, form_of
from keras_spade.segmaps.label_patterns import find_patterns
from keras_spade.segmaps.modulation import compiles, resolve_modulation
from keras_spade.segmaps.patterns import Patterns, channels_of
from keras_spade.segmaps.segmap import Segmap
from keras_spade.tensor import Tensor


@dataclasses.dataclass(frozen=True)
class SegmapReader:
    """Reads the label map of one layer.

    Keras layers exchange label maps as integer labels (optionally with edges), as a map with
    channels, or as the dict that `LabelPatterns` returns. Only this class distinguishes
    them, by their `Form`.

    Args:
        layer: a layer with `num_classes`, `modulation`, `compute_dtype` and `name`.
        windows: kernel size and strides of each convolution, as in `LabelPatterns`.
    """

    layer: keras.layers.Layer
    windows: tuple[tuple[int, int], ...]

    @property
    def _modulation(self):
        return resolve_modulation(self.layer.modulation, self.layer.num_classes)

    def check(self, segmap: Tensor | dict[str, Tensor], edges: Tensor | None = None) -> None:
        """Raises unless `segmap` is label patterns, integer labels, or a map with channels."""
        if not form_of(segmap).has_patterns:
            check_conditioning(segmap, edges, self.layer.num_classes, self.layer.name)
        elif edges is not None:
            raise ValueError(
                f"{self.layer.name!r}: `edges` go to LabelPatterns, not to the layer that takes "
                "its result."
            )

    def channels(
        self, segmap_shape: tuple | dict[str, tuple], edges_shape: tuple | None = None
    ) -> int:
        """Channels of the one-hot or float map represented by a `segmap` of the given shape."""
        form = form_of(segmap_shape)
        if form.has_patterns:
            return channels_of(segmap_shape)
        if form is Form.MAP:
            return segmap_shape[-1]
        return (self.layer.num_classes or 0) + (edges_shape is not None)

    def output_shape(self, segmap: Tensor | dict[str, Tensor]) -> tuple:
        """Batch, height and width after all convolutions of a `segmap` that is not resized."""
        if form_of(segmap).has_patterns:
            return segmap["index"].shape
        batch, *size = segmap.shape[:3]
        for kernel_size, strides in self.windows:
            size = [window_count(length, kernel_size, strides) for length in size]
        return (batch, *size)

    def supports_jit(self, segmap_shape: tuple | dict[str, tuple]) -> bool:
        """Whether XLA can compile a layer that reads a `segmap` of the given shape.

        It cannot if the layer itself must search for patterns, whose number depends on the labels.
        """
        searches = form_of(segmap_shape) is Form.LABELS and self._modulation != "dense"
        searches = searches and not compiles(self._modulation, self.layer.num_classes)
        return shapes_are_fixed() or not searches

    def encode(
        self,
        segmap: Tensor | dict[str, Tensor],
        edges: Tensor | None = None,
        size: Sequence[int] | None = None,
    ) -> Tensor | dict[str, Tensor]:
        """The result of `LabelPatterns` or `ConditioningMap`, for layers that share it.

        Args:
            segmap: a label map in any of the forms.
            edges: as in `LabelPatterns`, or `None`.
            size: height and width to which labels and maps are resized; `None`: no resizing.

        Returns:
            A dict of patterns, or a float map `(batch, height, width, channels)`.
        """
        self.check(segmap, edges)
        form = form_of(segmap)
        if form.has_patterns:
            return segmap
        size = ops.shape(segmap)[1:3] if size is None else size
        modulation = self._modulation
        classes, dtype = self.layer.num_classes, self.layer.compute_dtype
        if form is Form.MAP or modulation == "dense":
            return conditioning_map(segmap, edges, classes, *size, dtype, self.layer.name)
        found = find_patterns(segmap, edges, classes, size, self.windows, modulation, dtype)
        return found.tensors()

    def read(
        self,
        segmap: Tensor | dict[str, Tensor],
        edges: Tensor | None = None,
        size: Sequence[int] | None = None,
    ) -> Segmap:
        """The `Segmap` that a layer computes with; arguments as in `encode`."""
        encoded = self.encode(segmap, edges, size)
        form = form_of(encoded)
        if not form.has_patterns:
            return Dense(encoded)
        kind = BoundedPatterns if form is Form.BOUNDED_PATTERNS else Patterns
        return kind.from_tensors(encoded)
