"""The GauGAN of the keras.io examples, for Keras 3.15 on TensorFlow.

After "GauGAN for conditional image generation" by Soumik Rakshit and Sayak Paul,
https://keras.io/examples/generative/gaugan/, Copyright the Keras authors, licensed under the Apache
License, Version 2.0 (http://www.apache.org/licenses/LICENSE-2.0). Rewritten from scratch, it
computes the same as that example:

- SPADE without the one: `gamma * norm(x) + beta`; every call, in training and in painting,
  normalises by the moments of its batch; no spectral norm; Glorot-uniform kernels; 128 hidden
  channels.
- The encoder's posterior is computed outside the gradient tapes: the encoder gets no gradient, the
  KL divergence is only logged, and latents are a random network's output for a photograph, plus
  noise.
- One discriminator, which sees the label map in colours, with instance norm of learned scale. It
  is updated first, with half of the sum of both hinges, then the generator, with the same latent.
- Adam with beta_1 0, beta_2 0.999 and Keras' epsilon, rates 1e-4 and 4e-4.

It differs in: images of any size (the example's are 256 x 256: six doublings of 4 x 4), widths, the
perceptual network (VGG19 there), and label maps as ids, from which colours and one-hot maps are
made here.
"""

import keras
import numpy as np
import tensorflow as tf
from keras import layers, ops

BLOCKS = (16, 16, 16, 8, 4, 2)  # Multiples of `filters`, which is 64 there.


class SPADE(layers.Layer):
    """`gamma * (x - mean) / sqrt(variance + epsilon) + beta`, moments of the batch."""

    def __init__(self, filters, epsilon=1e-5, **kwargs):
        super().__init__(**kwargs)
        self.epsilon = epsilon
        self.conv = layers.Conv2D(128, 3, padding="same", activation="relu")
        self.conv_gamma = layers.Conv2D(filters, 3, padding="same")
        self.conv_beta = layers.Conv2D(filters, 3, padding="same")

    def call(self, x, mask):
        """Normalises and modulates."""
        mask = ops.image.resize(mask, x.shape[1:3], interpolation="nearest")
        hidden = self.conv(mask)
        gamma, beta = self.conv_gamma(hidden), self.conv_beta(hidden)
        mean, variance = ops.moments(x, axes=(0, 1, 2), keepdims=True)
        return gamma * (x - mean) / ops.sqrt(variance + self.epsilon) + beta


class ResBlock(layers.Layer):
    """Two SPADEs and convolutions, and a third of each in the shortcut if the width changes."""

    def __init__(self, filters, **kwargs):
        super().__init__(**kwargs)
        self.filters = filters

    def build(self, x_shape, mask_shape=None):
        """Creates them."""
        self.spade_1, self.spade_2 = SPADE(x_shape[-1]), SPADE(self.filters)
        self.conv_1 = layers.Conv2D(self.filters, 3, padding="same")
        self.conv_2 = layers.Conv2D(self.filters, 3, padding="same")
        self.learned_skip = self.filters != x_shape[-1]
        if self.learned_skip:
            self.spade_3 = SPADE(x_shape[-1])
            self.conv_3 = layers.Conv2D(self.filters, 3, padding="same")

    def call(self, x, mask):
        """Adds both branches."""
        y = self.conv_1(leaky(self.spade_1(x, mask)))
        y = self.conv_2(leaky(self.spade_2(y, mask)))
        return y + (self.conv_3(leaky(self.spade_3(x, mask))) if self.learned_skip else x)


def leaky(x):
    """Leaky ReLU of slope 0.2."""
    return keras.activations.leaky_relu(x, 0.2)


def downsample(x, filters, kernel_size, strides=2, norm=True):
    """A convolution without bias, instance norm, leaky ReLU."""
    x = layers.Conv2D(
        filters,
        kernel_size,
        strides,
        padding="same",
        use_bias=False,
        kernel_initializer=keras.initializers.GlorotNormal(),
    )(x)
    return leaky(layers.GroupNormalization(groups=-1)(x) if norm else x)


def build_encoder(image_shape, filters=64, latent_dim=256):
    """From an image to mean and log variance, which the example calls variance."""
    image = x = keras.Input(image_shape)
    for i, factor in enumerate((1, 2, 4, 8, 8)):
        x = downsample(x, factor * filters, 3, norm=i > 0)
    x = layers.Flatten()(x)
    heads = [layers.Dense(latent_dim, name=name)(x) for name in ("mean", "variance")]
    return keras.Model(image, heads, name="encoder")


def build_generator(mask_shape, filters=64, latent_dim=256):
    """From a latent and a one-hot map to an image; five doublings below 256 rows or columns."""
    blocks = BLOCKS if min(mask_shape[:2]) >= 256 else BLOCKS[1:]
    height, width = (size // 2 ** len(blocks) for size in mask_shape[:2])
    latent, mask = keras.Input((latent_dim,)), keras.Input(mask_shape)
    x = layers.Dense(height * width * 16 * filters)(latent)
    x = layers.Reshape((height, width, 16 * filters))(x)
    for factor in blocks:
        x = layers.UpSampling2D(2)(ResBlock(factor * filters)(x, mask))
    x = layers.Conv2D(3, 4, padding="same")(leaky(x))
    return keras.Model([latent, mask], keras.activations.tanh(x), name="generator")


def build_discriminator(image_shape, filters=64):
    """From a label map in colours and an image to the activations of five convolutions."""
    segmap, image = keras.Input(image_shape), keras.Input(image_shape)
    outputs = [downsample(layers.Concatenate()([segmap, image]), filters, 4, norm=False)]
    for factor, strides in ((2, 2), (4, 2), (8, 1)):
        outputs.append(downsample(outputs[-1], factor * filters, 4, strides))
    outputs.append(layers.Conv2D(1, 4)(outputs[-1]))
    return keras.Model([segmap, image], outputs, name="discriminator")


class KerasIoGauGAN(keras.Model):
    """The model, which trains on the batches of `keras_spade.datasets`.

    Args:
        image_shape: `(height, width, 3)`.
        palette: one colour per class, uint8 `(classes, 3)`, including the void class.
        filters: width of the generator; `discriminator_filters`, `encoder_filters`: of the others.
        latent_dim: size of the latent.
        seed: of the noise.
    """

    def __init__(
        self,
        image_shape,
        palette,
        filters=64,
        discriminator_filters=64,
        encoder_filters=64,
        latent_dim=256,
        seed=1337,
    ):
        super().__init__()
        self.palette = np.asarray(palette, "float32") / 127.5 - 1.0
        self.latent_dim = latent_dim
        mask_shape = (*image_shape[:2], len(palette))
        self.generator = build_generator(mask_shape, filters, latent_dim)
        self.discriminator = build_discriminator(image_shape, discriminator_filters)
        self.encoder = build_encoder(image_shape, encoder_filters, latent_dim)
        self.seed_generator = keras.random.SeedGenerator(seed)
        self.built = True

    def compile(
        self,
        perceptual_loss=None,
        perceptual_weight=0.1,
        feature_matching_weight=10.0,
        kl_weight=0.1,
        rates=(1e-4, 4e-4),
        **averages,
    ):
        """Sets losses and optimizers.

        Args:
            perceptual_loss: function of `(fake, real)`, or `None`.
            perceptual_weight: its factor; all weights are the example's.
            feature_matching_weight: likewise.
            kl_weight: likewise.
            rates: learning rates of generator and discriminator.
            **averages: `use_ema` and `ema_momentum` of the generator's optimizer.
        """
        super().compile()
        self.perceptual_loss, self.perceptual_weight = perceptual_loss, perceptual_weight
        self.feature_matching_weight, self.kl_weight = feature_matching_weight, kl_weight
        self.generator_optimizer, self.discriminator_optimizer = (
            keras.optimizers.Adam(rate, beta_1=0.0, beta_2=0.999, **options)
            for rate, options in zip(rates, (averages, {}), strict=True)
        )
        self.generator_optimizer.build(self.generator.trainable_variables)
        self.discriminator_optimizer.build(self.discriminator.trainable_variables)

    def train_step(self, data):
        """One update of the discriminator, then one of the generator."""
        batch = data[0] if isinstance(data, tuple) else data
        image = ops.convert_to_tensor(batch["image"])
        segmap, mask = self.maps(batch["labels"])
        mean, log_variance = self.encoder(image)
        noise = keras.random.normal(ops.shape(mean), seed=self.seed_generator)
        latent = mean + ops.exp(0.5 * log_variance) * noise

        fake = self.generator([latent, mask])
        weights = self.discriminator.trainable_variables
        with tf.GradientTape() as tape:
            loss_fake = hinge(self.discriminator([segmap, fake])[-1], -1.0)
            loss_real = hinge(self.discriminator([segmap, image])[-1], 1.0)
            loss = 0.5 * (loss_fake + loss_real)
        self.discriminator_optimizer.apply(tape.gradient(loss, weights), weights)

        weights = self.generator.trainable_variables
        real_features = self.discriminator([segmap, image])
        with tf.GradientTape() as tape:
            fake = self.generator([latent, mask])
            features = self.discriminator([segmap, fake])
            losses = {
                "generator": -ops.mean(features[-1]),
                "feature_matching": self.feature_matching_weight
                * sum(
                    ops.mean(ops.abs(f - r))
                    for f, r in zip(features[:-1], real_features[:-1], strict=True)
                ),
            }
            if self.perceptual_loss is not None:
                losses["perceptual"] = self.perceptual_weight * self.perceptual_loss(fake, image)
            total = sum(losses.values())
        self.generator_optimizer.apply(tape.gradient(total, weights), weights)
        divergence = 1 + log_variance - ops.square(mean) - ops.exp(log_variance)
        losses["kl"] = -0.5 * self.kl_weight * ops.sum(divergence)
        return losses | {"discriminator": loss}

    def maps(self, labels):
        """The label map in colours, floats in [-1, 1], and as one-hot map."""
        return ops.take(self.palette, labels, axis=0), ops.one_hot(labels, len(self.palette))

    def paint(self, labels, seed, stddev=2.0):
        """Paints a batch as the example does: latents from a normal of deviation 2.

        Args:
            labels: int32 `(batch, H, W)`.
            seed: of the latents.
            stddev: of the latents.

        Returns:
            Images `(batch, H, W, 3)`, floats in [-1, 1], normalised by this batch.
        """
        shape = (len(labels), self.latent_dim)
        latent = keras.random.normal(shape, stddev=stddev, seed=seed)
        return self.generator([latent, self.maps(labels)[1]])

    def state_variables(self):
        """All variables needed to resume training."""
        networks = (self.generator, self.discriminator, self.encoder)
        optimizers = (self.generator_optimizer, self.discriminator_optimizer)
        return [v for part in (*networks, *optimizers) for v in part.variables] + [
            self.seed_generator.state
        ]

    def _symbolic_build(self, *args, **kwargs):
        """Does nothing: everything is built."""

    def _maybe_symbolic_build(self, *args, **kwargs):
        """Does nothing, likewise."""


def hinge(logits, target):
    """The mean of `max(0, 1 - target * logits)`."""
    return ops.mean(ops.maximum(1.0 - target * logits, 0.0))
