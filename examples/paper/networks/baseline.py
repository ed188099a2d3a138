"""The base class of the generators of other papers."""

import dataclasses

import keras
from keras import ops

from keras_spade import layers, networks


class Baseline(networks.Generator):
    """A generator that reads only the label map, without latent; subclasses define the graph.

    A subclass has a constructor with its own arguments, listed in its `ARGUMENTS`, which it
    passes on by name; it makes its graph in `paint`.

    Args:
        num_classes: as in `SPADEGenerator`, like the following arguments.
        image_shape: `(height, width, channels)`.
        void_class: whether there is a class of id `num_classes`.
        instance_edges: whether there is an input `"edges"`.
        conditioning: `"labels"` or `"dense"`.
        modulation: how convolutions of label maps are computed.
        norm: a kind of `FeatureNorm`; `"layer"`: over height, width and channels; or `"spade"`:
            `SPADE` with synchronised batch norm.
        affine: whether norms other than SPADE have learned scales and offsets.
        spectral_norm: whether the convolutions between the first and the last are spectrally
            normalised.
        hidden_filters: hidden channels of the SPADEs.
        initial_gain: of the SPADEs.
        **own: the subclass's own arguments, passed to `paint`.

    Call arguments:
        inputs: as of `SPADEGenerator(latent_dim=None)`.
        training: mode of norms and dropout.

    Returns:
        Images `(batch, height, width, channels)` in [-1, 1].
    """

    ARGUMENTS = (
        "num_classes",
        "image_shape",
        "void_class",
        "instance_edges",
        "conditioning",
        "modulation",
        "norm",
        "affine",
        "spectral_norm",
        "hidden_filters",
        "initial_gain",
    )

    def __init__(
        self,
        num_classes,
        image_shape=(256, 256, 3),
        void_class=False,
        instance_edges=False,
        conditioning="labels",
        modulation="auto",
        norm="instance",
        affine=False,
        spectral_norm=False,
        hidden_filters=128,
        initial_gain=0.02,
        name="generator",
        dtype=None,
        trainable=True,
        **own,
    ):
        condition = networks.Conditioning(
            num_classes, image_shape, void_class, instance_edges, conditioning, modulation, dtype
        )
        parts = Parts(condition, norm, affine, spectral_norm, hidden_filters, initial_gain)
        image = self.paint(parts, *condition.image_shape[:2], **own)
        super().__init__(inputs=condition.inputs, outputs=image, name=name, trainable=trainable)
        self.dtype_policy = condition.dtype
        self.num_classes = num_classes
        self.image_shape = condition.image_shape
        self.void_class = void_class
        self.instance_edges = instance_edges
        self.latent_dim = None
        self.conditioning = conditioning
        self.modulation = modulation
        self.norm = norm
        self.affine = affine
        self.spectral_norm = spectral_norm
        self.hidden_filters = hidden_filters
        self.initial_gain = initial_gain
        for argument, value in own.items():
            setattr(self, argument, value)

    @staticmethod
    def paint(parts, height, width, **own):
        """Returns the symbolic image that the network paints from its label map.

        Args:
            parts: the `Parts` of the network.
            height: rows of the image.
            width: its columns.
            **own: the network's own arguments.
        """
        raise NotImplementedError


@dataclasses.dataclass(frozen=True)
class Parts:
    """The layers of one network by name, all with its dtype policy and kind of norm.

    Args:
        condition: the `Conditioning` of the network.
        kind: the norm, as in `Baseline`.
        affine: as in `Baseline`.
        spectral_norm: as in `Baseline`.
        hidden_filters: as in `Baseline`.
        initial_gain: as in `Baseline`.
    """

    condition: networks.Conditioning
    kind: str
    affine: bool
    spectral_norm: bool
    hidden_filters: int
    initial_gain: float

    @property
    def dtype(self):
        """The policy of all layers."""
        return self.condition.dtype

    def labels(self, filters, size, height, width, name, x=None, use_bias=True):
        """A convolution of the label map at a given size, concatenated with activations `x` if
        given.

        Pads with zeros; the one-hot channels are not built.
        """
        conv = layers.LabelConv2D(
            filters,
            size,
            num_classes=self.condition.num_classes,
            modulation=self.condition.modulation,
            use_bias=use_bias,
            kernel_initializer=normal(),
            name=name,
            dtype=self.dtype,
        )
        return conv(self.condition.at(height, width, ((size, 1),)), *([] if x is None else [x]))

    def reflected_labels(self, filters, size, height, width, name):
        """A convolution of the label map at a given size, with a reflected border."""
        border = size // 2
        condition = self.condition.through(
            lambda name, maps: ReflectedMaps(
                height, width, border, name=f"reflected_{name}_{height}x{width}", dtype=self.dtype
            )(maps)
        )
        outer = (height + 2 * border, width + 2 * border)
        y = dataclasses.replace(self, condition=condition).labels(filters, size, *outer, name)
        return keras.layers.Cropping2D(border, dtype=self.dtype)(y)

    def with_labels(self, x):
        """Activations concatenated with the one-hot label map of their size."""
        return ops.concatenate([x, self.condition.map_at(*x.shape[1:3])], axis=-1)

    def conv(self, x, filters, size, name, padding="valid", strides=1, use_bias=True):
        """A convolution."""
        return self._spectral(
            keras.layers.Conv2D,
            x,
            filters,
            size,
            name,
            padding=padding,
            strides=strides,
            use_bias=use_bias,
        )

    def transposed(self, x, filters, size, name, padding="valid", use_bias=True):
        """A transposed convolution of stride 2."""
        return self._spectral(
            keras.layers.Conv2DTranspose,
            x,
            filters,
            size,
            name,
            padding=padding,
            strides=2,
            use_bias=use_bias,
        )

    def _spectral(self, layer, x, filters, size, name, **options):
        layer = layer(
            filters,
            size,
            kernel_initializer=normal(),
            name="conv" if self.spectral_norm else name,
            dtype=self.dtype,
            **options,
        )
        return (layers.SpectralNorm(layer, name=name) if self.spectral_norm else layer)(x)

    def norm(self, x, name):
        """The norm of the network."""
        if self.kind == "spade":
            layer = layers.SPADE(
                hidden_filters=self.hidden_filters,
                num_classes=self.condition.num_classes,
                modulation=self.condition.modulation,
                initial_gain=self.initial_gain,
                name=name,
                dtype=self.dtype,
            )
            return layer(x, self.condition.at(*x.shape[1:3], ((3, 1),) * 2))
        if self.kind == "layer":
            layer = keras.layers.GroupNormalization(
                1, epsilon=1e-5, center=self.affine, scale=self.affine, name=name, dtype=self.dtype
            )
        else:
            layer = layers.FeatureNorm(self.kind, affine=self.affine, name=name, dtype=self.dtype)
        return layer(x)

    def relu(self, x, slope=0.0, name=None):
        """ReLU, or the leaky one."""
        return keras.layers.LeakyReLU(slope, dtype=self.dtype, name=name)(x)

    def image(self, x, size, layer=keras.layers.Conv2D, **options):
        """The last convolution, in float32 under every mixed policy, and tanh."""
        conv = layer(
            self.condition.image_shape[-1],
            size,
            activation="tanh",
            kernel_initializer=normal(),
            name="conv_img",
            dtype=self.condition.image_dtype,
            **options,
        )
        return conv(x)


class ReflectedMaps(keras.layers.Layer):
    """Maps resized by nearest neighbours, with a border of reflected pixels.

    Args:
        height: rows without the border.
        width: columns without it.
        border: its pixels.
    """

    def __init__(self, height, width, border, **kwargs):
        super().__init__(**kwargs)
        self.height, self.width, self.border = height, width, border

    def call(self, maps):
        """Resizes and pads."""
        maps = layers.nearest_resize(maps, self.height, self.width)
        others = [(0, 0)] * (len(maps.shape) - 3)
        return ops.pad(maps, [(0, 0), *[(self.border,) * 2] * 2, *others], mode="reflect")

    def compute_output_spec(self, maps):
        """A symbolic map."""
        size = (self.height + 2 * self.border, self.width + 2 * self.border)
        return keras.KerasTensor((maps.shape[0], *size, *maps.shape[3:]), dtype=maps.dtype)


def normal():
    """The initialiser of pix2pix and pix2pixHD."""
    return keras.initializers.RandomNormal(stddev=0.02)


def reflected(x, border):
    """Activations with a reflected border."""
    return ops.pad(x, [(0, 0), (border, border), (border, border), (0, 0)], mode="reflect")


def doublings(height, width, most):
    """The number of times both sizes can be halved, at most `most`."""
    count = 0
    while count < most and height % 2 == 0 and width % 2 == 0:
        height, width, count = height // 2, width // 2, count + 1
    return count


def check_divisible(name, height, width, factor):
    """Raises unless both sizes are divisible by a factor."""
    if height % factor or width % factor:
        raise ValueError(
            f"`image_shape`: {name} needs a height and width divisible by {factor}, got {height} x "
            f"{width}."
        )
