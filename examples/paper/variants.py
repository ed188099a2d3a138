"""The variant that is trained for one row of a table."""

import dataclasses
from collections.abc import Mapping

import keras

from examples.paper.options import FLAGS
from keras_spade import (
    GauGAN,
    MultiScaleDiscriminator,
    SPADEGenerator,
    StyleEncoder,
    losses,
    optimizers,
)


@keras.saving.register_keras_serializable(package="keras_spade_paper")
def hinge_for_discriminator_only(outputs, real, for_discriminator=True):
    """The hinge loss for the discriminator only; the generator learns from features alone."""
    loss = losses.AdversarialLoss("hinge")(outputs, real, for_discriminator)
    return loss if for_discriminator else 0.0 * loss


@dataclasses.dataclass(frozen=True)
class Variant:
    """A GAN that differs from ours in the given arguments.

    Args:
        row: its name in tables.
        generator: class of its generator.
        arguments: of the generator, in addition to the common ones.
        discriminator: arguments of the discriminator, likewise.
        losses: arguments of `GauGAN.compile`.
        encoder: whether to train a style encoder too.
        width: factor of --base_filters.
    """

    row: str
    generator: type = SPADEGenerator
    arguments: Mapping = dataclasses.field(default_factory=dict)
    discriminator: Mapping = dataclasses.field(default_factory=dict)
    losses: Mapping = dataclasses.field(default_factory=dict)
    encoder: bool = False
    width: float = 1.0

    @property
    def definition(self):
        """Everything except the name, as JSON values."""
        return {
            "generator": self.generator.__name__,
            "arguments": dict(self.arguments),
            "discriminator": dict(self.discriminator),
            "losses": {k: getattr(v, "__name__", v) for k, v in self.losses.items()},
            "encoder": self.encoder,
            "width": self.width,
        }

    def compiled(self, conditioning, image_shape, perceptual, seed):
        """Returns a new compiled GAN.

        Args:
            conditioning: arguments of the networks that describe the label maps.
            image_shape: `(height, width, channels)`.
            perceptual: the perceptual loss and its weight, see `perceptual_options`.
            seed: of weights and noise.
        """
        keras.utils.set_random_seed(seed)
        common = {**conditioning, "image_shape": image_shape, "modulation": FLAGS.modulation}
        gain = {"initial_gain": FLAGS.initial_gain}
        arguments = {"base_filters": max(1, round(FLAGS.base_filters * self.width))}
        if self.generator is SPADEGenerator:
            latent_dim = FLAGS.latent_dim if self.encoder else None
            arguments |= {"hidden_filters": FLAGS.hidden_filters, "latent_dim": latent_dim, **gain}
        arguments |= self.arguments
        # Width, latent or gain from --hidden_filters, --latent_dim or --initial_gain.
        arguments = {k: FLAGS[v].value if is_flag(v) else v for k, v in arguments.items()}
        discriminator = {"base_filters": FLAGS.discriminator_filters, **gain, **self.discriminator}
        if discriminator.get("norm") == "spade":
            discriminator["hidden_filters"] = FLAGS.hidden_filters
        encoder = None
        if self.encoder:
            # Six halvings need more than 64 pixels.
            size = None if max(image_shape[:2]) > 64 else (96, 96)
            width = FLAGS.discriminator_filters
            encoder = StyleEncoder(image_shape, FLAGS.latent_dim, width, resize_to=size, **gain)
        gan = GauGAN(
            self.generator(**common, **arguments),
            MultiScaleDiscriminator(**common, **discriminator),
            encoder,
            seed=seed,
        )
        rates = {
            "generator_optimizer": optimizers.BiasCorrectedAdam(FLAGS.rate),
            "discriminator_optimizer": optimizers.BiasCorrectedAdam(FLAGS.discriminator_rate),
        }
        gan.compile(**{**rates, **perceptual, "run_eagerly": FLAGS.quick, **self.losses})
        return gan


def is_flag(value):
    """Whether an argument is the name of the flag that holds its value."""
    return value in ("hidden_filters", "latent_dim", "initial_gain")


OURS = Variant("ours")
