"""The generator."""

import keras

from keras_spade.arguments import integer_at_least, positive_integer
from keras_spade.layers import LabelConv2D, SPADEResBlock, xavier_normal
from keras_spade.layers.conv2d import Conv2D
from keras_spade.layers.initializers import of_images
from keras_spade.layers.leaky_relu import leaky_relu
from keras_spade.networks.conditioning import Conditioning
from keras_spade.networks.generator import Generator

DOUBLINGS = {"normal": 5, "more": 6, "most": 7}


@keras.saving.register_keras_serializable(package="keras_spade")
class SPADEGenerator(Generator):
    """Paints an image from a label map (and a latent that carries the style).

    A dense layer turns a latent vector into a small feature map; without a latent, a 3 x 3
    convolution of the label map does. SPADE residual blocks and nearest-neighbour upsampling by two
    alternate up to the image size; every block reads the label map at its own resolution.

        16f -> head -> x2 -> middle_0 -> (x2) -> middle_1 -> x2 -> up_0 (8f) -> x2 -> up_1 (4f)
            -> x2 -> up_2 (2f) -> x2 -> up_3 (f) -> (x2 -> up_4 (f/2)) -> leaky ReLU -> conv -> tanh

    Args:
        num_classes: number of label classes, excluding the void class; channels of the float
            map with `conditioning="dense"`.
        image_shape: `(height, width, channels)`; height and width must be divisible by two to the
            power of the number of doublings.
        void_class: whether an additional class, id `num_classes`, means "don't care".
        instance_edges: whether instance borders are an additional input channel.
        latent_dim: size of the latent; `None`: no latent.
        base_filters: `f` above.
        upsampling: `"normal"`, `"more"` or `"most"`: 5, 6 or 7 doublings.
        norm: parameter-free norm of the SPADEs, `"sync_batch"`, `"batch"` or `"instance"`.
        kernel_size: of the convolutions inside the SPADEs; odd.
        hidden_filters: hidden channels of the SPADEs.
        spectral_norm: whether the convolutions of the blocks are spectrally normalised.
        conditioning: `"labels"`, or `"dense"` for any float map under the key `"segmap"`.
        modulation: how label maps are convolved, `"auto"`, `"patterns"` or `"dense"`; see `SPADE`.
        initial_gain: factor of the Xavier-normal initial kernels, see `xavier_normal`. Above the
            authors' 0.02, the kernels of SPADE that read label maps start `sqrt(num_classes)`
            times larger, and the last kernel starts small and the same for all channels of the
            image, so that pictures start grey.

    Call arguments:
        inputs: dict of `"labels"` int32 `(batch, H, W)` with ids `0..num_classes-1` (or
            `num_classes` for void), `"edges"` float 0/1 `(batch, H, W)` if `instance_edges`,
            `"latent"` float `(batch, latent_dim)` if `latent_dim`; or `"segmap"` float
            `(batch, H, W, num_classes)` instead of labels and edges. The label map may have
            any size: every block resizes it to its own. (This would thin edges larger than the
            image: `GauGAN.generate` computes them from resized instances.)
        training: mode of norms and spectral norms.

    Returns:
        Images `(batch, height, width, channels)` in [-1, 1].

    Raises:
        ValueError: for unsupported image sizes, naming the nearest supported ones, and for other
            bad arguments.

    Example:

    >>> import numpy as np
    >>> from keras_spade import SPADEGenerator
    >>> generator = SPADEGenerator(
    ...     num_classes=4, image_shape=(32, 64, 3), latent_dim=None, base_filters=2
    ... )
    >>> tuple(generator({"labels": np.zeros((1, 32, 64), "int32")}).shape)
    (1, 32, 64, 3)

    Reference: Park et al. 2019 (arXiv 1903.07291), section 3, figure 4 (right); appendix A,
    figure 12.
    """

    ARGUMENTS = (
        "num_classes",
        "image_shape",
        "void_class",
        "instance_edges",
        "latent_dim",
        "base_filters",
        "upsampling",
        "norm",
        "kernel_size",
        "hidden_filters",
        "spectral_norm",
        "conditioning",
        "modulation",
        "initial_gain",
    )

    def __init__(
        self,
        num_classes: int,
        image_shape: tuple[int, int, int] = (256, 256, 3),
        void_class: bool = False,
        instance_edges: bool = False,
        latent_dim: int | None = 256,
        base_filters: int = 64,
        upsampling: str = "normal",
        norm: str = "sync_batch",
        kernel_size: int = 3,
        hidden_filters: int = 128,
        spectral_norm: bool = True,
        conditioning: str = "labels",
        modulation: str = "auto",
        initial_gain: float = 0.02,
        name: str = "generator",
        dtype: str | keras.DTypePolicy | None = None,
        trainable: bool = True,
    ):
        condition = Conditioning(
            num_classes, image_shape, void_class, instance_edges, conditioning, modulation, dtype
        )
        dtype, image_shape = condition.dtype, condition.image_shape
        height, width = _latent_grid(image_shape, upsampling)
        if latent_dim is not None:
            positive_integer("`latent_dim`", latent_dim, "None or at least 1")
        wanted = "at least 1, and 2 with upsampling='most'"
        least = 2 if upsampling == "most" else 1
        integer_at_least(least, "`base_filters`", base_filters, wanted)

        # === Layers ===
        filters = base_filters
        windows = ((kernel_size, 1),) * 2

        def block(name, filters, x):
            layer = SPADEResBlock(
                filters,
                norm=norm,
                kernel_size=kernel_size,
                hidden_filters=hidden_filters,
                num_classes=condition.num_classes,
                spectral_norm=spectral_norm,
                modulation=modulation,
                initial_gain=initial_gain,
                name=name,
                dtype=dtype,
            )
            return layer(x, condition.at(*x.shape[1:3], windows))

        def double(x):
            return keras.layers.UpSampling2D(2, interpolation="nearest", dtype=dtype)(x)

        # === Functional graph ===
        inputs = dict(condition.inputs)
        if latent_dim is None:
            conv = LabelConv2D(
                16 * filters,
                3,
                num_classes=condition.num_classes,
                modulation=modulation,
                kernel_initializer=xavier_normal(initial_gain),
                name="fc",
                dtype=dtype,
            )
            x = conv(condition.at(height, width, ((3, 1),)))
        else:
            inputs["latent"] = keras.Input((latent_dim,), name="latent")
            dense = keras.layers.Dense(
                16 * filters * height * width,
                kernel_initializer=xavier_normal(initial_gain),
                name="fc",
                dtype=dtype,
            )
            x = dense(inputs["latent"])
            x = keras.layers.Reshape((height, width, 16 * filters), dtype=dtype)(x)
        x = block("head_0", 16 * filters, x)
        x = block("middle_0", 16 * filters, double(x))
        if upsampling in ("more", "most"):
            x = double(x)
        x = block("middle_1", 16 * filters, x)
        for i, factor in enumerate((8, 4, 2, 1)):
            x = block(f"up_{i}", factor * filters, double(x))
        if upsampling == "most":
            x = block("up_4", filters // 2, double(x))
        x = keras.layers.Activation(leaky_relu, dtype=dtype)(x)
        x = Conv2D(
            image_shape[-1],
            3,
            padding="same",
            activation="tanh",
            kernel_initializer=of_images(initial_gain),
            name="conv_img",
            dtype=condition.image_dtype,
        )(x)
        super().__init__(inputs=inputs, outputs=x, name=name, trainable=trainable)
        self.dtype_policy = dtype

        # === Config ===
        self.num_classes = num_classes
        self.image_shape = image_shape
        self.void_class = void_class
        self.instance_edges = instance_edges
        self.latent_dim = latent_dim
        self.base_filters = base_filters
        self.upsampling = upsampling
        self.norm = norm
        self.kernel_size = kernel_size
        self.hidden_filters = hidden_filters
        self.spectral_norm = spectral_norm
        self.conditioning = conditioning
        self.modulation = modulation
        self.initial_gain = float(initial_gain)


def _latent_grid(image_shape, upsampling):
    if upsampling not in DOUBLINGS:
        raise ValueError(f"`upsampling` must be one of {tuple(DOUBLINGS)}, got {upsampling!r}.")
    factor = 2 ** DOUBLINGS[upsampling]
    height, width, _ = image_shape
    if height % factor or width % factor:
        fits = []
        for size in (height, width):
            below, above = size // factor * factor, (size // factor + 1) * factor
            fits.append(f"{below} or {above}" if below else f"{above}")
        raise ValueError(
            f"`image_shape`: with upsampling={upsampling!r} height and width must be divisible by "
            f"{factor}, got {height} x {width}. Valid heights: {fits[0]}; widths: {fits[1]}."
        )
    return height // factor, width // factor
