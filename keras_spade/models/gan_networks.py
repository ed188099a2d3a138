"""The networks of a GAN, and their forward passes."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import keras
from keras import ops

from keras_spade.backends.replicas import normal_over_replicas
from keras_spade.layers import reparameterize
from keras_spade.networks import Generator, MultiScaleDiscriminator, StyleEncoder
from keras_spade.tensor import Tensor

SHARED = ("num_classes", "image_shape", "void_class", "instance_edges", "conditioning")


@dataclass(frozen=True)
class GanNetworks:
    """Generator, discriminator and optional style encoder that belong together.

    Args:
        generator: a `SPADEGenerator`, or another `Generator`.
        discriminator: a `MultiScaleDiscriminator` of the same conditioning and image shape.
        encoder: a `StyleEncoder` of the generator's `latent_dim`, or `None`.

    Raises:
        ValueError: if they do not fit together.
    """

    generator: Generator
    discriminator: MultiScaleDiscriminator
    encoder: StyleEncoder | None

    def __post_init__(self):
        for argument, network, kind in (
            ("generator", self.generator, Generator),
            ("discriminator", self.discriminator, MultiScaleDiscriminator),
            ("encoder", self.encoder, StyleEncoder),
        ):
            if not (isinstance(network, kind) or (network is None and kind is StyleEncoder)):
                raise ValueError(
                    f"`{argument}` must be a {kind.__name__}, got {type(network).__name__}."
                )
        self._check_same(("generator", "discriminator"), SHARED)
        if self.encoder is not None:
            self._check_same(("encoder", "generator"), ("latent_dim", "image_shape"))

    def _check_same(self, names, attributes):
        for attribute in attributes:
            one, other = (getattr(getattr(self, name), attribute) for name in names)
            if one != other:
                raise ValueError(
                    f"`{names[0]}` and `{names[1]}` must have the same {attribute}: "
                    f"{one!r} against {other!r}."
                )

    # === Variables ===

    @property
    def generator_variables(self) -> list[keras.Variable]:
        """The variables of the generator's optimizer: the generator's and the encoder's weights."""
        encoder = [] if self.encoder is None else self.encoder.trainable_variables
        return self.generator.trainable_variables + encoder

    @property
    def discriminator_variables(self) -> list[keras.Variable]:
        """The variables of the discriminator's optimizer."""
        return self.discriminator.trainable_variables

    @property
    def statistics(self) -> list[keras.Variable]:
        """The variables that forward passes change: moving statistics and spectral norm vectors."""
        return [v for network in self._all for v in network.statistics]

    @property
    def variables(self) -> list[keras.Variable]:
        """All weights and statistics."""
        return [v for network in self._all for v in network.variables]

    @property
    def _all(self):
        networks = (self.generator, self.discriminator, self.encoder)
        return [network for network in networks if network is not None]

    # === Forward passes ===

    def encode(
        self, image: Tensor, noise: keras.random.SeedGenerator, training: bool
    ) -> tuple[Tensor | None, tuple[Tensor, Tensor] | None]:
        """A latent for each image (`None` without), and its posterior (`None` without encoder).

        Args:
            image: floats in [-1, 1], `(batch, H, W, channels)`.
            noise: a `keras.random.SeedGenerator`.
            training: whether to update moving statistics.

        Returns:
            The latent `(batch, latent_dim)`; the posterior's mean and log variance.
        """
        if self.generator.latent_dim is None:
            return None, None
        if self.encoder is None:
            return self.draw_latent(ops.shape(image)[0], noise), None
        posterior = self.encoder(image, training=training)
        return reparameterize(*posterior, seed=noise), posterior

    def draw_latent(self, batch_size: int | Tensor, noise: keras.random.SeedGenerator) -> Tensor:
        """Latents from a standard normal, `(batch_size, latent_dim)`."""
        return normal_over_replicas((batch_size, self.generator.latent_dim), seed=noise)

    def paint(
        self, conditioning: Mapping[str, Tensor], latent: Tensor | None, training: bool
    ) -> Tensor:
        """Images in [-1, 1] for conditioning inputs and, unless it is `None`, a latent."""
        inputs = dict(conditioning)
        if latent is not None:
            inputs["latent"] = ops.convert_to_tensor(latent)
        return self.generator(inputs, training=training)

    def judge(
        self, conditioning: Mapping[str, Tensor], fake: Tensor, real: Tensor, training: bool
    ) -> Iterator[list[list[Tensor]]]:
        """The discriminator's features of fake and of real images, computed in one batch."""
        inputs = dict(conditioning)
        inputs["image"] = ops.concatenate([fake, ops.cast(real, fake.dtype)])
        scales = self.discriminator(inputs, training=training)
        halves = [[ops.split(feature, 2) for feature in scale] for scale in scales]
        return ([[half[i] for half in scale] for scale in halves] for i in (0, 1))
