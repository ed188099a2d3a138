"""A generator of one block, for tests of the code around it."""

import keras

from keras_spade import SPADEResBlock
from keras_spade.layers import xavier_normal
from keras_spade.networks import Conditioning, Generator


@keras.saving.register_keras_serializable(package="tests")
class TinyGenerator(Generator):
    """A dense layer, one SPADE block and a convolution, with options of each kind.

    A traced training step of `SPADEGenerator`, which has seven blocks, takes half a minute.
    """

    ARGUMENTS = (
        "num_classes",
        "image_shape",
        "void_class",
        "instance_edges",
        "latent_dim",
        "norm",
        "spectral_norm",
        "conditioning",
        "modulation",
    )

    def __init__(
        self,
        num_classes,
        image_shape,
        void_class=False,
        instance_edges=False,
        latent_dim=2,
        norm="sync_batch",
        spectral_norm=True,
        conditioning="labels",
        modulation="dense",
        name="generator",
        dtype=None,
        trainable=True,
    ):
        condition = Conditioning(
            num_classes, image_shape, void_class, instance_edges, conditioning, modulation, dtype
        )
        dtype = condition.dtype
        height, width = image_shape[0] // 4, image_shape[1] // 4
        if latent_dim is None:
            inputs = dict(condition.inputs)
            x = keras.layers.Conv2D(
                2, 3, padding="same", kernel_initializer=xavier_normal(), name="fc", dtype=dtype
            )
            x = x(condition.at(height, width, ((3, 1),)))
        else:
            inputs = condition.inputs | {"latent": keras.Input((latent_dim,), name="latent")}
            x = keras.layers.Dense(
                2 * height * width, kernel_initializer=xavier_normal(), name="fc", dtype=dtype
            )(inputs["latent"])
            x = keras.layers.Reshape((height, width, 2), dtype=dtype)(x)
        block = SPADEResBlock(
            3,
            norm=norm,
            hidden_filters=2,
            num_classes=condition.num_classes,
            spectral_norm=spectral_norm,
            modulation=modulation,
            name="head_0",
            dtype=dtype,
        )
        x = block(x, condition.at(height, width, ((3, 1),) * 2))
        x = keras.layers.UpSampling2D(4, dtype=dtype)(x)
        x = keras.layers.Conv2D(
            image_shape[-1],
            3,
            padding="same",
            activation="tanh",
            kernel_initializer=xavier_normal(),
            name="conv_img",
            dtype=condition.image_dtype,
        )(x)
        super().__init__(inputs=inputs, outputs=x, name=name, trainable=trainable)
        self.dtype_policy = dtype
        self.num_classes = num_classes
        self.image_shape = condition.image_shape
        self.void_class = void_class
        self.instance_edges = instance_edges
        self.latent_dim = latent_dim
        self.norm = norm
        self.spectral_norm = spectral_norm
        self.conditioning = conditioning
        self.modulation = modulation
