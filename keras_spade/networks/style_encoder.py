"""The encoder."""

import keras

from keras_spade.arguments import positive_integer, positive_integers
from keras_spade.layers import FeatureNorm, SmallMapConv2D, SpectralNorm, xavier_normal
from keras_spade.layers.leaky_relu import leaky_relu
from keras_spade.networks._network import Network
from keras_spade.networks._settings import checked_policy
from keras_spade.networks.conditioning import check_image_shape
from keras_spade.precision import full_precision_dtype

FILTERS = (1, 2, 4, 8, 8, 8)


@keras.saving.register_keras_serializable(package="keras_spade")
class StyleEncoder(Network):
    """Encodes the style of a photograph as mean and log variance of a normal over latents.

    The image, resized bilinearly, passes through six 3 x 3 convolutions with stride 2 and padding 1
    (`f, 2f, 4f, 8f, 8f, 8f` filters) with spectral norm, a parameter-free norm and leaky ReLU.
    One dense layer then computes the mean, another the log variance.

    Args:
        image_shape: `(height, width, channels)` of the photographs; any size.
        latent_dim: size of the latent.
        base_filters: `f` above.
        resize_to: `(height, width)` to which the image is resized first, 256 x 256 in the paper,
            whatever its aspect ratio; `None`: not resized. Smaller sizes are cheaper for small
            images.
        norm: `"instance"` (parameter-free); `"batch"` or `"sync_batch"` (with learned scale and
            offset, as in the reference).
        spectral_norm: whether the convolutions are spectrally normalised.
        initial_gain: factor of the Xavier-normal initial kernels, see `xavier_normal`.

    Call arguments:
        inputs: images, float `(batch, height, width, channels)` in [-1, 1].
        training: mode of norms and spectral norms.

    Returns:
        `(mean, log_variance)`, each `(batch, latent_dim)`, float32.

    Raises:
        ValueError: for bad arguments, or sizes that leave a 1 x 1 map, which instance norm zeroes.

    Example:

    >>> import numpy as np
    >>> from keras_spade import StyleEncoder
    >>> encoder = StyleEncoder(image_shape=(96, 128, 3), latent_dim=8, base_filters=2)
    >>> mean, log_variance = encoder(np.zeros((1, 96, 128, 3), "float32"))
    >>> tuple(mean.shape)
    (1, 8)

    Reference: Park et al. 2019 (arXiv 1903.07291), section 3 and appendix A, figure 14.
    """

    ARGUMENTS = (
        "image_shape",
        "latent_dim",
        "base_filters",
        "resize_to",
        "norm",
        "spectral_norm",
        "initial_gain",
    )

    def __init__(
        self,
        image_shape: tuple[int, int, int] = (256, 256, 3),
        latent_dim: int = 256,
        base_filters: int = 64,
        resize_to: tuple[int, int] | None = (256, 256),
        norm: str = "instance",
        spectral_norm: bool = True,
        initial_gain: float = 0.02,
        name: str = "encoder",
        dtype: str | keras.DTypePolicy | None = None,
        trainable: bool = True,
    ):
        dtype = checked_policy(dtype)
        image_shape = check_image_shape(image_shape)
        positive_integer("`latent_dim`", latent_dim)
        positive_integer("`base_filters`", base_filters)
        wanted = "(height, width) or None, positive integers"
        resize_to = resize_to and positive_integers("`resize_to`", resize_to, 2, wanted)
        size = resize_to or image_shape[:2]
        if norm == "instance" and max(size) <= 2 ** len(FILTERS):
            raise ValueError(
                f"`resize_to`: six halvings of {size[0]} x {size[1]} leave a 1 x 1 map, which "
                f"instance norm turns to zero; use more than {2 ** len(FILTERS)} rows or columns."
            )

        # === Functional graph ===
        full_precision = full_precision_dtype(dtype.variable_dtype)
        inputs = keras.Input(image_shape, name="image")
        x = inputs
        if size != image_shape[:2]:
            x = keras.layers.Resizing(*size, interpolation="bilinear", dtype=full_precision)(x)
        for index, factor in enumerate(FILTERS):
            if index:
                x = keras.layers.Activation(leaky_relu, dtype=dtype)(x)
            name_ = f"conv_{index}"
            conv = SmallMapConv2D(
                factor * base_filters,
                3,
                strides=2,
                use_bias=False,
                kernel_initializer=xavier_normal(initial_gain),
                name="conv" if spectral_norm else name_,
                dtype=dtype,
            )
            if spectral_norm:
                conv = SpectralNorm(conv, name=name_)
            x = conv(keras.layers.ZeroPadding2D(1, dtype=dtype)(x))
            affine = norm != "instance"
            x = FeatureNorm(norm, affine=affine, name=f"norm_{index}", dtype=dtype)(x)
        x = keras.layers.Activation(leaky_relu, dtype=dtype)(x)
        x = keras.layers.Flatten(dtype=dtype)(x)
        # The latent's distribution is float32 under every mixed dtype policy.
        outputs = tuple(
            keras.layers.Dense(
                latent_dim,
                kernel_initializer=xavier_normal(initial_gain),
                name=head,
                dtype=full_precision,
            )(x)
            for head in ("mean", "log_variance")
        )
        super().__init__(inputs=inputs, outputs=outputs, name=name, trainable=trainable)
        self.dtype_policy = dtype

        # === Config ===
        self.image_shape = image_shape
        self.latent_dim = latent_dim
        self.base_filters = base_filters
        self.resize_to = resize_to
        self.norm = norm
        self.spectral_norm = spectral_norm
        self.initial_gain = float(initial_gain)
