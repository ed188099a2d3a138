"""The discriminator."""

import os
from typing import Any

import keras
from keras import ops

from keras_spade.arguments import positive_integer
from keras_spade.layers import (
    SPADE,
    FeatureNorm,
    HalfPool,
    LabelConv2D,
    SmallMapConv2D,
    SpectralNorm,
    xavier_normal,
)
from keras_spade.layers.conv2d import Conv2D
from keras_spade.layers.leaky_relu import leaky_relu
from keras_spade.networks._network import Network
from keras_spade.networks.conditioning import Conditioning

MAX_FILTERS = 512
FUSIONS = ("concat", "projection")
NORMS = ("instance", "batch", "sync_batch", "spade")


@keras.saving.register_keras_serializable(package="keras_spade")
class MultiScaleDiscriminator(Network):
    """Judges patches of an image against its label map, at several scales.

    Label map and image, concatenated in effect (see `LabelConv2D`), pass through one PatchGAN per
    scale; between scales the concatenation is average-pooled. A PatchGAN has `num_layers` 4 x 4
    convolutions with padding 2 (`f, 2f, 4f ...` filters, at most 512; stride 2, or 1 for the last)
    and leaky ReLU, all but the first with spectral norm and a parameter-free norm, and a final
    convolution to one logit per patch.

    With `fusion="projection"` only the image enters at the input; the label map `m` enters at the
    end, through an inner product with the last features `phi(x)` before the logits, at their
    resolution:

        logits = conv(phi(x)) + mean_2x2(sum_c V[m, c] * phi(x)[c])

    `V[m]` is a learned row for each class (and one for edges). Logits lie between the pixels of
    `phi(x)`, with one more in each direction, so each takes the mean of the four pixels around it,
    with zeros beyond the border.

    Args:
        num_classes: number of label classes, excluding the void class; channels of the float
            map with `conditioning="dense"`.
        image_shape: `(height, width, channels)`.
        void_class: whether an additional class, id `num_classes`, means "don't care".
        instance_edges: whether instance borders are an additional input channel.
        base_filters: `f` above.
        num_scales: number of PatchGANs, from full resolution downwards.
        num_layers: convolutions before the logits.
        norm: `"instance"` (parameter-free); `"batch"` or `"sync_batch"` (with learned scale and
            offset, as in the reference); `"spade"`: a `SPADE` with instance norm for each norm.
        spectral_norm: whether the middle convolutions are spectrally normalised.
        conditioning: `"labels"`, or `"dense"` for any float map under the key `"segmap"`.
        modulation: how the label map is convolved, `"auto"`, `"patterns"` or `"dense"`; see
            `LabelConv2D`.
        fusion: how label map and image are combined, `"concat"` or `"projection"`.
        hidden_filters: hidden channels of the SPADEs, with `norm="spade"`.
        initial_gain: factor of the Xavier-normal initial kernels, see `xavier_normal`, and `SPADE`
            with `norm="spade"`.

    Call arguments:
        inputs: dict of `"labels"` int32 `(batch, H, W)` (and `"edges"` float 0/1 `(batch, H, W)` if
            `instance_edges`), or `"segmap"` float `(batch, H, W, num_classes)`; and `"image"` float
            `(n * batch, height, width, channels)` in [-1, 1]: `n` stacks of images of the same
            label maps, whose labels are convolved once. In training, fake and real images belong in
            one batch, fake first.
        training: mode of norms and spectral norms.

    Returns:
        A list over scales of lists of feature maps `(n * batch, h, w, channels)`; the last of each
        is the logits, one channel.

    Raises:
        ValueError: for bad arguments.

    Example:

    >>> import numpy as np
    >>> from keras_spade import MultiScaleDiscriminator
    >>> discriminator = MultiScaleDiscriminator(4, image_shape=(32, 64, 3), base_filters=2)
    >>> labels, image = np.zeros((1, 32, 64), "int32"), np.zeros((1, 32, 64, 3), "float32")
    >>> scales = discriminator({"labels": labels, "image": image})
    >>> len(scales), len(scales[0]), tuple(scales[0][-1].shape)
    (2, 5, (1, 7, 11, 1))

    Reference: Park et al. 2019 (arXiv 1903.07291), appendix A, figure 13; Wang et al. 2018
    (pix2pixHD, arXiv 1711.11585), section 3.2; Miyato and Koyama 2018 (cGANs with projection
    discriminator, arXiv 1802.05637), equation 3, here for each pixel.
    """

    ARGUMENTS = (
        "num_classes",
        "image_shape",
        "void_class",
        "instance_edges",
        "base_filters",
        "num_scales",
        "num_layers",
        "norm",
        "spectral_norm",
        "conditioning",
        "modulation",
        "fusion",
        "hidden_filters",
        "initial_gain",
    )

    def __init__(
        self,
        num_classes: int,
        image_shape: tuple[int, int, int] = (256, 256, 3),
        void_class: bool = False,
        instance_edges: bool = False,
        base_filters: int = 64,
        num_scales: int = 2,
        num_layers: int = 4,
        norm: str = "instance",
        spectral_norm: bool = True,
        conditioning: str = "labels",
        modulation: str = "auto",
        fusion: str = "concat",
        hidden_filters: int = 128,
        initial_gain: float = 0.02,
        name: str = "discriminator",
        dtype: str | keras.DTypePolicy | None = None,
        trainable: bool = True,
    ):
        condition = Conditioning(
            num_classes, image_shape, void_class, instance_edges, conditioning, modulation, dtype
        )
        dtype, image_shape = condition.dtype, condition.image_shape
        positive_integer("`base_filters`", base_filters)
        positive_integer("`num_scales`", num_scales)
        positive_integer("`num_layers`", num_layers)
        positive_integer("`hidden_filters`", hidden_filters)
        for argument, value, known in (("fusion", fusion, FUSIONS), ("norm", norm, NORMS)):
            if value not in known:
                raise ValueError(f"`{argument}` must be one of {known}, got {value!r}.")

        # === Layers ===
        def first(segmap, x, scale):
            layer = LabelConv2D(
                base_filters,
                4,
                strides=2,
                num_classes=condition.num_classes,
                halvings=scale,
                modulation=modulation,
                kernel_initializer=xavier_normal(initial_gain),
                name=f"scale_{scale}_conv_0",
                dtype=dtype,
            )
            return layer(segmap, x)

        def conv(x, name, filters, strides=1, plain=False, dtype=dtype):
            """A 4 x 4 convolution; `plain`: without spectral norm or any other norm."""
            wrap = spectral_norm and not plain
            layer = (SmallMapConv2D if plain else Conv2D)(
                filters,
                4,
                strides=strides,
                use_bias=plain,
                kernel_initializer=xavier_normal(initial_gain),
                name="conv" if wrap else name,
                dtype=dtype,
            )
            if wrap:
                layer = SpectralNorm(layer, name=name)
            return layer(keras.layers.ZeroPadding2D(2, dtype=dtype)(x))

        def normalized(x, name):
            if norm != "spade":
                return FeatureNorm(norm, affine=norm != "instance", name=name, dtype=dtype)(x)
            layer = SPADE(
                "instance",
                hidden_filters=hidden_filters,
                num_classes=condition.num_classes,
                modulation=modulation,
                initial_gain=initial_gain,
                name=name,
                dtype=dtype,
            )
            return layer(x, repeated.at(*x.shape[1:3], ((3, 1),) * 2))

        def projection(x, name):
            """The inner product of features and embedded labels, on the grid of the logits."""
            rows = LabelConv2D(
                x.shape[-1],
                1,
                num_classes=condition.num_classes,
                modulation=modulation,
                use_bias=False,
                kernel_initializer=xavier_normal(initial_gain),
                name=name,
                dtype=dtype,
            )(repeated.at(*x.shape[1:3], ((1, 1),)))
            rows, x = (ops.cast(y, condition.image_dtype) for y in (rows, x))
            product = ops.sum(rows * x, axis=-1, keepdims=True)
            padded = keras.layers.ZeroPadding2D(1, dtype=condition.image_dtype)(product)
            return keras.layers.AveragePooling2D(2, 1, dtype=condition.image_dtype)(padded)

        # === Functional graph ===
        inputs = {**condition.inputs, "image": keras.Input(image_shape, name="image")}
        if fusion == "projection" or norm == "spade":
            repeated = condition.for_images(inputs["image"])
        image = inputs["image"]
        outputs = []
        for scale in range(num_scales):
            if scale:
                image = HalfPool(name=f"pool_{scale}", dtype=dtype)(image)
            prefix = f"scale_{scale}"
            if fusion == "concat":
                windows = ((3, 2),) * scale + ((4, 2),)
                x = first(condition.at(*image_shape[:2], windows), image, scale)
            else:
                x = conv(image, f"{prefix}_conv_0", base_filters, strides=2, plain=True)
            features = [keras.layers.Activation(leaky_relu, dtype=dtype)(x)]
            for index in range(1, num_layers):
                filters = min(base_filters * 2**index, MAX_FILTERS)
                strides = 1 if index == num_layers - 1 else 2
                x = conv(features[-1], f"{prefix}_conv_{index}", filters, strides)
                x = normalized(x, f"{prefix}_norm_{index}")
                features.append(keras.layers.Activation(leaky_relu, dtype=dtype)(x))
            x = features[-1]
            logits = conv(
                x, f"{prefix}_conv_{num_layers}", 1, plain=True, dtype=condition.image_dtype
            )
            if fusion == "projection":
                logits = logits + projection(x, f"{prefix}_projection")
            outputs.append([*features, logits])
        super().__init__(inputs=inputs, outputs=outputs, name=name, trainable=trainable)
        self.dtype_policy = dtype

        # === Config ===
        self.num_classes = num_classes
        self.image_shape = image_shape
        self.void_class = void_class
        self.instance_edges = instance_edges
        self.base_filters = base_filters
        self.num_scales = num_scales
        self.num_layers = num_layers
        self.norm = norm
        self.spectral_norm = spectral_norm
        self.conditioning = conditioning
        self.modulation = modulation
        self.fusion = fusion
        self.hidden_filters = hidden_filters
        self.initial_gain = float(initial_gain)

    def call(self, inputs, training=None, mask=None):
        """Returns a list over scales of lists of feature maps, logits last."""
        outputs = super().call(inputs, training=training, mask=mask)
        # Keras unwraps a list of one.
        return [outputs] if self.num_scales == 1 else outputs

    def export(self, filepath: str | os.PathLike, **kwargs: Any) -> None:
        """Exports as Keras does, with named features: `"scale_0_feature_0"` ...

        Saved models do not support nested lists.

        Args:
            filepath: the path to write to.
            **kwargs: see `keras.Model.export`.
        """
        names = [
            f"scale_{scale}_feature_{index}"
            for scale in range(self.num_scales)
            for index in range(self.num_layers + 1)
        ]
        outputs = dict(zip(names, self.outputs, strict=True))
        keras.Model(self.input, outputs, name=self.name).export(filepath, **kwargs)
