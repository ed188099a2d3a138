"""The losses of both sides of the GAN."""

from collections.abc import Callable
from dataclasses import dataclass

import keras
from keras import ops

from keras_spade.backends import backend
from keras_spade.losses import feature_matching_loss, kl_divergence
from keras_spade.models.batch import Batch
from keras_spade.models.gan_networks import GanNetworks
from keras_spade.precision import full_precision


@dataclass(frozen=True)
class Objective:
    """The weighted losses of generator and discriminator, as configured by `GauGAN.compile`.

    It only computes; `TrainingStep` changes weights.

    Args:
        networks: the `GanNetworks`.
        adversarial_loss: called with the discriminator's features, `real` and `for_discriminator`.
        feature_matching_weight: 0 turns feature matching off.
        perceptual_loss: function of `(fake, real)`, or `None`.
        perceptual_weight: its factor.
        kl_weight: factor of the KL divergence, with an encoder.
        kl_reduction: `"sum"` over the global batch, or `"mean"`.

    Reference: Park et al. 2019 (arXiv 1903.07291), section 3 and appendix A, "Training details".
    """

    networks: GanNetworks
    adversarial_loss: Callable
    feature_matching_weight: float
    perceptual_loss: Callable | None
    perceptual_weight: float
    kl_weight: float
    kl_reduction: str

    @property
    def loss_names(self) -> list[str]:
        """The names of the losses."""
        names = ["generator/adversarial"]
        names += ["generator/feature_matching"] if self.feature_matching_weight else []
        names += ["generator/perceptual"] if self.perceptual_loss is not None else []
        names += ["generator/kl"] if self.networks.encoder is not None else []
        return names + ["discriminator/real", "discriminator/fake"]

    def losses(self, batch: Batch, noise: keras.random.SeedGenerator) -> dict:
        """The losses of both sides in inference mode, by name; both judge the same fake."""
        fake, posterior = self._paint(batch, noise, training=False)
        outputs = tuple(self.networks.judge(batch.conditioning, fake, batch.image, training=False))
        of_generator = self._of_generator(batch, fake, posterior, *outputs)
        return of_generator | self._of_discriminator(*outputs)

    def generator_losses(
        self, batch: Batch, noise: keras.random.SeedGenerator, training: bool
    ) -> dict:
        """The terms of the generator's and encoder's loss, by name."""
        fake, posterior = self._paint(batch, noise, training)
        outputs = self.networks.judge(batch.conditioning, fake, batch.image, training)
        return self._of_generator(batch, fake, posterior, *outputs)

    def discriminator_losses(
        self, batch: Batch, noise: keras.random.SeedGenerator, training: bool
    ) -> dict:
        """The two terms of the discriminator's loss, by name; the fake is a constant."""
        with backend.without_gradients():
            fake = ops.stop_gradient(self._paint(batch, noise, training)[0])
        outputs = self.networks.judge(batch.conditioning, fake, batch.image, training)
        return self._of_discriminator(*outputs)

    def _paint(self, batch, noise, training):
        """The fake, and the posterior of its latent or `None`."""
        latent, posterior = self.networks.encode(batch.image, noise, training)
        return self.networks.paint(batch.conditioning, latent, training), posterior

    def _of_generator(self, batch, fake, posterior, fake_outputs, real_outputs):
        adversarial = self.adversarial_loss(fake_outputs, real=True, for_discriminator=False)
        losses = {"generator/adversarial": adversarial}
        if self.feature_matching_weight:
            matching = feature_matching_loss(fake_outputs, real_outputs)
            losses["generator/feature_matching"] = self.feature_matching_weight * matching
        if self.perceptual_loss is not None:
            wide = full_precision(fake)
            distance = self.perceptual_loss(wide, ops.cast(batch.image, wide.dtype))
            losses["generator/perceptual"] = self.perceptual_weight * distance
        if posterior is not None:
            divergence = kl_divergence(*posterior, reduction="mean")
            if self.kl_reduction == "sum":
                # Over the global batch: the shares of its replicas add up to the sum.
                divergence = divergence * ops.cast(batch.part.total, divergence.dtype)
            losses["generator/kl"] = self.kl_weight * divergence
        return losses

    def _of_discriminator(self, fake_outputs, real_outputs):
        return {
            "discriminator/real": self.adversarial_loss(real_outputs, real=True),
            "discriminator/fake": self.adversarial_loss(fake_outputs, real=False),
        }
